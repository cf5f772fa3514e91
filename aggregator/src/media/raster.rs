//! Pixels of a drawing, made by a process of their own.
//!
//! A few lines of SVG can ask for any amount of memory and time (`use` of `use` of `use`), and what
//! runs in this process can't be stopped. So this very program is started once more for each
//! picture, takes bounds upon itself before it reads a byte, and is killed where it takes too long.

pub mod drawing;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// Pictures that are drawn at once; others wait their turn.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(15);
const TURN_PATIENCE: Duration = Duration::from_secs(10);
/// Of what it says when it fails.
const MAX_WHY: u64 = 4 * 1024;
/// The exit code for a drawing that can't be drawn.
pub const REFUSED: u8 = 3;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RasterError {
    #[error("the drawing can't be made pixels of: {0}")]
    Refused(String),
    #[error("making pixels of the drawing took longer than {} s", PATIENCE.as_secs())]
    Slow,
    #[error("making pixels of the drawing took more memory or time than it may")]
    Bounds,
    #[error("as many drawings are being made pixels of as may be at once")]
    Busy,
    #[error("the picture has more than {0} bytes")]
    Size(usize),
    #[error("the program that makes pixels can't be used: {0}")]
    Program(String),
}

#[derive(Clone, Debug)]
pub struct Rasteriser {
    program: Option<PathBuf>,
    fonts: Arc<[PathBuf]>,
    turns: Arc<Semaphore>,
}

impl Rasteriser {
    /// By `program`, or this one itself.
    #[must_use]
    pub fn new(program: Option<PathBuf>, fonts: &[PathBuf]) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { program, fonts: fonts.into(), turns }
    }

    /// `svg` as a PNG in its own size, of at most `max_bytes`.
    ///
    /// # Errors
    /// Where it can't be drawn within its bounds.
    pub async fn png(&self, svg: &[u8], max_bytes: usize) -> Result<Vec<u8>, RasterError> {
        let turn = tokio::time::timeout(TURN_PATIENCE, self.turns.acquire());
        let _turn = turn.await.map_err(|_| RasterError::Busy)?.map_err(|_| RasterError::Busy)?;
        let failed = |error: std::io::Error| RasterError::Program(error.to_string());
        let program = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(failed)?,
        };
        let mut command = Command::new(program);
        command.arg("rasterise").args(self.fonts.iter()).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(words)) = pipes else {
            return Err(RasterError::Program("it has no pipes".into()));
        };
        let talk = async {
            let send = async {
                // A child that has ended reads no more; its exit code says why.
                let _ = input.write_all(svg).await;
                drop(input);
            };
            let (mut picture, mut why) = (Vec::new(), String::new());
            let mut output = output.take(max_bytes as u64 + 1);
            let mut words = words.take(MAX_WHY);
            let (.., read, _) = tokio::join!(
                send,
                output.read_to_end(&mut picture),
                words.read_to_string(&mut why)
            );
            read?;
            drop((output, words));
            Ok::<_, std::io::Error>((picture, why, child.wait().await?))
        };
        let talked = tokio::time::timeout(PATIENCE, talk).await.map_err(|_| RasterError::Slow)?;
        let (picture, why, status) = talked.map_err(failed)?;
        match status.code() {
            _ if picture.len() > max_bytes => Err(RasterError::Size(max_bytes)),
            Some(0) => Ok(picture),
            Some(code) if code == i32::from(REFUSED) => {
                Err(RasterError::Refused(why.trim().to_owned()))
            }
            // A signal: its own bounds have stopped it.
            None => Err(RasterError::Bounds),
            Some(code) => {
                Err(RasterError::Program(format!("it ended with {code}: {}", why.trim())))
            }
        }
    }
}

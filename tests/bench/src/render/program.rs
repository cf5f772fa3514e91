//! A program that gets sources on its standard input and writes pictures to its standard output.

use crate::peer::Running;
use crate::process;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Between two pieces of a picture.
const PATIENCE: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 16 * 1024 * 1024;
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_WAITING: usize = 64;

/// Ends with its owner.
pub(super) struct Program {
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    child: Running,
}

impl Program {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} can't be started", name.display()))?;
        let input = child.stdin.take();
        let mut pipe = child.stdout.take().context("it has no standard output")?;
        let (pieces, output) = sync_channel(PIECES_WAITING);
        thread::spawn(move || {
            let mut piece = vec![0; PIECE_BYTES];
            // An end and a fault look the same to the other side: nothing comes any more.
            while let Ok(bytes @ 1..) = pipe.read(&mut piece) {
                if pieces.send(piece[..bytes].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { input, output, child: Running(child) })
    }

    /// One picture, of which `end` is the end; the program waits for the next source.
    pub(super) fn ask(&mut self, source: &str, end: &str) -> Result<String> {
        let input = self.input.as_mut().context("its standard input is closed")?;
        input.write_all(source.as_bytes()).context("it takes no source")?;
        input.flush()?;
        let mut answer = Vec::new();
        loop {
            // What came before has been looked through; the end may lie across two pieces.
            let seen = answer.len().saturating_sub(end.len());
            ensure!(self.more(&mut answer)?, "it ended: {}", String::from_utf8_lossy(&answer));
            if answer[seen..].windows(end.len()).any(|bytes| bytes == end.as_bytes()) {
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
        }
    }

    /// The only picture: all that it writes until it ends.
    pub(super) fn finish(mut self, source: &str) -> Result<String> {
        let mut input = self.input.take().context("its standard input is closed")?;
        input.write_all(source.as_bytes()).context("it takes no source")?;
        drop(input);
        let mut answer = Vec::new();
        while self.more(&mut answer)? {}
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = self.child.0.wait()?;
        ensure!(status.success(), "{status}: {answer}");
        Ok(answer)
    }

    /// What it and its processes take now; pages that they share count once.
    pub(super) fn resident_mib(&self) -> Result<f64> {
        process::family(self.child.0.id()).into_iter().map(process::share_mib).sum()
    }

    /// `false` where its output has ended.
    fn more(&self, answer: &mut Vec<u8>) -> Result<bool> {
        match self.output.recv_timeout(PATIENCE) {
            Ok(piece) => answer.extend(piece),
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                bail!("it says nothing for {} s", PATIENCE.as_secs())
            }
        }
        ensure!(answer.len() <= MOST_BYTES, "it writes more than {MOST_BYTES} bytes");
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start(command).unwrap()
    }

    #[test]
    fn a_kept_program_draws_one_source_after_the_other() {
        let mut program = shell("while read line; do printf '<svg>'; echo \"$line</svg>\"; done");
        assert_eq!(program.ask("a\n", "</svg>\n").unwrap(), "<svg>a</svg>\n");
        assert_eq!(program.ask("b\n", "</svg>\n").unwrap(), "<svg>b</svg>\n");
        assert!(program.resident_mib().unwrap() > 0.0);
    }

    #[test]
    fn a_program_that_ends_has_drawn_all_that_it_will() {
        assert_eq!(shell("cat").finish("a").unwrap(), "a");
        let fault = shell("read line; echo half; exit 3").finish("a\n").unwrap_err();
        assert_eq!(fault.to_string(), "exit status: 3: half\n");
        let fault = shell("read line; echo half").ask("a\n", "</svg>").unwrap_err();
        assert_eq!(fault.to_string(), "it ended: half\n");
    }
}

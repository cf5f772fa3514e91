//! The short-lived compiler child. Whatever a component does to it, it ends.

use flyball_plugin_messages::Report;
use flyball_plugin_messages::frame::{Decoder, FrameError, MAX_CODE_FRAME_BYTES};
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// The child bounds its own processor time at 60 s; this is for a machine too busy to give it.
const PATIENCE: Duration = Duration::from_secs(300);
/// Of what it printed, for the log.
const MAX_WORDS_BYTES: u64 = 4096;

#[derive(Debug, thiserror::Error)]
pub(super) enum CompilerError {
    #[error("the compiler can't be started")]
    Start(#[source] io::Error),
    #[error("the compiler can't be read")]
    Read(#[source] io::Error),
    #[error("compiling took more than {} s", PATIENCE.as_secs())]
    Patience,
    #[error("the compiler ran into its limits or broke: {status}{words}")]
    Died { status: ExitStatus, words: String },
    #[error("the compiler's report can't be understood")]
    Report(#[source] FrameError),
    #[error("the compiler's report is cut off")]
    Short,
}

pub(super) async fn compile(compiler: &Path, component: &Path) -> Result<Report, CompilerError> {
    let mut child = Command::new(compiler)
        .arg("--component")
        .arg(component)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(CompilerError::Start)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(CompilerError::Start(io::Error::other("its pipes are missing")));
    };
    let (mut report, mut words) = (Vec::new(), Vec::new());
    let mut stdout = stdout.take(MAX_CODE_FRAME_BYTES as u64 + 4);
    let mut stderr = stderr.take(MAX_WORDS_BYTES);
    let work = async {
        tokio::try_join!(stdout.read_to_end(&mut report), stderr.read_to_end(&mut words))?;
        child.wait().await
    };
    let status = tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(|_| CompilerError::Patience)?
        .map_err(CompilerError::Read)?;
    if !status.success() {
        let words = String::from_utf8_lossy(&words);
        let words = words.trim().lines().next_back().map(|line| format!(": {line}"));
        return Err(CompilerError::Died { status, words: words.unwrap_or_default() });
    }
    let mut decoder = Decoder::new(MAX_CODE_FRAME_BYTES);
    decoder.push(&report);
    decoder.decode().map_err(CompilerError::Report)?.ok_or(CompilerError::Short)
}

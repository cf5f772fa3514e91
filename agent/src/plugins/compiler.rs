//! The short-lived compiler child. Whatever a component does to it, it ends.

use std::fs::File;
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
}

/// Has `component` compiled; report and code are in `output` then.
pub(super) async fn compile(
    compiler: &Path,
    component: &Path,
    output: File,
) -> Result<(), CompilerError> {
    let mut child = Command::new(compiler)
        .arg("--component")
        .arg(component)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(CompilerError::Start)?;
    let Some(stderr) = child.stderr.take() else {
        return Err(CompilerError::Start(io::Error::other("its pipe is missing")));
    };
    let mut words = Vec::new();
    let mut stderr = stderr.take(MAX_WORDS_BYTES);
    let work = async {
        stderr.read_to_end(&mut words).await?;
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
    Ok(())
}

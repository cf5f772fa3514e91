//! Programs of others: found, named where they are missing, run.

use crate::say;
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that a project may bring along and the machine may have.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Where the project has it, relative to its folder.
    pub(super) own: Option<&'static str>,
    /// The command that installs it.
    pub(super) install: &'static str,
}

impl Tool {
    /// The project's own first, then the path's.
    pub(super) fn find(&self, folder: &Path) -> Result<PathBuf> {
        if let Some(own) = self.own {
            let own = folder.join(own);
            if own.is_file() {
                return std::path::absolute(&own)
                    .with_context(|| format!("{} has no place", own.display()));
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&path).map(|one| one.join(self.name)).find(|f| f.is_file());
        match found {
            Some(file) => Ok(file),
            None => bail!("{} is missing; install it:\n    {}", self.name, self.install),
        }
    }
}

/// Says what runs, runs it in the project's folder, and fails where it does.
pub(super) fn run(folder: &Path, command: &mut Command) -> Result<()> {
    say::running(command);
    let program = command.get_program().display().to_string();
    let status = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{program} can't be started"))?;
    ensure!(status.success(), "{program} ended with {status}, see above");
    Ok(())
}

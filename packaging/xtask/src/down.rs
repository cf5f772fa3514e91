//! `down`: ends what `up --detach` started, by process id.

use crate::{process, ready, say, workspace};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::time::Duration;

/// The supervisor stops its programs one after another, each with its own patience.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The state folder that `up` was given
    #[arg(long, value_name = "DIR", default_value_os_t = workspace::default_state())]
    state: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let Some(found) = ready::read(&options.state)? else {
        bail!("nothing was started with --state {}: it has no ready.json", options.state.display());
    };
    if let Some(&pid) = found.pids.get("up")
        && is_ours(pid)
    {
        say::step(&format!("end up (pid {pid}) and its {} programs", found.pids.len() - 1));
        process::end(pid, PATIENCE)?;
    }
    end_leftovers(&found)?;
    match std::fs::remove_file(ready::path(&options.state)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Ends programs whose supervisor was killed before it could end them.
pub(crate) fn end_leftovers(found: &ready::Ready) -> Result<()> {
    for (name, &pid) in &found.pids {
        let ours = process::executable(pid).is_some_and(|file| {
            file.file_name().is_some_and(|file| file.to_string_lossy().starts_with("flyball-"))
        });
        if ours && process::alive(pid) {
            say::step(&format!("end {name} (pid {pid}), left over from an earlier up"));
            process::end(pid, Duration::from_secs(10))?;
        }
    }
    Ok(())
}

/// Is `pid` a running xtask, and no later process that was given the same number?
pub(crate) fn is_ours(pid: u32) -> bool {
    process::alive(pid)
        && process::executable(pid).is_some_and(|file| {
            file.file_name().is_some_and(|file| file.to_string_lossy().starts_with("xtask"))
        })
}

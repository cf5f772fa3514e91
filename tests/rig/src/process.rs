//! QEMU's process, ended by its id: our own child, or one that a BMC has started.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::Child;

#[derive(Debug)]
pub(crate) enum Process {
    /// It ends with its owner.
    Own(Child),
    /// It ends as its BMC says; [`end_other`] is for what is left at the end.
    Other(Pid),
}

impl Process {
    /// How it ended, where it has.
    pub(crate) fn ended(&mut self) -> Result<Option<String>> {
        Ok(match self {
            Self::Own(child) => child.try_wait()?.map(|status| status.to_string()),
            Self::Other(pid) => match rustix::process::test_kill_process(*pid) {
                Ok(()) => None,
                Err(_) => Some("gone".to_owned()),
            },
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Self::Own(child) = self {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The process of the machine whose folder is `folder`, where one runs.
pub(crate) fn other(folder: &Path) -> Option<Pid> {
    let text = fs::read_to_string(folder.join("pid")).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    // The number may be another's by now; the machine's own folder is among its arguments.
    let arguments = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    let own = folder.as_os_str().as_encoded_bytes();
    arguments.windows(own.len()).any(|part| part == own).then_some(pid)
}

/// Ends the process of the machine whose folder is `folder`, where one runs.
pub(crate) fn end_other(folder: &Path) -> Result<()> {
    match other(folder) {
        Some(pid) => kill_process(pid, Signal::KILL).context("QEMU can't be ended"),
        None => Ok(()),
    }
}

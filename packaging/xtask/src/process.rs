//! Processes by their id: alive, whose, ended.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use crate::clock;

/// Does `pid` run now?
pub(crate) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    as_pid(pid).is_some_and(|pid| test_kill_process(pid).is_ok()) && !zombie
}

/// The file that `pid` executes.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Sends `signal` to `pid`; a process that is gone already is no fault.
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let Some(pid) = as_pid(pid) else { return Ok(()) };
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("process {pid:?} cannot be signalled")),
    }
}

/// The same to the process group that `leader` leads.
pub(crate) fn signal_group(leader: u32, signal: Signal) -> Result<()> {
    let Some(leader) = as_pid(leader) else { return Ok(()) };
    match kill_process_group(leader, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("group {leader:?} cannot be signalled")),
    }
}

/// Waits until `pid` is gone; false where it still runs after `limit`.
pub(crate) fn gone_within(pid: u32, limit: Duration) -> bool {
    let deadline = clock::now() + limit;
    while alive(pid) {
        if clock::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
    true
}

/// Asks `pid` to end, and ends it where it does not within `patience`.
pub(crate) fn end(pid: u32, patience: Duration) -> Result<()> {
    signal(pid, Signal::TERM)?;
    if !gone_within(pid, patience) {
        signal(pid, Signal::KILL)?;
        gone_within(pid, Duration::from_secs(5));
    }
    Ok(())
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

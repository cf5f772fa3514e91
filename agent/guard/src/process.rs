//! What the guard asks of the kernel for itself: locked memory, priority, and the signal to stop.

use crate::log;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::setpriority_process;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use uuid::Uuid;

/// Before everything that is not a kernel's own thread.
const NICE: i32 = -15;

/// Keeps the pages that are in memory now: called after a warm-up, so that what the loop
/// touches is locked and the rest costs nothing. Not refused where it isn't permitted.
pub(crate) fn lock_memory() {
    if let Err(error) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT) {
        log::warn(format_args!(
            "memory is not locked, a swapping machine may delay the loop; grant CAP_IPC_LOCK \
             cause={error}"
        ));
    }
}

/// Raises the calling thread's priority where that is permitted.
pub(crate) fn raise_priority() {
    if let Err(error) = setpriority_process(None, NICE) {
        log::warn(format_args!(
            "the loop has no priority over other programs; grant CAP_SYS_NICE cause={error}"
        ));
    }
}

/// A flag that SIGTERM and SIGINT set.
///
/// # Errors
/// Where the handlers can't be installed.
pub(crate) fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// The kernel's boot id; a nil one where the tree has none.
pub(crate) fn boot_id(procfs: &Path) -> Uuid {
    let read = |procfs: &Path| {
        let text = fs::read_to_string(procfs.join("sys/kernel/random/boot_id")).ok()?;
        text.trim().parse().ok()
    };
    read(procfs).or_else(|| read(Path::new("/proc"))).unwrap_or(Uuid::nil())
}

//! What the guard asks of the kernel for itself: locked memory, priority, and the signal to stop.

use crate::log;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};
use rustix::rand::{GetRandomFlags, getrandom};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use uuid::Uuid;

/// Before everything that is not a kernel's own thread.
const NICE: i32 = -15;
/// No board has as many files that are read.
const MAX_FILES: u64 = 16_384;
/// Low among the real-time ones: whoever the machine's owner put above it stays there.
const FIFO_PRIORITY: i32 = 10;

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

/// Raises the calling thread's priority where that is permitted: above every program that is not
/// real-time itself, or with `realtime` above those too. Says what is lacking.
pub(crate) fn raise_priority(realtime: bool) {
    if realtime {
        match set_fifo() {
            Ok(()) => return,
            Err(error) => log::warn(format_args!(
                "the loop is not real-time, a nice value takes its place; grant CAP_SYS_NICE, or \
                 LimitRTPRIO={FIFO_PRIORITY} in the unit cause={error}"
            )),
        }
    }
    if let Err(error) = setpriority_process(None, NICE) {
        log::warn(format_args!(
            "the loop has no priority over other programs; grant CAP_SYS_NICE cause={error}"
        ));
    }
}

/// The same for a thread that the loop waits for; what is lacking was said by the loop.
pub(crate) fn raise_priority_quietly(realtime: bool) {
    if !(realtime && set_fifo().is_ok()) {
        // Not permitted to the loop either, which has said so.
        let _ = setpriority_process(None, NICE);
    }
}

/// First in, first out, before all programs that share their time. What this thread starts
/// (children of the ladder's hooks) does not inherit it.
#[expect(unsafe_code, reason = "rustix has no safe call for the scheduling class")]
fn set_fifo() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: FIFO_PRIORITY };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the structure is the kernel's own, lives through the call and is only read.
    let outcome = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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

/// Room for a descriptor per value, fault and enable file of a large board: as many as the machine
/// lets this process have.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(MAX_FILES, |hard| hard.min(MAX_FILES));
    if limit.current.is_some_and(|now| now < most)
        && let Err(error) =
            setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum })
    {
        log::warn(format_args!("the limit of open files stays where it was cause={error}"));
    }
}

/// A name for this run of the guard. It has to be another than the last run's and is no secret,
/// so it is not waited for: soon after a boot the kernel may lack the entropy for keys, and the
/// machine has to be guarded all the same.
pub(crate) fn run_id(wall_ms: u64) -> Uuid {
    let mut bytes = [0; 16];
    let drawn = getrandom(&mut bytes, GetRandomFlags::INSECURE).unwrap_or(0);
    if drawn < bytes.len() {
        let pid = u64::from(std::process::id());
        bytes[..8].copy_from_slice(&wall_ms.to_le_bytes());
        bytes[8..].copy_from_slice(&pid.to_le_bytes());
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The kernel's boot id; a nil one where the tree has none.
pub(crate) fn boot_id(procfs: &Path) -> Uuid {
    let read = |procfs: &Path| {
        let text = fs::read_to_string(procfs.join("sys/kernel/random/boot_id")).ok()?;
        text.trim().parse().ok()
    };
    read(procfs).or_else(|| read(Path::new("/proc"))).unwrap_or(Uuid::nil())
}

/// A number of this machine's own run, from which its release times are drawn.
pub(crate) fn seed(boot: Uuid) -> u64 {
    let (high, low) = boot.as_u64_pair();
    high ^ low
}

//! What the driver takes from itself before it speaks to anybody.
//!
//! Equipment may answer anything. A driver that eats memory or spins is ended by the kernel, and
//! the guard, which sees that, starts it again.

use crate::log;
use flyball_driver_messages::DriverKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

const MIB: u64 = 1024 * 1024;
/// Code, stacks, and a few of the largest answers that are taken from equipment.
const ADDRESS_SPACE_BYTES: u64 = 512 * MIB;
const OPEN_FILES: u64 = 64;
/// One look that takes more of the processor than this spins.
const CPU_SECONDS_PER_LOOK: u64 = 30;

/// Bounds memory, files and core dumps. A limit that can't be set is said and lived without.
pub(crate) fn apply(kind: DriverKind) {
    // A dump would hold the credentials.
    limit(Resource::Core, 0);
    limit(Resource::Nofile, OPEN_FILES);
    // NVIDIA's library maps the whole address space of its devices.
    if kind != DriverKind::Nvml {
        limit(Resource::As, ADDRESS_SPACE_BYTES);
    }
}

/// Gives the next look its share of the processor; who uses it up is ended by SIGXCPU.
pub(crate) fn grant_look() {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = u64::try_from(used.tv_sec).unwrap_or(0);
    let Rlimit { maximum, .. } = getrlimit(Resource::Cpu);
    let current = Some(used + CPU_SECONDS_PER_LOOK);
    // A harder limit from outside stands.
    let _ = setrlimit(Resource::Cpu, Rlimit { current, maximum });
}

fn limit(resource: Resource, most: u64) {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let most = Some(maximum.map_or(most, |maximum| maximum.min(most)));
    if let Err(error) = setrlimit(resource, Rlimit { current: most, maximum: most }) {
        log::warn(format_args!("a limit is not set limit={resource:?} cause={error}"));
    }
}

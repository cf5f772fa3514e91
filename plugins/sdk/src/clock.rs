//! The time, in steps of ten milliseconds. `std::time` panics in a plugin when it is asked for now.

pub use crate::bindings::flyball::plugin::clock::{monotonic_ms, now_ms};
use std::time::{Duration, SystemTime};

/// The machine's own time.
#[must_use]
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms())
}

/// Since some moment before the call; it never steps back.
#[must_use]
pub fn monotonic() -> Duration {
    Duration::from_millis(monotonic_ms())
}

//! The only reader of clocks in this program. Everything else is handed a [`Clock`] or times.

#![expect(clippy::disallowed_methods, reason = "this is the one file that reads clocks")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall and monotonic time of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock;

impl Clock {
    /// Unix milliseconds; a clock before 1970 reads as 0.
    pub(crate) fn unix_ms(self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Time that never steps.
    pub(crate) fn now(self) -> Instant {
        Instant::now()
    }
}

//! The only file here that reads a clock.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

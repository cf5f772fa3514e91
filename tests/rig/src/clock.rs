//! The only place of the rig that looks at a clock.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

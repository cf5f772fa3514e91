//! `[self_test]` of the policy.

use super::table::Table;
use std::time::Duration;

const SELF_TEST_DAYS: f64 = 30.0;

/// When self-tests are run without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelfTestRule {
    /// Once a boot, as soon as nothing stands against it.
    pub(crate) at_start: bool,
    pub(crate) every: Option<Duration>,
}

/// The table alone asks for what is usual: once a boot, and every 30 days.
pub(super) fn read(table: &mut Table<'_, '_>) -> SelfTestRule {
    let at_start = table.switch("at_start").unwrap_or(true);
    let days = table.number("every_days", 0.0..=3650.0).unwrap_or(SELF_TEST_DAYS);
    let every = (days > 0.0).then(|| Duration::from_secs_f64(days * 86_400.0));
    SelfTestRule { at_start, every }
}

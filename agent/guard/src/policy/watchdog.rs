//! `[watchdog]` of the policy.

use super::table::Table;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for a start of the guard, short enough for a hot machine.
const DEFAULT_WATCHDOG_S: f64 = 30.0;

/// The kernel's watchdog, which resets the machine where the loop no longer feeds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WatchdogRule {
    pub(crate) device: PathBuf,
    pub(crate) timeout: Duration,
}

pub(super) fn read(table: &mut Table<'_, '_>) -> Option<WatchdogRule> {
    let timeout = table.number("timeout_s", 5.0..=600.0).unwrap_or(DEFAULT_WATCHDOG_S);
    let device = table.required_text("device")?;
    Some(WatchdogRule { device: device.into(), timeout: Duration::from_secs_f64(timeout.round()) })
}

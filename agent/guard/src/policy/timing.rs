//! `[timing]` of the policy: how often and how long.

use super::table::Table;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    pub(crate) cycle: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) settle_samples: u8,
    pub(crate) step_time: Duration,
    pub(crate) release_after: Duration,
    pub(crate) release_jitter: Duration,
    pub(crate) assert_every: Duration,
    /// How long people may put steps of one limit off while it is passed.
    pub(crate) hold_at_most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            cycle: Duration::from_millis(250),
            stale_after: Duration::from_secs(3),
            settle_samples: 3,
            step_time: Duration::from_secs(10),
            release_after: Duration::from_secs(300),
            release_jitter: Duration::ZERO,
            assert_every: Duration::from_secs(30),
            hold_at_most: Duration::from_secs(60),
        }
    }
}

pub(super) fn read(table: &mut Table<'_, '_>) -> Timing {
    let default = Timing::default();
    let seconds = |value: Option<f64>, default| value.map_or(default, Duration::from_secs_f64);
    Timing {
        cycle: table
            .number("cycle_ms", 50.0..=1000.0)
            .map_or(default.cycle, |ms| Duration::from_secs_f64(ms / 1e3)),
        stale_after: seconds(table.number("stale_after_s", 1.0..=600.0), default.stale_after),
        settle_samples: table.whole("settle_samples", 1..=32).unwrap_or(default.settle_samples),
        step_time: seconds(table.number("step_time_s", 1.0..=600.0), default.step_time),
        release_after: seconds(
            table.number("release_after_s", 1.0..=86_400.0),
            default.release_after,
        ),
        release_jitter: seconds(
            table.number("release_jitter_s", 0.0..=3600.0),
            default.release_jitter,
        ),
        assert_every: seconds(table.number("assert_every_s", 1.0..=600.0), default.assert_every),
        hold_at_most: seconds(table.number("hold_at_most_s", 0.0..=600.0), default.hold_at_most),
    }
}

//! What an operator should hear of, said once when it changes and not while it lasts.

use crate::spool::Usage;

/// How full the spool is. Above `Full` its oldest blocks are dropped for new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Roomy,
    Filling,
    Full,
}

#[derive(Debug, Default)]
pub(crate) struct SpoolHealth {
    level: Level,
}

impl SpoolHealth {
    pub(crate) fn handle_usage(&mut self, usage: Usage) {
        let level = level(self.level, usage);
        if level == self.level {
            return;
        }
        self.level = level;
        let Usage { live_bytes, disk_bytes, quota_bytes } = usage;
        match level {
            Level::Roomy => tracing::info!(live_bytes, disk_bytes, "the spool has room again"),
            Level::Filling => tracing::warn!(
                live_bytes,
                disk_bytes,
                quota_bytes,
                "the spool is half full: the aggregator has been away for long"
            ),
            Level::Full => tracing::error!(
                live_bytes,
                disk_bytes,
                quota_bytes,
                "the spool is nearly full; its oldest blocks will be dropped"
            ),
        }
    }
}

/// Half of the quota may be live. A level is left only well below where it was entered.
fn level(now: Level, usage: Usage) -> Level {
    let percent = usage.live_bytes.saturating_mul(200) / usage.quota_bytes.max(1);
    match (now, percent) {
        (_, 95..) => Level::Full,
        (Level::Full, 85..) => Level::Full,
        (_, 50..) => Level::Filling,
        (Level::Filling | Level::Full, 40..) => Level::Filling,
        _ => Level::Roomy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_entered_once_and_left_well_below() {
        let mut now = Level::Roomy;
        let mut seen = Vec::new();
        for live_bytes in [100, 251, 249, 210, 199, 260, 476, 440, 424, 90] {
            now = level(now, Usage { live_bytes, disk_bytes: 0, quota_bytes: 1000 });
            seen.push(now);
        }
        use Level::{Filling, Full, Roomy};
        assert_eq!(
            seen,
            [Roomy, Filling, Filling, Filling, Roomy, Filling, Full, Full, Filling, Roomy]
        );
    }
}

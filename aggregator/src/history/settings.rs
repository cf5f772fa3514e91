//! How the history is kept: where its segments lie, for how long, in how much room.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistorySettings {
    /// A folder, or `s3://bucket/prefix`; `STATE/history` where absent.
    pub store: Option<String>,
    /// Another S3 than Amazon's: `https://…`; plain `http://` is for loopback addresses.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// A file with `access_key_id` and `secret_access_key` in TOML; the environment's `AWS_…`
    /// where absent.
    pub credentials_file: Option<PathBuf>,
    /// What parts of a bucket's segments may take on this machine's disk, below `STATE/cache`.
    pub disk_cache_bytes: u64,
    /// The span of blocks that becomes one segment. It divides a day.
    pub window_minutes: u64,
    /// How long after a span's end late blocks are waited for.
    pub settle_minutes: u64,
    /// How long blocks stay after they came: live streams go on from them after a cut, up to a
    /// quarter of an hour later.
    pub linger_minutes: u64,
    pub retention: Retention,
    pub budget: Budget,
}

/// How long what is kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    pub samples_days: u64,
    pub minutes_days: u64,
    pub hours_days: u64,
}

/// How much room telemetry may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// What database and local segments may take together; what the disk has where absent.
    pub bytes: Option<u64>,
    /// Above this share of the budget a warning is raised.
    pub soft_share: f64,
    /// Above this share blocks are refused: agents keep them.
    pub hard_share: f64,
    /// What stays free on the disk in any case; less refuses blocks, twice as much warns.
    pub free_bytes: u64,
    /// May samples beyond this many days be thinned to minutes above the soft share, although
    /// their retention is not over? Never where absent.
    pub thin_beyond_days: Option<u64>,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            store: None,
            endpoint: None,
            region: None,
            credentials_file: None,
            disk_cache_bytes: 1024 * 1024 * 1024,
            window_minutes: 120,
            settle_minutes: 10,
            linger_minutes: 20,
            retention: Retention::default(),
            budget: Budget::default(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { samples_days: 90, minutes_days: 400, hours_days: 3650 }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: None,
            soft_share: 0.8,
            hard_share: 0.95,
            free_bytes: 512 * 1024 * 1024,
            thin_beyond_days: None,
        }
    }
}

/// What of the settings contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("history.window_minutes is {0}: it has to divide a day, from 1 to 1440")]
    Window(u64),
    #[error("history.retention: hours are kept at least as long as minutes, and these as samples")]
    Retention,
    #[error("history.budget: 0 < soft_share <= hard_share <= 1")]
    Shares,
}

impl HistorySettings {
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.window_minutes == 0 || 1440 % self.window_minutes != 0 {
            return Err(SettingsError::Window(self.window_minutes));
        }
        self.retention.check()?;
        let Budget { soft_share, hard_share, .. } = self.budget;
        if soft_share > 0.0 && soft_share <= hard_share && hard_share <= 1.0 {
            Ok(())
        } else {
            Err(SettingsError::Shares)
        }
    }

    #[must_use]
    pub const fn window_ms(&self) -> u64 {
        self.window_minutes * 60_000
    }

    #[must_use]
    pub const fn settle_ms(&self) -> u64 {
        self.settle_minutes.saturating_mul(60_000)
    }

    #[must_use]
    pub const fn linger_ms(&self) -> u64 {
        self.linger_minutes.saturating_mul(60_000)
    }
}

impl Retention {
    /// # Errors
    /// Where a coarser tier would go before a finer one.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.samples_days <= self.minutes_days && self.minutes_days <= self.hours_days {
            Ok(())
        } else {
            Err(SettingsError::Retention)
        }
    }
}

/// So many days before `now_ms`.
#[must_use]
pub(super) const fn days_before(now_ms: u64, days: u64) -> u64 {
    now_ms.saturating_sub(days.saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_named() {
        let of = |change: fn(&mut HistorySettings)| {
            let mut settings = HistorySettings::default();
            change(&mut settings);
            settings.check()
        };
        assert_eq!(of(|_| {}), Ok(()));
        assert_eq!(of(|it| it.window_minutes = 7), Err(SettingsError::Window(7)));
        assert_eq!(of(|it| it.window_minutes = 0), Err(SettingsError::Window(0)));
        assert_eq!(of(|it| it.retention.minutes_days = 1), Err(SettingsError::Retention));
        assert_eq!(of(|it| it.budget.soft_share = 0.99), Err(SettingsError::Shares));
        assert_eq!(of(|it| it.budget.hard_share = f64::NAN), Err(SettingsError::Shares));
    }
}

//! When a driver that has failed is started again.
//!
//! ```text
//!        failed                failed, five in a row
//! Sound ────────► Waiting ───────────────────────────► Open
//!   ▲   1, 2, 4 … 60 s │  sound for a minute             │ ten minutes, or new credentials
//!   └──────────────────┴─────────────────────────────────┘
//! ```

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Failures in a row that open the breaker.
const MOST: u32 = 5;
/// How long a piece of equipment is left alone with its breaker open.
pub(super) const OPEN_FOR: Duration = Duration::from_secs(600);
/// A driver that has worked for so long has earned a fresh start.
const SOUND_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Restart {
    failures: u32,
    /// Since when it works.
    sound_since: Option<Duration>,
    due: Option<Duration>,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Wait(Duration),
    /// It has failed so often that it is left alone.
    Open(Duration),
}

impl After {
    pub(super) const fn wait(self) -> Duration {
        match self {
            Self::Wait(wait) | Self::Open(wait) => wait,
        }
    }
}

impl Restart {
    /// It gave a round of readings.
    pub(super) fn works(&mut self, now: Duration) {
        let since = *self.sound_since.get_or_insert(now);
        if now.saturating_sub(since) >= SOUND_AFTER {
            self.failures = 0;
        }
    }

    /// It ended, or was ended.
    pub(super) fn fail(&mut self, now: Duration) -> After {
        self.sound_since = None;
        self.failures = self.failures.saturating_add(1);
        let after = if self.failures >= MOST {
            After::Open(OPEN_FOR)
        } else {
            After::Wait(FIRST.saturating_mul(1 << (self.failures - 1)).min(LONGEST))
        };
        self.due = Some(now + after.wait());
        after
    }

    /// It can't work as it is configured.
    pub(super) fn give_up(&mut self, now: Duration) -> After {
        self.sound_since = None;
        self.failures = MOST;
        self.due = Some(now + OPEN_FOR);
        After::Open(OPEN_FOR)
    }

    /// Something has changed that it may have failed for.
    pub(super) fn try_now(&mut self, now: Duration) {
        self.failures = 0;
        self.due = Some(now);
    }

    /// When it is to be started; `None` where it has not failed.
    pub(super) const fn due(&self) -> Option<Duration> {
        self.due
    }

    pub(super) fn started(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_fifth_failure_in_a_row_opens_the_breaker() {
        let mut restart = Restart::default();
        let waits: Vec<After> = (0..5).map(|_| restart.fail(at(0))).collect();
        let wait = |seconds| After::Wait(at(seconds));
        assert_eq!(waits, [wait(1), wait(2), wait(4), wait(8), After::Open(OPEN_FOR)]);
        assert_eq!(restart.due(), Some(OPEN_FOR));
        assert_eq!(restart.fail(at(700)), After::Open(OPEN_FOR));
    }

    #[test]
    fn a_sound_minute_or_a_change_is_a_fresh_start() {
        let mut restart = Restart::default();
        restart.fail(at(0));
        restart.fail(at(1));
        restart.works(at(10));
        restart.works(at(69));
        assert_eq!(restart.fail(at(69)), After::Wait(at(4)));
        restart.works(at(80));
        restart.works(at(140));
        assert_eq!(restart.fail(at(141)), After::Wait(at(1)));
        restart.give_up(at(150));
        restart.try_now(at(160));
        assert_eq!(restart.due(), Some(at(160)));
        assert_eq!(restart.fail(at(161)), After::Wait(at(1)));
    }
}

//! The machine itself as an actuator: quiesced, asleep or stopping, asserted until it is
//! reported, and given up on in its time.

use crate::{HostLevel, HostReport, LimitId, Moment};
use core::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) wanted: HostLevel,
    pub(crate) by: Option<LimitId>,
    /// Since when the level is wanted.
    pub(crate) since: Moment,
    /// It was reported to stand.
    agrees: bool,
    /// What could not be had since it was last not wanted.
    failed: [bool; LEVELS],
    due: bool,
}

const LEVELS: usize = 4;

impl Host {
    pub(crate) const fn new(now: Moment) -> Self {
        Self {
            wanted: HostLevel::Running,
            by: None,
            since: now,
            agrees: true,
            failed: [false; LEVELS],
            due: false,
        }
    }

    /// Wants `level` from now on.
    pub(crate) fn want(&mut self, level: HostLevel, by: Option<LimitId>, now: Moment) {
        self.by = by;
        if level == self.wanted {
            return;
        }
        self.wanted = level;
        self.since = now;
        self.agrees = false;
        self.due = true;
        // Another episode tries anew what could not be had in this one.
        for failed in self.failed.iter_mut().skip(level as usize + 1) {
            *failed = false;
        }
    }

    /// Takes what came of an action. True where a level could not be had that was not known to.
    pub(crate) fn report(&mut self, report: HostReport) -> bool {
        match report {
            HostReport::Reached(level) => {
                if level == self.wanted {
                    self.agrees = true;
                    self.due = false;
                }
                false
            }
            HostReport::Failed(level) if level == self.wanted => {
                self.agrees = false;
                self.fail()
            }
            HostReport::Failed(_) => false,
        }
    }

    /// One cycle: asserts what does not stand. True where its time is over just now.
    pub(crate) fn age(&mut self, within: Option<Duration>, now: Moment) -> bool {
        if self.agrees {
            return false;
        }
        self.due = true;
        within.is_some_and(|within| now.since(self.since) >= within) && self.fail()
    }

    fn fail(&mut self) -> bool {
        !core::mem::replace(&mut self.failed[self.wanted as usize], true)
    }

    pub(crate) const fn failed(&self, level: HostLevel) -> bool {
        self.failed[level as usize]
    }

    /// Takes the assertion that is due.
    pub(crate) fn take_due(&mut self) -> bool {
        core::mem::take(&mut self.due)
    }
}

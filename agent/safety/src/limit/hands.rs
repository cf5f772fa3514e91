//! What a limit's zone has to answer with, and the times that its steps have.

use crate::host::Host;
use crate::{HostLevel, Ladder, Moment, Step, Timing, ZoneSpec};
use core::time::Duration;

/// What the zone of a limit has to act with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Hands {
    pub(crate) fan: bool,
    pub(crate) cap: bool,
    /// A fan whose read-back is not as cool as it was asked to be.
    pub(crate) fan_stuck: bool,
    /// A cap whose read-back is higher than it was asked to be.
    pub(crate) cap_stuck: bool,
    pub(crate) host: HostHands,
}

/// What the host has to act with above the caps, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct HostHands {
    pub(crate) quiesce: bool,
    pub(crate) suspend: bool,
    /// The shutdown could not be had, or the time for it is over.
    pub(crate) overstays: bool,
}

impl HostHands {
    pub(crate) fn of(ladder: &Ladder, host: &Host, now: Moment) -> Self {
        let failed = |level| host.failed(level);
        let overdue = |after| host.wanted == HostLevel::Stopping && now.since(host.since) >= after;
        Self {
            quiesce: ladder.quiesce.is_some() && !failed(HostLevel::Quiesced),
            suspend: ladder.suspend.is_some() && !failed(HostLevel::Suspended),
            overstays: failed(HostLevel::Stopping)
                || ladder.hard_off.is_some_and(|it| overdue(it.after)),
        }
    }
}

/// The times that a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) step: Duration,
    pub(crate) release: Duration,
    pub(crate) grace: Duration,
    pub(crate) ladder: Ladder,
}

impl Pace {
    /// `drawn` is this limit's part of the jitter.
    pub(crate) fn of(timing: &Timing, zone: &ZoneSpec, drawn: Duration) -> Self {
        Self {
            step: timing.step_time,
            release: timing.release_after + drawn,
            grace: zone.grace,
            ladder: zone.ladder,
        }
    }
}

impl Hands {
    /// Whether a step moves anything here.
    pub(super) const fn can(self, step: Step) -> bool {
        match step {
            Step::Alert => true,
            Step::FansRaised | Step::FansFull => self.fan && !self.fan_stuck,
            Step::CapSafe | Step::CapMin => self.cap && !self.cap_stuck,
            Step::Quiesce => self.host.quiesce,
            Step::Suspend => self.host.suspend,
            Step::Shutdown | Step::HardOff => false,
        }
    }

    /// The first step above `step` that moves something; `None` where limiting ends. The caps
    /// are its end where the host has no step of its own.
    pub(super) const fn above(self, step: Step) -> Option<Step> {
        let mut next = step.up();
        while let Some(above) = next {
            if self.can(above) {
                return Some(above);
            }
            next = above.up();
        }
        match step {
            Step::Alert | Step::FansRaised | Step::FansFull | Step::CapSafe => Some(Step::CapMin),
            Step::CapMin | Step::Quiesce | Step::Suspend | Step::Shutdown | Step::HardOff => None,
        }
    }

    /// The first step from `step` upwards that moves something; the last where none does.
    pub(super) const fn able(self, step: Step) -> Step {
        if self.can(step) {
            return step;
        }
        match self.above(step) {
            Some(above) => above,
            None => step,
        }
    }
}

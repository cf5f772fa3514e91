//! A person's hold on the ladder: fans, caps and quiet may be put off for a bounded while, and
//! nothing above them.
//!
//! The ladder's own time runs on: what is put off is only not asked for, so that a step above
//! the held ones comes when it would have come.

use super::Limit;
use crate::{Moment, Origin, State, Step};
use core::time::Duration;

/// A hold as it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The lowest step that is put off; all from here to [`Step::Quiesce`] are.
    pub from: Step,
    pub origin: Origin,
    pub until: Moment,
}

/// The hold that stands, and since when one has put something off in this episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Held {
    pub(crate) hold: Option<Hold>,
    /// From the first step that was put off until the limit is off the ladder. Holds that follow
    /// each other have one bound together.
    begun: Option<Moment>,
    /// The step that is put off, and the one that is asked for instead.
    instead: Option<(Step, Step)>,
}

/// What the passing of time did to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    Unchanged,
    /// A step is put off that wasn't.
    PutsOff(Step),
    /// Its time, or the bound, is over.
    Over,
}

impl Step {
    /// Whether a person may put it off: everything that is released by itself and loses nothing.
    #[must_use]
    pub const fn holdable(self) -> bool {
        match self {
            Self::FansRaised | Self::FansFull | Self::CapSafe | Self::CapMin | Self::Quiesce => {
                true
            }
            Self::Alert | Self::Suspend | Self::Shutdown | Self::HardOff => false,
        }
    }
}

impl Held {
    /// When the holds of this episode are over at the latest, if one were taken now.
    pub(crate) fn latest(&self, at_most: Duration, now: Moment) -> Moment {
        self.begun.unwrap_or(now).after(at_most)
    }

    /// The step that is asked for where `step` stands.
    pub(crate) fn instead_of(&self, step: Step) -> Step {
        match self.instead {
            Some((held, instead)) if held == step => instead,
            Some(_) | None => step,
        }
    }

    /// The step that is put off.
    pub(crate) fn puts_off(&self) -> Option<Step> {
        self.instead.map(|(step, _)| step)
    }
}

impl Limit {
    /// Lets a hold follow the state.
    pub(crate) fn hold_on(&mut self, at_most: Duration, now: Moment) -> Holding {
        let held = &mut self.held;
        let before = held.puts_off();
        if self.state.step().is_none() {
            held.begun = None;
        }
        let raised = match self.state {
            State::Warning(raised) | State::Limiting(raised) => Some(raised.step),
            State::Unknown { .. }
            | State::Normal { .. }
            | State::Tripped(_)
            | State::Failsafe(_) => None,
        };
        let over = held.hold.is_some_and(|hold| hold.until <= now)
            || held.begun.is_some_and(|begun| now.since(begun) >= at_most);
        let ended = over && held.hold.is_some();
        if over {
            held.hold = None;
        }
        held.instead = held.hold.zip(raised).and_then(|(hold, step)| {
            let holds = step >= hold.from && step.holdable();
            let below = hold.from.down().filter(|_| holds)?;
            Some((step, below))
        });
        if held.instead.is_some() {
            held.begun = held.begun.or(Some(now));
        }
        match held.puts_off() {
            _ if ended => Holding::Over,
            Some(step) if before != Some(step) => Holding::PutsOff(step),
            Some(_) | None => Holding::Unchanged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_step_than_the_one_that_is_put_off_is_asked_for_as_it_is() {
        let instead = Some((Step::CapMin, Step::FansFull));
        let held = Held { instead, ..Held::default() };
        assert_eq!(held.instead_of(Step::CapMin), Step::FansFull);
        assert_eq!(held.instead_of(Step::Suspend), Step::Suspend);
        assert_eq!(Held::default().instead_of(Step::CapMin), Step::CapMin);
    }
}

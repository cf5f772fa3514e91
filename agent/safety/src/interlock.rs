//! One interlock: which of its conditions hold, by what is known of them now.
//!
//! It keeps, for each condition, whether it has failed and not yet come back beyond the
//! hysteresis. It decides about no proposal itself.

use crate::actuator::Actuator;
use crate::limit::Limit;
use crate::sensor::Sensor;
use crate::{Condition, InterlockSpec, Moment, Needs, Sense, StateKind};
use alloc::vec::Vec;

#[derive(Clone, Debug)]
pub(crate) struct Interlock {
    pub(crate) spec: InterlockSpec,
    states: Vec<Held>,
    /// What is known of all conditions together.
    pub(crate) holds: Option<bool>,
    /// Since when it stands against its targets, or no longer does.
    pub(crate) since: Moment,
}

/// What is known of one condition.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    holds: Option<bool>,
    /// The value was beyond and has not come back over the hysteresis.
    failed: bool,
}

/// What conditions look at.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) sensors: &'a [Sensor],
    pub(crate) limits: &'a [Limit],
    pub(crate) actuators: &'a [Actuator],
    pub(crate) now: Moment,
}

impl Interlock {
    pub(crate) fn new(spec: InterlockSpec, now: Moment) -> Self {
        let unknown = Held { holds: None, failed: false };
        let states = spec.conditions.iter().map(|_| unknown).collect();
        Self { spec, states, holds: None, since: now }
    }

    /// It stands against its targets: what nobody can know does not hold.
    pub(crate) fn active(&self) -> bool {
        self.holds != Some(true)
    }

    /// What is known of one condition.
    pub(crate) fn holds(&self, condition: usize) -> Option<bool> {
        self.states.get(condition).and_then(|held| held.holds)
    }

    /// Looks again. True where that changed what is known.
    pub(crate) fn look(&mut self, sight: Sight<'_>) -> bool {
        for (held, condition) in self.states.iter_mut().zip(&self.spec.conditions) {
            *held = held.after(*condition, sight);
        }
        let before = (self.holds, self.active());
        self.holds = self.all_or_any();
        if before.1 != self.active() {
            self.since = sight.now;
        }
        before.0 != self.holds
    }

    fn all_or_any(&self) -> Option<bool> {
        let any = |known: Option<bool>| self.states.iter().any(|held| held.holds == known);
        match self.spec.needs {
            Needs::All if any(Some(false)) => Some(false),
            Needs::Any if any(Some(true)) => Some(true),
            Needs::All | Needs::Any if any(None) => None,
            Needs::All => Some(true),
            Needs::Any => Some(false),
        }
    }

    /// Goes on under another plan, where the conditions are as many as they were.
    pub(crate) fn renew(&mut self, spec: InterlockSpec) {
        if spec.conditions.len() != self.states.len() {
            let unknown = Held { holds: None, failed: false };
            self.states = spec.conditions.iter().map(|_| unknown).collect();
        }
        self.spec = spec;
    }
}

impl Held {
    fn after(self, condition: Condition, sight: Sight<'_>) -> Self {
        match condition {
            Condition::AtMost { sensor, value, hysteresis } => self.by_reading(
                sight.sensors.get(sensor.index()),
                Sense::Above,
                value,
                hysteresis,
                sight.now,
            ),
            Condition::AtLeast { sensor, value, hysteresis } => self.by_reading(
                sight.sensors.get(sensor.index()),
                Sense::Below,
                value,
                hysteresis,
                sight.now,
            ),
            Condition::Switch { actuator, is } => {
                let power =
                    sight.actuators.get(actuator.index()).and_then(|it| it.power(sight.now));
                Self { holds: power.map(|power| power == is), failed: false }
            }
            Condition::Limit { limit, warning_ok } => {
                let limit = sight.limits.get(limit.index());
                let holds = limit.and_then(|limit| match limit.state.kind() {
                    StateKind::Unknown | StateKind::Failsafe => None,
                    StateKind::Normal => Some(true),
                    StateKind::Warning => Some(warning_ok),
                    StateKind::Limiting | StateKind::Tripped => Some(false),
                });
                Self { holds, failed: false }
            }
        }
    }

    /// `danger` is the side on which the condition fails. An old reading counts as the worst
    /// that it may have become: it may still hold, but it can't be said to fail.
    fn by_reading(
        self,
        sensor: Option<&Sensor>,
        danger: Sense,
        value: f64,
        hysteresis: f64,
        now: Moment,
    ) -> Self {
        let unknown = Self { holds: None, failed: self.failed };
        let Some(sensor) = sensor.filter(|sensor| sensor.trusted()) else { return unknown };
        let speaks = sensor.speaks(now);
        let Some(worst) = speaks.or_else(|| sensor.projection(danger, now)) else {
            return unknown;
        };
        let beyond = danger.danger(worst) > danger.danger(value);
        let back = danger.danger(worst) <= danger.danger(danger.safe_of(value, hysteresis));
        match (beyond, speaks) {
            (true, Some(_)) => Self { holds: Some(false), failed: true },
            (true, None) => unknown,
            (false, _) if self.failed && !back => match speaks {
                Some(_) => Self { holds: Some(false), failed: true },
                None => unknown,
            },
            (false, _) => Self { holds: Some(true), failed: false },
        }
    }
}

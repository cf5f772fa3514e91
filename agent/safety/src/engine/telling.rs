//! What becomes an event.

use super::Engine;
use crate::actuator::Obedience;
use crate::sensor::Change;
use crate::switch::Seen;
use crate::{ActuatorId, EventKind, LimitId, SensorId, State, TripCause};

impl Engine {
    pub(super) fn tell(&mut self, sensor: SensorId, change: Change) {
        match change {
            Change::None => {}
            Change::Back => self.events.push(self.now, EventKind::SensorBack { sensor }),
            Change::Lost(reason) => {
                for limit in &mut self.limits {
                    limit.forget(sensor);
                }
                self.events.push(self.now, EventKind::SensorLost { sensor, reason });
            }
        }
    }

    pub(super) fn tell_obedience(&mut self, id: ActuatorId, obedience: Obedience) {
        let actuator = &self.actuators[id.index()];
        let kind = match obedience {
            Obedience::Unchanged => return,
            Obedience::Back => EventKind::ActuatorBack { actuator: id },
            Obedience::Stuck => EventKind::ActuatorStuck {
                actuator: id,
                wanted: actuator.wanted,
                observed: actuator.observed,
            },
        };
        self.events.push(self.now, kind);
    }

    pub(super) fn tell_seen(&mut self, actuator: ActuatorId, seen: Seen) {
        if let Some((from, to)) = seen.moved {
            self.events.push(self.now, EventKind::PowerChanged { actuator, from, to });
        }
        if let Some((verb, reached)) = seen.ended {
            self.events.push(self.now, EventKind::VerbEnded { actuator, verb, reached });
        }
    }

    pub(super) fn tell_spread(&mut self, limit: LimitId, spread: Option<f64>) {
        if let Some(spread) = spread {
            let apart = self.limits[limit.index()].disagrees();
            self.events.push(self.now, EventKind::Disagreement { limit, spread, apart });
        }
    }

    /// Tells what a limit did since `before`.
    pub(super) fn tell_state(&mut self, id: LimitId, before: State) {
        let limit = &mut self.limits[id.index()];
        limit.redraw(&before);
        let limit = &self.limits[id.index()];
        let after = limit.state;
        let reading = limit.reading(&self.sensors, self.now);
        let (from, to) = (before.kind(), after.kind());
        if from != to || (proved(&after) && !proved(&before)) {
            let threshold = limit.threshold_between(&before);
            let changed = EventKind::LimitChanged { limit: id, from, to, reading, threshold };
            return self.events.push(self.now, changed);
        }
        if let (State::Failsafe(before), State::Failsafe(after)) = (before, after)
            && before.held.is_none()
            && after.held.is_some()
        {
            self.events.push(self.now, EventKind::FailsafeClimbed { limit: id });
        }
        if let (Some(from), Some(to)) = (before.step(), after.step())
            && from != to
        {
            self.events.push(self.now, EventKind::StepChanged { limit: id, from, to, reading });
        }
    }
}

/// A trip of this run.
pub(super) fn proved(state: &State) -> bool {
    match state {
        State::Tripped(tripped) => match tripped.cause {
            TripCause::Threshold | TripCause::LadderExhausted => true,
            TripCause::Restored => false,
        },
        State::Unknown { .. }
        | State::Normal { .. }
        | State::Warning(_)
        | State::Limiting(_)
        | State::Failsafe(_) => false,
    }
}

//! What the engine has to tell: a bounded queue that is filled before anybody listens.

use crate::{
    ActuatorId, HostLevel, InterlockId, Level, LimitId, LockId, Moment, Observed, Origin,
    SelfTestEnd, SensorId, StateKind, Step, Ticket,
};
use alloc::collections::VecDeque;
use flyball_units::{NoData, PowerState, ResetType};

/// More events than one cycle of a large machine makes.
const CAPACITY: usize = 512;

/// Something that happened, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    pub at: Moment,
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventKind {
    /// `threshold` is the one of the state that was entered, or of the one that was left.
    LimitChanged {
        limit: LimitId,
        from: StateKind,
        to: StateKind,
        reading: Option<f64>,
        threshold: Option<f64>,
    },
    /// The ladder moved within a state.
    StepChanged {
        limit: LimitId,
        from: Step,
        to: Step,
        reading: Option<f64>,
    },
    /// Failsafe takes its first step beyond its own levels: it has outlasted its grace and no
    /// other limit of the zone reads normal, or what still reads is warm, or a fan does not
    /// obey. Further steps come as `StepChanged`.
    FailsafeClimbed {
        limit: LimitId,
    },
    SensorLost {
        sensor: SensorId,
        reason: NoData,
    },
    SensorBack {
        sensor: SensorId,
    },
    /// The read-back has not agreed within its time.
    ActuatorStuck {
        actuator: ActuatorId,
        wanted: Level,
        observed: Option<Result<Observed, NoData>>,
    },
    /// A stuck actuator agrees again.
    ActuatorBack {
        actuator: ActuatorId,
    },
    TripCleared {
        limit: LimitId,
        reading: Option<f64>,
    },
    /// A switch was seen in another state; `None` where its state is not known.
    PowerChanged {
        actuator: ActuatorId,
        from: Option<PowerState>,
        to: Option<PowerState>,
    },
    /// A verb has reached its end, or its time is over without it.
    VerbEnded {
        actuator: ActuatorId,
        verb: ResetType,
        reached: bool,
    },
    /// What was armed was not confirmed in time.
    ArmingExpired {
        ticket: Ticket,
        actuator: ActuatorId,
        verb: ResetType,
    },
    /// What an origin had asked of an actuator has come to its end.
    ClaimOver {
        actuator: ActuatorId,
        origin: Origin,
    },
    /// A lock's time is over.
    LockExpired {
        lock: LockId,
    },
    /// A person's hold puts this step off.
    StepHeld {
        limit: LimitId,
        step: Step,
    },
    /// The time of a hold is over, or the bound of all holds of the episode.
    HoldOver {
        limit: LimitId,
    },
    SelfTestBegan {
        actuators: u16,
    },
    SelfTestEnded {
        end: SelfTestEnd,
    },
    /// An interlock began or ceased to stand against its targets. `holds` is what is known of
    /// its conditions; `None` is *nobody knows*, and stands against them.
    InterlockChanged {
        interlock: InterlockId,
        active: bool,
        holds: Option<bool>,
    },
    /// Good sensors of a group have been further apart than their tolerance for a step's time,
    /// or are together again.
    Disagreement {
        limit: LimitId,
        spread: f64,
        apart: bool,
    },
    /// The host did not come to a level: it said so, or its time is over. The ladder goes on.
    HostFailed {
        level: HostLevel,
    },
    /// So many events before this one found the queue full.
    EventsLost {
        count: u32,
    },
}

/// Oldest first. When it is full, what comes is counted and lost: the first events of a bad
/// minute explain it, the later ones repeat it.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    lost: u32,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { queue: VecDeque::with_capacity(CAPACITY), lost: 0 }
    }

    pub(crate) fn push(&mut self, at: Moment, kind: EventKind) {
        if self.queue.len() == CAPACITY {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.queue.push_back(Event { at, kind });
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        if self.queue.is_empty() && self.lost > 0 {
            let count = core::mem::take(&mut self.lost);
            self.queue.push_back(Event { at: event.at, kind: EventKind::EventsLost { count } });
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_counts_what_it_loses_and_says_so_last() {
        let mut events = Events::new();
        let at = Moment::from_millis(1);
        let kind = EventKind::SensorBack { sensor: SensorId::new(0) };
        for _ in 0..CAPACITY + 3 {
            events.push(at, kind);
        }
        let all: alloc::vec::Vec<_> =
            core::iter::from_fn(|| events.pop()).take(CAPACITY * 2).collect();
        assert_eq!(all.len(), CAPACITY + 1);
        assert_eq!(all[CAPACITY].kind, EventKind::EventsLost { count: 3 });
    }
}

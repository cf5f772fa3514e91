//! What changed about a device besides its readings, so that whoever shows it asks again.

use crate::fleet::DeviceId;
use flyball_protocol::guard::{ActuatorKind, Inventory as Board};

/// One part of what the API shows of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Guard,
    Limits,
    Interlocks,
    Locks,
    Trips,
    Switches,
    Equipment,
}

impl Part {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Limits => "limits",
            Self::Interlocks => "interlocks",
            Self::Locks => "locks",
            Self::Trips => "trips",
            Self::Switches => "switches",
            Self::Equipment => "equipment",
        }
    }
}

/// A device whose state is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub device: DeviceId,
    pub online: bool,
    pub guard_attached: bool,
    pub parts: Vec<Part>,
    pub at_ms: u64,
}

/// The parts that are not as they were. Readings move all the time and are none of them.
#[must_use]
pub fn difference(before: &Board, now: &Board) -> Vec<Part> {
    let limits = |board: &Board| -> Vec<_> {
        let state = |limit: &flyball_protocol::guard::LimitSnapshot| {
            let thresholds = (limit.warning, limit.limit, limit.trip);
            (limit.name.clone(), limit.state, limit.step.clone(), thresholds)
        };
        board.limits.iter().map(state).collect()
    };
    let interlocks = |board: &Board| -> Vec<_> {
        board.interlocks.iter().map(|one| (one.name.clone(), one.active)).collect()
    };
    let trips = |board: &Board| -> Vec<_> {
        board.trips.iter().map(|trip| (trip.limit.clone(), trip.held_by.is_none())).collect()
    };
    let switches = |board: &Board| -> Vec<_> {
        let switches = board.actuators.iter().filter(|one| one.kind == ActuatorKind::Switch);
        switches.map(|one| (one.id.clone(), one.state, one.stuck)).collect()
    };
    let differs = [
        (Part::Limits, limits(before) != limits(now)),
        (Part::Interlocks, interlocks(before) != interlocks(now)),
        (Part::Locks, before.locks != now.locks),
        (Part::Trips, trips(before) != trips(now)),
        (Part::Switches, switches(before) != switches(now)),
        (Part::Equipment, before.equipment != now.equipment),
    ];
    differs.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::limit;
    use flyball_protocol::guard::LimitState;

    #[test]
    fn a_reading_is_no_change_and_a_state_is_one() {
        let before = Board { limits: vec![limit("cpu", &["a"])], ..Board::default() };
        let mut now = before.clone();
        now.limits[0].reading = Some(80.0);
        assert_eq!(difference(&before, &now), []);
        now.limits[0].state = LimitState::Tripped;
        assert_eq!(difference(&before, &now), [Part::Limits]);
    }
}

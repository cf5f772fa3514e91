//! What a device of the API is: a machine with an agent, or equipment behind one. What belongs to
//! which stands here alone.

use crate::fleet::equipment::{Equipment, belongs_to};
use crate::fleet::{Device, DeviceId};
use crate::telemetry::SeriesInfo;
use flyball_protocol::guard::{EQUIPMENT_ATTRIBUTE, Inventory as Board};

/// A device that the API can be asked of.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Machine(Device),
    Equipment {
        equipment: Equipment,
        /// The machine whose guard reads and drives it.
        gateway: Device,
    },
}

/// Whose series are meant where a machine is a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// The machine's own.
    Own,
    /// Those of the equipment of this key.
    Equipment(String),
    /// The machine's own and its equipment's.
    All,
}

impl Belonging {
    #[must_use]
    pub fn holds(&self, series: &SeriesInfo) -> bool {
        match self {
            Self::All => true,
            Self::Own => equipment_of(series).is_none(),
            Self::Equipment(key) => equipment_of(series) == Some(key),
        }
    }
}

/// The key of the equipment that a series belongs to.
#[must_use]
pub fn equipment_of(series: &SeriesInfo) -> Option<&str> {
    let found = series.attributes.iter().find(|(name, _)| name == EQUIPMENT_ATTRIBUTE);
    found.map(|(_, key)| key.as_str())
}

impl Subject {
    #[must_use]
    pub const fn id(&self) -> DeviceId {
        match self {
            Self::Machine(device) => device.id,
            Self::Equipment { equipment, .. } => equipment.id,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Machine(device) => &device.name,
            Self::Equipment { equipment, .. } => &equipment.reported.key,
        }
    }

    /// The machine whose guard reads and acts: telemetry is its, and commands are signed for it.
    #[must_use]
    pub const fn machine(&self) -> &Device {
        match self {
            Self::Machine(device) => device,
            Self::Equipment { gateway, .. } => gateway,
        }
    }

    /// The key within the gateway, of equipment.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Machine(_) => None,
            Self::Equipment { equipment, .. } => Some(&equipment.reported.key),
        }
    }

    /// Is anybody there to read and drive it now?
    #[must_use]
    pub fn is_online(&self) -> bool {
        match self {
            Self::Machine(device) => device.online,
            Self::Equipment { equipment, gateway } => gateway.online && equipment.is_reachable(),
        }
    }

    #[must_use]
    pub fn belonging(&self) -> Belonging {
        match self.key() {
            None => Belonging::Own,
            Some(key) => Belonging::Equipment(key.to_owned()),
        }
    }

    /// What of the guard's inventory is this device's.
    #[must_use]
    pub fn share_of(&self, board: Board) -> Board {
        share_of(board, self.key())
    }
}

/// What of a guard's inventory belongs to the equipment of `key`, or to the machine itself where
/// there is none. Something that stands between a machine and its equipment is shown at both.
#[must_use]
pub fn share_of(mut board: Board, key: Option<&str>) -> Board {
    let keys: Vec<String> = board.equipment.iter().map(|one| one.key.clone()).collect();
    match key {
        None => {
            let foreign = |name: &str| keys.iter().any(|key| belongs_to(name, key));
            board.actuators.retain(|actuator| actuator.equipment.is_none());
            let theirs: Vec<String> = board
                .limits
                .extract_if(.., |limit| wholly(&limit.sensors, foreign))
                .map(|limit| limit.name)
                .collect();
            board.interlocks.retain(|interlock| !wholly(&interlock.targets, foreign));
            board.locks.retain(|held| !held.lock.target.as_deref().is_some_and(foreign));
            // A trip whose limit is gone is still somebody's: the machine's.
            board.trips.retain(|trip| !theirs.contains(&trip.limit));
        }
        Some(key) => {
            let own = |name: &str| belongs_to(name, key);
            board.actuators.retain(|actuator| actuator.equipment.as_deref() == Some(key));
            board.limits.retain(|limit| limit.sensors.iter().any(|id| own(id)));
            board.interlocks.retain(|interlock| interlock.targets.iter().any(|id| own(id)));
            board.locks.retain(|held| held.lock.target.as_deref().is_none_or(own));
            let limits = &board.limits;
            board.trips.retain(|trip| limits.iter().any(|limit| limit.name == trip.limit));
            board.equipment.retain(|one| one.key == key);
        }
    }
    board
}

fn wholly(names: &[String], foreign: impl Fn(&str) -> bool) -> bool {
    !names.is_empty() && names.iter().all(|name| foreign(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{device, equipment, limit};
    use flyball_protocol::command::Lock;
    use flyball_protocol::guard::{InterlockSnapshot, LockSnapshot, TripSnapshot};
    use flyball_units::Unit;
    use uuid::Uuid;

    fn lock(name: &str, target: Option<&str>) -> LockSnapshot {
        let lock = Lock {
            name: name.into(),
            owner: "operator@example.org".into(),
            reason: "fans".into(),
            target: target.map(str::to_owned),
            until_ms: None,
            holds_levels: false,
        };
        LockSnapshot { lock, since_ms: 1 }
    }

    fn trip(limit: &str) -> TripSnapshot {
        TripSnapshot {
            limit: limit.into(),
            since_ms: 1,
            reading: None,
            threshold: None,
            unit: Unit::Celsius,
            cause: "threshold".into(),
            held_by: None,
        }
    }

    #[test]
    fn a_gateway_and_its_equipment_divide_the_inventory() {
        let gateway = device(Uuid::from_u128(1));
        let pdu = equipment(gateway.id, "pdu-1");
        let board = Board {
            limits: vec![
                limit("cpu", &["cpu/temp1"]),
                limit("outlet", &["pdu-1/power"]),
                limit("rack", &["cpu/power", "pdu-1/power"]),
            ],
            interlocks: vec![InterlockSnapshot {
                name: "outlet 4".into(),
                reason: String::new(),
                targets: vec!["pdu-1/outlet-4".into()],
                conditions: Vec::new(),
                active: true,
                since_ms: 1,
                clears_when: String::new(),
            }],
            locks: vec![
                lock("all", None),
                lock("outlet", Some("pdu-1/outlet-4")),
                lock("fan", Some("fan1")),
            ],
            trips: vec![trip("cpu"), trip("outlet"), trip("gone")],
            equipment: vec![pdu.reported.clone()],
            ..Board::default()
        };
        let names = |board: &Board| -> Vec<String> {
            let limits = board.limits.iter().map(|limit| &limit.name);
            let locks = board.locks.iter().map(|held| &held.lock.name);
            let trips = board.trips.iter().map(|trip| &trip.limit);
            let interlocks = board.interlocks.iter().map(|interlock| &interlock.name);
            limits.chain(locks).chain(trips).chain(interlocks).cloned().collect()
        };
        let own = Subject::Machine(gateway.clone()).share_of(board.clone());
        assert_eq!(names(&own), ["cpu", "rack", "all", "fan", "cpu", "gone"]);
        let theirs = Subject::Equipment { equipment: pdu, gateway }.share_of(board);
        assert_eq!(names(&theirs), ["outlet", "rack", "all", "outlet", "outlet", "outlet 4"]);
    }
}

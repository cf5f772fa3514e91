//! The inventory of a machine with a PDU and a BMC, as its guard reports it.

use super::rig::NOW_MS;
use crate::fleet::tests::limit;
use flyball_protocol::command::{Lock, PowerState, ResetType};
use flyball_protocol::guard::{
    Actuator, ActuatorKind, ConditionSnapshot, Equipment, EquipmentKind, EquipmentState,
    InterlockSnapshot, Inventory as Board, LockSnapshot, SelfTest, TripSnapshot,
};
use flyball_units::Unit;

pub(super) fn actuator(id: &str, kind: ActuatorKind) -> Actuator {
    Actuator {
        id: id.into(),
        kind,
        unit: Unit::One,
        min: 0.0,
        max: 1.0,
        wanted: None,
        observed: None,
        stuck: false,
        equipment: id.split_once('/').map(|(key, _)| key.into()).filter(|key| *key != "host"),
        state: (kind == ActuatorKind::Switch).then_some(PowerState::On),
        verbs: if kind == ActuatorKind::Switch { ResetType::ALL.to_vec() } else { Vec::new() },
        profile: None,
        profiles: Vec::new(),
        claims: Vec::new(),
    }
}

fn equipment(key: &str, kind: EquipmentKind, state: EquipmentState) -> Equipment {
    Equipment {
        key: key.into(),
        kind,
        driver: "snmp".into(),
        vendor: Some("Rack".into()),
        model: Some("P24".into()),
        serial: Some("42".into()),
        firmware: None,
        address: "192.0.2.7:161".into(),
        state,
    }
}

pub(super) fn lock(name: &str, owner: &str, target: Option<&str>) -> LockSnapshot {
    let lock = Lock {
        name: name.into(),
        owner: owner.into(),
        reason: "the fans are being changed".into(),
        target: target.map(str::to_owned),
        until_ms: None,
        holds_levels: false,
    };
    LockSnapshot { lock, since_ms: NOW_MS }
}

pub(super) fn board() -> Board {
    let unreachable =
        EquipmentState::Unreachable { since_ms: NOW_MS - 60_000, reason: "timed out".into() };
    Board {
        limits: vec![limit("cpu", &["cpu/temp1"]), limit("inlet", &["pdu-1/inlet"])],
        actuators: vec![
            actuator("host/power", ActuatorKind::Switch),
            actuator("fan1", ActuatorKind::Fan),
            actuator("pdu-1/outlet-3", ActuatorKind::Switch),
            actuator("pdu-1/outlet-4", ActuatorKind::Switch),
            actuator("bmc-1/power", ActuatorKind::Switch),
            actuator("bmc-1/cap", ActuatorKind::PowerCap),
            actuator("bmc-1/light", ActuatorKind::Indicator),
        ],
        interlocks: vec![InterlockSnapshot {
            name: "outlet 4".into(),
            reason: "outlet 4 may be on only while fan tray 2 turns".into(),
            targets: vec!["pdu-1/outlet-4".into()],
            conditions: vec![ConditionSnapshot {
                text: "tray-2/fan1 >= 500 {rpm}".into(),
                holds: None,
                reading: None,
                unit: Some(Unit::Rpm),
            }],
            active: true,
            since_ms: NOW_MS,
            clears_when: "tray-2/fan1 turns at 500 {rpm} or more".into(),
        }],
        locks: vec![lock("rack 3", "other@example.org", Some("pdu-1/outlet-3"))],
        trips: vec![TripSnapshot {
            limit: "cpu".into(),
            since_ms: NOW_MS - 1_000,
            reading: Some(97.5),
            threshold: Some(95.0),
            unit: Unit::Celsius,
            cause: "threshold".into(),
            held_by: Some("cpu reads 91.0 °C, and clears below 82.0 °C".into()),
        }],
        equipment: vec![
            equipment("pdu-1", EquipmentKind::Pdu, EquipmentState::Connected),
            equipment("bmc-1", EquipmentKind::Bmc, EquipmentState::Connected),
            equipment("ups-1", EquipmentKind::Ups, unreachable),
        ],
        dry_run: false,
        self_test: SelfTest::default(),
    }
}

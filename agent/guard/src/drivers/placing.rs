//! From what a driver describes to entries of the catalog.
//!
//! A driver is trusted with nothing: names are checked, thresholds are believed only as far as
//! the machine's own would be, and lists are bounded.

use super::equipment_file::Equipment;
use crate::catalog::{ActuatorEntry, Owner, SensorEntry};
use flyball_driver_messages::{
    self as driver, Described, FaultKind, MAX_ACTUATORS, MAX_SENSORS, bounded,
};
use flyball_guard_messages::ActuatorKind;
use flyball_hardware::Thresholds;
use flyball_units::{Kind, NoData};
use std::collections::BTreeSet;
use std::time::Duration;

/// The id of something of a piece of equipment.
pub(super) fn id(key: &str, name: &str) -> String {
    format!("{key}/{name}")
}

/// Why a description can't be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DescriptionError {
    #[error("it describes more than {MAX_SENSORS} sensors or {MAX_ACTUATORS} actuators")]
    TooMany,
    #[error("it describes something under the name {0:?}")]
    Name(String),
    #[error("it describes two things as {0}")]
    Twice(String),
}

/// # Errors
/// Where the guard can't tell by it what is what.
pub(super) fn check(described: &Described) -> Result<(), DescriptionError> {
    if described.sensors.len() > MAX_SENSORS || described.actuators.len() > MAX_ACTUATORS {
        return Err(DescriptionError::TooMany);
    }
    let sensors = described.sensors.iter().map(|sensor| &sensor.name);
    unique(sensors)?;
    unique(described.actuators.iter().map(|actuator| &actuator.name))
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), DescriptionError> {
    let mut seen = BTreeSet::new();
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
            return Err(DescriptionError::Name(bounded(name)));
        }
        if !seen.insert(name) {
            return Err(DescriptionError::Twice(name.clone()));
        }
    }
    Ok(())
}

/// The thresholds as the machine's own hardware would declare them.
pub(super) fn thresholds(kind: Kind, declared: driver::Thresholds) -> Thresholds {
    let declared = Thresholds {
        low_crit: declared.lower_critical.or(declared.lower_fatal),
        low: declared.lower_caution,
        max: declared.upper_caution,
        crit: declared.upper_critical,
        emergency: declared.upper_fatal,
        ..Thresholds::default()
    };
    declared.believed(kind)
}

pub(super) fn sensor(
    equipment: &Equipment,
    described: &driver::SensorEntry,
    probe: Result<f64, NoData>,
) -> SensorEntry {
    let id = id(&equipment.key, &described.name);
    let mut attributes = vec![
        ("hw.id".to_owned(), id.clone()),
        ("hw.name".to_owned(), bounded(&described.label)),
        ("hw.type".to_owned(), hardware_type(described.kind).to_owned()),
    ];
    let more = described.attributes.iter().take(8);
    attributes.extend(more.map(|(name, value)| (bounded(name), bounded(value))));
    SensorEntry {
        id,
        metric: bounded(&described.metric),
        kind: described.kind,
        unit: described.unit,
        attributes,
        period: Some(equipment.poll),
        thresholds: thresholds(described.kind, described.thresholds),
        probe,
        owner: Owner::Equipment(equipment.key.clone()),
        present: true,
    }
}

pub(super) fn actuator(
    equipment: &Equipment,
    described: &driver::ActuatorEntry,
    found: Option<f64>,
) -> ActuatorEntry {
    // A level is asked for, taken, and seen at the next look at the latest.
    let verify_within = match described.kind {
        ActuatorKind::Switch => equipment.times.give_up,
        ActuatorKind::Fan
        | ActuatorKind::PowerCap
        | ActuatorKind::FrequencyCap
        | ActuatorKind::Profile
        | ActuatorKind::Indicator
        | ActuatorKind::Service => equipment.timeout * 4 + equipment.poll * 2,
    };
    ActuatorEntry {
        id: id(&equipment.key, &described.name),
        kind: described.kind,
        unit: described.unit,
        min: described.min,
        max: described.max,
        found,
        own_control: false,
        sustained: true,
        tolerance: described.quantum.max(0.0),
        verify_within: verify_within.max(Duration::from_secs(5)),
        verbs: described.verbs.clone(),
        words: described.words.iter().take(64).map(|word| bounded(word)).collect(),
        state: None,
        owner: Owner::Equipment(equipment.key.clone()),
        present: true,
    }
}

/// OpenTelemetry's `hw.type` of what a kind is measured of.
const fn hardware_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Temperature => "temperature",
        Kind::FanSpeed | Kind::Duty => "fan",
        Kind::Voltage => "voltage",
        Kind::Power | Kind::Energy | Kind::Current | Kind::Limit | Kind::Frequency => {
            "power_supply"
        }
        Kind::Humidity
        | Kind::Utilization
        | Kind::Memory
        | Kind::Load
        | Kind::Pressure
        | Kind::Disk
        | Kind::Network
        | Kind::Count
        | Kind::Duration
        | Kind::State => "enclosure",
    }
}

/// What the sensors of equipment say while it can't be read for this.
pub(super) const fn reason(kind: FaultKind) -> NoData {
    match kind {
        FaultKind::Misconfigured => NoData::NotRunning,
        FaultKind::Unreachable | FaultKind::TimedOut => NoData::Busy,
        FaultKind::Denied | FaultKind::Untrusted => NoData::Denied,
        FaultKind::Nonsense => NoData::Unparsable,
        FaultKind::Failing => NoData::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_equipment_are_believed_as_the_machines_own() {
        let declared = driver::Thresholds {
            upper_caution: Some(0.0),
            upper_critical: Some(95.0),
            upper_fatal: Some(255.0),
            lower_fatal: Some(5.0),
            ..driver::Thresholds::default()
        };
        let taken = thresholds(Kind::Temperature, declared);
        assert_eq!((taken.max, taken.crit, taken.emergency), (None, Some(95.0), None));
        assert_eq!(taken.low_crit, Some(5.0));
    }

    #[test]
    fn a_description_that_is_ambiguous_is_refused() {
        let sensor = |name: &str| driver::SensorEntry {
            name: name.into(),
            label: String::new(),
            metric: "hw.power".into(),
            kind: Kind::Power,
            unit: flyball_units::Unit::Watt,
            attributes: Vec::new(),
            thresholds: driver::Thresholds::default(),
        };
        let with = |names: &[&str]| Described {
            sensors: names.iter().map(|name| sensor(name)).collect(),
            ..Described::default()
        };
        assert_eq!(check(&with(&["a", "b/c-1"])), Ok(()));
        assert_eq!(check(&with(&["a", "a"])), Err(DescriptionError::Twice("a".into())));
        assert!(matches!(check(&with(&["a b"])), Err(DescriptionError::Name(_))));
        let many: Vec<String> = (0..=MAX_SENSORS).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(check(&with(&many)), Err(DescriptionError::TooMany));
    }
}

//! What smartctl's JSON says of one disk: an NVMe drive, or one of ATA or SCSI.
//!
//! Zeros and absent members stand for what a drive does not report: 0 °C, thresholds of 0 (NVMe
//! Base Specification, WCTEMP and CCTEMP), and the 65 °C of no sensor are told apart by the band.

use flyball_driver_messages::{SensorEntry, Thresholds};
use flyball_units::{Kind, NoData, Unit};
use serde_json::Value;

/// A band that a drive's temperature can be in.
const COLDEST: f64 = -40.0;
const HOTTEST: f64 = 150.0;
/// Sensors of an NVMe drive besides the composite one (1 to 8).
const MORE_SENSORS: usize = 8;

/// One number of a disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) name: &'static str,
    metric: &'static str,
    kind: Kind,
    unit: Unit,
    place: Place,
}

/// Where in the answer it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Temperature(&'static str),
    /// A share in percent.
    Percent(&'static str),
    Count(&'static str),
    Hours(&'static str),
    /// A bit of the NVMe critical warning.
    Warning(u32),
    /// The drive's own verdict, turned round.
    Failing,
    /// The raw value of an ATA attribute.
    Attribute(u64),
}

const NVME: &str = "/nvme_smart_health_information_log";

const fn number(
    name: &'static str,
    metric: &'static str,
    (kind, unit): (Kind, Unit),
    place: Place,
) -> Number {
    Number { name, metric, kind, unit, place }
}

const STATE: (Kind, Unit) = (Kind::State, Unit::One);
const COUNT: (Kind, Unit) = (Kind::Count, Unit::Count);
const SHARE: (Kind, Unit) = (Kind::Utilization, Unit::One);

pub(super) const NUMBERS: [Number; 15] = [
    number(
        "temperature",
        "hw.temperature",
        (Kind::Temperature, Unit::Celsius),
        Place::Temperature("/temperature/current"),
    ),
    number("failing", "hw.status", STATE, Place::Failing),
    number("spare-low", "hw.status", STATE, Place::Warning(0)),
    number("too-hot", "hw.status", STATE, Place::Warning(1)),
    number("degraded", "hw.status", STATE, Place::Warning(2)),
    number("read-only", "hw.status", STATE, Place::Warning(3)),
    number("backup-failed", "hw.status", STATE, Place::Warning(4)),
    number(
        "wear",
        "hw.physical_disk.endurance_utilization",
        SHARE,
        Place::Percent("/nvme_smart_health_information_log/percentage_used"),
    ),
    number(
        "endurance-used",
        "hw.physical_disk.endurance_utilization",
        SHARE,
        Place::Percent("/endurance_used/current_percent"),
    ),
    number(
        "spare",
        "hw.physical_disk.spare",
        SHARE,
        Place::Percent("/nvme_smart_health_information_log/available_spare"),
    ),
    number(
        "media-errors",
        "hw.errors",
        COUNT,
        Place::Count("/nvme_smart_health_information_log/media_errors"),
    ),
    number("reallocated-sectors", "hw.errors", COUNT, Place::Attribute(5)),
    number("pending-sectors", "hw.errors", COUNT, Place::Attribute(197)),
    number("uncorrectable-sectors", "hw.errors", COUNT, Place::Attribute(198)),
    number(
        "powered-on",
        "hw.physical_disk.power_on_time",
        (Kind::Duration, Unit::Second),
        Place::Hours("/power_on_time/hours"),
    ),
];

impl Number {
    /// Does a disk with this answer have it at all?
    pub(super) fn is_of(&self, answer: &Value) -> bool {
        match self.place {
            // A disk that does not tell it now may tell it later.
            Place::Temperature(_) => true,
            Place::Percent(place) | Place::Count(place) | Place::Hours(place) => {
                answer.pointer(place).is_some()
            }
            Place::Warning(_) => answer.pointer(NVME).is_some(),
            Place::Failing => answer.pointer("/smart_status/passed").is_some(),
            Place::Attribute(id) => attribute(answer, id).is_some(),
        }
    }

    pub(super) fn read(&self, answer: &Value) -> Result<f64, NoData> {
        let at = |place: &str| answer.pointer(place).and_then(Value::as_f64);
        match self.place {
            Place::Temperature(place) => {
                let celsius = at(place).filter(|celsius| *celsius != 0.0).ok_or(NoData::Missing)?;
                let is_possible = (COLDEST..=HOTTEST).contains(&celsius);
                if is_possible { Ok(celsius) } else { Err(NoData::OutOfRange) }
            }
            Place::Percent(place) => {
                at(place).map(|percent| percent / 100.0).ok_or(NoData::Missing)
            }
            Place::Count(place) => at(place).ok_or(NoData::Missing),
            Place::Hours(place) => at(place).map(|hours| hours * 3600.0).ok_or(NoData::Missing),
            Place::Warning(bit) => {
                let warning = answer.pointer(NVME).and_then(|log| log.get("critical_warning"));
                let warning = warning.and_then(Value::as_u64).ok_or(NoData::Missing)?;
                Ok(f64::from(u8::from(warning >> bit & 1 == 1)))
            }
            Place::Failing => {
                let passed = answer.pointer("/smart_status/passed").and_then(Value::as_bool);
                passed.map(|passed| f64::from(u8::from(!passed))).ok_or(NoData::Missing)
            }
            Place::Attribute(id) => attribute(answer, id).ok_or(NoData::Missing),
        }
    }

    pub(super) fn describe(&self, disk: &str, answer: &Value) -> SensorEntry {
        let mut attributes = vec![("system.device".to_owned(), disk.to_owned())];
        for (key, member) in [("hw.model", "model_name"), ("hw.serial_number", "serial_number")] {
            if let Some(text) = answer.get(member).and_then(Value::as_str) {
                attributes.push((key.to_owned(), flyball_driver_messages::bounded(text)));
            }
        }
        if self.kind == Kind::State {
            attributes.push(("hw.state".to_owned(), self.name.to_owned()));
        }
        let name = format!("{disk}/{}", self.name);
        SensorEntry {
            label: name.clone(),
            name,
            metric: self.metric.to_owned(),
            kind: self.kind,
            unit: self.unit,
            attributes,
            thresholds: self.thresholds(answer),
        }
    }

    fn thresholds(&self, answer: &Value) -> Thresholds {
        let declared = |places: &[&str]| {
            let mut found = places.iter().filter_map(|place| answer.pointer(place)?.as_f64());
            found.find(|limit| *limit > 0.0 && *limit <= HOTTEST)
        };
        match self.place {
            Place::Temperature(_) => Thresholds {
                upper_caution: declared(&[
                    "/nvme_composite_temperature_threshold/warning",
                    "/temperature/op_limit_max",
                ]),
                upper_critical: declared(&[
                    "/nvme_composite_temperature_threshold/critical",
                    "/temperature/drive_trip",
                    "/temperature/limit_max",
                ]),
                ..Thresholds::default()
            },
            _ => Thresholds::default(),
        }
    }
}

/// The temperatures of an NVMe drive's further sensors that report one.
pub(super) fn more_temperatures(answer: &Value) -> Vec<(usize, Result<f64, NoData>)> {
    let sensors = answer.pointer(NVME).and_then(|log| log.get("temperature_sensors"));
    let sensors = sensors.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read = |value: &Value| match value.as_f64() {
        Some(celsius) if celsius != 0.0 && (COLDEST..=HOTTEST).contains(&celsius) => Ok(celsius),
        Some(_) => Err(NoData::OutOfRange),
        None => Err(NoData::Unparsable),
    };
    sensors.iter().take(MORE_SENSORS).map(read).enumerate().collect()
}

fn attribute(answer: &Value, id: u64) -> Option<f64> {
    let table = answer.pointer("/ata_smart_attributes/table")?.as_array()?;
    let row = table.iter().find(|row| row.get("id").and_then(Value::as_u64) == Some(id))?;
    row.pointer("/raw/value")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(name: &str, answer: &Value) -> Result<f64, NoData> {
        NUMBERS.iter().find(|number| number.name == name).unwrap().read(answer)
    }

    #[test]
    fn zeros_stand_for_what_is_not_reported() {
        let answer = json!({
            "temperature": { "current": 0, "drive_trip": 0 },
            "nvme_composite_temperature_threshold": { "warning": 0, "critical": 0 },
        });
        assert_eq!(read("temperature", &answer), Err(NoData::Missing));
        assert_eq!(NUMBERS[0].thresholds(&answer), Thresholds::default());
        assert_eq!(read("temperature", &json!({})), Err(NoData::Missing));
        let hot = json!({ "temperature": { "current": 65261 } });
        assert_eq!(read("temperature", &hot), Err(NoData::OutOfRange));
    }

    #[test]
    fn each_bit_of_the_critical_warning_is_a_state() {
        let with = |bits: u32| json!({ NVME[1..].to_owned(): { "critical_warning": bits } });
        let standing = |bits| -> Vec<&str> {
            let answer = with(bits);
            let flags = NUMBERS.iter().filter(|number| matches!(number.place, Place::Warning(_)));
            flags.filter(|n| n.read(&answer) == Ok(1.0)).map(|n| n.name).collect()
        };
        assert_eq!(standing(0), Vec::<&str>::new());
        assert_eq!(standing(0b10), ["too-hot"]);
        assert_eq!(standing(0b1_1101), ["spare-low", "degraded", "read-only", "backup-failed"]);
    }

    #[test]
    fn further_sensors_that_report_nothing_have_no_value() {
        let answer = json!({ NVME[1..].to_owned(): { "temperature_sensors": [41, 0, 65261] } });
        assert_eq!(
            more_temperatures(&answer),
            [(0, Ok(41.0)), (1, Err(NoData::OutOfRange)), (2, Err(NoData::OutOfRange))]
        );
    }
}

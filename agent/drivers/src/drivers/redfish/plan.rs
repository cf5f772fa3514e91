//! What is read of a BMC: which documents, and where in each of them the numbers are.

use super::reading;
use super::reading::Measure;
use crate::naming::Names;
use flyball_driver_messages::{
    ActuatorEntry, Described, MAX_ACTUATORS, MAX_SENSORS, SensorEntry, Thresholds,
};
use flyball_units::NoData;
use serde_json::Value;

/// One document and everything that is taken from it.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) numbers: Vec<Number>,
    pub(super) states: Vec<Standing>,
}

/// A number in a document.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) sensor: u16,
    pub(super) place: Place,
    pub(super) key: &'static str,
    pub(super) factor: f64,
}

/// Where in a document an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The document itself.
    Whole,
    /// The member of an expanded collection with this `@odata.id`.
    Member(String),
    /// The element of the array `list` with this `MemberId`, or at this index.
    Element { list: &'static str, id: Option<String>, index: usize },
    /// By a JSON pointer.
    Pointer(String),
}

impl Place {
    pub(super) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Whole => Some(document),
            Self::Member(id) => document
                .get("Members")?
                .as_array()?
                .iter()
                .find(|member| member.get("@odata.id").and_then(Value::as_str) == Some(id)),
            Self::Element { list, id, index } => {
                let list = document.get(*list)?.as_array()?;
                match id {
                    Some(id) => {
                        list.iter().find(|e| reading::text(e, "MemberId").as_ref() == Some(id))
                    }
                    None => list.get(*index),
                }
            }
            Self::Pointer(pointer) => document.pointer(pointer),
        }
    }
}

/// Where an actuator's state is read from.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) actuator: u16,
    pub(super) form: StandingForm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StandingForm {
    /// `PowerState`.
    Power,
    /// `LocationIndicatorActive`.
    Locator,
    /// `IndicatorLED`, its predecessor.
    Led,
    /// A power limit in the object at this pointer.
    Limit { pointer: String, form: LimitForm },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitForm {
    /// `SetPoint` and `ControlMode` of a control (excerpt).
    SetPoint,
    /// `LimitInWatts`, its predecessor; null where there is no limit.
    LimitInWatts,
}

/// How an actuator is driven.
#[derive(Clone, Debug)]
pub(super) enum Drive {
    Switch { system: String, reset: Option<String> },
    Light { resource: String, form: StandingForm },
    Limit { resource: String, pointer: String, form: LimitForm },
}

/// What discovery gathers.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) described: Described,
    pub(super) documents: Vec<Document>,
    /// Of each actuator, by index.
    pub(super) drives: Vec<Drive>,
    /// The collections of sensors, and how many members each had.
    pub(super) collections: Vec<(String, usize)>,
    /// The log that is watched.
    pub(super) log: Option<String>,
    sensor_names: Names,
    actuator_names: Names,
    left_out: usize,
}

impl Plan {
    pub(super) fn remark(&mut self, text: String) {
        const MAX_REMARKS: usize = 16;
        if self.described.remarks.len() < MAX_REMARKS {
            self.described.remarks.push(flyball_driver_messages::bounded(&text));
        }
    }

    /// Adds a sensor that is read from `path`; gives back its index.
    pub(super) fn sensor(
        &mut self,
        path: &str,
        place: Place,
        key: &'static str,
        measure: Measure,
        new: NewSensor<'_>,
    ) -> Option<u16> {
        let index = u16::try_from(self.described.sensors.len()).ok()?;
        if usize::from(index) >= MAX_SENSORS {
            self.left_out += 1;
            return None;
        }
        let mut attributes = Vec::new();
        if let Some(context) = reading::text(new.object, "PhysicalContext") {
            attributes.push(("hw.sensor_location".to_owned(), context));
        }
        self.described.sensors.push(SensorEntry {
            name: self.sensor_names.give(new.name),
            label: reading::text(new.object, "Name").unwrap_or_else(|| new.name.to_owned()),
            metric: measure.metric.to_owned(),
            kind: measure.kind,
            unit: measure.unit,
            attributes,
            thresholds: new.thresholds,
        });
        let number = Number { sensor: index, place, key, factor: measure.factor };
        self.document(path).numbers.push(number);
        Some(index)
    }

    /// Adds an actuator; `read` says where its state is.
    pub(super) fn actuator(
        &mut self,
        mut entry: ActuatorEntry,
        drive: Drive,
        read: (&str, StandingForm),
    ) {
        let Ok(index) = u16::try_from(self.described.actuators.len()) else {
            return;
        };
        if usize::from(index) >= MAX_ACTUATORS {
            self.left_out += 1;
            return;
        }
        entry.name = self.actuator_names.give(&entry.name);
        self.described.actuators.push(entry);
        self.drives.push(drive);
        let (path, form) = read;
        self.document(path).states.push(Standing { actuator: index, form });
    }

    pub(super) fn document(&mut self, path: &str) -> &mut Document {
        let at = match self.documents.iter().position(|document| document.path == path) {
            Some(at) => at,
            None => {
                let path = path.to_owned();
                self.documents.push(Document { path, numbers: Vec::new(), states: Vec::new() });
                self.documents.len() - 1
            }
        };
        &mut self.documents[at]
    }

    pub(super) fn measures(&self, measure: Measure) -> bool {
        self.described.sensors.iter().any(|sensor| sensor.metric == measure.metric)
    }

    /// Says what had no place.
    pub(super) fn close(&mut self) {
        if self.left_out > 0 {
            let left_out = self.left_out;
            self.remark(format!(
                "{left_out} sensors and actuators are beyond the {MAX_SENSORS} and \
                 {MAX_ACTUATORS} that are taken"
            ));
        }
    }
}

/// A sensor as it is found.
pub(super) struct NewSensor<'a> {
    pub(super) name: &'a str,
    pub(super) object: &'a Value,
    pub(super) thresholds: Thresholds,
}

/// All numbers of a document that could not be had have this reason.
pub(super) fn reason_of(status: u16) -> NoData {
    match status {
        401 | 403 => NoData::Denied,
        404 | 410 => NoData::Missing,
        408 | 429 | 503 => NoData::Busy,
        _ => NoData::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_element_is_found_by_its_member_id_wherever_it_stands() {
        let document = json!({ "Fans": [
            { "MemberId": "7", "Reading": 1 }, { "MemberId": "3", "Reading": 2 } ] });
        let place = Place::Element { list: "Fans", id: Some("3".into()), index: 0 };
        assert_eq!(place.find(&document).unwrap()["Reading"], 2);
        let place = Place::Element { list: "Fans", id: None, index: 0 };
        assert_eq!(place.find(&document).unwrap()["Reading"], 1);
        let place = Place::Element { list: "Fans", id: Some("9".into()), index: 0 };
        assert_eq!(place.find(&document), None);
    }
}

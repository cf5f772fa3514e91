//! Everything that the guard has ever read or driven in this run, under places that never change.
//!
//! A sensor's place is the number of its series and of its slot; an actuator's place is its id in
//! the plan. Both lists only grow: what vanishes keeps its place and says that it is gone, because
//! a limit that lost its sensor must know it. Only the loop's thread changes the catalog.

use crate::originals::Original;
use crate::plan::{SLOW_PERIOD, VERIFY_WITHIN};
use crate::slots::MAX_SERIES;
use flyball_command::ResetType;
use flyball_driver_messages::ActuatorState;
use flyball_guard_messages::{ActuatorKind, EQUIPMENT_ATTRIBUTE, Series};
use flyball_hardware::{self as hardware, Thresholds};
use flyball_units::{Kind, NoData, Unit};
use std::time::Duration;

/// No guard drives more.
pub(crate) const MAX_ACTUATORS: usize = 512;

/// Whose a sensor or an actuator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The machine's own, read and driven by this process.
    Machine,
    /// A piece of equipment by its key, reached through its driver.
    Equipment(String),
}

/// A sensor as the plan and the wire know it, without the way in which it is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SensorEntry {
    pub(crate) id: String,
    pub(crate) metric: String,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) attributes: Vec<(String, String)>,
    /// How often it is read; `None` is the loop's own pace.
    pub(crate) period: Option<Duration>,
    /// What its hardware declares.
    pub(crate) thresholds: Thresholds,
    /// What a first reading said: a sensor that never read is not required.
    pub(crate) probe: Result<f64, NoData>,
    pub(crate) owner: Owner,
    pub(crate) present: bool,
}

/// An actuator as the plan and the wire know it, without the way in which it is driven.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ActuatorEntry {
    pub(crate) id: String,
    pub(crate) kind: ActuatorKind,
    pub(crate) unit: Unit,
    /// The lowest and highest level that may be asked for.
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Of a cap: the level that stood before it was taken.
    pub(crate) found: Option<f64>,
    /// The hardware has a control of its own that it goes back to.
    pub(crate) own_control: bool,
    /// False for a cap on bursts of seconds only.
    pub(crate) sustained: bool,
    /// How far a read-back may lie from what was asked, at its highest level.
    pub(crate) tolerance: f64,
    /// How long a level may take to be read back.
    pub(crate) verify_within: Duration,
    /// Of a switch: what may be asked of it.
    pub(crate) verbs: Vec<ResetType>,
    /// The words that it takes: profiles, or of a switch the places to start from.
    pub(crate) words: Vec<String>,
    /// Where it was seen to stand, where that is no level.
    pub(crate) state: Option<ActuatorState>,
    pub(crate) owner: Owner,
    pub(crate) present: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) sensors: Vec<SensorEntry>,
    pub(crate) actuators: Vec<ActuatorEntry>,
}

/// Where a list's entry went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    New(usize),
    /// It had been there before, under the same id.
    Known(usize),
    /// The list is full.
    None,
}

impl Place {
    pub(crate) const fn index(self) -> Option<usize> {
        match self {
            Self::New(index) | Self::Known(index) => Some(index),
            Self::None => None,
        }
    }
}

impl Catalog {
    pub(crate) fn add_sensor(&mut self, entry: SensorEntry) -> Place {
        let known = self.sensors.iter().position(|known| known.id == entry.id);
        place(&mut self.sensors, known, entry, MAX_SERIES)
    }

    pub(crate) fn add_actuator(&mut self, entry: ActuatorEntry) -> Place {
        let known = self.actuators.iter().position(|known| known.id == entry.id);
        place(&mut self.actuators, known, entry, MAX_ACTUATORS)
    }
}

fn place<T>(list: &mut Vec<T>, known: Option<usize>, entry: T, most: usize) -> Place {
    if let Some(index) = known {
        list[index] = entry;
        return Place::Known(index);
    }
    if list.len() == most {
        return Place::None;
    }
    list.push(entry);
    Place::New(list.len() - 1)
}

impl Owner {
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Machine => None,
            Self::Equipment(key) => Some(key),
        }
    }
}

impl SensorEntry {
    /// A sensor of the machine's own, with what its first reading said.
    pub(crate) fn of_board(sensor: &hardware::Sensor, probe: Result<f64, NoData>) -> Self {
        Self {
            id: sensor.id.clone(),
            metric: sensor.metric.to_owned(),
            kind: sensor.kind,
            unit: sensor.unit,
            attributes: sensor.attributes.clone(),
            period: sensor.bus.slow.then_some(SLOW_PERIOD),
            thresholds: sensor.thresholds,
            probe,
            owner: Owner::Machine,
            present: true,
        }
    }

    pub(crate) fn series(&self, cadence_ms: u32) -> Series {
        let mut attributes = self.attributes.clone();
        if let Some(key) = self.owner.key() {
            attributes.push((EQUIPMENT_ATTRIBUTE.to_owned(), key.to_owned()));
        }
        Series {
            metric: self.metric.clone(),
            kind: self.kind,
            unit: self.unit,
            attributes,
            cadence_ms,
        }
    }
}

impl ActuatorEntry {
    /// Something of the machine's own that has no level: its power, a service.
    pub(crate) fn without_level(id: String, kind: ActuatorKind) -> Self {
        Self {
            id,
            kind,
            unit: Unit::One,
            min: 0.0,
            max: 0.0,
            found: None,
            own_control: false,
            sustained: true,
            tolerance: 0.0,
            verify_within: VERIFY_WITHIN,
            verbs: Vec::new(),
            words: Vec::new(),
            state: None,
            owner: Owner::Machine,
            present: true,
        }
    }

    /// An actuator of the machine's own. `verify_within` is what its bus needs.
    pub(crate) fn of_board(actuator: &mut hardware::Actuator, verify_within: Duration) -> Self {
        let (kind, reference) = match actuator.kind {
            hardware::ActuatorKind::Fan => (ActuatorKind::Fan, 1.0),
            hardware::ActuatorKind::PowerCap => (ActuatorKind::PowerCap, actuator.max),
            hardware::ActuatorKind::FrequencyCap => (ActuatorKind::FrequencyCap, actuator.max),
            hardware::ActuatorKind::Profile => (ActuatorKind::Profile, 0.0),
            hardware::ActuatorKind::Indicator => (ActuatorKind::Indicator, 0.0),
        };
        Self {
            id: actuator.id.clone(),
            kind,
            unit: actuator.unit,
            min: actuator.min,
            max: actuator.max,
            found: actuator.found(),
            own_control: actuator.has_own_control(),
            sustained: actuator.sustained,
            tolerance: actuator.quantum(reference),
            verify_within,
            verbs: Vec::new(),
            words: actuator.words.clone(),
            state: None,
            owner: Owner::Machine,
            present: true,
        }
    }
}

/// What stood in the actuators before the guard took them, by id.
pub(crate) fn original(actuator: &hardware::Actuator) -> Option<Original> {
    let hardware::Saved { level, enable } = actuator.saved()?;
    Some(Original { actuator: actuator.id.clone(), level, enable })
}

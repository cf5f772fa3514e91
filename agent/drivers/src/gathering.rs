//! What discovery finds, gathered into a description that keeps its bounds and its names.

use crate::naming::Names;
use flyball_driver_messages::{
    ActuatorEntry, Described, Identity, MAX_ACTUATORS, MAX_SENSORS, SensorEntry, bounded,
};

const MAX_REMARKS: usize = 16;

/// A description that grows.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    described: Described,
    sensor_names: Names,
    actuator_names: Names,
    left_out: usize,
}

impl Gathering {
    pub(crate) fn new(identity: Identity) -> Self {
        let described = Described { identity, ..Described::default() };
        Self { described, ..Self::default() }
    }

    /// Adds a sensor under a name that is its own, and gives back its index; `None` where there
    /// are too many.
    pub(crate) fn sensor(&mut self, mut entry: SensorEntry) -> Option<u16> {
        let index = self.described.sensors.len();
        if index >= MAX_SENSORS {
            self.left_out += 1;
            return None;
        }
        entry.name = self.sensor_names.give(&entry.name);
        entry.label = bounded(&entry.label);
        self.described.sensors.push(entry);
        u16::try_from(index).ok()
    }

    /// Adds an actuator under a name that is its own, and gives back its index; `None` where
    /// there are too many.
    pub(crate) fn actuator(&mut self, mut entry: ActuatorEntry) -> Option<u16> {
        let index = self.described.actuators.len();
        if index >= MAX_ACTUATORS {
            self.left_out += 1;
            return None;
        }
        entry.name = self.actuator_names.give(&entry.name);
        entry.label = bounded(&entry.label);
        self.described.actuators.push(entry);
        u16::try_from(index).ok()
    }

    pub(crate) fn remark(&mut self, text: &str) {
        if self.described.remarks.len() < MAX_REMARKS {
            self.described.remarks.push(bounded(text));
        }
    }

    /// The whole of it; it says what had no place.
    pub(crate) fn close(mut self) -> Described {
        if self.left_out > 0 {
            let left_out = self.left_out;
            self.remark(&format!(
                "{left_out} sensors and actuators are beyond the {MAX_SENSORS} and \
                 {MAX_ACTUATORS} that are taken"
            ));
        }
        self.described
    }
}

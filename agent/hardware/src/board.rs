//! The board: everything that discovery found, under names that stay.

use crate::actuator::Actuator;
use crate::attribute::Attribute;
use crate::cap::Cap;
use crate::identity::Ids;
use crate::sensor::{Bus, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::Roots;
use crate::{cpufreq, dmi, hwmon, power_supply, powercap, thermal};
use flyball_units::{Kind, Unit};

/// No machine has more; what lies beyond is left out with a remark.
const MAX_SENSORS: usize = 2048;
const MAX_ACTUATORS: usize = 256;

/// The machine's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub serial: Option<String>,
    /// True where sysfs is a recorded or simulated tree.
    pub simulated: bool,
}

/// Something that discovery saw and a person should know, said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The file or folder.
    pub subject: String,
    /// What is so, and what to do about it; continues a sentence that begins with the subject.
    pub message: String,
}

/// The sensors and actuators of one machine.
#[derive(Debug)]
pub struct Board {
    pub info: Info,
    pub sensors: Vec<Sensor>,
    pub actuators: Vec<Actuator>,
    pub remarks: Vec<Remark>,
    ids: Ids,
}

/// Looks through the tree once. A machine without any of it has an empty board.
#[must_use]
pub fn discover(roots: &Roots) -> Board {
    let mut board = Board {
        info: dmi::identify(roots),
        sensors: Vec::new(),
        actuators: Vec::new(),
        remarks: Vec::new(),
        ids: Ids::default(),
    };
    thermal::discover(roots, &mut board);
    hwmon::discover(roots, &mut board);
    powercap::discover(roots, &mut board);
    power_supply::discover(roots, &mut board);
    cpufreq::discover(roots, &mut board);
    board
}

impl Board {
    pub(crate) fn remark(&mut self, subject: String, message: String) {
        self.remarks.push(Remark { subject, message });
    }

    /// The first sensor whose id is `prefix` or `prefix:label`.
    pub(crate) fn sensor_id_with_prefix(&self, prefix: &str) -> Option<String> {
        let is_it = |id: &str| {
            id.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.sensors.iter().find(|sensor| is_it(&sensor.id)).map(|sensor| sensor.id.clone())
    }

    pub(crate) fn add_sensor(&mut self, mut sensor: Sensor, hw_type: &str) {
        if self.sensors.len() == MAX_SENSORS {
            self.remark(sensor.id, format!("is beyond the {MAX_SENSORS} sensors that are read"));
            return;
        }
        sensor.id = self.ids.unique(sensor.id);
        let mut attributes = vec![
            ("hw.id".to_owned(), sensor.id.clone()),
            ("hw.name".to_owned(), sensor.name.clone()),
            ("hw.type".to_owned(), hw_type.to_owned()),
        ];
        attributes.append(&mut sensor.attributes);
        sensor.attributes = attributes;
        self.sensors.push(sensor);
    }

    pub(crate) fn add_actuator(&mut self, actuator: Actuator) {
        if self.actuators.len() == MAX_ACTUATORS {
            let message = format!("is beyond the {MAX_ACTUATORS} actuators that are driven");
            self.remark(actuator.id, message);
            return;
        }
        self.actuators.push(actuator);
    }

    /// A power cap: its level is a series, and where its range is known it can be driven.
    #[expect(clippy::too_many_arguments, reason = "one call a finder, each argument once")]
    pub(crate) fn add_cap(
        &mut self,
        id: String,
        name: String,
        bus: &Bus,
        attributes: Vec<(String, String)>,
        reading: Attribute,
        sustained: bool,
        cap: Option<Cap>,
    ) {
        let path = reading.path().display().to_string();
        self.add_sensor(
            Sensor {
                id: id.clone(),
                name: name.clone(),
                metric: "hw.power.limit",
                kind: Kind::Limit,
                unit: Unit::Watt,
                attributes,
                bus: bus.clone(),
                thresholds: Thresholds::default(),
                source: Source::level(reading, 1e6, Band::of(Kind::Limit)),
            },
            "power_supply",
        );
        match cap {
            Some(cap) => self.add_actuator(Actuator::power_cap(id, name, sustained, cap)),
            None => {
                self.remark(
                    path,
                    "declares no range that could be believed; it is not driven".into(),
                );
            }
        }
    }
}

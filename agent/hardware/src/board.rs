//! The board: everything that discovery found, under names that stay.

use crate::actuator::Actuator;
use crate::attribute::Attribute;
use crate::cap::Cap;
use crate::identity::Ids;
use crate::sensor::{Bus, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use crate::{
    cooling, cpufreq, dmi, drm, edac, enclosure, filesystem, hwmon, power_supply, powercap,
    pressure, profile, thermal,
};
use flyball_units::{Kind, Unit};
use std::collections::BTreeSet;

/// No machine has more; what lies beyond is left out with a remark.
const MAX_SENSORS: usize = 2048;
const MAX_ACTUATORS: usize = 256;

/// The machine's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub serial: Option<String>,
    pub uuid: Option<String>,
    /// The firmware's vendor, version and date.
    pub firmware: Option<String>,
    /// What the owner has had printed on the case.
    pub asset_tag: Option<String>,
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
    /// Fans and power caps: what acts against heat at once.
    pub actuators: Vec<Actuator>,
    /// Frequency ceilings, profiles and lights.
    pub controls: Vec<Actuator>,
    pub remarks: Vec<Remark>,
    ids: Ids,
    /// What was said to be unreadable already.
    denied: BTreeSet<String>,
}

/// A power limit as a finder hands it over: its level is a series, and where its range is known
/// it can be driven.
pub(crate) struct CapSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) bus: Bus,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) reading: Attribute,
    pub(crate) sustained: bool,
    pub(crate) cap: Option<Cap>,
}

/// Looks through the tree once. A machine without any of it has an empty board.
#[must_use]
pub fn discover(roots: &Roots) -> Board {
    let mut board = Board {
        info: dmi::identify(roots),
        sensors: Vec::new(),
        actuators: Vec::new(),
        controls: Vec::new(),
        remarks: Vec::new(),
        ids: Ids::default(),
        denied: BTreeSet::new(),
    };
    thermal::discover(roots, &mut board);
    hwmon::discover(roots, &mut board);
    powercap::discover(roots, &mut board);
    power_supply::discover(roots, &mut board);
    cpufreq::discover(roots, &mut board);
    cooling::discover(roots, &mut board);
    drm::discover(roots, &mut board);
    edac::discover(roots, &mut board);
    pressure::discover(roots, &mut board);
    filesystem::discover(roots, &mut board);
    profile::discover(roots, &mut board);
    enclosure::discover(roots, &mut board);
    board
}

impl Board {
    pub(crate) fn remark(&mut self, subject: String, message: String) {
        self.remarks.push(Remark { subject, message });
    }

    /// Says once for each bus that its files need a right that this process lacks.
    fn remark_denied(&mut self, sensor: &Sensor) {
        if tree::denied(sensor.path()) && self.denied.insert(sensor.bus.name.clone()) {
            self.remark(
                sensor.path().display().to_string(),
                format!(
                    "may be read by root only; run the guard as root or with \
                     CAP_DAC_READ_SEARCH to have this and what else {} keeps to itself",
                    sensor.bus.name
                ),
            );
        }
    }

    pub(crate) fn unique(&mut self, id: String) -> String {
        self.ids.unique(id)
    }

    /// The first sensor whose id is `prefix` or `prefix:label`.
    pub(crate) fn sensor_id_with_prefix(&self, prefix: &str) -> Option<String> {
        let is_it = |id: &str| {
            id.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.sensors.iter().find(|sensor| is_it(&sensor.id)).map(|sensor| sensor.id.clone())
    }

    /// Adds a sensor and says the id that it got.
    pub(crate) fn add_sensor(&mut self, mut sensor: Sensor, hw_type: &str) -> String {
        sensor.id = self.ids.unique(sensor.id);
        let id = sensor.id.clone();
        if self.sensors.len() == MAX_SENSORS {
            self.remark(sensor.id, format!("is beyond the {MAX_SENSORS} sensors that are read"));
            return id;
        }
        self.remark_denied(&sensor);
        let mut attributes = vec![
            ("hw.id".to_owned(), sensor.id.clone()),
            ("hw.name".to_owned(), sensor.name.clone()),
            ("hw.type".to_owned(), hw_type.to_owned()),
        ];
        attributes.append(&mut sensor.attributes);
        sensor.attributes = attributes;
        self.sensors.push(sensor);
        id
    }

    pub(crate) fn add_actuator(&mut self, actuator: Actuator) {
        if self.actuators.len() + self.controls.len() == MAX_ACTUATORS {
            let message = format!("is beyond the {MAX_ACTUATORS} actuators that are driven");
            self.remark(actuator.id, message);
        } else if actuator.kind.acts_against_heat() {
            self.actuators.push(actuator);
        } else {
            self.controls.push(actuator);
        }
    }

    pub(crate) fn add_cap(&mut self, spec: CapSpec) {
        let CapSpec { id, name, bus, attributes, reading, sustained, cap } = spec;
        let path = reading.path().display().to_string();
        let id = self.add_sensor(
            Sensor {
                id,
                name: name.clone(),
                metric: "hw.power.limit",
                kind: Kind::Limit,
                unit: Unit::Watt,
                attributes,
                bus,
                thresholds: Thresholds::default(),
                source: Source::level(reading, 1e6, Band::of(Kind::Limit)),
            },
            "power_supply",
        );
        match cap {
            Some(cap) => {
                self.add_actuator(Actuator::power_cap(id, name, sustained, cap));
            }
            None => self.remark(
                path,
                "takes no writes or declares no range that could be believed; it is not driven"
                    .into(),
            ),
        }
    }
}

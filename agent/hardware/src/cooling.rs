//! Cooling devices of `class/thermal`: how far each is engaged, and fans that have no pwm.
//!
//! Source: the kernel's `Documentation/driver-api/thermal/sysfs-api.rst`: `cur_state`, 0 to
//! `max_state`. The kernel's governor may drive the same device: a fan goes back to it when it
//! is released. Other devices (processors, backlights) are read only; frequency has a ceiling of
//! its own.

use crate::actuator::{Actuator, ActuatorError, Mechanism, Released, Saved};
use crate::attribute::Attribute;
use crate::board::Board;
use crate::holding::Holding;
use crate::identity::{self, slug};
use crate::pwm::{not_confirmed, read, write};
use crate::sensor::{Bus, Form, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, NoData, Unit};
use std::fs;
use std::path::Path;

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("thermal");
    let folders = tree::names(&class);
    for name in folders.iter().filter(|name| name.starts_with("cooling_device")) {
        let folder = class.join(name);
        let Some(state) = Attribute::existing(folder.join("cur_state"), roots.simulated()) else {
            continue;
        };
        let Some(highest) = tree::number(&folder.join("max_state")).filter(|max| *max > 0) else {
            continue;
        };
        let device_type = tree::text(&folder.join("type")).unwrap_or_else(|| "unknown".into());
        let device = identity::linked_device(roots, &folder);
        let parent = board.unique(match &device {
            Some(device) => format!("cooling/{}@{device}", slug(&device_type)),
            None => format!("cooling/{}", slug(&device_type)),
        });
        let fan = is_fan(&device_type);
        let id = board.add_sensor(
            Sensor {
                id: format!("{parent}/state"),
                name: device_type.clone(),
                metric: if fan { "hw.fan.speed_ratio" } else { "hw.cooling.state_ratio" },
                kind: Kind::Duty,
                unit: Unit::One,
                attributes: vec![("hw.parent".into(), parent.clone())],
                bus: Bus::fast("cooling"),
                thresholds: Thresholds::default(),
                source: Source::of(
                    state,
                    Form::Step { highest: float(highest) },
                    Band::of(Kind::Duty),
                ),
            },
            if fan { "fan" } else { "cpu" },
        );
        let tach = add_speed(roots, board, &parent, &device_type, &folder);
        if fan && !has_pwm(board, &device_type) {
            add_fan(roots, board, id, device_type, &folder, highest, tach);
        }
    }
}

/// ACPI says `Fan`, device trees `pwm-fan` and `gpio-fan`, Intel's DPTF `TFN1`.
fn is_fan(device_type: &str) -> bool {
    device_type.to_ascii_lowercase().contains("fan") || device_type.starts_with("TFN")
}

/// `pwm-fan` is the hwmon chip `pwmfan` too, and better driven there.
fn has_pwm(board: &Board, device_type: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect()
    };
    board.actuators.iter().any(|actuator| {
        let chip = actuator.id.split(['@', '/', '#']).next().unwrap_or_default();
        !actuator.id.starts_with("cooling/") && plain(chip) == plain(device_type)
    })
}

/// `fan_speed_rpm` of ACPI 4 fans.
fn add_speed(
    roots: &Roots,
    board: &mut Board,
    parent: &str,
    name: &str,
    folder: &Path,
) -> Option<String> {
    let path = folder.join("device/fan_speed_rpm");
    let value = Attribute::existing(path, roots.simulated())?;
    Some(board.add_sensor(
        Sensor {
            id: format!("{parent}/speed"),
            name: name.to_owned(),
            metric: "hw.fan.speed",
            kind: Kind::FanSpeed,
            unit: Unit::Rpm,
            attributes: vec![("hw.parent".into(), parent.to_owned())],
            bus: Bus::fast("cooling"),
            thresholds: Thresholds::default(),
            source: Source::level(value, 1.0, Band::of(Kind::FanSpeed)),
        },
        "fan",
    ))
}

fn add_fan(
    roots: &Roots,
    board: &mut Board,
    id: String,
    name: String,
    folder: &Path,
    highest: i64,
    tach: Option<String>,
) {
    let Some(state) = Attribute::writable(folder.join("cur_state"), roots.simulated()) else {
        return;
    };
    let governed = is_governed(roots, folder);
    let speed = Attribute::existing(folder.join("device/fan_speed_rpm"), roots.simulated());
    let step = Step { state, highest, governed, holding: Holding::default() };
    board.add_actuator(Actuator::fan(id, name, Box::new(step)).with_tach(tach, speed));
}

/// A zone links to the devices that its governor drives as `cdev0`, `cdev1` …
fn is_governed(roots: &Roots, device: &Path) -> bool {
    let Ok(device) = fs::canonicalize(device) else {
        return false;
    };
    let class = roots.class("thermal");
    tree::names(&class).iter().filter(|name| name.starts_with("thermal_zone")).any(|zone| {
        let zone = class.join(zone);
        tree::names(&zone).iter().any(|link| {
            link.starts_with("cdev")
                && fs::canonicalize(zone.join(link)).is_ok_and(|target| target == device)
        })
    })
}

/// A fan by its steps.
#[derive(Debug)]
struct Step {
    state: Attribute,
    highest: i64,
    governed: bool,
    holding: Holding,
}

impl Mechanism for Step {
    fn drive(&mut self, duty: f64) -> Result<(), ActuatorError> {
        if self.holding.saved().is_none() {
            self.holding.save(Saved { level: read(&mut self.state)?, enable: None });
        }
        // Up to the next step: never less cooling than was asked for.
        #[expect(clippy::cast_possible_truncation, reason = "the duty is within 0 to 1")]
        let step = (duty * float(self.highest) - 1e-9).ceil() as i64;
        self.holding.take();
        write(&self.state, step)
    }

    fn observe(&mut self) -> Result<f64, NoData> {
        let step = self.state.read()?;
        self.level_of(step).ok_or(NoData::OutOfRange)
    }

    fn level_of(&self, raw: i64) -> Option<f64> {
        (0..=self.highest).contains(&raw).then(|| float(raw) / float(self.highest))
    }

    fn quantum(&self, _level: f64) -> f64 {
        (1.0 / float(self.highest)).max(4.0 / 255.0)
    }

    fn has_own_control(&mut self) -> bool {
        self.governed
    }

    fn release(&mut self) -> Result<Released, ActuatorError> {
        let Some(saved) = self.holding.to_put_back() else {
            return Ok(Released::Untouched);
        };
        self.holding.let_go();
        write(&self.state, saved.level)?;
        // A governor may have moved it on already.
        if self.governed || self.state.read() == Ok(saved.level) {
            return Ok(Released::Restored);
        }
        self.make_safe().map(|()| Released::Safe)
    }

    fn make_safe(&mut self) -> Result<(), ActuatorError> {
        write(&self.state, self.highest)?;
        match self.state.read() {
            Ok(state) if state == self.highest => Ok(()),
            found => Err(not_confirmed(&self.state, self.highest, found)),
        }
    }

    fn holding(&self) -> &Holding {
        &self.holding
    }

    fn holding_mut(&mut self) -> &mut Holding {
        &mut self.holding
    }

    fn path(&self) -> &Path {
        self.state.path()
    }
}

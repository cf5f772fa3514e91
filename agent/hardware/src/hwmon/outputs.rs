//! What a chip drives: fans by pwm, and power limits where the hardware enforces them.

use super::Chip;
use crate::actuator::Actuator;
use crate::board::{Board, CapSpec};
use crate::cap::{Cap, CapFiles};
use crate::pwm::Pwm;
use crate::sensor::{Sensor, Source};
use crate::threshold::{Band, Thresholds};
use flyball_units::{Kind, Unit};

impl Chip<'_> {
    pub(super) fn add_pwms(&self, board: &mut Board) {
        let channels = self.files.keys().filter_map(|file| file.strip_prefix("pwm")?.parse().ok());
        let channels: Vec<u32> = channels.collect();
        for channel in channels {
            let base = format!("pwm{channel}");
            let Some(reading) = self.attribute(&base) else {
                continue;
            };
            let name = format!("{} {base}", self.name);
            let id = board.add_sensor(
                Sensor {
                    id: format!("{}/{base}", self.id),
                    name: name.clone(),
                    metric: "hw.fan.speed_ratio",
                    kind: Kind::Duty,
                    unit: Unit::One,
                    attributes: vec![("hw.parent".into(), self.id.clone())],
                    bus: self.bus.clone(),
                    thresholds: Thresholds::default(),
                    source: Source::level(reading, 255.0, Band::of(Kind::Duty)),
                },
                "fan",
            );
            // Some drivers show a level that only the firmware sets.
            let Some(level) = self.writable(&base) else {
                continue;
            };
            let pwm = Pwm::new(level, self.attribute(&format!("{base}_enable")));
            let tach = board.sensor_id_with_prefix(&format!("{}/fan{channel}", self.id));
            let speed = self.attribute(&format!("fan{channel}_input"));
            board.add_actuator(Actuator::fan(id, name, Box::new(pwm)).with_tach(tach, speed));
        }
    }

    /// `power1_cap` exists only where the hardware enforces it.
    pub(super) fn add_caps(&self, board: &mut Board) {
        for channel in self.channels("power", &["cap"]) {
            let base = format!("power{channel}");
            let Some(reading) = self.attribute(&format!("{base}_cap")) else {
                continue;
            };
            let cap = self.writable(&format!("{base}_cap")).and_then(|limit| {
                Cap::new(CapFiles {
                    limit,
                    enabled: None,
                    min_uw: self.number(&format!("{base}_cap_min")),
                    max_uw: self.number(&format!("{base}_cap_max")),
                })
            });
            board.add_cap(CapSpec {
                id: format!("{}/{base}_cap", self.id),
                name: format!("{} {base} cap", self.name),
                bus: self.bus.clone(),
                attributes: vec![("hw.parent".into(), self.id.clone())],
                reading,
                sustained: true,
                cap,
            });
        }
    }
}

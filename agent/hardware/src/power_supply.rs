//! Batteries, mains and UPSes of `class/power_supply`.
//!
//! Source: the kernel's `Documentation/power/power_supply_class.rst`: µV, µA, µW, tenths of a
//! degree, percent.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity::slug;
use crate::sensor::{Bus, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};

/// The file, its metric, kind, unit and divisor.
const ATTRIBUTES: [(&str, &str, Kind, Unit, f64); 6] = [
    ("capacity", "hw.battery.charge", Kind::Utilization, Unit::One, 100.0),
    ("power_now", "hw.power", Kind::Power, Unit::Watt, 1e6),
    ("voltage_now", "hw.voltage", Kind::Voltage, Unit::Volt, 1e6),
    ("current_now", "hw.current", Kind::Current, Unit::Ampere, 1e6),
    ("temp", "hw.temperature", Kind::Temperature, Unit::Celsius, 10.0),
    ("online", "hw.status", Kind::State, Unit::One, 1.0),
];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("power_supply");
    for supply in tree::names(&class) {
        let folder = class.join(&supply);
        let hw_type = match tree::text(&folder.join("type")).as_deref() {
            Some("Battery") => "battery",
            _ => "power_supply",
        };
        for (file, metric, kind, unit, divisor) in ATTRIBUTES {
            let Some(value) = Attribute::existing(folder.join(file), roots.simulated()) else {
                continue;
            };
            board.add_sensor(
                Sensor {
                    id: format!("power_supply/{}/{file}", slug(&supply)),
                    name: format!("{supply} {file}"),
                    metric,
                    kind,
                    unit,
                    attributes: vec![("hw.parent".into(), format!("power_supply/{supply}"))],
                    bus: Bus::fast("power_supply"),
                    thresholds: Thresholds::default(),
                    source: Source::level(value, divisor, Band::of(kind)),
                },
                hw_type,
            );
        }
    }
}

//! Batteries, mains and UPSes of `class/power_supply`.
//!
//! Source: the kernel's `Documentation/power/power_supply_class.rst` and
//! `Documentation/ABI/testing/sysfs-class-power`: µV, µA, µW, µWh, µAh, tenths of a degree,
//! percent. A charge becomes the energy that it is at the battery's design voltage. Words are
//! numbered as the kernel's own enumerations are.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity::slug;
use crate::sensor::{Bus, Form, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::path::Path;

/// µWh in a joule.
const MICROWATTHOURS: f64 = 1e6 / 3600.0;

/// The file, its metric, kind, unit and divisor.
type Level = (&'static str, &'static str, Kind, Unit, f64);

const LEVELS: [Level; 23] = [
    ("capacity", "hw.battery.charge", Kind::Utilization, Unit::One, 100.0),
    ("power_now", "hw.power", Kind::Power, Unit::Watt, 1e6),
    ("power_avg", "hw.power.average", Kind::Power, Unit::Watt, 1e6),
    ("voltage_now", "hw.voltage", Kind::Voltage, Unit::Volt, 1e6),
    ("voltage_avg", "hw.voltage.average", Kind::Voltage, Unit::Volt, 1e6),
    ("current_now", "hw.current", Kind::Current, Unit::Ampere, 1e6),
    ("current_avg", "hw.current.average", Kind::Current, Unit::Ampere, 1e6),
    ("temp", "hw.temperature", Kind::Temperature, Unit::Celsius, 10.0),
    ("temp_ambient", "hw.temperature", Kind::Temperature, Unit::Celsius, 10.0),
    ("energy_now", "hw.battery.energy", Kind::Energy, Unit::Joule, MICROWATTHOURS),
    ("energy_full", "hw.battery.energy.full", Kind::Energy, Unit::Joule, MICROWATTHOURS),
    ("energy_full_design", "hw.battery.energy.design", Kind::Energy, Unit::Joule, MICROWATTHOURS),
    ("time_to_empty_now", "hw.battery.time_left", Kind::Duration, Unit::Second, 1.0),
    ("time_to_empty_avg", "hw.battery.time_left.average", Kind::Duration, Unit::Second, 1.0),
    ("time_to_full_now", "hw.battery.time_to_full", Kind::Duration, Unit::Second, 1.0),
    ("time_to_full_avg", "hw.battery.time_to_full.average", Kind::Duration, Unit::Second, 1.0),
    ("cycle_count", "hw.battery.cycles", Kind::Count, Unit::Count, 1.0),
    ("online", "hw.status", Kind::State, Unit::One, 1.0),
    ("present", "hw.status", Kind::State, Unit::One, 1.0),
    (CHARGE_STOP, "hw.battery.charge_limit", Kind::Limit, Unit::One, 100.0),
    ("charge_stop_threshold", "hw.battery.charge_limit", Kind::Limit, Unit::One, 100.0),
    (CHARGE_START, "hw.battery.charge_start", Kind::Limit, Unit::One, 100.0),
    ("charge_start_threshold", "hw.battery.charge_start", Kind::Limit, Unit::One, 100.0),
];
const CHARGE_STOP: &str = "charge_control_end_threshold";
const CHARGE_START: &str = "charge_control_start_threshold";

/// Charges and their metrics, in µAh.
const CHARGES: [(&str, &str); 3] = [
    ("charge_now", "hw.battery.energy"),
    ("charge_full", "hw.battery.energy.full"),
    ("charge_full_design", "hw.battery.energy.design"),
];

/// `POWER_SUPPLY_STATUS_*`.
const STATUS: [&str; 5] = ["Unknown", "Charging", "Discharging", "Not charging", "Full"];
/// `POWER_SUPPLY_HEALTH_*`.
const HEALTH: [&str; 15] = [
    "Unknown",
    "Good",
    "Overheat",
    "Dead",
    "Over voltage",
    "Unspecified failure",
    "Cold",
    "Watchdog timer expire",
    "Safety timer expire",
    "Over current",
    "Calibration required",
    "Warm",
    "Cool",
    "Hot",
    "No battery",
];
/// `POWER_SUPPLY_CAPACITY_LEVEL_*`.
const CAPACITY_LEVEL: [&str; 6] = ["Unknown", "Critical", "Low", "Normal", "High", "Full"];

/// The file, its metric and its words.
type Word = (&'static str, &'static str, &'static [&'static str]);

const WORDS: [Word; 3] = [
    ("status", "hw.battery.status", &STATUS),
    ("health", "hw.battery.health", &HEALTH),
    ("capacity_level", "hw.battery.level", &CAPACITY_LEVEL),
];

/// One supply while it is being looked through.
struct Supply<'a> {
    roots: &'a Roots,
    name: &'a str,
    folder: &'a Path,
    hw_type: &'static str,
}

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("power_supply");
    for name in tree::names(&class) {
        let folder = class.join(&name);
        let hw_type = match tree::text(&folder.join("type")).as_deref() {
            Some("Battery") => "battery",
            _ => "power_supply",
        };
        let supply = Supply { roots, name: &name, folder: &folder, hw_type };
        supply.add_levels(board);
        supply.add_charges(board);
        supply.add_words(board);
    }
}

impl Supply<'_> {
    fn attribute(&self, file: &str) -> Option<Attribute> {
        Attribute::existing(self.folder.join(file), self.roots.simulated())
    }

    fn add_levels(&self, board: &mut Board) {
        for (file, metric, kind, unit, divisor) in LEVELS {
            let Some(value) = self.attribute(file) else {
                continue;
            };
            let thresholds = match file {
                "temp" => self.temperatures(),
                _ => Thresholds::default(),
            };
            let band = Band::of(kind).widened(&thresholds);
            let source = Source::level(value, divisor, band);
            self.add(board, file, metric, kind, unit, source, thresholds);
        }
    }

    /// What the battery declares as its own bounds.
    fn temperatures(&self) -> Thresholds {
        let declared = |file| {
            let raw = tree::number(&self.folder.join(file))?;
            Thresholds::believable(Kind::Temperature, float(raw) / 10.0)
        };
        Thresholds {
            max: declared("temp_alert_max"),
            crit: declared("temp_max"),
            ..Thresholds::default()
        }
    }

    /// A battery that counts energy too says the same twice.
    fn add_charges(&self, board: &mut Board) {
        if self.folder.join("energy_now").exists() {
            return;
        }
        let design_uv = tree::number(&self.folder.join("voltage_min_design"));
        let Some(volts) = design_uv.filter(|uv| *uv > 0).map(|uv| float(uv) / 1e6) else {
            return;
        };
        for (file, metric) in CHARGES {
            if let Some(value) = self.attribute(file) {
                let band = Band::of(Kind::Energy);
                let source = Source::level(value, MICROWATTHOURS / volts, band);
                let thresholds = Thresholds::default();
                self.add(board, file, metric, Kind::Energy, Unit::Joule, source, thresholds);
            }
        }
    }

    fn add_words(&self, board: &mut Board) {
        for (file, metric, words) in WORDS {
            if let Some(value) = self.attribute(file) {
                let source = Source::of(value, Form::Word(words), Band::of(Kind::State));
                let thresholds = Thresholds::default();
                self.add(board, file, metric, Kind::State, Unit::One, source, thresholds);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one row of the tables above, and its source")]
    fn add(
        &self,
        board: &mut Board,
        file: &str,
        metric: &'static str,
        kind: Kind,
        unit: Unit,
        source: Source,
        thresholds: Thresholds,
    ) {
        let parent = format!("power_supply/{}", slug(self.name));
        let mut attributes = vec![("hw.parent".to_owned(), parent.clone())];
        if metric == "hw.status" {
            attributes.push(("hw.state".into(), file.into()));
        }
        board.add_sensor(
            Sensor {
                id: format!("{parent}/{file}"),
                name: format!("{} {file}", self.name),
                metric,
                kind,
                unit,
                attributes,
                bus: Bus::fast("power_supply"),
                thresholds,
                source,
            },
            self.hw_type,
        );
    }
}

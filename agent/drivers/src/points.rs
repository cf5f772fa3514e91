//! Points of equipment that can't describe itself, as the equipment file gives them: what each
//! becomes in the description, and how its raw value and ours go over into each other.

use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, DeedError, DeedFault, Point, PointForm, SensorEntry, Thresholds,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::{Kind, NoData, Unit};

/// Steps of a set-point that are offered as words.
const MAX_STEPS: f64 = 32.0;

/// OpenTelemetry's name for a measured kind.
pub(crate) const fn metric_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Temperature => "hw.temperature",
        Kind::Humidity => "hw.humidity",
        Kind::Power => "hw.power",
        Kind::Energy => "hw.energy",
        Kind::Voltage => "hw.voltage",
        Kind::Current => "hw.current",
        Kind::FanSpeed => "hw.fan.speed",
        Kind::Duty => "hw.fan.speed_ratio",
        Kind::Frequency => "hw.frequency",
        Kind::Utilization | Kind::Load => "hw.utilization",
        Kind::Memory => "hw.memory.usage",
        Kind::Pressure => "hw.pressure",
        Kind::Disk => "hw.disk",
        Kind::Network => "hw.network.io",
        Kind::Count => "hw.count",
        Kind::Duration => "hw.duration",
        Kind::Limit => "hw.limit",
        Kind::State => "hw.status",
    }
}

pub(crate) fn sensor(point: &Point, kind: Kind, unit: Unit) -> SensorEntry {
    SensorEntry {
        name: point.name.clone(),
        label: point.name.clone(),
        metric: metric_of(kind).to_owned(),
        kind,
        unit,
        attributes: Vec::new(),
        thresholds: Thresholds::default(),
    }
}

/// A raw value as a reading.
pub(crate) fn reading(raw: f64, scale: f64) -> Result<f64, NoData> {
    let value = raw * scale;
    if value.is_finite() { Ok(value) } else { Err(NoData::OutOfRange) }
}

/// A level that can be set. Shares of a fan, watts and hertz are levels of the house's own
/// kinds; any other, such as the temperature that a room is cooled to, is a choice of words,
/// which the engine judges and never drives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Level {
    kind: ActuatorKind,
    unit: Unit,
    /// From the raw value to the actuator's unit.
    scale: f64,
    min: f64,
    max: f64,
}

impl Level {
    /// `None` where the point is no level, or one that can't be: no range, no scale.
    pub(crate) fn of(form: &PointForm) -> Option<Self> {
        let PointForm::Level { unit, scale, min, max } = *form else { return None };
        if !(min < max && scale.is_finite() && scale != 0.0) {
            return None;
        }
        let (kind, unit, factor) = match unit {
            Unit::One => (ActuatorKind::Fan, Unit::One, 1.0),
            Unit::Percent => (ActuatorKind::Fan, Unit::One, 0.01),
            Unit::Watt => (ActuatorKind::PowerCap, Unit::Watt, 1.0),
            Unit::Hertz => (ActuatorKind::FrequencyCap, Unit::Hertz, 1.0),
            other => (ActuatorKind::Profile, other, 1.0),
        };
        Some(Self { kind, unit, scale: scale * factor, min: min * factor, max: max * factor })
    }

    pub(crate) fn describe(&self, point: &Point) -> ActuatorEntry {
        ActuatorEntry {
            unit: self.unit,
            min: self.min,
            max: self.max,
            quantum: self.scale.abs(),
            words: self.words(),
            ..ActuatorEntry::bare(self.kind, &point.name, &point.name)
        }
    }

    fn words(&self) -> Vec<String> {
        if self.kind != ActuatorKind::Profile {
            return Vec::new();
        }
        let step = ((self.max - self.min) / MAX_STEPS).max(1.0).ceil();
        let mut words = Vec::new();
        let mut value = self.min;
        while value <= self.max {
            words.push(value.to_string());
            value += step;
        }
        words
    }

    /// Where it stands by this raw value.
    pub(crate) fn standing(&self, raw: f64) -> ActuatorState {
        let value = raw * self.scale;
        if !value.is_finite() {
            return ActuatorState::Unknown(NoData::OutOfRange);
        }
        match self.kind {
            ActuatorKind::Profile => ActuatorState::Word(rounded(value).to_string()),
            _ => ActuatorState::Level(value),
        }
    }

    /// The raw value of `word`.
    pub(crate) fn raw_of_word(&self, word: &str) -> Result<f64, DeedError> {
        let value = word.trim().parse().ok();
        let text = || format!("`{word}` is no number in {}", self.unit.ucum());
        self.raw(value.ok_or_else(|| DeedError::unsupported(text()))?)
    }

    /// The raw value of `level`: never one outside of the range.
    pub(crate) fn raw(&self, level: f64) -> Result<f64, DeedError> {
        // Also false for what is no number.
        let inside = level >= self.min && level <= self.max;
        if !inside {
            let Self { min, max, unit, .. } = self;
            let text = format!("{level} is outside of {min} to {max} {}", unit.ucum());
            return Err(DeedError::new(DeedFault::Refused, text));
        }
        Ok(level / self.scale)
    }

    /// Whether a read-back is what was asked for, within one raw step.
    pub(crate) fn agrees(&self, asked_raw: f64, read_raw: f64) -> bool {
        (asked_raw - read_raw).abs() <= 1.0
    }
}

/// Without the noise of a scale such as 0.1.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A switch by the raw values that it reads and takes.
pub(crate) fn switch(point: &Point) -> ActuatorEntry {
    ActuatorEntry {
        verbs: vec![ResetType::On, ResetType::ForceOff],
        ..ActuatorEntry::bare(ActuatorKind::Switch, &point.name, &point.name)
    }
}

/// Where a switch stands that reads `on` or `off`.
pub(crate) fn switched(raw: i64, on: i64, off: i64) -> ActuatorState {
    match raw {
        value if value == on => ActuatorState::Power(PowerState::On),
        value if value == off => ActuatorState::Power(PowerState::Off),
        _ => ActuatorState::Unknown(NoData::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(unit: Unit, scale: f64, min: f64, max: f64) -> Option<Level> {
        Level::of(&PointForm::Level { unit, scale, min, max })
    }

    #[test]
    fn a_share_in_percent_becomes_the_fan_of_the_house() {
        let fan = level(Unit::Percent, 1.0, 20.0, 100.0).unwrap();
        assert_eq!((fan.kind, fan.unit), (ActuatorKind::Fan, Unit::One));
        assert_eq!((fan.min, fan.max), (0.2, 1.0));
        assert_eq!(fan.raw(0.5).unwrap().round(), 50.0);
        assert_eq!(fan.standing(60.0), ActuatorState::Level(0.6));
    }

    #[test]
    fn a_temperature_to_cool_to_is_a_choice_and_never_driven() {
        let room = level(Unit::Celsius, 0.1, 18.0, 27.0).unwrap();
        assert_eq!(room.kind, ActuatorKind::Profile);
        assert_eq!(room.words().len(), 10);
        assert_eq!(room.standing(235.0), ActuatorState::Word("23.5".into()));
        assert_eq!(room.raw_of_word("23.5").unwrap().round(), 235.0);
    }

    #[test]
    fn nothing_outside_of_the_range_becomes_a_raw_value() {
        let room = level(Unit::Celsius, 0.1, 18.0, 27.0).unwrap();
        for word in ["17.9", "27.1", "NaN", "inf", "-inf", "warm", ""] {
            assert!(room.raw_of_word(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_level_without_a_range_is_none() {
        assert_eq!(level(Unit::Celsius, 0.1, 27.0, 18.0), None);
        assert_eq!(level(Unit::Celsius, 0.1, f64::NAN, 18.0), None);
        assert_eq!(level(Unit::Celsius, 0.0, 18.0, 27.0), None);
    }

    #[test]
    fn a_switch_that_reads_neither_is_unknown() {
        assert_eq!(switched(1, 1, 2), ActuatorState::Power(PowerState::On));
        assert_eq!(switched(2, 1, 2), ActuatorState::Power(PowerState::Off));
        assert_eq!(switched(3, 1, 2), ActuatorState::Unknown(NoData::OutOfRange));
    }
}

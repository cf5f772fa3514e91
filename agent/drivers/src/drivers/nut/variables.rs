//! Which of upsd's variables are numbers for us, and what their values mean.
//! (docs/nut-names.txt of Network UPS Tools)

use flyball_driver_messages::{SensorEntry, Thresholds};
use flyball_units::{Kind, NoData, Unit};
use std::collections::BTreeMap;

/// Everything that upsd says of one UPS.
pub(super) type Variables = BTreeMap<String, String>;

/// What a variable measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    metric: &'static str,
    kind: Kind,
    unit: Unit,
    /// From NUT's unit to ours.
    factor: f64,
    /// What it can be at all, in NUT's unit.
    least: f64,
    most: f64,
}

const fn measure(
    metric: &'static str,
    kind: Kind,
    unit: Unit,
    factor: f64,
    (least, most): (f64, f64),
) -> Measure {
    Measure { metric, kind, unit, factor, least, most }
}

const PERCENT: (f64, f64) = (0.0, 100.0);

const CHARGE: Measure = measure("hw.battery.charge", Kind::Utilization, Unit::One, 0.01, PERCENT);
const RUNTIME: Measure =
    measure("hw.battery.time_left", Kind::Duration, Unit::Second, 1.0, (0.0, 1.0e7));
/// Overload is more than a hundred.
const LOAD: Measure = measure("hw.utilization", Kind::Utilization, Unit::One, 0.01, (0.0, 1000.0));
const VOLTAGE: Measure = measure("hw.voltage", Kind::Voltage, Unit::Volt, 1.0, (0.0, 1.0e5));
const CURRENT: Measure = measure("hw.current", Kind::Current, Unit::Ampere, 1.0, (-1.0e4, 1.0e4));
const FREQUENCY: Measure = measure("hw.frequency", Kind::Frequency, Unit::Hertz, 1.0, (0.0, 1.0e4));
const POWER: Measure = measure("hw.power", Kind::Power, Unit::Watt, 1.0, (0.0, 1.0e7));
const TEMPERATURE: Measure =
    measure("hw.temperature", Kind::Temperature, Unit::Celsius, 1.0, (-55.0, 150.0));
const HUMIDITY: Measure = measure("hw.humidity", Kind::Humidity, Unit::Percent, 1.0, PERCENT);

/// The places whose quantities are taken: `input.L1.voltage`, `outlet.group.2.current`.
const PLACES: [&str; 6] = ["input", "output", "battery", "ups", "ambient", "outlet"];

/// What `variable` measures; `None` where it is a name, a setting, or nothing that we have a
/// unit for (apparent power is in volt-amperes).
pub(super) fn measure_of(variable: &str) -> Option<Measure> {
    let (place, quantity) = (variable.split_once('.')?.0, variable.rsplit_once('.')?.1);
    if !PLACES.contains(&place) {
        return None;
    }
    match (place, quantity) {
        ("battery", "charge") => Some(CHARGE),
        ("battery", "runtime") => Some(RUNTIME),
        (_, "load") => Some(LOAD),
        (_, "voltage") => Some(VOLTAGE),
        (_, "current") => Some(CURRENT),
        (_, "frequency") => Some(FREQUENCY),
        (_, "realpower") => Some(POWER),
        (_, "temperature") => Some(TEMPERATURE),
        ("ambient", "humidity") => Some(HUMIDITY),
        _ => None,
    }
}

impl Measure {
    /// The value of a variable with this measure.
    pub(super) fn read(self, text: Option<&String>) -> Result<f64, NoData> {
        let raw = number(text.ok_or(NoData::Missing)?).ok_or(NoData::Unparsable)?;
        // Some drivers say -1 for what the UPS does not tell.
        if raw < self.least || raw > self.most {
            return Err(NoData::OutOfRange);
        }
        Ok(raw * self.factor)
    }

    pub(super) fn describe(self, variable: &str, variables: &Variables) -> SensorEntry {
        let place = variable.split('.').next().unwrap_or_default();
        SensorEntry {
            name: variable.to_owned(),
            label: variable.to_owned(),
            metric: self.metric.to_owned(),
            kind: self.kind,
            unit: self.unit,
            attributes: vec![("hw.sensor_location".to_owned(), place.to_owned())],
            thresholds: self.thresholds(variable, variables),
        }
    }

    /// What the UPS declares. A limit of 0 is one that nobody has set.
    fn thresholds(self, variable: &str, variables: &Variables) -> Thresholds {
        let declared = |name: &str| {
            let value = number(variables.get(name)?)?;
            let is_set = value != 0.0 && value >= self.least && value <= self.most;
            is_set.then_some(value * self.factor)
        };
        let of = |suffix: &str| declared(&format!("{variable}.{suffix}"));
        let (low, warning) = match variable {
            "battery.charge" => (of("low"), of("warning")),
            "battery.runtime" => (of("low"), None),
            "input.voltage" => (None, declared("input.transfer.low")),
            _ => (None, None),
        };
        let transfer_high = match variable {
            "input.voltage" => declared("input.transfer.high"),
            _ => None,
        };
        Thresholds {
            lower_critical: of("low.critical").or(low),
            lower_caution: of("low.warning").or(warning),
            upper_caution: of("high.warning").or(transfer_high),
            upper_critical: of("high.critical"),
            ..Thresholds::default()
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn read(name: &str, value: &str) -> Result<f64, NoData> {
        measure_of(name).unwrap().read(Some(&value.to_owned()))
    }

    #[test]
    fn only_quantities_are_measured() {
        for name in [
            "battery.voltage.nominal",
            "battery.charge.low",
            "input.transfer.low",
            "outlet.1.current.high.warning",
            "ups.power",
            "ups.delay.shutdown",
            "driver.version",
            "device.model",
            "load",
        ] {
            assert_eq!(measure_of(name), None, "{name}");
        }
        for name in ["input.L1.voltage", "outlet.group.1.realpower", "ambient.2.temperature"] {
            assert!(measure_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn percents_become_ratios_and_nonsense_becomes_a_reason() {
        assert_eq!(read("battery.charge", "90"), Ok(0.9));
        assert_eq!(read("ups.load", "110"), Ok(1.1));
        assert_eq!(read("battery.runtime", "-1"), Err(NoData::OutOfRange));
        assert_eq!(read("battery.charge", "255"), Err(NoData::OutOfRange));
        assert_eq!(read("input.voltage", "n/a"), Err(NoData::Unparsable));
        assert_eq!(read("input.voltage", "nan"), Err(NoData::Unparsable));
        assert_eq!(CHARGE.read(None), Err(NoData::Missing));
    }

    #[test]
    fn declared_limits_are_thresholds_and_those_of_zero_are_none() {
        let all = variables(&[
            ("battery.charge.low", "20"),
            ("battery.charge.warning", "50"),
            ("input.transfer.low", "160"),
            ("input.transfer.high", "294"),
            ("outlet.1.current.high.critical", "0.00"),
            ("input.current.high.critical", "24.00"),
            ("input.current.high.warning", "19.20"),
            ("input.current.low.warning", "0.00"),
        ]);
        let of = |name: &str| measure_of(name).unwrap().describe(name, &all).thresholds;
        let charge = of("battery.charge");
        assert_eq!((charge.lower_critical, charge.lower_caution), (Some(0.2), Some(0.5)));
        let mains = of("input.voltage");
        assert_eq!((mains.lower_caution, mains.upper_caution), (Some(160.0), Some(294.0)));
        assert_eq!(of("outlet.1.current"), Thresholds::default());
        let feed = of("input.current");
        assert_eq!((feed.upper_caution, feed.upper_critical), (Some(19.2), Some(24.0)));
        assert_eq!(feed.lower_caution, None);
    }
}

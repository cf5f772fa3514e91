//! What `ipmitool` says, line by line, as values.
//!
//! Its tables come as comma-separated values without quotes, so they are read from the right: a
//! name may have commas, the numbers behind it don't.

use flyball_command::PowerState;
use flyball_driver_messages::Thresholds;
use flyball_units::{Kind, NoData, Unit};

/// A unit of IPMI (table 43-15) in the house's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) metric: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    factor: f64,
    offset: f64,
}

impl Measure {
    pub(super) const POWER: Self = Self::of("hw.power", Kind::Power, Unit::Watt, 1.0);

    const fn of(metric: &'static str, kind: Kind, unit: Unit, factor: f64) -> Self {
        Self { metric, kind, unit, factor, offset: 0.0 }
    }

    pub(super) fn of_unit(unit: &str, name: &str) -> Option<Self> {
        let fan = name.to_ascii_lowercase().contains("fan");
        Some(match unit {
            "degrees C" => Self::of("hw.temperature", Kind::Temperature, Unit::Celsius, 1.0),
            "degrees F" => Self {
                offset: -32.0,
                ..Self::of("hw.temperature", Kind::Temperature, Unit::Celsius, 5.0 / 9.0)
            },
            "Volts" => Self::of("hw.voltage", Kind::Voltage, Unit::Volt, 1.0),
            "Amps" => Self::of("hw.current", Kind::Current, Unit::Ampere, 1.0),
            "Watts" => Self::POWER,
            "Joules" => Self::of("hw.energy", Kind::Energy, Unit::Joule, 1.0),
            "RPM" => Self::of("hw.fan.speed", Kind::FanSpeed, Unit::Rpm, 1.0),
            "Hz" => Self::of("hw.frequency", Kind::Frequency, Unit::Hertz, 1.0),
            "percent" | "% " | "%" if fan => {
                Self::of("hw.fan.speed_ratio", Kind::Duty, Unit::One, 0.01)
            }
            "percent" | "% " | "%" => {
                Self::of("hw.utilization", Kind::Utilization, Unit::One, 0.01)
            }
            _ => return None,
        })
    }

    pub(super) fn convert(self, value: f64) -> f64 {
        (value + self.offset) * self.factor
    }
}

/// A line of `sensor`: a sensor with its thresholds.
#[derive(Debug, PartialEq)]
pub(super) struct Declared<'a> {
    pub(super) name: &'a str,
    pub(super) measure: Measure,
    pub(super) thresholds: Thresholds,
}

/// `CPU1 Temp,45.000,degrees C,ok,na,na,na,85.000,95.000,105.000`
pub(super) fn declared(line: &str) -> Option<Declared<'_>> {
    let mut fields = line.rsplitn(10, ',');
    let mut threshold = || {
        let text = fields.next()?.trim();
        Some(text.parse::<f64>().ok().filter(|value| value.is_finite()))
    };
    let (unr, ucr, unc) = (threshold()?, threshold()?, threshold()?);
    let (lnc, lcr, lnr) = (threshold()?, threshold()?, threshold()?);
    let (_status, unit, _value) = (fields.next()?, fields.next()?.trim(), fields.next()?);
    let name = fields.next()?.trim();
    let measure = Measure::of_unit(unit, name)?;
    let converted = |value: Option<f64>| value.map(|value| measure.convert(value));
    let thresholds = Thresholds {
        lower_fatal: converted(lnr),
        lower_critical: converted(lcr),
        lower_caution: converted(lnc),
        upper_caution: converted(unc),
        upper_critical: converted(ucr),
        upper_fatal: converted(unr),
    };
    Some(Declared { name, measure, thresholds })
}

/// `CPU1 Temp,45,degrees C,ok` of `sdr list full`: the name, the unit's measure, and the value.
pub(super) fn reading(line: &str) -> Option<(&str, Result<f64, NoData>)> {
    let mut fields = line.rsplitn(4, ',');
    let (status, unit) = (fields.next()?.trim(), fields.next()?.trim());
    let (value, name) = (fields.next()?.trim(), fields.next()?.trim());
    let value = match (status, value) {
        ("ns" | "us" | "na", _) | (_, "" | "na" | "no reading" | "disabled") => {
            Err(NoData::Disabled)
        }
        (_, text) => text.parse::<f64>().map_err(|_| NoData::Unparsable),
    };
    let measure = Measure::of_unit(unit, name);
    match (value, measure) {
        (Ok(value), Some(measure)) => Some((name, Ok(measure.convert(value)))),
        (Ok(_), None) => None,
        (Err(reason), _) => Some((name, Err(reason))),
    }
}

/// `Chassis Power is on`
pub(super) fn power(words: &str) -> Option<PowerState> {
    words.lines().find_map(|line| match line.trim().strip_prefix("Chassis Power is ")? {
        "on" => Some(PowerState::On),
        "off" => Some(PowerState::Off),
        _ => None,
    })
}

/// The number behind `label:`, in watts.
fn watts(words: &str, label: &str) -> Option<f64> {
    words.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(label)?.trim_start_matches(':').trim();
        rest.strip_suffix("Watts")?.trim().parse().ok()
    })
}

/// DCMI's own measurement of the machine's power.
pub(super) fn dcmi_power(words: &str) -> Option<f64> {
    let active = !words.contains("Power reading state is: deactivated");
    watts(words, "Instantaneous power reading").filter(|_| active)
}

/// DCMI's limit: its watts, and whether it is active. `None` where the BMC has none.
pub(super) fn dcmi_limit(words: &str) -> Option<(f64, bool)> {
    let limit = watts(words, "Power Limit")?;
    Some((limit, words.contains("Power Limit Active")))
}

/// The text behind `label :`.
pub(super) fn field(words: &str, label: &str) -> Option<String> {
    let text = words.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == label).then(|| flyball_driver_messages::bounded(value))
    })?;
    (!text.is_empty() && !text.starts_with("Unknown")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_declared_with_its_thresholds() {
        let line = "CPU1 Temp,45.000,degrees C,ok,na,na,na,85.000,95.000,105.000";
        let found = declared(line).unwrap();
        assert_eq!((found.name, found.measure.kind), ("CPU1 Temp", Kind::Temperature));
        assert_eq!(found.thresholds.upper_critical, Some(95.0));
        assert_eq!(found.thresholds.lower_caution, None);
        let line = "Temp, rear,104.000,degrees F,ok,na,na,na,na,na,212.000";
        let found = declared(line).unwrap();
        assert_eq!(found.name, "Temp, rear");
        assert!((found.thresholds.upper_fatal.unwrap() - 100.0).abs() < 1e-9);
        assert_eq!(declared("Watchdog,0x0,discrete,0x0080,na,na,na,na,na,na"), None);
        assert_eq!(declared("Chassis Power is on"), None);
    }

    #[test]
    fn a_reading_is_a_value_or_a_reason() {
        assert_eq!(reading("Fan1,3000,RPM,ok"), Some(("Fan1", Ok(3000.0))));
        assert_eq!(reading("CPU2 Temp,,degrees C,ns"), Some(("CPU2 Temp", Err(NoData::Disabled))));
        assert_eq!(reading("CPU2,no reading,,ns"), Some(("CPU2", Err(NoData::Disabled))));
        assert_eq!(reading("P1,12q,Watts,cr"), None.or(Some(("P1", Err(NoData::Unparsable)))));
        assert_eq!(reading("Flow,3,CFM,ok"), None);
    }

    #[test]
    fn dcmi_is_read_as_the_tool_prints_it() {
        let words = "\n    Instantaneous power reading:                   212 Watts\n    \
                     Minimum during sampling period:                  3 Watts\n    \
                     Power reading state is:                   activated\n";
        assert_eq!(dcmi_power(words), Some(212.0));
        let words = "\n    Current Limit State: No Active Power Limit\n    Exception actions:   \
                     Hard Power Off & Log Event to SEL\n    Power Limit:         500 Watts\n";
        assert_eq!(dcmi_limit(words), Some((500.0, false)));
        assert_eq!(
            dcmi_limit(&words.replace("No Active Power Limit", "Power Limit Active")),
            Some((500.0, true))
        );
        assert_eq!(dcmi_power("DCMI request failed because: Invalid command (c1)"), None);
    }

    #[test]
    fn the_chassis_says_its_power() {
        assert_eq!(power("Chassis Power is on\n"), Some(PowerState::On));
        assert_eq!(power("\nChassis Power is off\nFan1,1,RPM,ok"), Some(PowerState::Off));
        assert_eq!(power("Chassis Power is smoking"), None);
        assert_eq!(field("Board Mfg  : Acme\n", "Board Mfg").as_deref(), Some("Acme"));
    }
}

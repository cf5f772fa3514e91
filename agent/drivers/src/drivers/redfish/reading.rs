//! From a JSON object of Redfish to a reading, its unit and its thresholds.

use flyball_driver_messages::Thresholds;
use flyball_units::{Kind, NoData, Unit};
use serde_json::Value;

/// What a number of Redfish is to the rest of the house.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) metric: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    /// From Redfish's unit to ours.
    pub(super) factor: f64,
}

impl Measure {
    pub(super) const TEMPERATURE: Self =
        Self::plain("hw.temperature", Kind::Temperature, Unit::Celsius);
    pub(super) const POWER: Self = Self::plain("hw.power", Kind::Power, Unit::Watt);
    pub(super) const VOLTAGE: Self = Self::plain("hw.voltage", Kind::Voltage, Unit::Volt);
    pub(super) const CURRENT: Self = Self::plain("hw.current", Kind::Current, Unit::Ampere);
    pub(super) const SPEED: Self = Self::plain("hw.fan.speed", Kind::FanSpeed, Unit::Rpm);
    pub(super) const DUTY: Self = Self::scaled("hw.fan.speed_ratio", Kind::Duty, Unit::One, 0.01);
    pub(super) const HUMIDITY: Self =
        Self::scaled("hw.humidity", Kind::Humidity, Unit::Percent, 1.0);
    pub(super) const LIMIT: Self = Self::plain("hw.power.limit", Kind::Limit, Unit::Watt);

    const fn plain(metric: &'static str, kind: Kind, unit: Unit) -> Self {
        Self::scaled(metric, kind, unit, 1.0)
    }

    const fn scaled(metric: &'static str, kind: Kind, unit: Unit, factor: f64) -> Self {
        Self { metric, kind, unit, factor }
    }

    const fn energy(factor: f64) -> Self {
        Self::scaled("hw.energy", Kind::Energy, Unit::Joule, factor)
    }

    /// What a `Sensor` measures, by its type and units (DSP2046, Sensor). `None` is something
    /// that the house has no word for.
    pub(super) fn of_sensor(sensor: &Value) -> Option<Self> {
        let text = |key: &str| sensor.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, units) = (text("ReadingType"), text("ReadingUnits"));
        Some(match (kind, units) {
            ("Temperature", "Cel" | "C" | "") | ("", "Cel") => Self::TEMPERATURE,
            ("Humidity", "%" | "") => Self::HUMIDITY,
            ("Power", "W" | "") | ("", "W") => Self::POWER,
            ("Power", "kW") | ("", "kW") => Self { factor: 1000.0, ..Self::POWER },
            ("EnergyJoules", "J" | "") | ("", "J") => Self::energy(1.0),
            ("EnergyWh", _) | ("", "W.h") => Self::energy(3.6e3),
            ("EnergykWh", _) | ("", "kW.h") => Self::energy(3.6e6),
            ("Voltage", "V" | "") | ("", "V") => Self::VOLTAGE,
            ("Voltage", "mV") | ("", "mV") => Self { factor: 1e-3, ..Self::VOLTAGE },
            ("Current", "A" | "") | ("", "A") => Self::CURRENT,
            ("Current", "mA") | ("", "mA") => Self { factor: 1e-3, ..Self::CURRENT },
            ("Rotational", _) | ("", "RPM" | "{rev}/min" | "{Rev}/min") => Self::SPEED,
            ("Frequency", "Hz" | "") | ("", "Hz") => {
                Self::plain("hw.frequency", Kind::Frequency, Unit::Hertz)
            }
            ("Percent", _) | ("", "%") if is_fan(sensor) => Self::DUTY,
            ("Percent", _) | ("", "%") => {
                Self::scaled("hw.utilization", Kind::Utilization, Unit::One, 0.01)
            }
            _ => return None,
        })
    }

    /// What a property holds an excerpt of (DSP2046, EnvironmentMetrics, ThermalMetrics,
    /// PowerSupplyMetrics).
    pub(super) fn of_property(name: &str) -> Option<Self> {
        Some(match name {
            "TemperatureCelsius" | "TemperatureReadingsCelsius" => Self::TEMPERATURE,
            "HumidityPercent" => Self::HUMIDITY,
            "PowerWatts" | "InputPowerWatts" | "OutputPowerWatts" => Self::POWER,
            "EnergyJoules" => Self::energy(1.0),
            "EnergykWh" => Self::energy(3.6e6),
            "InputVoltage" | "Voltage" => Self::VOLTAGE,
            "InputCurrentAmps" | "CurrentAmps" => Self::CURRENT,
            "FanSpeedsPercent" | "FanSpeedPercent" | "SpeedPercent" => Self::DUTY,
            _ => return None,
        })
    }
}

fn is_fan(sensor: &Value) -> bool {
    let says = |key: &str| {
        let text = sensor.get(key).and_then(Value::as_str).unwrap_or_default();
        text.to_ascii_lowercase().contains("fan")
    };
    says("PhysicalContext") || says("Name") || says("Id")
}

/// The number at `key` of `object`, as far as the object's state lets it mean anything.
pub(super) fn value(object: &Value, key: &str) -> Result<f64, NoData> {
    let state = object.pointer("/Status/State").and_then(Value::as_str);
    match state {
        Some("Absent") => return Err(NoData::Missing),
        Some(
            "Disabled" | "StandbyOffline" | "StandbySpare" | "UnavailableOffline" | "Deferring"
            | "Quiesced" | "Starting" | "Updating" | "InTest",
        ) => return Err(NoData::Disabled),
        _ => {}
    }
    match object.get(key) {
        // Enabled, and no value for now (DSP0266: null is *not available*).
        Some(Value::Null) => Err(NoData::Disabled),
        None => Err(NoData::Missing),
        Some(value) => value.as_f64().filter(|v| v.is_finite()).ok_or(NoData::Unparsable),
    }
}

/// The thresholds of a `Sensor`, in our unit.
pub(super) fn thresholds(sensor: &Value, factor: f64) -> Thresholds {
    let one = |name: &str| {
        let at = |name: &str| {
            let threshold = sensor.get("Thresholds")?.get(name)?;
            let active = threshold.get("Activation").and_then(Value::as_str) != Some("Disabled");
            threshold.get("Reading")?.as_f64().filter(|_| active).map(|value| value * factor)
        };
        // What a user has set on the BMC stands where the maker says nothing.
        at(name).or_else(|| at(&format!("{name}User")))
    };
    Thresholds {
        lower_fatal: one("LowerFatal"),
        lower_critical: one("LowerCritical"),
        lower_caution: one("LowerCaution"),
        upper_caution: one("UpperCaution"),
        upper_critical: one("UpperCritical"),
        upper_fatal: one("UpperFatal"),
    }
}

/// The thresholds of an element of `Thermal` or `Power`, their predecessors.
pub(super) fn old_thresholds(element: &Value) -> Thresholds {
    let one = |name: &str| element.get(name).and_then(Value::as_f64);
    Thresholds {
        lower_fatal: one("LowerThresholdFatal"),
        lower_critical: one("LowerThresholdCritical"),
        lower_caution: one("LowerThresholdNonCritical"),
        upper_caution: one("UpperThresholdNonCritical"),
        upper_critical: one("UpperThresholdCritical"),
        upper_fatal: one("UpperThresholdFatal"),
    }
}

/// The text at `key`, where it is one and says something.
pub(super) fn text(object: &Value, key: &str) -> Option<String> {
    let text = flyball_driver_messages::bounded(object.get(key)?.as_str()?);
    (!text.is_empty()).then_some(text)
}

/// The path that `key` of `object` links to.
pub(super) fn link<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.get("@odata.id")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_absent_and_disabled_are_absence_with_a_reason() {
        let cases = [
            (json!({ "Reading": 41.5, "Status": { "State": "Enabled" } }), Ok(41.5)),
            (json!({ "Reading": 0 }), Ok(0.0)),
            (json!({ "Reading": null, "Status": { "State": "Enabled" } }), Err(NoData::Disabled)),
            (json!({ "Reading": 3, "Status": { "State": "Absent" } }), Err(NoData::Missing)),
            (json!({ "Reading": 3, "Status": { "State": "Disabled" } }), Err(NoData::Disabled)),
            (json!({ "Reading": "41" }), Err(NoData::Unparsable)),
            (json!({ "Status": { "State": "Enabled" } }), Err(NoData::Missing)),
        ];
        for (object, wanted) in cases {
            assert_eq!(value(&object, "Reading"), wanted, "{object}");
        }
    }

    #[test]
    fn units_are_turned_into_ours() {
        let measure = |kind: &str, units: &str| {
            Measure::of_sensor(&json!({ "ReadingType": kind, "ReadingUnits": units }))
        };
        assert_eq!(measure("", "Cel"), Some(Measure::TEMPERATURE));
        assert_eq!(measure("EnergykWh", "kW.h").unwrap().factor, 3.6e6);
        assert_eq!(measure("Rotational", "RPM"), Some(Measure::SPEED));
        assert_eq!(measure("Percent", "%").unwrap().kind, Kind::Utilization);
        let fan = json!({ "ReadingType": "Percent", "ReadingUnits": "%", "Name": "CPU Fan Speed" });
        assert_eq!(Measure::of_sensor(&fan), Some(Measure::DUTY));
        assert_eq!(measure("AirFlow", "[cft_i]/min"), None);
    }

    #[test]
    fn a_threshold_that_is_switched_off_is_none_and_a_users_own_stands_in() {
        let sensor = json!({ "Thresholds": {
            "UpperCaution": { "Reading": 42, "Activation": "Increasing" },
            "UpperCritical": { "Reading": 45, "Activation": "Disabled" },
            "UpperCriticalUser": { "Reading": 44 },
            "LowerCaution": { "Reading": null },
        }});
        let found = thresholds(&sensor, 1.0);
        assert_eq!(found.upper_caution, Some(42.0));
        assert_eq!(found.upper_critical, Some(44.0));
        assert_eq!(found.lower_caution, None);
    }
}

//! What a plugin says of a reading, made into a series of this machine, or refused.

use crate::collectors::Value;
use flyball_protocol::guard::Series;
use flyball_protocol::series::{MAX_ATTRIBUTES, MAX_TEXT_BYTES, PLUGIN_ATTRIBUTE};
use flyball_units::{Kind, NoData, Unit};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a plugin's own label of that name becomes.
const RENAMED_ATTRIBUTE: &str = "exported_plugin";
/// The unit in the plugin's own words, where it is none of this machine's.
const UNIT_ATTRIBUTE: &str = "unit";
/// Names and labels under these belong to the machine, its guard and this agent.
const OWN: [&str; 6] = ["device.", "flyball.", "host.", "hw.", "process.", "system."];
const MAX_UNIT_BYTES: usize = 64;

/// A reading as it came.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) counter: bool,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: Value,
}

/// A series as far as a plugin decides it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Definition {
    metric: String,
    kind: Kind,
    unit: Unit,
    /// Sorted by key.
    attributes: Vec<(String, String)>,
}

impl Definition {
    /// A series of the agent's own about a plugin.
    pub(crate) fn about(
        plugin: &str,
        metric: &str,
        (kind, unit): (Kind, Unit),
        attribute: Option<(&str, &str)>,
    ) -> Self {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let mut attributes: Vec<_> = attribute.map(pair).into_iter().collect();
        attributes.push(pair((PLUGIN_ATTRIBUTE, plugin)));
        attributes.sort_unstable();
        Self { metric: metric.to_owned(), kind, unit, attributes }
    }

    pub(super) fn metric(&self) -> &str {
        &self.metric
    }

    pub(super) fn series(&self, plugin: &str, interval: Duration) -> Series {
        let mut attributes = self.attributes.clone();
        // A plugin's own label of this name was renamed.
        if !attributes.iter().any(|(key, _)| key == PLUGIN_ATTRIBUTE) {
            attributes.push((PLUGIN_ATTRIBUTE.to_owned(), plugin.to_owned()));
            attributes.sort_unstable();
        }
        Series {
            metric: self.metric.clone(),
            kind: self.kind,
            unit: self.unit,
            attributes,
            cadence_ms: super::cadence_ms(interval),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("`{0}` begins as names of this machine do")]
    Own(String),
    #[error("`{0}` is no name: letters, digits and `._:-/`, 1 to {MAX_TEXT_BYTES} of them")]
    Name(String),
    #[error("`{0}` has more than {1} labels")]
    Labels(String, usize),
    #[error("a text of `{0}` has more than {MAX_TEXT_BYTES} bytes, or characters that no text has")]
    Text(String),
    #[error("the unit of `{0}` is none")]
    Unit(String),
    #[error("`{0}` is there twice in one poll")]
    Twice(String),
}

/// What was refused of one poll: how often, and the first of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusals {
    pub(crate) count: usize,
    pub(crate) first: Option<Refusal>,
}

/// The series of one poll, each once, and what is refused of it.
pub(crate) fn define(readings: Vec<Foreign>) -> (Vec<(Definition, Value)>, Refusals) {
    let mut refusals = Refusals::default();
    let mut known = std::collections::HashSet::new();
    let mut defined = Vec::with_capacity(readings.len());
    for reading in readings {
        let made = define_one(reading).and_then(|(definition, value)| {
            if known.insert(definition.clone()) {
                Ok((definition, value))
            } else {
                Err(Refusal::Twice(shown(&definition.metric)))
            }
        });
        match made {
            Ok(made) => defined.push(made),
            Err(refusal) => {
                refusals.count += 1;
                refusals.first.get_or_insert(refusal);
            }
        }
    }
    (defined, refusals)
}

fn define_one(reading: Foreign) -> Result<(Definition, Value), Refusal> {
    let Foreign { name, unit: code, counter, labels, value } = reading;
    let name_char = |char: char| char.is_ascii_alphanumeric() || "._:-/".contains(char);
    if name.is_empty() || name.len() > MAX_TEXT_BYTES || !name.chars().all(name_char) {
        return Err(Refusal::Name(shown(&name)));
    }
    if is_own(&name) {
        return Err(Refusal::Own(shown(&name)));
    }
    if code.len() > MAX_UNIT_BYTES || code.chars().any(char::is_control) {
        return Err(Refusal::Unit(shown(&name)));
    }
    // Two places are for the plugin and its unit.
    if labels.len() > MAX_ATTRIBUTES - 2 {
        return Err(Refusal::Labels(shown(&name), MAX_ATTRIBUTES - 2));
    }
    let (unit, scale) = unit(&code);
    let mut attributes = BTreeMap::new();
    for (key, value) in labels {
        if is_own(&key) {
            return Err(Refusal::Own(shown(&key)));
        }
        let sound = |text: &str| text.len() <= MAX_TEXT_BYTES && !text.contains('\0');
        if key.is_empty() || !sound(&key) || !sound(&value) {
            return Err(Refusal::Text(shown(&name)));
        }
        let key = if key == PLUGIN_ATTRIBUTE { RENAMED_ATTRIBUTE.to_owned() } else { key };
        attributes.insert(key, value);
    }
    let unit = match unit {
        Some(unit) => unit,
        None => {
            attributes.insert(UNIT_ATTRIBUTE.to_owned(), code);
            Unit::One
        }
    };
    let value = value.and_then(|value| {
        let value = value * scale;
        if value.is_finite() { Ok(value) } else { Err(NoData::OutOfRange) }
    });
    let kind = kind(&name, unit, counter);
    let attributes = attributes.into_iter().collect();
    Ok((Definition { metric: name, kind, unit, attributes }, value))
}

fn is_own(name: &str) -> bool {
    let begins =
        |own: &&str| name.get(..own.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(own));
    OWN.iter().any(begins)
}

/// The unit that a UCUM code is counted in here, and what a value is multiplied with for it.
/// `None` where there is none: the number then stands as it came.
fn unit(code: &str) -> (Option<Unit>, f64) {
    const KIBI: f64 = 1024.0;
    let (unit, scale) = match code {
        "" => (Unit::One, 1.0),
        "ns" => (Unit::Second, 1e-9),
        "us" => (Unit::Second, 1e-6),
        "ms" => (Unit::Second, 1e-3),
        "min" => (Unit::Second, 60.0),
        "h" => (Unit::Second, 3_600.0),
        "d" => (Unit::Second, 86_400.0),
        "kBy" => (Unit::Byte, 1e3),
        "MBy" => (Unit::Byte, 1e6),
        "GBy" => (Unit::Byte, 1e9),
        "TBy" => (Unit::Byte, 1e12),
        "KiBy" => (Unit::Byte, KIBI),
        "MiBy" => (Unit::Byte, KIBI * KIBI),
        "GiBy" => (Unit::Byte, KIBI * KIBI * KIBI),
        "TiBy" => (Unit::Byte, KIBI * KIBI * KIBI * KIBI),
        "mV" => (Unit::Volt, 1e-3),
        "kV" => (Unit::Volt, 1e3),
        "mA" => (Unit::Ampere, 1e-3),
        "mW" => (Unit::Watt, 1e-3),
        "kW" => (Unit::Watt, 1e3),
        "W.h" => (Unit::Joule, 3_600.0),
        "kW.h" => (Unit::Joule, 3.6e6),
        "kHz" => (Unit::Hertz, 1e3),
        "MHz" => (Unit::Hertz, 1e6),
        "GHz" => (Unit::Hertz, 1e9),
        // UCUM's counts of something, whatever it is.
        code if code.starts_with('{') && code.ends_with('}') => {
            (Unit::from_ucum(code).unwrap_or(Unit::Count), 1.0)
        }
        code => return (Unit::from_ucum(code), 1.0),
    };
    (Some(unit), scale)
}

/// The API's word for what is measured, as far as unit and name tell it.
fn kind(name: &str, unit: Unit, counter: bool) -> Kind {
    let has = |word: &str| name.to_ascii_lowercase().contains(word);
    match unit {
        Unit::Celsius => Kind::Temperature,
        Unit::Watt => Kind::Power,
        Unit::Joule => Kind::Energy,
        Unit::Volt => Kind::Voltage,
        Unit::Ampere => Kind::Current,
        Unit::Rpm => Kind::FanSpeed,
        Unit::Hertz => Kind::Frequency,
        Unit::Second => Kind::Duration,
        Unit::BytePerSecond => Kind::Network,
        Unit::Byte if has("network") || has("receive") || has("transmit") => Kind::Network,
        Unit::Byte if has("disk") || has("filesystem") || has("volume") => Kind::Disk,
        Unit::Byte => Kind::Memory,
        Unit::Percent | Unit::One if has("humidity") => Kind::Humidity,
        Unit::Percent => Kind::Utilization,
        Unit::One if !counter && has("ratio") => Kind::Utilization,
        Unit::One | Unit::Count => Kind::Count,
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(name: &str, unit: &str, labels: &[(&str, &str)], value: Value) -> Foreign {
        let labels = labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned()));
        let labels = labels.collect();
        Foreign { name: name.into(), unit: unit.into(), counter: false, labels, value }
    }

    fn one(reading: Foreign) -> Result<(Definition, Value), Refusal> {
        let (mut defined, refusals) = define(vec![reading]);
        defined.pop().ok_or_else(|| refusals.first.unwrap())
    }

    #[test]
    fn units_are_brought_to_those_of_this_machine_and_others_are_named() {
        for (code, value, unit, expected) in [
            ("Cel", 21.5, Unit::Celsius, 21.5),
            ("kW", 1.5, Unit::Watt, 1_500.0),
            ("ms", 250.0, Unit::Second, 0.25),
            ("MiBy", 2.0, Unit::Byte, 2_097_152.0),
            ("kW.h", 2.0, Unit::Joule, 7.2e6),
            ("{rpm}", 900.0, Unit::Rpm, 900.0),
            ("{requests}", 7.0, Unit::Count, 7.0),
            ("", 7.0, Unit::One, 7.0),
        ] {
            let (definition, value) = one(foreign("x", code, &[], Ok(value))).unwrap();
            assert_eq!((definition.unit, value), (unit, Ok(expected)), "{code}");
            assert!(definition.attributes.is_empty(), "{code}");
        }
        let (definition, value) = one(foreign("room_light", "lx", &[], Ok(320.0))).unwrap();
        assert_eq!((definition.unit, value), (Unit::One, Ok(320.0)));
        assert_eq!(definition.attributes, [("unit".to_owned(), "lx".to_owned())]);
    }

    #[test]
    fn the_machines_own_names_and_labels_are_not_taken_from_a_plugin() {
        for name in ["hw.temperature", "system.cpu.time", "flyball.agent.x", "HW.Fan.speed"] {
            let refusal = one(foreign(name, "1", &[], Ok(1.0))).unwrap_err();
            assert_eq!(refusal, Refusal::Own(name.into()));
        }
        for label in ["hw.id", "flyball.equipment", "device.name"] {
            let refusal = one(foreign("x", "1", &[(label, "cpu-1")], Ok(1.0))).unwrap_err();
            assert_eq!(refusal, Refusal::Own(label.into()));
        }
        let (definition, _) = one(foreign("x", "1", &[("plugin", "guard")], Ok(1.0))).unwrap();
        let series = definition.series("prometheus", Duration::from_secs(10));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = [pair("exported_plugin", "guard"), pair("plugin", "prometheus")];
        assert_eq!(series.attributes, expected);
        assert_eq!(series.cadence_ms, 10_000);
    }

    #[test]
    fn what_breaks_a_bound_is_refused_and_the_rest_stands() {
        let many: Vec<(String, String)> =
            (0..31).map(|n| (format!("l{n}"), String::new())).collect();
        let mut crowded = foreign("crowded", "1", &[], Ok(1.0));
        crowded.labels = many;
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        let (defined, refusals) = define(vec![
            foreign("", "1", &[], Ok(1.0)),
            foreign(&long, "1", &[], Ok(1.0)),
            foreign("a b", "1", &[], Ok(1.0)),
            crowded,
            foreign("x", "1", &[("l", &long)], Ok(1.0)),
            foreign("x", &"u".repeat(65), &[], Ok(1.0)),
            foreign("x", "1", &[], Ok(1.0)),
            foreign("x", "1", &[], Ok(2.0)),
        ]);
        assert_eq!(defined.len(), 1);
        assert_eq!(defined[0].1, Ok(1.0));
        assert_eq!(refusals.count, 7);
        assert!(matches!(refusals.first, Some(Refusal::Name(name)) if name.is_empty()));
    }

    #[test]
    fn no_value_that_is_not_finite_comes_through() {
        for value in [f64::NAN, f64::INFINITY, f64::MAX] {
            let (_, value) = one(foreign("x", "TiBy", &[], Ok(value))).unwrap();
            assert_eq!(value, Err(NoData::OutOfRange));
        }
        let (_, value) = one(foreign("x", "1", &[], Err(NoData::Denied))).unwrap();
        assert_eq!(value, Err(NoData::Denied));
    }
}

//! OpenTelemetry's names as Prometheus writes them, by OpenTelemetry's compatibility page: dots
//! become underscores, the unit is a suffix, a counter ends in `_total`, attributes are labels.

use crate::telemetry::{SeriesInfo, Unit};
use std::collections::BTreeMap;

/// Metrics that only ever grow, until they begin anew.
const COUNTERS: [&str; 11] = [
    "hw.energy",
    "hw.network.io",
    "system.cpu.time",
    "system.disk.io",
    "system.disk.io_time",
    "system.disk.operations",
    "system.network.errors",
    "system.network.io",
    "system.network.packet.count",
    "system.network.packet.dropped",
    "system.process.created",
];

#[must_use]
pub fn is_counter(series: &SeriesInfo) -> bool {
    series.unit != Unit::BytePerSecond && COUNTERS.contains(&series.metric.as_str())
}

/// The name of the metric's family, which for a counter does not end in `_total` yet.
#[must_use]
pub fn family(metric: &str, unit: Unit, counter: bool) -> String {
    let name = word(metric);
    let suffix = match unit {
        Unit::Celsius => "celsius",
        Unit::Watt => "watts",
        Unit::Joule => "joules",
        Unit::Volt => "volts",
        Unit::Ampere => "amperes",
        Unit::Rpm => "rpm",
        // Only a gauge of the unit 1 is a ratio.
        Unit::One if counter => return name,
        Unit::One => "ratio",
        Unit::Byte => "bytes",
        Unit::Hertz => "hertz",
        Unit::Second => "seconds",
        Unit::Count => return name,
        Unit::BytePerSecond => "bytes_per_second",
        Unit::Percent => "percent",
    };
    let has = name.split('_').next_back() == Some(suffix) || name.ends_with(&format!("_{suffix}"));
    if has { name } else { format!("{name}_{suffix}") }
}

/// The name of the series' samples.
#[must_use]
pub fn sample_name(series: &SeriesInfo) -> String {
    let counter = is_counter(series);
    let family = family(&series.metric, series.unit, counter);
    if counter && !family.ends_with("_total") { format!("{family}_total") } else { family }
}

/// Labels by name: those of the device, and the attributes. Attributes whose names become one
/// share their label, joined by `;`.
#[must_use]
pub fn labels(device: &[(&str, String)], series: &SeriesInfo) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> =
        device.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    for (key, value) in &series.attributes {
        let key = word(key);
        // Two underscores in front are Prometheus' own.
        let key = if key.starts_with("__") { format!("key{key}") } else { key };
        labels
            .entry(key)
            .and_modify(|known| {
                known.push(';');
                known.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    labels
}

fn word(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let word: String = letters.collect();
    if word.starts_with(|c: char| c.is_ascii_digit()) { format!("_{word}") } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Kind, Reader, SeriesId};

    fn series(metric: &str, unit: Unit, attributes: &[(&str, &str)]) -> SeriesInfo {
        SeriesInfo {
            id: SeriesId(1),
            metric: metric.into(),
            kind: Kind::Count,
            unit,
            attributes: attributes.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            cadence_ms: 1_000,
            reader: Reader::Agent,
        }
    }

    #[test]
    fn units_are_suffixes_that_are_not_said_twice() {
        for (metric, unit, name) in [
            ("hw.temperature", Unit::Celsius, "hw_temperature_celsius"),
            ("hw.energy", Unit::Joule, "hw_energy_joules_total"),
            ("hw.fan.speed_ratio", Unit::One, "hw_fan_speed_ratio"),
            ("system.cpu.utilization", Unit::One, "system_cpu_utilization_ratio"),
            ("system.network.io", Unit::Byte, "system_network_io_bytes_total"),
            ("system.network.io", Unit::BytePerSecond, "system_network_io_bytes_per_second"),
            ("system.process.count", Unit::Count, "system_process_count"),
            ("system.process.created", Unit::Count, "system_process_created_total"),
            ("3d.things", Unit::Count, "_3d_things"),
        ] {
            assert_eq!(sample_name(&series(metric, unit, &[])), name);
        }
    }

    #[test]
    fn attributes_become_labels_without_losing_any() {
        let series =
            series("m", Unit::One, &[("a.b", "1"), ("a_b", "2"), ("__x", "3"), ("é", "4")]);
        let labels = labels(&[("device_id", "d".into())], &series);
        let expected = [("_", "4"), ("a_b", "1;2"), ("device_id", "d"), ("key__x", "3")];
        let found: Vec<_> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, expected);
    }
}

//! Units of metrics: what OpenMetrics declares, else the ending of the name that Prometheus'
//! own conventions give it.

use crate::exposition::{Family, Type};

/// The UCUM code for a sample of `name`, which stands in its family under `suffix`.
pub(crate) fn unit(name: &str, family: &Family, suffix: &str) -> String {
    let counts = match family.kind {
        Type::Histogram | Type::GaugeHistogram | Type::Summary => {
            matches!(suffix, "_bucket" | "_count" | "_gcount")
        }
        Type::Info | Type::StateSet => return "1".to_owned(),
        Type::Counter | Type::Gauge | Type::Unknown => false,
    };
    if counts {
        return "{count}".to_owned();
    }
    match &family.unit {
        Some(declared) => readings::ucum(declared).map_or_else(|| declared.clone(), str::to_owned),
        None => by_name(name, suffix),
    }
}

fn by_name(name: &str, suffix: &str) -> String {
    let total = name.ends_with("_total");
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let stem = if suffix.is_empty() { stem } else { stem.strip_suffix(suffix).unwrap_or(stem) };
    let (stem, per) = match stem.rsplit_once("_per_") {
        Some((stem, per)) => (stem, readings::ucum(per)),
        None => (stem, None),
    };
    let word = stem.rsplit('_').next().unwrap_or_default();
    match (readings::ucum(word), per) {
        (Some(unit), None) => unit.to_owned(),
        (Some(unit), Some(per)) => format!("{unit}/{per}"),
        (None, Some(per)) => format!("{{count}}/{per}"),
        (None, None) if total => "{count}".to_owned(),
        (None, None) => "1".to_owned(),
    }
}

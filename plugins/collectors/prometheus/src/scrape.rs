//! One answer of an endpoint, made into readings.

use crate::exposition::{Exposition, Family, Taken, Type};
use crate::settings::Endpoint;
use crate::unit::unit;
use readings::{Kind, MAX_READINGS, Reading, Refused, number};

/// Readings, and what an operator should know of the answer.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) readings: Vec<Reading>,
    /// What was left out, or looks wrong.
    pub(crate) warnings: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// `open_metrics` is what the answer's type said of it.
pub(crate) fn scrape(endpoint: &Endpoint, text: &str, open_metrics: bool) -> Scrape {
    let mut exposition = Exposition::parse(text, |name| endpoint.wants(name));
    let samples = std::mem::take(&mut exposition.samples);
    let mut refused = Refused::default();
    let mut readings =
        refused.hold(samples.into_iter().map(|taken| reading(endpoint, taken)).collect());
    // One place is for the collector's own `up`.
    let mut beyond = exposition.beyond;
    if readings.len() >= MAX_READINGS {
        beyond += readings.len() + 1 - MAX_READINGS;
        readings.truncate(MAX_READINGS - 1);
    }
    let mut warnings: Vec<String> = exposition.faults.iter().map(ToString::to_string).collect();
    if exposition.further > 0 {
        warnings.push(format!("and {} more lines are wrong", exposition.further));
    }
    if !refused.is_empty() {
        warnings.push(format!("left out: {refused}"));
    }
    if beyond > 0 {
        let taken = MAX_READINGS - 1;
        warnings.push(format!("{beyond} samples beyond the {taken} taken; narrow `match`"));
    }
    if open_metrics && !exposition.ended {
        warnings.push("the answer has no `# EOF`: it may be cut off".to_owned());
    }
    let mut notes = Vec::new();
    if exposition.timestamps > 0 {
        let count = exposition.timestamps;
        notes.push(format!("{count} samples have timestamps of their own, which are not used"));
    }
    Scrape { readings, warnings, notes }
}

fn reading(endpoint: &Endpoint, taken: Taken) -> Reading {
    let Taken { sample, family, suffix } = taken;
    let mut labels = sample.labels;
    endpoint.rules.iter().for_each(|rule| rule.apply(&mut labels));
    // A label without a value is none.
    labels.retain(|(name, value)| !name.is_empty() && !value.is_empty());
    labels.sort_unstable();
    Reading {
        unit: unit(&sample.name, &family, suffix),
        kind: kind(&sample.name, &family, suffix),
        name: sample.name,
        labels,
        value: number(sample.value),
    }
}

fn kind(name: &str, family: &Family, suffix: &str) -> Kind {
    match (family.kind, suffix) {
        (Type::Counter, _) => Kind::Counter,
        (Type::Histogram | Type::Summary, "_bucket" | "_sum" | "_count") => Kind::Counter,
        (Type::Unknown, _) if name.ends_with("_total") => Kind::Counter,
        _ => Kind::Gauge,
    }
}

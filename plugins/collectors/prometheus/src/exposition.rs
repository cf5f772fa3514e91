//! The text of an endpoint: Prometheus' format 0.0.4 and OpenMetrics 1.0, line by line.
//!
//! A line that is wrong is named by its number and left out; the others stand. Timestamps and
//! exemplars are passed over. Any text at all is taken without a panic, and what is kept of it has
//! a bound.

mod line;

use line::Line;
pub(crate) use line::{LineFault, Sample};
use readings::MAX_READINGS;
use std::collections::HashMap;

/// Lines of one exposition; what follows is left out.
const MAX_LINES: usize = 50_000;
const MAX_LINE_BYTES: usize = 16 * 1024;
/// Faults that are told by their line; further ones are counted.
const MAX_FAULTS: usize = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Type {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    #[default]
    Unknown,
}

impl Type {
    /// What a sample's name has behind that of its family.
    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["_total", "_created"],
            Self::Histogram | Self::Summary => &["_bucket", "_sum", "_count", "_created"],
            Self::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
            Self::Info => &["_info"],
            Self::Gauge | Self::StateSet | Self::Unknown => &[],
        }
    }
}

/// What the lines that begin with `#` say of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) kind: Type,
    pub(crate) unit: Option<String>,
}

/// A sample, and what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) sample: Sample,
    pub(crate) family: Family,
    /// What its name has behind the family's.
    pub(crate) suffix: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) why: LineFault,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// What an exposition holds.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    families: HashMap<String, Family>,
    pub(crate) samples: Vec<Taken>,
    /// Wanted samples beyond the bound.
    pub(crate) beyond: usize,
    pub(crate) faults: Vec<Fault>,
    /// Faults beyond those.
    pub(crate) further: usize,
    /// Samples whose time was passed over.
    pub(crate) timestamps: usize,
    /// OpenMetrics' last line was there.
    pub(crate) ended: bool,
}

impl Exposition {
    /// Takes the samples whose names are wanted.
    pub(crate) fn parse(text: &str, wants: impl Fn(&str) -> bool) -> Self {
        let mut exposition = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            if number > MAX_LINES {
                exposition.fault(number, LineFault::TooMany(MAX_LINES));
                break;
            }
            let parsed = match line.len() {
                ..=MAX_LINE_BYTES => line::parse(line),
                bytes => Err(LineFault::TooLong(bytes, MAX_LINE_BYTES)),
            };
            match parsed {
                Ok(Line::Nothing) => {}
                Ok(Line::End) => {
                    exposition.ended = true;
                    break;
                }
                Ok(Line::Type(name, kind)) => exposition.family(name).kind = kind,
                Ok(Line::Unit(name, unit)) => {
                    exposition.family(name).unit = Some(unit.to_owned()).filter(|u| !u.is_empty());
                }
                Ok(Line::Sample(sample, timestamp)) if wants(&sample.name) => {
                    exposition.take(sample, timestamp);
                }
                Ok(Line::Sample(..)) => {}
                Err(why) => exposition.fault(number, why),
            }
        }
        exposition
    }

    fn take(&mut self, sample: Sample, timestamp: bool) {
        let (family, suffix) = self.family_of(&sample.name);
        // When a counter began is no reading.
        if suffix == "_created" {
            return;
        }
        self.timestamps += usize::from(timestamp);
        if self.samples.len() < MAX_READINGS {
            self.samples.push(Taken { sample, family, suffix });
        } else {
            self.beyond += 1;
        }
    }

    fn family_of(&self, name: &str) -> (Family, &'static str) {
        if let Some(family) = self.families.get(name) {
            return (family.clone(), "");
        }
        let stem = name.rfind('_').map(|at| name.split_at(at));
        let found = stem.and_then(|(stem, end)| {
            let family = self.families.get(stem)?;
            let suffix = family.kind.suffixes().iter().find(|suffix| **suffix == end)?;
            Some((family.clone(), *suffix))
        });
        found.unwrap_or_default()
    }

    fn family(&mut self, name: &str) -> &mut Family {
        self.families.entry(name.to_owned()).or_default()
    }

    fn fault(&mut self, line: usize, why: LineFault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { line, why });
        } else {
            self.further += 1;
        }
    }
}

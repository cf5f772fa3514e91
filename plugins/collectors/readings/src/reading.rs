//! A reading, and the bounds that hold for all of one poll.

use std::collections::BTreeSet;

/// Series of one collector; the agent takes no more.
pub const MAX_READINGS: usize = 2_000;
/// Labels of one series. The agent adds one of its own and takes 32.
pub const MAX_LABELS: usize = 30;
/// A name, or the name or value of a label.
pub const MAX_TEXT_BYTES: usize = 512;
/// Refused readings that are named; further ones are counted.
const MAX_NAMED: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    /// It only grows, or begins again at nothing.
    Counter,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It will be there, and is not yet, or not any more.
    NotReady,
    Unreachable,
    Unauthorised,
    /// What was asked does not have it.
    Unsupported,
    /// A number that is none, or none that can be.
    OutOfRange,
    Malformed,
}

pub type Value = Result<f64, Absence>;
pub type Label = (String, String);
/// What makes two readings ones of the same series: the name, and the labels in their order.
pub type Series = (String, Vec<Label>);

#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub name: String,
    /// A UCUM code.
    pub unit: String,
    pub kind: Kind,
    /// Sorted by name.
    pub labels: Vec<Label>,
    pub value: Value,
}

impl Reading {
    #[must_use]
    pub fn series(&self) -> Series {
        (self.name.clone(), self.labels.clone())
    }

    /// The same series without a value.
    #[must_use]
    pub fn absent(mut self, why: Absence) -> Self {
        self.value = Err(why);
        self
    }

    /// What of it breaks a bound.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.labels.len() > MAX_LABELS {
            let count = self.labels.len();
            return Some(format!(
                "{} has {count} labels, at most {MAX_LABELS} are taken",
                self.name
            ));
        }
        let texts = self.labels.iter().flat_map(|(name, value)| [name, value]);
        let long = texts.chain([&self.name]).find(|text| text.len() > MAX_TEXT_BYTES)?;
        let name: String = self.name.chars().take(80).collect();
        let bytes = long.len();
        Some(format!("a text of {name} has {bytes} bytes, at most {MAX_TEXT_BYTES} are taken"))
    }
}

/// What was left out of one poll, and why: the first few by name, the rest as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    named: Vec<String>,
    further: usize,
}

impl Refused {
    pub fn push(&mut self, why: impl Into<String>) {
        if self.named.len() < MAX_NAMED {
            self.named.push(why.into());
        } else {
            self.further += 1;
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.named.len() + self.further
    }

    /// Takes of `readings` what is within the bounds, each series once.
    #[must_use]
    pub fn hold(&mut self, readings: Vec<Reading>) -> Vec<Reading> {
        let mut known = BTreeSet::new();
        let mut held: Vec<Reading> = Vec::new();
        for reading in readings {
            let series = reading.series();
            if let Some(fault) = reading.fault() {
                self.push(fault);
            } else if known.contains(&series) {
                self.push(format!("{} is there twice with the same labels", reading.name));
            } else if held.len() >= MAX_READINGS {
                self.push(format!("{} is beyond the {MAX_READINGS} series taken", reading.name));
            } else {
                known.insert(series);
                held.push(reading);
            }
        }
        held
    }
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.named.join("; "))?;
        match self.further {
            0 => Ok(()),
            further => write!(f, "; and {further} more"),
        }
    }
}

/// A number as it was read: what is no number stands for a value that can't be.
pub fn number(value: f64) -> Value {
    if value.is_finite() { Ok(value) } else { Err(Absence::OutOfRange) }
}

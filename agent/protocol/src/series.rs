//! The dictionary: what a series number means within one epoch.

use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};

/// Series of one epoch at most: more would be a machine whose series change their names all the
/// time.
pub const MAX_SERIES: usize = 16_384;
/// Attributes of one series.
pub const MAX_ATTRIBUTES: usize = 32;
/// The metric's name, or a key or value of an attribute.
pub const MAX_TEXT_BYTES: usize = 1024;

/// Names the plugin that a series is collected by; no other series has it.
pub const PLUGIN_ATTRIBUTE: &str = "plugin";

/// A series' number, valid within one epoch of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesRef(pub u32);

/// Who reads a series: it decides what stops when a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reader {
    Guard,
    Agent,
}

/// One series, announced on a lane before an entry refers to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesDef {
    pub number: SeriesRef,
    /// OpenTelemetry's metric name.
    pub metric: String,
    pub kind: Kind,
    pub unit: Unit,
    /// Sorted by key.
    pub attributes: Vec<(String, String)>,
    pub cadence_ms: u32,
    pub reader: Reader,
}

/// A bound that a definition breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    #[error("its number is {0}, below {MAX_SERIES} is allowed")]
    Number(u32),
    #[error("its metric has no name")]
    NoMetric,
    #[error("it has {0} attributes, at most {MAX_ATTRIBUTES} are allowed")]
    Attributes(usize),
    #[error("a text of it has {0} bytes, at most {MAX_TEXT_BYTES} are allowed")]
    Text(usize),
}

impl SeriesDef {
    /// Holds the definition to the bounds that both sides keep.
    ///
    /// # Errors
    /// The first of them that it breaks.
    pub fn check(&self) -> Result<(), SeriesError> {
        if usize::try_from(self.number.0).map_or(true, |number| number >= MAX_SERIES) {
            return Err(SeriesError::Number(self.number.0));
        }
        if self.metric.is_empty() {
            return Err(SeriesError::NoMetric);
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            return Err(SeriesError::Attributes(self.attributes.len()));
        }
        let texts = self.attributes.iter().flat_map(|(key, value)| [key, value]);
        let longest = texts.chain([&self.metric]).map(String::len).max().unwrap_or_default();
        if longest > MAX_TEXT_BYTES { Err(SeriesError::Text(longest)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_held_to_each_bound() {
        let whole = SeriesDef {
            number: SeriesRef(16_383),
            metric: "m".repeat(MAX_TEXT_BYTES),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: vec![(String::new(), "v".repeat(MAX_TEXT_BYTES)); MAX_ATTRIBUTES],
            cadence_ms: 1000,
            reader: Reader::Guard,
        };
        assert_eq!(whole.check(), Ok(()));
        let broken = |change: fn(&mut SeriesDef)| {
            let mut series = whole.clone();
            change(&mut series);
            series.check().unwrap_err()
        };
        assert_eq!(broken(|it| it.number.0 += 1), SeriesError::Number(16_384));
        assert_eq!(broken(|it| it.metric.clear()), SeriesError::NoMetric);
        assert_eq!(broken(|it| it.metric.push('m')), SeriesError::Text(1025));
        assert_eq!(broken(|it| it.attributes[3].1.push('v')), SeriesError::Text(1025));
        assert_eq!(
            broken(|it| it.attributes.push(Default::default())),
            SeriesError::Attributes(33)
        );
    }
}

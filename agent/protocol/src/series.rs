//! The dictionary: what a series number means within one epoch.

use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};

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

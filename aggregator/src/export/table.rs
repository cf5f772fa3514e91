//! Samples as a table: CSV, lines of JSON, or Parquet. Each is written row by row into a sink
//! that hands pieces on, so that a table's length needs no memory.

mod csv;
mod lines;
mod parquet;
mod sink;

pub use csv::{field, record};
pub use sink::Sink;

use crate::telemetry::{Found, SampleRow};
use std::io;
use std::sync::Arc;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Lines,
    Parquet,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Csv, Self::Lines, Self::Parquet];

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Lines => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What a saved file ends in.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Lines => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// A table of samples of `series`, begun.
    ///
    /// # Errors
    /// Where the sink takes nothing more.
    pub fn begin(self, series: Arc<[Found]>, sink: Sink) -> io::Result<Box<dyn Table>> {
        Ok(match self {
            Self::Csv => Box::new(csv::Csv::begin(series, sink)?),
            Self::Lines => Box::new(lines::Lines::new(series, sink)),
            Self::Parquet => Box::new(parquet::Parquet::begin(series, sink)?),
        })
    }
}

/// A table that is being written.
pub trait Table {
    /// # Errors
    /// Where the sink takes nothing more.
    fn rows(&mut self, rows: &[SampleRow]) -> io::Result<()>;

    /// Writes what is left; a table without it is not whole.
    ///
    /// # Errors
    /// Where the sink takes nothing more.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A series' labels as one text: `hw.id=cpu;rack=r12`.
fn labels(found: &Found) -> String {
    let pairs = found.series.attributes.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests;

//! A JSON object a line. A number that JSON has no word for (NaN, infinities) is null, as CSV and
//! Parquet have it.

use super::csv::time;
use super::{Sink, Table};
use crate::telemetry::{Found, SampleRow};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Lines {
    /// What every line of a series says of it, from a comma to where its value stands.
    middles: Vec<String>,
    sink: Sink,
}

impl Lines {
    pub(super) fn new(series: Arc<[Found]>, sink: Sink) -> Self {
        let middle = |found: &Found| {
            let labels: BTreeMap<_, _> = found.series.attributes.iter().cloned().collect();
            let object = json!({
                "device_id": found.device.to_string(),
                "series_id": found.series.id.0.to_string(),
                "metric": found.series.metric,
                "labels": labels,
                "unit": found.series.unit.ucum(),
            });
            let text = object.to_string();
            text.trim_start_matches('{').trim_end_matches('}').to_owned()
        };
        Self { middles: series.iter().map(middle).collect(), sink }
    }
}

impl Table for Lines {
    fn rows(&mut self, rows: &[SampleRow]) -> io::Result<()> {
        for row in rows {
            let middle = &self.middles[row.series];
            write!(self.sink, "{{\"time\":\"{}\",{middle},\"value\":", time(row.at_ms))?;
            match row.value.filter(|value| value.is_finite()) {
                Some(value) => write!(self.sink, "{value}")?,
                None => write!(self.sink, "null")?,
            }
            match row.reason {
                Some(reason) => writeln!(self.sink, ",\"no_data\":\"{}\"}}", reason.name())?,
                None => writeln!(self.sink, ",\"no_data\":null}}")?,
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.sink.flush()
    }
}

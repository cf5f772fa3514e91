//! RFC 4180: a header, records that end in CRLF, quotes where a field needs them.

use super::{Sink, Table, labels};
use crate::telemetry::{Found, SampleRow};
use jiff::Timestamp;
use std::io::{self, Write};
use std::sync::Arc;

const HEADER: &str = "time,device_id,series_id,metric,labels,unit,value,no_data\r\n";

/// A field as it stands in a record.
#[must_use]
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// One record with its end.
pub fn record<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    format!("{}\r\n", fields.join(","))
}

/// Unix milliseconds as RFC 3339; nothing where they are no time.
pub(super) fn time(at_ms: u64) -> String {
    let time = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(String::new, |time| format!("{time:.3}"))
}

#[derive(Debug)]
pub(super) struct Csv {
    /// What stands between time and value, of every series.
    middles: Vec<String>,
    sink: Sink,
}

impl Csv {
    pub(super) fn begin(series: Arc<[Found]>, mut sink: Sink) -> io::Result<Self> {
        let middle = |found: &Found| {
            let series = &found.series;
            let texts = [
                found.device.to_string(),
                series.id.0.to_string(),
                field(&series.metric),
                field(&labels(found)),
                series.unit.ucum().to_owned(),
            ];
            texts.join(",")
        };
        sink.write_all(HEADER.as_bytes())?;
        Ok(Self { middles: series.iter().map(middle).collect(), sink })
    }
}

impl Table for Csv {
    fn rows(&mut self, rows: &[SampleRow]) -> io::Result<()> {
        for row in rows {
            let middle = &self.middles[row.series];
            write!(self.sink, "{},{middle},", time(row.at_ms))?;
            if let Some(value) = row.value {
                write!(self.sink, "{value}")?;
            }
            let reason = row.reason.map(|reason| reason.name()).unwrap_or_default();
            write!(self.sink, ",{reason}\r\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.sink.flush()
    }
}

//! Readings as tables, streamed; groups as one.

use crate::export::table::{Format, Sink, record};
use crate::http::reply::Streamed;
use crate::http::time::rfc3339;
use crate::telemetry::{Group, Grouped, Rows};
use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use std::io;
use tokio::sync::mpsc;

/// Pieces that wait for the client.
const PIECES: usize = 4;

/// The rows as a body. It breaks off where they end with an error, so that no client takes a
/// part for the whole.
pub(super) fn stream_of(rows: Rows, format: Format) -> Streamed {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(rows, format, Sink::new(sender.clone())) {
            tracing::warn!(error = &error as &dyn std::error::Error, "a table was not finished");
            // A client that is gone does not want to know.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Streamed {
        media_type: format.media_type(),
        file: format!("readings.{}", format.extension()),
        body: Body::from_stream(pieces.fuse()),
    }
}

fn write(rows: Rows, format: Format, sink: Sink) -> io::Result<()> {
    let Rows { series, mut batches } = rows;
    let mut table = format.begin(series, sink)?;
    while let Some(batch) = batches.blocking_recv() {
        table.rows(&batch.map_err(io::Error::other)?)?;
    }
    table.finish()
}

/// A column for each result, with its unit in the header, and a record for each step.
pub(super) fn csv_of(grouped: &Grouped) -> Streamed {
    let results: Vec<_> = grouped
        .groups
        .iter()
        .flat_map(|group| group.results.iter().map(move |result| (group, result)))
        .collect();
    let name = |group: &Group| match group.series.as_slice() {
        [one] => {
            let labels = one.series.attributes.iter().map(|(key, value)| format!("{key}={value}"));
            let labels: Vec<String> = labels.collect();
            format!("{} {{{}}}", one.series.metric, labels.join(","))
        }
        _ => {
            let keys = group.keys.iter();
            let keys = keys.map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("")));
            format!("{{{}}}", keys.collect::<Vec<_>>().join(","))
        }
    };
    let column = |(group, (aggregate, _)): &(&Group, &(_, _))| {
        let unit = super::aggregate::unit_of(*aggregate, group.unit.ucum());
        format!("{} {} [{unit}]", name(group), aggregate.name())
    };
    let header: Vec<String> =
        std::iter::once("time".to_owned()).chain(results.iter().map(column)).collect();
    let mut text = record(header.iter().map(String::as_str));
    let steps = results.first().map_or(0, |(_, (_, points))| points.len());
    for step in 0..steps {
        let at_ms = results[0].1.1[step].0;
        let values = results.iter().map(|(_, (_, points))| points[step].1);
        let values = values.map(|value| value.map(|value| value.to_string()).unwrap_or_default());
        let fields: Vec<String> = std::iter::once(rfc3339(at_ms)).chain(values).collect();
        text.push_str(&record(fields.iter().map(String::as_str)));
    }
    Streamed {
        media_type: Format::Csv.media_type(),
        file: "readings.csv".to_owned(),
        body: Body::from(text),
    }
}

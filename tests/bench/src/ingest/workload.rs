//! The load of `mix` as an agent sends it: definitions once, then sealed blocks.

use crate::mix::{Host, SERIES};
use anyhow::Result;
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::Seq;
use flyball_units::{Kind, Unit};

const TICK_MS: u64 = 1000;

/// Ticks in a row of one machine: what a block or a request of remote write holds.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) from_ms: u64,
    /// A row a second, a value a series.
    pub(crate) rows: Vec<Vec<f64>>,
}

/// `batches` in a row from `start_ms` on, each of `ticks` seconds.
pub(crate) fn batches(start_ms: u64, batches: u32, ticks: u32) -> impl Iterator<Item = Batch> {
    let mut host = Host::new(1);
    (0..batches).map(move |number| Batch {
        from_ms: start_ms + u64::from(number * ticks) * TICK_MS,
        rows: (0..ticks).map(|_| host.step()).collect(),
    })
}

/// The first `series` of the mix.
pub(crate) fn definitions(series: usize) -> Vec<SeriesDef> {
    (0..)
        .take(series.min(SERIES))
        .map(|number| SeriesDef {
            number: SeriesRef(number),
            metric: "load.generated".into(),
            kind: Kind::Count,
            unit: Unit::One,
            attributes: vec![("number".into(), number.to_string())],
            cadence_ms: 1000,
            reader: Reader::Agent,
        })
        .collect()
}

/// The batch as the entry `seq`, with the first `series` of its values.
pub(crate) fn entry(batch: &Batch, seq: u64, series: usize) -> Result<Entry> {
    let length_ms = u32::try_from(batch.rows.len() as u64 * TICK_MS)?;
    let mut builder = BlockBuilder::new(batch.from_ms, length_ms);
    for (at_ms, row) in (0..).map(|tick| batch.from_ms + tick * TICK_MS).zip(&batch.rows) {
        for (number, value) in (0..).zip(row.iter().take(series)) {
            builder.push(SeriesRef(number), at_ms, Ok(*value))?;
        }
    }
    Ok(Entry::new(Seq(seq), EntryBody::Block(builder.build()?.encode()).encode()?))
}

//! A deterministic mix like a host's: constants, counters, slow drifts, two-decimal noise.

use anyhow::Result;
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::Seq;
use flyball_units::{Kind, Unit};

pub(crate) const SERIES: u32 = 200;
pub(crate) const TICKS: u32 = 10;

pub(crate) fn definitions() -> Vec<SeriesDef> {
    (0..SERIES)
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

/// `blocks` entries of ten seconds each, from `start_ms` on.
pub(crate) fn entries(start_ms: u64, blocks: u32) -> Result<Vec<Entry>> {
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    (0..blocks)
        .map(|block| {
            let from_ms = start_ms + u64::from(block) * 10_000;
            let mut builder = BlockBuilder::new(from_ms, TICKS * 1000);
            for tick in 0..TICKS {
                let at_ms = from_ms + u64::from(tick) * 1000;
                for number in 0..SERIES {
                    noise ^= noise << 13;
                    noise ^= noise >> 7;
                    noise ^= noise << 17;
                    let value = value(number, block * TICKS + tick, noise);
                    builder.push(SeriesRef(number), at_ms, Ok(value))?;
                }
            }
            let body = EntryBody::Block(builder.build()?.encode()).encode()?;
            Ok(Entry::new(Seq(u64::from(block) + 1), body))
        })
        .collect()
}

fn value(number: u32, second: u32, noise: u64) -> f64 {
    let jitter = f64::from((noise % 100) as u8);
    match number % 5 {
        0 => f64::from(number),
        1 => f64::from(second) * 4096.0 + f64::from(number),
        2 => (40.0 * 100.0 + jitter).round() / 100.0,
        3 => f64::from(second / 7 + number),
        _ => (f64::from(second % 600) * 10.0 + jitter).round() / 10.0,
    }
}

//! Bytes of format version 1, as they were first written. The files are never edited: a test
//! that fails here says that data in the field can no longer be read.

use flyball_protocol::block::{Block, BlockBuilder};
use flyball_protocol::entry::{Entry, EntryBody, Gap, GapScope};
use flyball_protocol::frame;
use flyball_protocol::message::{LaneDown, LaneUp};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::{Kind, NoData, Unit};
use std::fs;
use std::path::Path;

const START_MS: u64 = 1_790_000_000_000;

/// A short block: constant, decimal and bit-wise columns, all and runs of presence, two groups.
fn block() -> Block {
    let mut builder = BlockBuilder::new(START_MS, 10_000);
    let mut push = |series, second: u64, reading| {
        builder.push(SeriesRef(series), START_MS + second * 1000, reading).unwrap();
    };
    for (second, tenths) in (0..10).zip([415_i32, 415, 416, 418, 417, 417, 416, 415, 414, 414]) {
        push(1, second, Ok(f64::from(tenths) / 10.0));
        push(2, second, Ok(230.0));
        push(3, second, if second < 7 { Err(NoData::Stale) } else { Ok(-0.0) });
        push(4, second, Ok(f64::from(tenths).sqrt()));
    }
    push(700, 0, Ok(f64::from_bits(0x7ff8_0000_0000_002a)));
    push(700, 5, Ok(f64::NEG_INFINITY));
    builder.build().unwrap()
}

/// A column of every kind (distances to the least, differences, differences counted from the
/// least, changes of the difference) in every code (packed, Rice and its escape, sparse, plain),
/// with and without steps, decimal and by bits; long enough for columns to say their statistics.
fn long_block() -> Block {
    let mut builder = BlockBuilder::new(START_MS, 600_000);
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut walk = 400_i64;
    for second in 0..130_u64 {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        walk += [-1, 0, 0, 1][(noise >> 60) as usize & 3];
        let values = [
            (noise % 16) as f64 / 100.0,
            (noise % 16 * 640) as f64,
            walk as f64 / 10.0,
            (second * 5000 + noise % 8) as f64,
            (second * second * 3 + noise % 2) as f64,
            if second % 40 == 7 { noise as f64 / 1e12 } else { 1.0 }.round(),
            (noise % 64 + if second == 60 { 1 << 40 } else { 0 }) as f64,
            f64::from_bits(noise),
            f64::from(((noise % 1000) as f32).sqrt()),
            1.0 / (3.0 + (noise % 512) as f64),
            7.25,
        ];
        for (series, value) in (1..).zip(values) {
            let reading = if series == 3 && second < 3 { Err(NoData::Busy) } else { Ok(value) };
            builder.push(SeriesRef(series), START_MS + second * 1000, reading).unwrap();
        }
    }
    builder.build().unwrap()
}

fn series() -> SeriesDef {
    SeriesDef {
        number: SeriesRef(1),
        metric: "hw.temperature".to_owned(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: vec![("hw.id".to_owned(), "cpu0".to_owned())],
        cadence_ms: 1000,
        reader: Reader::Guard,
    }
}

fn gap() -> EntryBody {
    EntryBody::Gap(Gap {
        from_ms: START_MS,
        to_ms: START_MS + 9000,
        scope: GapScope::Reader(Reader::Agent),
        reason: NoData::NotRunning,
        note: "the agent was not running".to_owned(),
    })
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let block_entry = EntryBody::Block(block().encode()).encode().unwrap();
    let mut acked = Ranges::new();
    acked.insert_range(Seq(1), Seq(40));
    acked.insert(Seq(300));
    vec![
        ("block-1.bin", block().encode()),
        ("block-long-1.bin", long_block().encode()),
        (
            "entry-gap-1.bin",
            frame::encode(&LaneUp::Entry(Entry::new(Seq(7), gap().encode().unwrap()))).unwrap(),
        ),
        (
            "entry-block-1.bin",
            frame::encode(&LaneUp::Entry(Entry::new(Seq(8), block_entry))).unwrap(),
        ),
        ("series-1.bin", frame::encode(&LaneUp::Series(vec![series()])).unwrap()),
        ("ack-1.bin", frame::encode(&LaneDown::Ack(acked)).unwrap()),
    ]
}

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new("tests/golden").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn this_build_writes_the_bytes_of_version_1() {
    for (name, bytes) in files() {
        assert_eq!(bytes, golden(name), "{name}");
    }
}

#[test]
fn this_build_reads_the_block_of_version_1() {
    assert_eq!(Block::decode(&golden("block-1.bin")).unwrap(), block());
    assert_eq!(Block::decode(&golden("block-long-1.bin")).unwrap(), long_block());
}

#[test]
fn this_build_reads_the_entry_of_version_1() {
    let frame = golden("entry-gap-1.bin");
    let LaneUp::Entry(entry) = frame::decode(&frame[frame::HEADER_BYTES..]).unwrap() else {
        panic!("no entry")
    };
    assert_eq!(entry.open().unwrap(), gap());
}

/// Writes the files of a version that has none yet: `cargo test -p flyball-protocol -- --ignored`.
#[test]
#[ignore = "writes files; only for a new version"]
fn write_the_bytes_of_a_new_version() {
    for (name, bytes) in files() {
        let path = Path::new("tests/golden").join(name);
        assert!(!path.exists(), "{} stands already and is never edited", path.display());
        fs::write(path, bytes).unwrap();
    }
}

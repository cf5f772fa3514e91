//! Blocks: the very bits come back, and no bytes bring the decoder down.

use flyball_protocol::block::{
    Block, BlockBuilder, BlockError, Cell, Column, Group, Header, MAX_BLOCK_BYTES, MAX_CELLS,
    Outline, Stats,
};
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::Seq;
use flyball_units::NoData;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const START_MS: u64 = 1_790_000_000_000;

fn any_bits() -> impl Strategy<Value = f64> {
    let special = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::from_bits(0x7ff0_dead_beef_0001),
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        9_007_199_254_740_992.0,
        9_007_199_254_740_993.0,
        -9_007_199_254_740_991.0,
    ]);
    let decimal = (-1_000_000_i32..1_000_000, 0..4)
        .prop_map(|(whole, places)| f64::from(whole) / 10_f64.powi(places));
    prop_oneof![any::<u64>().prop_map(f64::from_bits), special, decimal.clone(), decimal]
}

fn reading() -> impl Strategy<Value = Result<f64, NoData>> {
    let reason = prop::sample::select(NoData::ALL.to_vec());
    prop_oneof![5 => any_bits().prop_map(Ok), 1 => reason.prop_map(Err)]
}

/// Samples of a minute as they may come: several cadences, holes, repetitions, any order.
fn samples() -> impl Strategy<Value = Vec<(u32, u64, Result<f64, NoData>)>> {
    let series = prop_oneof![0_u32..6, any::<u32>()];
    let cadence = prop::sample::select(vec![1, 2, 5, 10]);
    prop::collection::vec((series, cadence, 0_u64..60, reading()), 0..120).prop_map(|samples| {
        samples
            .into_iter()
            .map(|(series, cadence, second, reading)| {
                (series, START_MS + second / cadence * cadence * 1000, reading)
            })
            .collect()
    })
}

fn build(samples: &[(u32, u64, Result<f64, NoData>)]) -> Block {
    let mut builder = BlockBuilder::new(START_MS, 60_000);
    for &(series, tick_ms, reading) in samples {
        builder.push(SeriesRef(series), tick_ms, reading).unwrap();
    }
    builder.build().unwrap()
}

/// Every reading of a block, by series and tick.
fn readings(block: &Block) -> Vec<(u32, u64, Cell)> {
    let mut readings = Vec::new();
    for group in &block.groups {
        for column in &group.columns {
            for (tick_ms, cell) in group.ticks_ms().zip(&column.cells) {
                if !matches!(cell, Cell::Absent) {
                    readings.push((column.series.0, tick_ms, *cell));
                }
            }
        }
    }
    readings.sort_by_key(|&(series, tick_ms, _)| (series, tick_ms));
    readings
}

/// The bytes with the checksum of all but the last four in those.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(4));
    let checksum = crc32fast::hash(&bytes).rotate_left(1);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn decoding_gives_back_the_very_bits(samples in samples()) {
        let block = build(&samples);
        let bytes = block.encode();
        let decoded = Block::decode(&bytes).unwrap();
        prop_assert_eq!(&decoded, &block);
        // The first reading of a tick stays, every one is there, and nothing else.
        let mut expected: Vec<(u32, u64, Cell)> = Vec::new();
        for &(series, tick_ms, reading) in &samples {
            if !expected.iter().any(|&(s, t, _)| (s, t) == (series, tick_ms)) {
                expected.push((series, tick_ms, reading.into()));
            }
        }
        expected.sort_by_key(|&(series, tick_ms, _)| (series, tick_ms));
        prop_assert_eq!(readings(&decoded), expected);
    }

    #[test]
    fn statistics_are_those_of_the_finite_values(samples in samples()) {
        let block = build(&samples);
        let header = Header::read(&block.encode()).unwrap();
        let columns = block.groups.iter().flat_map(|group| &group.columns);
        for ((_, header), column) in header.columns().zip(columns) {
            prop_assert_eq!(header.series, column.series);
            let expected = Stats::of(&column.cells);
            prop_assert_eq!(
                header.stats.map(|stats| format!("{stats:?}")),
                expected.map(|stats| format!("{stats:?}"))
            );
        }
    }

    #[test]
    fn a_block_split_to_a_bound_holds_the_same_readings(samples in samples()) {
        let block = build(&samples);
        let parts = block.clone().encode_within(400);
        let mut together = Vec::new();
        for part in &parts {
            let part_block = Block::decode(part).unwrap();
            let columns: usize = part_block.groups.iter().map(|g| g.columns.len()).sum();
            prop_assert!(part.len() <= 400 || columns == 1);
            together.extend(readings(&part_block));
        }
        together.sort_by_key(|&(series, tick_ms, _)| (series, tick_ms));
        prop_assert_eq!(together, readings(&block));
    }

    #[test]
    fn arbitrary_bytes_are_no_block_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Block::decode(&bytes).is_err());
    }

    /// A checksum only keeps out accidents: behind a right one anything may stand.
    #[test]
    fn changed_bytes_under_a_right_checksum_do_not_panic(
        samples in samples(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = build(&samples).encode();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let bytes = seal(bytes);
        if let Ok(block) = Block::decode(&bytes) {
            let cells: usize = block.groups.iter().map(|g| g.ticks * g.columns.len()).sum();
            prop_assert!(cells <= MAX_CELLS);
        }
    }
}

#[test]
fn a_damaged_block_is_refused_by_its_checksum() {
    let mut bytes = build(&[(1, START_MS, Ok(20.5)), (2, START_MS, Ok(1.0))]).encode();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert_eq!(Block::decode(&bytes), Err(BlockError::Checksum));
}

#[test]
fn blocks_of_one_length_have_entries_of_different_checksums() {
    let mut checksums = BTreeMap::new();
    for value in 0..2000 {
        // Of no square and near to nothing: no decimal of fourteen places.
        let root = f64::from(value * 4 + 2).sqrt() * 1e-9;
        let bytes = build(&[(1, START_MS, Ok(root))]).encode();
        let length = bytes.len();
        let entry = Entry::new(Seq(1), EntryBody::Block(bytes).encode().unwrap());
        let twin = checksums.insert((length, entry.checksum), value);
        assert_eq!(twin, None, "as {value}");
    }
    let lengths: BTreeSet<_> = checksums.keys().map(|(length, _)| *length).collect();
    assert_eq!(lengths.len(), 1);
}

#[test]
fn a_block_of_a_later_version_is_refused_by_its_number() {
    let mut bytes = build(&[(1, START_MS, Ok(20.5))]).encode();
    bytes[4] = 2;
    assert_eq!(Block::decode(&bytes), Err(BlockError::Version(2)));
}

#[test]
fn cells_that_no_column_pays_for_are_refused_by_the_header() {
    // 3,600 ticks cost a constant column two bytes; enough such columns are a bomb.
    let columns = (0..200)
        .map(|series| Column { series: SeriesRef(series), cells: vec![Cell::Value(1.0); 3600] })
        .collect();
    let group = Group { first_ms: START_MS, step_ms: 1, ticks: 3600, columns };
    let bytes = Block { start_ms: START_MS, length_ms: 10_000, groups: vec![group] }.encode();
    assert!(bytes.len() < MAX_BLOCK_BYTES);
    assert!(matches!(Header::read(&bytes), Err(BlockError::TooLarge { what: "cells", .. })));
}

#[test]
fn statistics_that_are_not_those_of_the_values_are_refused() {
    let samples: Vec<_> = (0..130_u64)
        .map(|second| (1, START_MS + second * 100, Ok((second * 37 % 11) as f64 / 10.0)))
        .collect();
    let whole = build(&samples).encode();
    let mut refused = 0;
    for bit in 0..(whole.len() - 4) * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let bytes = seal(bytes);
        let header = match Block::decode(&bytes) {
            Err(BlockError::Statistics) => {
                // Who trusts the header alone is told what it says.
                assert!(Header::read(&bytes).is_ok());
                refused += 1;
                continue;
            }
            Err(_) => continue,
            Ok(_) => Header::read(&bytes).unwrap(),
        };
        for (group, column) in header.columns() {
            let cells = header.cells(&bytes, group, column).unwrap();
            let values = cells.iter().filter_map(|cell| match cell {
                Cell::Value(value) if value.is_finite() => Some(*value),
                Cell::Value(_) | Cell::Absent | Cell::NoData(_) => None,
            });
            let stats = column.stats.map(|stats| (stats.first, stats.last, stats.min, stats.max));
            let fold = values.fold(None, |stats, value: f64| {
                let (first, _, min, max) = stats.unwrap_or((value, value, value, value));
                Some((first, value, value.min(min), value.max(max)))
            });
            assert_eq!(stats, fold, "bit {bit}");
        }
    }
    assert!(refused > 50, "only {refused} bits are the statistics'");
}

#[test]
fn one_series_of_many_is_found_past_its_neighbours() {
    let mut samples = Vec::new();
    for second in 0..10_u64 {
        for series in (0..200).chain([300, 9000]) {
            let value = f64::from(series) + (second * second) as f64 / 10.0;
            samples.push((series, START_MS + second * 1000, Ok(value)));
        }
        samples.push((555, START_MS + second / 5 * 5000, Err(NoData::Stale)));
    }
    let bytes = build(&samples).encode();
    let all = Header::read(&bytes).unwrap();
    for wanted in [vec![], vec![0], vec![23, 24, 25], vec![3, 70, 199, 200, 300, 555, 9000, 9001]] {
        let wanted: Vec<SeriesRef> = wanted.into_iter().map(SeriesRef).collect();
        let header = Header::seek(&bytes, &wanted).unwrap();
        let expected = all.columns().filter(|(_, column)| wanted.contains(&column.series));
        assert!(header.columns().map(|(_, column)| column).eq(expected.map(|(_, column)| column)));
        for (group, column) in header.columns() {
            let cells = header.cells(&bytes, group, column).unwrap();
            assert_eq!(Stats::of(&cells), column.stats, "series {}", column.series.0);
        }
    }
    let outline = Outline::read(&bytes).unwrap();
    assert_eq!(outline.span_ms(), all.span_ms());
    assert_eq!(outline.series().count(), 203);
}

#[test]
fn columns_that_no_byte_pays_for_are_refused_by_the_header() {
    let one = build(&[(0, START_MS, Ok(1.0))]).encode();
    // The count of columns, and the run that names them, right behind the group's ticks.
    let at = one.windows(4).position(|bytes| bytes == [1, 1, 0, 0]).unwrap() + 1;
    let mut bytes = one[..at].to_vec();
    bytes.extend_from_slice(&[0x80, 0x80, 1, 0, 0xff, 0x7f]);
    bytes.extend_from_slice(&one[at + 3..]);
    assert!(matches!(
        Header::read(&seal(bytes.clone())),
        Err(BlockError::TooLarge { what: "strips", .. })
    ));
    bytes[at + 2] = 2;
    assert!(matches!(
        Header::read(&seal(bytes)),
        Err(BlockError::TooLarge { what: "columns", max: 16_384, .. })
    ));
}

#[test]
fn a_tick_outside_the_interval_is_refused() {
    let mut builder = BlockBuilder::new(START_MS, 10_000);
    for tick_ms in [START_MS - 1, START_MS + 10_000] {
        assert!(matches!(
            builder.push(SeriesRef(1), tick_ms, Ok(1.0)),
            Err(BlockError::OutsideInterval { .. })
        ));
    }
}

#[test]
fn a_quiet_machine_costs_little() {
    let mut samples = Vec::new();
    for second in 0..10 {
        for series in 0..200 {
            samples.push((series, START_MS + second * 1000, Ok(f64::from(series))));
        }
    }
    let bytes = build(&samples).encode();
    assert!(bytes.len() < 200 * 3, "{} bytes", bytes.len());
}

//! The spool over its real files, in a folder of its own.

mod power_cut;
mod rest;

use super::*;
use flyball_protocol::block::{Block, BlockBuilder, Cell};
use flyball_protocol::entry::{Gap, GapScope};
use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
use flyball_units::{Kind, NoData, Unit};
use std::fs;
use tempfile::TempDir;

const START_MS: u64 = 1_790_000_000_000;
const LIMITS: Limits = Limits { quota_bytes: 64 * 1024 * 1024, quota_days: None };

fn open(dir: &TempDir) -> Opened<u64> {
    open_with(dir, LIMITS)
}

fn open_with(dir: &TempDir, limits: Limits) -> Opened<u64> {
    Spool::open(&dir.path().join("spool"), limits, Epoch(77)).unwrap()
}

fn event(message: &str) -> EntryBody {
    EntryBody::Event {
        at_ms: START_MS,
        event: GuardEvent {
            kind: EventKind::SensorLost,
            severity: Severity::Warning,
            subject: "cpu0".to_owned(),
            message: message.to_owned(),
            reading: None,
            threshold: None,
            unit: None,
        },
    }
}

/// A block of the `index`th interval whose values cannot be made small.
fn block(index: u64, series: u32) -> EntryBody {
    let start_ms = START_MS + index * 10_000;
    let mut builder = BlockBuilder::new(start_ms, 10_000);
    for second in 0..10 {
        for number in 0..series {
            let noise = f64::from(number).mul_add(1.7, second as f64).sin();
            builder.push(SeriesRef(number), start_ms + second * 1000, Ok(noise)).unwrap();
        }
    }
    EntryBody::Block(builder.build().unwrap().encode())
}

fn all(outbox: &Outbox) -> Vec<(u64, EntryBody)> {
    let entries = outbox.read_from(Seq::FIRST, Seq(u64::MAX), usize::MAX, usize::MAX).unwrap();
    entries.iter().map(|entry| (entry.seq.0, entry.open().unwrap())).collect()
}

fn ranges(pairs: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for &(from, to) in pairs {
        ranges.insert_range(Seq(from), Seq(to));
    }
    ranges
}

fn series(metric: &str) -> Series {
    Series {
        metric: metric.to_owned(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: vec![("hw.id".to_owned(), "b".to_owned()), ("a".to_owned(), "c".to_owned())],
        cadence_ms: 1000,
    }
}

#[test]
fn what_was_appended_is_there_after_a_reopen_with_its_meta_and_epoch() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    assert_eq!(spool.append_batch(&[block(0, 200), event("a")], 5).unwrap().next_seq, Seq(3));
    drop(spool);
    let Opened { spool, report } =
        Spool::<u64>::open(&dir.path().join("spool"), LIMITS, Epoch(78)).unwrap();
    assert!(report.set_aside.is_none() && report.missing.is_empty() && !report.new_epoch);
    assert_eq!((spool.epoch(), spool.next_seq(), spool.meta()), (Epoch(77), Seq(3), Some(&5)));
    assert_eq!(all(&spool.outbox()), [(1, block(0, 200)), (2, event("a"))]);
}

#[test]
fn a_trimmed_spool_goes_on_numbering_where_it_was() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    spool.append_batch(&[event("a"), block(0, 100), event("b")], 0).unwrap();
    spool.outbox().trim(&ranges(&[(1, 3)])).unwrap();
    assert_eq!(spool.outbox().usage().unwrap().live_bytes, 0);
    drop(spool);
    let Opened { mut spool, report } = open(&dir);
    assert!(report.missing.is_empty());
    assert_eq!(spool.append_batch(&[event("c")], 0).unwrap().next_seq, Seq(5));
    assert_eq!(all(&spool.outbox()), [(4, event("c"))]);
}

#[test]
fn a_read_begins_anywhere_and_is_bounded_by_entries_and_bytes() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    spool.append_batch(&[block(0, 300), block(1, 300), event("a"), event("b")], 0).unwrap();
    let outbox = spool.outbox();
    let read = |from, before, entries, bytes| -> Vec<u64> {
        let entries = outbox.read_from(Seq(from), Seq(before), entries, bytes).unwrap();
        entries.iter().map(|entry| entry.seq.0).collect()
    };
    assert_eq!(read(1, 9, 1, usize::MAX), [1]);
    assert_eq!(read(2, 9, 9, 1), [2], "one comes, however large");
    assert_eq!(read(2, 4, 9, usize::MAX), [2, 3]);
    outbox.trim(&ranges(&[(2, 2)])).unwrap();
    assert_eq!(read(1, 9, 9, usize::MAX), [1, 3, 4]);
}

#[test]
fn no_value_is_large_enough_for_a_file_that_sled_never_syncs() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    // A note of one less than the largest entry, many times: the largest leaves that can be.
    let note = "x".repeat(65_000);
    let reason = NoData::Overflow;
    let scope = GapScope::Series(Vec::new());
    let gap = EntryBody::Gap(Gap { from_ms: 0, to_ms: 0, scope, reason, note });
    for _ in 0..40 {
        spool.append_batch(&vec![gap.clone(); 4], 0).unwrap();
    }
    let blobs = dir.path().join("spool/blobs");
    assert_eq!(fs::read_dir(blobs).unwrap().count(), 0);
}

#[test]
fn a_series_keeps_its_number_over_a_reopen_and_another_unit_is_another_series() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    let known = [series("hw.temperature"), series("hw.power")];
    let numbers = spool.register(Reader::Guard, &known).unwrap();
    assert_eq!(numbers, [Some(SeriesRef(0)), Some(SeriesRef(1))]);
    drop(spool);
    let mut spool = open(&dir).spool;
    assert_eq!(spool.register(Reader::Guard, &known).unwrap(), numbers);
    let changed = Series { unit: Unit::Watt, ..series("hw.power") };
    assert_eq!(spool.register(Reader::Guard, &[changed]).unwrap(), [Some(SeriesRef(2))]);
    assert_eq!(spool.register(Reader::Agent, &known[..1]).unwrap(), [Some(SeriesRef(3))]);
    let announced = spool.outbox().series_from(SeriesRef(1)).unwrap();
    assert_eq!(announced.len(), 3);
    assert_eq!(announced[0].number, SeriesRef(1));
    assert_eq!(announced[0].attributes[0].0, "a", "attributes are sorted");
}

#[test]
fn plugins_that_name_ever_new_series_leave_the_machine_its_numbers() {
    let dir = TempDir::new().unwrap();
    let collected = |name: String| {
        let mut series = series(&name);
        series.attributes = vec![("plugin".to_owned(), "prometheus".to_owned())];
        series
    };
    let renamed = |run: usize| (0..4_000).map(move |n| collected(format!("run{run}.m{n}")));
    let mut counts = Vec::new();
    for run in 0..4 {
        // Each start of the agent gives the plugin another 2,000 and more.
        let mut spool = open(&dir).spool;
        let series: Vec<_> = renamed(run).collect();
        let numbers = spool.register(Reader::Agent, &series).unwrap();
        counts.push(numbers.iter().flatten().count());
    }
    assert_eq!(counts, [4_000, 4_000, 2_000, 0]);
    let own: Vec<_> = (0..2_000).map(|n| series(&format!("system.m{n}"))).collect();
    let numbers = open(&dir).spool.register(Reader::Agent, &own).unwrap();
    assert!(numbers.iter().all(Option::is_some));
}

#[test]
fn series_that_the_aggregator_would_refuse_are_left_out_and_the_others_are_not() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    let long = series(&"m".repeat(1025));
    let numbers = spool.register(Reader::Agent, &[series("a"), long, series("b")]).unwrap();
    assert_eq!(numbers, [Some(SeriesRef(0)), None, Some(SeriesRef(1))]);
    let many: Vec<Series> = (0..20_000).map(|number| series(&format!("s{number}"))).collect();
    let numbers = spool.register(Reader::Guard, &many).unwrap();
    assert_eq!(numbers.iter().flatten().count(), 16_382);
    assert_eq!(numbers.last(), Some(&None));
    let announced = spool.outbox().series_from(SeriesRef(0)).unwrap();
    assert!(announced.iter().all(|definition| definition.check().is_ok()));
}

#[test]
fn the_oldest_blocks_are_thinned_then_dropped_and_every_second_stands_or_is_named() {
    const BLOCKS: u64 = 600;
    let dir = TempDir::new().unwrap();
    let limits = Limits { quota_bytes: 600 * 1024, quota_days: None };
    let mut spool = open_with(&dir, limits).spool;
    spool.append_batch(&[event("first")], 0).unwrap();
    let (mut thinned, mut dropped) = (0, 0);
    for index in 0..BLOCKS {
        let appended = spool.append_batch(&[block(index, 50)], index).unwrap();
        (thinned, dropped) = (thinned + appended.thinned_blocks, dropped + appended.dropped_blocks);
        if appended.dropped_blocks > 0 {
            assert!(thinned > 2 * dropped, "{thinned} were thinned, {dropped} dropped");
        }
        assert!(spool.outbox().usage().unwrap().live_bytes <= limits.quota_bytes / 2 + 4096);
    }
    assert!(dropped > 0);
    let kept = all(&spool.outbox());
    assert_eq!(kept[0], (1, event("first")), "an event stays");
    let (mut sampled, mut gaps) = (std::collections::BTreeSet::new(), Vec::new());
    for (_, body) in &kept {
        match body {
            EntryBody::Gap(gap) => {
                assert_eq!(gap.reason, NoData::Overflow);
                assert_eq!(gap.scope, GapScope::Series((0..50).map(SeriesRef).collect()));
                gaps.push(gap.from_ms..=gap.to_ms);
            }
            EntryBody::Block(bytes) => {
                for group in Block::decode(bytes).unwrap().groups {
                    let cells = &group.columns[0].cells;
                    let there = group.ticks_ms().zip(cells);
                    sampled.extend(
                        there.filter(|(_, cell)| **cell != Cell::Absent).map(|(at_ms, _)| at_ms),
                    );
                }
            }
            EntryBody::Event { .. } | EntryBody::Outcome(_) => {}
        }
    }
    for tick in (START_MS..START_MS + BLOCKS * 10_000).step_by(1000) {
        let named = gaps.iter().any(|gap| gap.contains(&tick));
        assert!(sampled.contains(&tick) || named, "{tick}");
    }
    // Thinned, the room reaches more than twice as far back as it would in whole blocks.
    let whole = limits.quota_bytes / 2 / 4_000 * 10_000;
    let oldest = START_MS + BLOCKS * 10_000 - sampled.first().unwrap();
    assert!(oldest > 2 * whole, "{oldest} ms");
    drop(spool);
    assert!(open_with(&dir, limits).report.missing.is_empty());
}

#[test]
fn blocks_older_than_the_days_of_the_quota_go_and_are_named_though_there_is_room() {
    const A_DAY: u64 = 8_640;
    let dir = TempDir::new().unwrap();
    let limits = Limits { quota_days: Some(2), ..LIMITS };
    let mut spool = open_with(&dir, limits).spool;
    spool.append_batch(&[event("stays")], 0).unwrap();
    for index in [0, 1, A_DAY, 2 * A_DAY] {
        let appended = spool.append_batch(&[block(index, 2)], index).unwrap();
        assert_eq!(appended.dropped_blocks, 0, "{index}");
    }
    // Its first tick is two days behind the newest by one second.
    let appended = spool.append_batch(&[block(2 * A_DAY + 1, 2)], 0).unwrap();
    assert_eq!((appended.thinned_blocks, appended.dropped_blocks), (0, 1));
    let kept = all(&spool.outbox());
    let EntryBody::Gap(gap) = &kept.last().unwrap().1 else { panic!("{kept:?}") };
    assert_eq!((gap.from_ms, gap.to_ms), (START_MS, START_MS + 9_000));
    assert_eq!(gap.reason, NoData::Overflow);
    assert_eq!(
        gap.note,
        "the spool's quota of 2 days was reached: its oldest 1 blocks were dropped"
    );
    assert_eq!(kept[0], (1, event("stays")));
    let blocks = kept.iter().filter(|(_, body)| matches!(body, EntryBody::Block(_))).count();
    assert_eq!(blocks, 4);
    // What comes late of a time before does not drop what is newer.
    let appended = spool.append_batch(&[block(2, 2)], 0).unwrap();
    assert_eq!(appended.dropped_blocks, 0);
}

#[test]
fn events_are_refused_rather_than_dropped_when_they_alone_fill_the_quota() {
    let dir = TempDir::new().unwrap();
    let mut spool = open_with(&dir, Limits { quota_bytes: 20_000, quota_days: None }).spool;
    let large = event(&"x".repeat(3000));
    let taken =
        (0..10).take_while(|_| spool.append_batch(std::slice::from_ref(&large), 0).is_ok()).count();
    assert_eq!(taken, 6);
    assert!(matches!(
        spool.append_batch(&[large], 0),
        Err(SpoolError::Full { quota_bytes: 20_000 })
    ));
    assert_eq!(all(&spool.outbox()).len(), 6);
}

#[test]
fn a_second_agent_on_the_same_spool_is_refused() {
    let dir = TempDir::new().unwrap();
    let _held = open(&dir);
    let second = Spool::<u64>::open(&dir.path().join("spool"), LIMITS, Epoch(1));
    assert!(matches!(second, Err(SpoolError::Locked { .. })));
}

#[test]
fn a_spool_that_cannot_be_opened_is_set_aside_and_begun_anew() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    spool.append_batch(&[event("a")], 0).unwrap();
    drop(spool);
    fs::write(dir.path().join("spool/conf"), b"no configuration").unwrap();
    let Opened { mut spool, report } =
        Spool::<u64>::open(&dir.path().join("spool"), LIMITS, Epoch(78)).unwrap();
    let (aside, reason) = report.set_aside.unwrap();
    assert_eq!(aside, dir.path().join("spool.damaged-1"));
    assert!(aside.join("db").exists() && !reason.is_empty());
    assert!(report.new_epoch);
    assert_eq!((spool.epoch(), spool.next_seq()), (Epoch(78), Seq(1)));
    spool.append_batch(&[event("b")], 0).unwrap();
}

#[test]
fn a_spool_whose_opening_ended_the_program_three_times_is_set_aside() {
    let dir = TempDir::new().unwrap();
    open(&dir).spool.append_batch(&[event("a")], 0).unwrap();
    fs::write(dir.path().join("spool.opening"), b"..").unwrap();
    assert!(open(&dir).report.set_aside.is_none(), "twice may be two kills");
    fs::write(dir.path().join("spool.opening"), b"...").unwrap();
    assert!(open(&dir).report.set_aside.is_some());
    assert!(open(&dir).report.set_aside.is_none());
}

#[test]
fn an_entry_that_went_bad_is_missing_once_and_never_sent() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    spool.append_batch(&[event("a"), event("b"), event("c")], 0).unwrap();
    let mut batch = Batch::default();
    batch.put(&keys::piece(Seq(2), 0), b"rubbish".to_vec());
    spool.shared.with_disk(|disk| Ok(disk.apply(batch)?)).unwrap();
    assert_eq!(all(&spool.outbox()), [(1, event("a")), (3, event("c"))]);
    drop(spool);
    let Opened { spool, report } = open(&dir);
    assert_eq!(report.missing, ranges(&[(2, 2)]));
    assert_eq!(all(&spool.outbox()), [(1, event("a")), (3, event("c"))]);
    drop(spool);
    assert!(open(&dir).report.missing.is_empty());
}

#[test]
fn another_epoch_keeps_the_entries_and_their_numbers() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir).spool;
    spool.append_batch(&[event("a")], 0).unwrap();
    spool.outbox().renew_epoch(Epoch(99)).unwrap();
    assert_eq!(spool.epoch(), Epoch(99));
    drop(spool);
    let spool = open(&dir).spool;
    assert_eq!(spool.epoch(), Epoch(99));
    assert_eq!(all(&spool.outbox()), [(1, event("a"))]);
}

//! The exact ledger: whatever is killed whenever, no tick is missing or there twice, and what
//! was not sampled is named.

mod ledger;
mod world;

use super::*;
use flyball_protocol::block::{Block, Cell};
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
use flyball_units::{Kind, NoData, Unit};
use ledger::Ledger;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tempfile::TempDir;
use world::{Step, World, samples, series};

const BEGIN_MS: u64 = 1_790_000_003_000;
const LIMITS: Limits = Limits { quota_bytes: 64 * 1024 * 1024, quota_days: None };

/// Two minutes with everything in it.
fn story() -> Vec<Step> {
    let mut steps = Vec::new();
    for second in 0..26 {
        steps.push(Step::Tick);
        match second {
            5 | 13 => steps.push(Step::Event),
            8 => steps.push(Step::KillGuard),
            11 => steps.push(Step::StartGuard),
            19 => steps.push(Step::Overflow),
            _ => {}
        }
        if second % 7 != 3 {
            steps.push(if second % 5 == 4 { Step::DeliverUnconfirmed } else { Step::Deliver });
        }
        steps.push(Step::Time);
    }
    steps
}

#[test]
fn a_quiet_run_has_every_tick_and_no_gap() {
    let mut world = World::new();
    for _ in 0..35 {
        for step in [Step::Tick, Step::Deliver, Step::Time] {
            world.take(step);
        }
    }
    let ledger = world.close();
    assert_eq!(ledger.cells.len(), 36 * 4);
    assert!(ledger.gaps.is_empty());
}

#[test]
fn an_agent_that_is_killed_at_any_step_loses_nothing_and_doubles_nothing() {
    let story = story();
    for kill in [Step::Kill, Step::KillInSeal] {
        for at in 0..story.len() {
            let mut world = World::new();
            for (index, &step) in story.iter().enumerate() {
                world.take(step);
                if index == at {
                    world.take(kill);
                }
                // It is away for the rest of this second, or for some more.
                if index > at + at % 9 {
                    world.take(Step::Start);
                }
            }
            world.close();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn kills_in_any_order_leave_the_ledger_exact(
        steps in prop::collection::vec(
            prop::sample::select(vec![
                Step::Tick, Step::Tick, Step::Tick, Step::Tick, Step::Event,
                Step::Deliver, Step::Deliver, Step::DeliverUnconfirmed,
                Step::Time, Step::Time, Step::Kill, Step::KillInSeal, Step::Start, Step::Start,
                Step::KillGuard, Step::StartGuard, Step::StartGuard, Step::Overflow,
            ]),
            0..120,
        )
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.close();
    }
}

#[test]
fn what_a_full_disk_refused_is_written_before_anything_later_is_confirmed() {
    let mut world = World::new();
    world.take(Step::Tick);
    let record = |tick_ms| Record { at_ms: tick_ms, body: RecordBody::Samples(samples(tick_ms)) };
    let (run, first_ms) = (world.guard.run, world.now_ms);
    let sampling = world.sampling.as_mut().unwrap();
    sampling.handle_attached(&[series("guard.tick"), series("guard.off")]).unwrap();
    sampling.file.set_writable(false);
    assert!(sampling.handle_records(run, 1, vec![record(first_ms)]).is_err());
    sampling.file.set_writable(true);
    let later = vec![record(first_ms + TICK_MS)];
    assert_eq!(sampling.handle_records(run, 2, later).unwrap(), Some(2));
    // The guard has forgotten both.
    world.guard.ring.clear();
    world.guard.next = 3;
    world.guard_ticks.extend([first_ms, first_ms + TICK_MS]);
    world.now_ms += TICK_MS;
    world.take(Step::Kill);
    world.close();
}

#[test]
fn a_power_cut_that_tears_the_file_is_named_as_a_gap() {
    let mut world = World::new();
    for _ in 0..14 {
        for step in [Step::Tick, Step::Deliver, Step::Time] {
            world.take(step);
        }
    }
    world.take(Step::Kill);
    // The file loses its second half, and with it the ticks that stood there.
    let path = world.dir.path().join("interval");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (mut sampling, report) = Sampling::open(world.dir.path(), LIMITS, None, Epoch(1)).unwrap();
    assert!(report.torn_bytes > 0);
    sampling.handle_agent_series(&[series("agent.tick"), series("agent.off")]).unwrap();
    let back_ms = world.now_ms + 5000;
    sampling.handle_agent_samples(back_ms, &samples(back_ms)).unwrap();
    sampling.shutdown().unwrap();
    let ledger = Ledger::read(&sampling);
    let last_ms = ledger
        .cells
        .keys()
        .filter(|(metric, tick_ms)| metric == "agent.tick" && *tick_ms < back_ms)
        .map(|&(_, tick_ms)| tick_ms)
        .max()
        .unwrap();
    let gap = ledger.gaps.iter().find(|gap| gap.scope == GapScope::Reader(Reader::Agent)).unwrap();
    assert_eq!((gap.from_ms, gap.to_ms), (last_ms + 1000, back_ms - 1000));
    assert_eq!(gap.reason, NoData::NotRunning);
}

#[test]
fn a_spool_that_lost_its_tail_goes_on_under_another_epoch() {
    let mut world = World::new();
    for step in [Step::Tick, Step::Time] {
        world.take(step);
    }
    world.take(Step::Kill);
    // An older copy of the spool comes back under an interval that knows better.
    fs::remove_dir_all(world.dir.path().join("spool")).unwrap();
    let older = Spool::<Meta>::open(&world.dir.path().join("spool"), LIMITS, Epoch(1)).unwrap();
    drop(older);
    let (sampling, report) = Sampling::open(world.dir.path(), LIMITS, None, Epoch(2)).unwrap();
    assert!(report.lost_tail);
    assert_eq!(sampling.outbox().epoch(), Epoch(2));
}

#[test]
fn an_interval_is_sealed_when_both_readers_have_its_last_tick() {
    let mut world = World::new();
    while world.now_ms % 10_000 != 9000 {
        for step in [Step::Tick, Step::Deliver, Step::Time] {
            world.take(step);
        }
    }
    let sampling = world.sampling.as_mut().unwrap();
    assert!(sampling.interval.is_empty(), "sealed with its last tick");
    // The guard falls behind: its interval waits for it, but not for long.
    for _ in 0..12 {
        world.take(Step::Tick);
        world.take(Step::Time);
    }
    assert!(!world.sampling.as_ref().unwrap().interval.is_empty());
    world.take(Step::Tick);
    world.take(Step::Time);
    assert!(world.sampling.as_ref().unwrap().interval.is_empty());
}

#[test]
fn a_guard_without_any_series_leaves_no_block_that_is_empty() {
    let dir = TempDir::new().unwrap();
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, None, Epoch(1)).unwrap();
    sampling.handle_attached(&[]).unwrap();
    let record = Record { at_ms: BEGIN_MS, body: RecordBody::Samples(Vec::new()) };
    let confirmed = sampling.handle_records(Uuid::from_u128(1), 1, vec![record]).unwrap();
    assert_eq!(confirmed, Some(1));
    assert!(sampling.interval.bodies().iter().all(|body| !matches!(body, EntryBody::Block(_))));
}

#[test]
fn a_series_that_is_left_out_takes_no_other_with_it() {
    let dir = TempDir::new().unwrap();
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, None, Epoch(1)).unwrap();
    sampling.handle_agent_series(&[series(""), series("agent.off")]).unwrap();
    sampling.handle_agent_samples(BEGIN_MS, &samples(BEGIN_MS)).unwrap();
    sampling.shutdown().unwrap();
    let ledger = Ledger::read(&sampling);
    let off = ("agent.off".to_owned(), BEGIN_MS);
    assert_eq!(ledger.cells, BTreeMap::from([(off, Cell::NoData(NoData::Disabled))]));
}

#[test]
fn a_clock_that_is_set_back_doubles_no_tick() {
    let mut world = World::new();
    for _ in 0..5 {
        world.take(Step::Tick);
    }
    let sampling = world.sampling.as_mut().unwrap();
    for tick_ms in [world.now_ms - 2000, world.now_ms - 1000, world.now_ms] {
        sampling.handle_agent_samples(tick_ms, &samples(tick_ms)).unwrap();
    }
    let ledger = world.close();
    assert!(ledger.gaps.is_empty());
}

#[test]
fn after_a_glance_of_the_future_intervals_wait_for_their_last_tick_again() {
    let mut world = World::new();
    for step in [Step::Tick, Step::Deliver, Step::Time] {
        world.take(step);
    }
    let sampling = world.sampling.as_mut().unwrap();
    let future_ms = world.now_ms + 3_600_000;
    sampling.handle_agent_samples(future_ms, &samples(future_ms)).unwrap();
    sampling.handle_time(future_ms).unwrap();
    sampling.handle_detached();
    while world.now_ms % 10_000 != 9000 {
        world.now_ms += TICK_MS;
        let sampling = world.sampling.as_mut().unwrap();
        sampling.handle_agent_samples(world.now_ms, &samples(world.now_ms)).unwrap();
        sampling.handle_time(world.now_ms).unwrap();
        let complete = world.now_ms % 10_000 == 9000;
        assert_eq!(sampling.interval.is_empty(), complete, "at {}", world.now_ms);
    }
}

#[test]
fn an_interval_of_the_future_is_sealed_though_its_time_has_not_come() {
    let mut world = World::new();
    let future_ms = world.now_ms + 3_600_000;
    let sampling = world.sampling.as_mut().unwrap();
    sampling.handle_agent_samples(future_ms, &samples(future_ms)).unwrap();
    sampling.handle_time(future_ms).unwrap();
    sampling.handle_agent_samples(future_ms + 10_000, &samples(future_ms + 10_000)).unwrap();
    sampling.handle_time(world.now_ms).unwrap();
    assert!(sampling.interval.is_empty());
}

#[test]
fn a_machine_of_many_series_is_sealed_into_blocks_that_fit_their_entries() {
    let dir = TempDir::new().unwrap();
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, None, Epoch(1)).unwrap();
    let many: Vec<Series> = (0..2048).map(|number| series(&format!("s{number}"))).collect();
    sampling.handle_agent_series(&many).unwrap();
    for second in 0..10_u64 {
        let tick_ms = BEGIN_MS - 3000 + second * 1000;
        let noise: Vec<Sample> = (0..2048_u16)
            .map(|series| Sample { series, value: Ok((f64::from(series) + second as f64).sin()) })
            .collect();
        sampling.handle_agent_samples(tick_ms, &noise).unwrap();
    }
    sampling.shutdown().unwrap();
    let ledger = Ledger::read(&sampling);
    assert_eq!(ledger.cells.len(), 20_480);
    assert!(sampling.outbox().next_seq() > Seq(3));
}

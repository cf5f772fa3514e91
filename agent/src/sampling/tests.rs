//! The exact ledger: whatever is killed whenever, no tick is missing or there twice, and what
//! was not sampled is named.

use super::*;
use flyball_protocol::block::{Block, Cell};
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
use flyball_units::{Kind, NoData, Unit};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tempfile::TempDir;

const BEGIN_MS: u64 = 1_790_000_003_000;
const LIMITS: Limits = Limits { quota_bytes: 64 * 1024 * 1024 };

/// What happens to guard and agent, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// A second passes; who is there samples it.
    Tick,
    Event,
    Deliver,
    /// The records reach the agent, the confirmation does not reach the guard.
    DeliverUnconfirmed,
    Time,
    /// `kill -9` of the agent.
    Kill,
    /// The same after the spool has the interval and before its file is replaced.
    KillInSeal,
    Start,
    KillGuard,
    StartGuard,
    /// The guard's ring is full: it forgets what is not confirmed.
    Overflow,
}

/// A guard that remembers what is not confirmed.
struct Guard {
    run: Uuid,
    next: u64,
    ring: BTreeMap<u64, Record>,
    up: bool,
}

impl Guard {
    fn push(&mut self, at_ms: u64, body: RecordBody) {
        self.ring.insert(self.next, Record { at_ms, body });
        self.next += 1;
    }
}

struct World {
    dir: TempDir,
    sampling: Option<Sampling>,
    guard: Guard,
    now_ms: u64,
    /// Ticks that the agent was given, by reader.
    agent_ticks: BTreeSet<u64>,
    guard_ticks: BTreeSet<u64>,
    events: Vec<String>,
    births: u64,
}

fn series(metric: &str) -> Series {
    Series {
        metric: metric.to_owned(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: Vec::new(),
        cadence_ms: 1000,
    }
}

/// Two series: the tick as a value, and one that has none.
fn samples(tick_ms: u64) -> Vec<Sample> {
    vec![
        Sample { series: 0, value: Ok((tick_ms / 1000) as f64) },
        Sample { series: 1, value: Err(NoData::Disabled) },
    ]
}

impl World {
    fn new() -> Self {
        let guard = Guard { run: Uuid::from_u128(1), next: 1, ring: BTreeMap::new(), up: true };
        let mut world = Self {
            dir: TempDir::new().unwrap(),
            sampling: None,
            guard,
            now_ms: BEGIN_MS,
            agent_ticks: BTreeSet::new(),
            guard_ticks: BTreeSet::new(),
            events: Vec::new(),
            births: 0,
        };
        world.take(Step::Start);
        world
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Tick => self.tick(),
            Step::Event => self.event(),
            Step::Deliver => self.deliver(true),
            Step::DeliverUnconfirmed => self.deliver(false),
            Step::Time => {
                if let Some(sampling) = &mut self.sampling {
                    sampling.handle_time(self.now_ms).unwrap();
                }
            }
            Step::Kill => self.sampling = None,
            Step::KillInSeal => {
                if let Some(mut sampling) = self.sampling.take()
                    && !sampling.interval.is_empty()
                {
                    sampling.append_interval().unwrap();
                }
            }
            Step::Start => self.start(),
            Step::KillGuard => {
                self.guard.up = false;
                self.guard.ring.clear();
                self.guard.next = 1;
            }
            Step::StartGuard => {
                if !self.guard.up {
                    self.births += 1;
                    self.guard.run = Uuid::from_u128(1 + u128::from(self.births));
                    self.guard.up = true;
                }
            }
            Step::Overflow => self.overflow(),
        }
    }

    fn tick(&mut self) {
        self.now_ms += TICK_MS;
        if self.guard.up {
            self.guard.push(self.now_ms, RecordBody::Samples(samples(self.now_ms)));
        }
        if let Some(sampling) = &mut self.sampling {
            sampling.handle_agent_samples(self.now_ms, &samples(self.now_ms)).unwrap();
            self.agent_ticks.insert(self.now_ms);
        }
    }

    fn event(&mut self) {
        self.births += 1;
        let event = GuardEvent {
            kind: EventKind::SensorLost,
            severity: if self.births.is_multiple_of(3) {
                Severity::Warning
            } else {
                Severity::Info
            },
            subject: "cpu0".to_owned(),
            message: self.births.to_string(),
            reading: None,
            threshold: None,
            unit: None,
        };
        if self.guard.up {
            self.guard.push(self.now_ms, RecordBody::Event(event));
        }
    }

    fn deliver(&mut self, confirmed: bool) {
        let Some(sampling) = &mut self.sampling else { return };
        if !self.guard.up {
            return;
        }
        sampling.handle_attached(&[series("guard.tick"), series("guard.off")]).unwrap();
        // The guard replays from the attach point where the run is its own, else all it holds.
        let (run, after) = sampling.attach_point();
        let after = if run == Some(self.guard.run) && confirmed { after } else { 0 };
        let records: Vec<(u64, Record)> =
            self.guard.ring.range(after + 1..).map(|(&n, record)| (n, record.clone())).collect();
        let Some(&(first, _)) = records.first() else { return };
        for (_, record) in &records {
            match &record.body {
                RecordBody::Samples(_) => drop(self.guard_ticks.insert(record.at_ms)),
                RecordBody::Event(event) if !self.events.contains(&event.message) => {
                    self.events.push(event.message.clone());
                }
                RecordBody::Event(_) | RecordBody::Outcome(_) | RecordBody::Lost { .. } => {}
            }
        }
        let records = records.into_iter().map(|(_, record)| record).collect();
        let through = sampling.handle_records(self.guard.run, first, records).unwrap();
        if confirmed && let Some(through) = through {
            self.guard.ring.retain(|&number, _| number > through);
        }
    }

    fn overflow(&mut self) {
        let lost = self.guard.ring.len() as u64;
        let first = self.guard.ring.values().next().map(|record| record.at_ms);
        self.guard.ring.clear();
        if let Some(from_ms) = first {
            let to_ms = self.now_ms;
            self.guard.push(self.now_ms, RecordBody::Lost { from_ms, to_ms, records: lost });
        }
    }

    fn start(&mut self) {
        if self.sampling.is_none() {
            let (mut sampling, report) = Sampling::open(self.dir.path(), LIMITS, Epoch(1)).unwrap();
            assert!(report.spool.set_aside.is_none() && !report.lost_tail);
            assert_eq!(report.torn_bytes, 0);
            sampling.handle_agent_series(&[series("agent.tick"), series("agent.off")]).unwrap();
            self.sampling = Some(sampling);
        }
    }

    /// Everything comes home, and the books are read.
    fn close(mut self) -> Ledger {
        for step in [Step::StartGuard, Step::Start, Step::Tick, Step::Deliver] {
            self.take(step);
        }
        let mut sampling = self.sampling.take().unwrap();
        sampling.shutdown().unwrap();
        let ledger = Ledger::read(&sampling);
        ledger.check("agent.tick", "agent.off", &self.agent_ticks, Reader::Agent);
        ledger.check("guard.tick", "guard.off", &self.guard_ticks, Reader::Guard);
        assert_eq!(ledger.events, self.events, "events come once and in their order");
        ledger
    }
}

/// What the spool holds in the end.
struct Ledger {
    cells: BTreeMap<(String, u64), Cell>,
    gaps: Vec<Gap>,
    events: Vec<String>,
}

impl Ledger {
    fn read(sampling: &Sampling) -> Self {
        let mut ledger = Self { cells: BTreeMap::new(), gaps: Vec::new(), events: Vec::new() };
        let outbox = sampling.outbox();
        let entries = outbox.read_from(Seq::FIRST, Seq(u64::MAX), usize::MAX, usize::MAX).unwrap();
        let series = outbox.series_from(SeriesRef(0)).unwrap();
        for entry in entries {
            match entry.open().unwrap() {
                EntryBody::Block(bytes) => {
                    ledger.add(&Block::decode(&bytes).unwrap(), |number: SeriesRef| {
                        series[number.0 as usize].metric.clone()
                    });
                }
                EntryBody::Event { event, .. } => ledger.events.push(event.message),
                EntryBody::Gap(gap) => ledger.gaps.push(gap),
                EntryBody::Outcome(outcome) => panic!("{outcome:?}"),
            }
        }
        ledger
    }

    fn add(&mut self, block: &Block, name: impl Fn(SeriesRef) -> String) {
        assert_eq!((block.start_ms % 10_000, block.length_ms), (0, 10_000));
        for group in &block.groups {
            for column in &group.columns {
                for (tick_ms, cell) in group.ticks_ms().zip(&column.cells) {
                    if matches!(cell, Cell::Absent) {
                        continue;
                    }
                    let metric = name(column.series);
                    let twice = self.cells.insert((metric.clone(), tick_ms), *cell);
                    assert_eq!(twice, None, "{metric} stands twice at {tick_ms}");
                }
            }
        }
    }

    /// Every given tick is there, and every other up to the last one is named by one gap.
    fn check(&self, ticking: &str, off: &str, given: &BTreeSet<u64>, reader: Reader) {
        let ticks = |metric: &str| -> BTreeSet<u64> {
            self.cells.keys().filter(|(name, _)| name == metric).map(|&(_, tick)| tick).collect()
        };
        assert_eq!(&ticks(ticking), given);
        assert_eq!(&ticks(off), given);
        for &tick_ms in given {
            let value = self.cells[&(ticking.to_owned(), tick_ms)];
            assert_eq!(value, Cell::Value((tick_ms / 1000) as f64));
            assert_eq!(self.cells[&(off.to_owned(), tick_ms)], Cell::NoData(NoData::Disabled));
        }
        let (Some(&first), Some(&last)) = (given.first(), given.last()) else { return };
        let mut missing: BTreeSet<u64> = (first..last).step_by(1000).collect();
        missing.retain(|tick_ms| !given.contains(tick_ms));
        for gap in self.gaps.iter().filter(|gap| gap.scope == GapScope::Reader(reader)) {
            for tick_ms in (gap.from_ms..=gap.to_ms).step_by(1000) {
                assert!(
                    missing.remove(&tick_ms),
                    "{tick_ms} is no gap, or is named twice: {gap:?}"
                );
            }
        }
        assert!(missing.is_empty(), "nobody names {missing:?} of {reader:?}");
    }
}

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
    let (mut sampling, report) = Sampling::open(world.dir.path(), LIMITS, Epoch(1)).unwrap();
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
    let (sampling, report) = Sampling::open(world.dir.path(), LIMITS, Epoch(2)).unwrap();
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
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, Epoch(1)).unwrap();
    sampling.handle_attached(&[]).unwrap();
    let record = Record { at_ms: BEGIN_MS, body: RecordBody::Samples(Vec::new()) };
    let confirmed = sampling.handle_records(Uuid::from_u128(1), 1, vec![record]).unwrap();
    assert_eq!(confirmed, Some(1));
    assert!(sampling.interval.bodies().iter().all(|body| !matches!(body, EntryBody::Block(_))));
}

#[test]
fn a_series_that_is_left_out_takes_no_other_with_it() {
    let dir = TempDir::new().unwrap();
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, Epoch(1)).unwrap();
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
    let (mut sampling, _) = Sampling::open(dir.path(), LIMITS, Epoch(1)).unwrap();
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

//! A guard and an agent that can be killed at any step, and what they gave each other.

use super::ledger::Ledger;
use super::*;

/// What happens to guard and agent, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
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
pub(super) struct Guard {
    pub(super) run: Uuid,
    pub(super) next: u64,
    pub(super) ring: BTreeMap<u64, Record>,
    pub(super) up: bool,
}

impl Guard {
    pub(super) fn push(&mut self, at_ms: u64, body: RecordBody) {
        self.ring.insert(self.next, Record { at_ms, body });
        self.next += 1;
    }
}

pub(super) struct World {
    pub(super) dir: TempDir,
    pub(super) sampling: Option<Sampling>,
    pub(super) guard: Guard,
    pub(super) now_ms: u64,
    /// Ticks that the agent was given, by reader.
    pub(super) agent_ticks: BTreeSet<u64>,
    pub(super) guard_ticks: BTreeSet<u64>,
    pub(super) events: Vec<String>,
    pub(super) births: u64,
}

pub(super) fn series(metric: &str) -> Series {
    Series {
        metric: metric.to_owned(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: Vec::new(),
        cadence_ms: 1000,
    }
}

/// Two series: the tick as a value, and one that has none.
pub(super) fn samples(tick_ms: u64) -> Vec<Sample> {
    vec![
        Sample { series: 0, value: Ok((tick_ms / 1000) as f64) },
        Sample { series: 1, value: Err(NoData::Disabled) },
    ]
}

impl World {
    pub(super) fn new() -> Self {
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

    pub(super) fn take(&mut self, step: Step) {
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

    pub(super) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        if self.guard.up {
            self.guard.push(self.now_ms, RecordBody::Samples(samples(self.now_ms)));
        }
        if let Some(sampling) = &mut self.sampling {
            sampling.handle_agent_samples(self.now_ms, &samples(self.now_ms)).unwrap();
            self.agent_ticks.insert(self.now_ms);
        }
    }

    pub(super) fn event(&mut self) {
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

    pub(super) fn deliver(&mut self, confirmed: bool) {
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

    pub(super) fn overflow(&mut self) {
        let lost = self.guard.ring.len() as u64;
        let first = self.guard.ring.values().next().map(|record| record.at_ms);
        self.guard.ring.clear();
        if let Some(from_ms) = first {
            let to_ms = self.now_ms;
            self.guard.push(self.now_ms, RecordBody::Lost { from_ms, to_ms, records: lost });
        }
    }

    pub(super) fn start(&mut self) {
        if self.sampling.is_none() {
            let (mut sampling, report) =
                Sampling::open(self.dir.path(), LIMITS, None, Epoch(1)).unwrap();
            assert!(report.spool.set_aside.is_none() && !report.lost_tail);
            assert_eq!(report.torn_bytes, 0);
            sampling.handle_agent_series(&[series("agent.tick"), series("agent.off")]).unwrap();
            self.sampling = Some(sampling);
        }
    }

    /// Everything comes home, and the books are read.
    pub(super) fn close(mut self) -> Ledger {
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

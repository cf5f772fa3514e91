//! `/proc/stat` (proc_stat(5)): where the processors' time went, and what runs.

use super::procfs::{HeldFile, Procfs};
use super::text::whole;
use super::{Book, Slot, Tick, float};
use flyball_units::{Kind, NoData, Unit};

/// `USER_HZ`, which is 100 on every architecture that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Processors beyond these are in the total only.
const MAX_CPUS: usize = 512;

/// OpenTelemetry's `cpu.mode`s, with interrupts and soft interrupts as one.
const MODES: [&str; 7] = ["user", "nice", "system", "idle", "iowait", "interrupt", "steal"];
const IDLE: usize = 3;
const IOWAIT: usize = 4;

/// Ticks per mode since boot. Guests' time is inside `user` and `nice`.
type Times = [u64; MODES.len()];

#[derive(Debug)]
pub(super) struct Cpu {
    file: HeldFile,
    total: Usage,
    modes: [Mode; MODES.len()],
    /// By logical number, ascending as in the file.
    processors: Vec<(u32, Usage)>,
    count: Option<Slot>,
    created: Option<Slot>,
    running: Option<Slot>,
    blocked: Option<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    share: Option<Slot>,
    time: Option<Slot>,
}

#[derive(Debug)]
struct Usage {
    busy: Option<Slot>,
    before: Option<Times>,
}

impl Cpu {
    pub(super) fn open(procfs: &Procfs, book: &mut Book) -> Self {
        let mut file = procfs.file("stat");
        let numbers: Vec<u32> = match file.read() {
            Ok(text) => text.lines().filter_map(processor_number).collect(),
            Err(_) => Vec::new(),
        };
        let mut share = |attributes: &[(&str, &str)]| {
            book.announce("system.cpu.utilization", Kind::Utilization, Unit::One, attributes)
        };
        let total = Usage { busy: share(&[]), before: None };
        let shares = MODES.map(|mode| share(&[("cpu.mode", mode)]));
        let processors = numbers
            .into_iter()
            .take(MAX_CPUS)
            .map(|number| {
                let busy = share(&[("cpu.logical_number", &number.to_string())]);
                (number, Usage { busy, before: None })
            })
            .collect();
        let times = MODES.map(|mode| {
            book.announce("system.cpu.time", Kind::Duration, Unit::Second, &[("cpu.mode", mode)])
        });
        let mut modes = [Mode { share: None, time: None }; MODES.len()];
        for (mode, (share, time)) in modes.iter_mut().zip(shares.into_iter().zip(times)) {
            *mode = Mode { share, time };
        }
        let mut processes = |metric: &str, attributes: &[(&str, &str)]| {
            book.announce(metric, Kind::Count, Unit::Count, attributes)
        };
        Self {
            file,
            total,
            modes,
            processors,
            count: processes("system.cpu.logical.count", &[]),
            created: processes("system.process.created", &[]),
            running: processes("system.process.count", &[("process.state", "running")]),
            blocked: processes("system.process.count", &[("process.state", "blocked")]),
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        let text = match self.file.read() {
            Ok(text) => text,
            Err(failure) => {
                tick.fail(self.slots(), failure);
                self.total.before = None;
                return;
            }
        };
        let mut online = 0;
        for line in text.lines() {
            let mut columns = line.split_ascii_whitespace();
            match columns.next() {
                Some("cpu") => put_total(&mut self.total, &self.modes, times(columns), tick),
                Some("procs_running") => put_whole(tick, self.running, columns.next()),
                Some("procs_blocked") => put_whole(tick, self.blocked, columns.next()),
                Some("processes") => put_whole(tick, self.created, columns.next()),
                name => {
                    if let Some(number) = name.and_then(logical_number) {
                        online += 1;
                        put_processor(&mut self.processors, number, times(columns), tick);
                    }
                }
            }
        }
        tick.put(self.count, Ok(float(online)));
    }

    fn slots(&self) -> Vec<Option<Slot>> {
        let modes = self.modes.iter().flat_map(|mode| [mode.share, mode.time]);
        let processors = self.processors.iter().map(|(_, usage)| usage.busy);
        [self.total.busy, self.count, self.created, self.running, self.blocked]
            .into_iter()
            .chain(modes)
            .chain(processors)
            .collect()
    }
}

fn processor_number(line: &str) -> Option<u32> {
    line.split_ascii_whitespace().next().and_then(logical_number)
}

/// The 3 of `cpu3`.
fn logical_number(name: &str) -> Option<u32> {
    name.strip_prefix("cpu")?.parse().ok()
}

/// user nice system idle iowait irq softirq steal
fn times<'a>(columns: impl Iterator<Item = &'a str>) -> Result<Times, NoData> {
    let mut times: Times = [0; MODES.len()];
    let mut found = 0;
    for (place, column) in columns.take(8).enumerate() {
        let mode = if place > 5 { place - 1 } else { place };
        times[mode] = times[mode].saturating_add(whole(Some(column))?);
        found = place + 1;
    }
    // Kernels since 2.6.11 have all eight.
    if found == 8 { Ok(times) } else { Err(NoData::Unparsable) }
}

fn put_total(
    total: &mut Usage,
    modes: &[Mode; MODES.len()],
    now: Result<Times, NoData>,
    tick: &mut Tick<'_>,
) {
    let shares = now.and_then(|now| total.shares(now));
    tick.put(total.busy, shares.map(busy));
    for (place, mode) in modes.iter().enumerate() {
        tick.put(mode.share, shares.map(|shares| shares[place]));
        tick.put(mode.time, now.map(|now| float(now[place]) / TICKS_PER_SECOND));
    }
}

fn put_processor(
    processors: &mut [(u32, Usage)],
    number: u32,
    now: Result<Times, NoData>,
    tick: &mut Tick<'_>,
) {
    if let Ok(place) = processors.binary_search_by_key(&number, |&(number, _)| number) {
        let (_, usage) = &mut processors[place];
        tick.put(usage.busy, now.and_then(|now| usage.shares(now)).map(busy));
    }
}

fn put_whole(tick: &mut Tick<'_>, slot: Option<Slot>, column: Option<&str>) {
    tick.put(slot, whole(column).map(float));
}

fn busy(shares: [f64; MODES.len()]) -> f64 {
    (1.0 - shares[IDLE] - shares[IOWAIT]).clamp(0.0, 1.0)
}

impl Usage {
    /// Each mode's part of the time since the tick before.
    fn shares(&mut self, now: Times) -> Result<[f64; MODES.len()], NoData> {
        let before = self.before.replace(now).ok_or(NoData::NoHistory)?;
        // The kernel's idle and iowait may go back a little on a processor that sleeps.
        let mut spent = [0; MODES.len()];
        for (mode, (now, before)) in spent.iter_mut().zip(now.iter().zip(before)) {
            *mode = now.saturating_sub(before);
        }
        let whole: u64 = spent.iter().sum();
        if whole == 0 {
            return Err(NoData::Stale);
        }
        Ok(spent.map(|ticks| float(ticks) / float(whole)))
    }
}

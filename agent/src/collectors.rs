//! The agent's own readings, once a tick: what the kernel's process file system says, and what
//! attached sensors have sent.
//!
//! Owns the files, held open and read again, and the list of series, which only grows: a disk or
//! interface that appears is put at its end, one that goes answers `Missing` from then on. Reads
//! no hardware (the guard does) and no network file system (it may hang).

pub(crate) mod attached;
pub(crate) mod collected;
mod cpu;
mod disk;
mod filesystem;
mod load;
mod memory;
mod network;
mod pressure;
mod processes;
mod procfs;
mod text;
mod uptime;

pub(crate) use attached::Moment;
pub(crate) use processes::ProcessTable;

use attached::Attached;
use flyball_protocol::guard::{Sample, Series};
use flyball_units::{Kind, NoData, Unit};
use procfs::{Failure, Procfs};
use std::path::Path;

/// All series of this process are read on every whole second.
const CADENCE_MS: u32 = 1000;
/// Ticks between two looks for disks, interfaces and file systems that came or went.
const RESCAN_TICKS: u32 = 60;
/// A machine with more series than this has the rest left out, and a log line says so.
const MAX_SERIES: usize = 2048;

/// The result of one source at one tick.
type Value = Result<f64, NoData>;

#[derive(Debug)]
pub(crate) struct Collectors {
    series: Vec<Series>,
    samples: Vec<Sample>,
    until_rescan: u32,
    cpu: cpu::Cpu,
    load: load::Load,
    memory: memory::Memory,
    pressure: pressure::Pressure,
    uptime: uptime::Uptime,
    disks: disk::Disks,
    interfaces: network::Interfaces,
    filesystems: filesystem::Filesystems,
    attached: Attached,
}

impl Collectors {
    /// Collectors over the process file system at `root`. What is not there is not announced.
    pub(crate) fn new(root: &Path, mut attached: Attached) -> Self {
        let procfs = Procfs::new(root);
        let mut book = Book::default();
        attached.announce(&mut book);
        Self {
            cpu: cpu::Cpu::open(&procfs, &mut book),
            load: load::Load::open(&procfs, &mut book),
            memory: memory::Memory::open(&procfs, &mut book),
            pressure: pressure::Pressure::open(&procfs, &mut book),
            uptime: uptime::Uptime::open(&procfs, &mut book),
            disks: disk::Disks::open(&procfs),
            interfaces: network::Interfaces::open(&procfs),
            filesystems: filesystem::Filesystems::open(&procfs),
            attached,
            series: book.series,
            samples: Vec::new(),
            until_rescan: 0,
        }
    }

    /// Every series that was ever announced; a sample's number is its place in here.
    pub(crate) fn series(&self) -> &[Series] {
        &self.series
    }

    /// Reads everything now, with one sample for every series of [`Self::series`].
    pub(crate) fn read(&mut self, moment: Moment) -> &[Sample] {
        self.rescan_when_due();
        let mut tick = Tick::over(&mut self.samples, self.series.len());
        self.cpu.read(&mut tick);
        self.load.read(&mut tick);
        self.memory.read(&mut tick);
        self.pressure.read(&mut tick);
        self.uptime.read(&mut tick);
        self.disks.read(&mut tick);
        self.interfaces.read(&mut tick);
        self.filesystems.read(&mut tick);
        self.attached.read(&mut tick, moment);
        &self.samples
    }

    fn rescan_when_due(&mut self) {
        if let Some(left) = self.until_rescan.checked_sub(1) {
            self.until_rescan = left;
            return;
        }
        self.until_rescan = RESCAN_TICKS - 1;
        let mut book = Book { series: std::mem::take(&mut self.series), full: false };
        self.disks.scan(&mut book);
        self.interfaces.scan(&mut book);
        self.filesystems.scan(&mut book);
        if book.full {
            tracing::warn!(
                series = MAX_SERIES,
                "this machine has more disks, interfaces and file systems than are sampled"
            );
        }
        self.series = book.series;
    }
}

/// A series' place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot(u16);

/// The list while sources announce what they have.
#[derive(Debug, Default)]
struct Book {
    series: Vec<Series>,
    full: bool,
}

impl Book {
    /// Announces one series. `None` where the list is full.
    fn announce(
        &mut self,
        metric: &str,
        kind: Kind,
        unit: Unit,
        attributes: &[(&str, &str)],
    ) -> Option<Slot> {
        if self.series.len() >= MAX_SERIES {
            self.full = true;
            return None;
        }
        let slot = Slot(u16::try_from(self.series.len()).ok()?);
        let mut attributes: Vec<_> =
            attributes.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        attributes.sort_unstable();
        let metric = metric.to_owned();
        self.series.push(Series { metric, kind, unit, attributes, cadence_ms: CADENCE_MS });
        Some(slot)
    }
}

/// The samples of one tick while sources fill them in. A slot that nobody fills is `Missing`.
struct Tick<'a> {
    samples: &'a mut Vec<Sample>,
}

impl<'a> Tick<'a> {
    fn over(samples: &'a mut Vec<Sample>, count: usize) -> Self {
        samples.clear();
        let numbers = (0..count).map_while(|number| u16::try_from(number).ok());
        samples.extend(numbers.map(|series| Sample { series, value: Err(NoData::Missing) }));
        Self { samples }
    }

    fn put(&mut self, slot: Option<Slot>, value: Value) {
        let finite =
            value.and_then(|v| if v.is_finite() { Ok(v) } else { Err(NoData::Unparsable) });
        if let Some(sample) = slot.and_then(|Slot(at)| self.samples.get_mut(usize::from(at))) {
            sample.value = finite;
        }
    }

    fn fail(&mut self, slots: impl IntoIterator<Item = Option<Slot>>, failure: Failure) {
        for slot in slots {
            self.put(slot, Err(failure));
        }
    }
}

/// A kernel counter as a value: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "counters above 2^53 lose their last digits only")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;

//! Pressure stall information (`Documentation/accounting/psi.rst`): the part of the last ten
//! seconds in which work waited, and the time lost since boot.

use super::procfs::{HeldFile, Procfs};
use super::text::{decimal, whole};
use super::{Book, Slot, Tick, float};
use flyball_units::{Kind, NoData, Unit};

const MICROSECONDS: f64 = 1e6;
const PERCENT: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Pressure {
    resources: Vec<Resource>,
}

#[derive(Debug)]
struct Resource {
    file: HeldFile,
    some: Line,
    full: Line,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    average: Option<Slot>,
    total: Option<Slot>,
}

impl Pressure {
    /// A kernel without PSI has no such files and gets no such series.
    pub(super) fn open(procfs: &Procfs, book: &mut Book) -> Self {
        let resources = ["cpu", "memory", "io"]
            .into_iter()
            .filter_map(|name| Resource::open(name, procfs, book))
            .collect();
        Self { resources }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        for resource in &mut self.resources {
            resource.read(tick);
        }
    }
}

impl Resource {
    fn open(name: &str, procfs: &Procfs, book: &mut Book) -> Option<Self> {
        let mut file = procfs.file(&format!("pressure/{name}"));
        let text = file.read().ok()?;
        // Kernels before 5.13 have no `full` line for the processors.
        let (has_some, has_full) = (find(text, "some").is_some(), find(text, "full").is_some());
        let mut line = |word: &str, has: bool| {
            let metric = |what| format!("system.pressure.{name}.{word}.{what}");
            let mut announce = |what, kind, unit| {
                has.then(|| book.announce(&metric(what), kind, unit, &[])).flatten()
            };
            Line {
                average: announce("avg10", Kind::Pressure, Unit::One),
                total: announce("total", Kind::Duration, Unit::Second),
            }
        };
        let (some, full) = (line("some", has_some), line("full", has_full));
        Some(Self { file, some, full })
    }

    fn read(&mut self, tick: &mut Tick<'_>) {
        match self.file.read() {
            Ok(text) => {
                self.some.put(find(text, "some"), tick);
                self.full.put(find(text, "full"), tick);
            }
            Err(failure) => {
                let Self { some, full, .. } = self;
                tick.fail([some.average, some.total, full.average, full.total], failure);
            }
        }
    }
}

impl Line {
    /// `avg10=0.00 avg60=0.00 avg300=0.00 total=0`
    fn put(self, columns: Option<&str>, tick: &mut Tick<'_>) {
        let column = |name: &str| {
            let columns = columns.ok_or(NoData::Missing)?;
            let found = columns.split_ascii_whitespace().find_map(|pair| pair.strip_prefix(name));
            Ok(found)
        };
        let average = column("avg10=").and_then(decimal).map(|percent| percent / PERCENT);
        let total = column("total=").and_then(whole).map(|us| float(us) / MICROSECONDS);
        tick.put(self.average, average);
        tick.put(self.total, total);
    }
}

/// The columns behind a line's first word.
fn find<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
}

//! `/proc/net/dev` (proc_pid_net(5)): what interfaces carried since they came up.

use super::procfs::{HeldFile, Procfs};
use super::text::whole;
use super::{Book, Slot, Tick, float};
use flyball_units::{Kind, Unit};

const MAX_INTERFACES: usize = 64;
/// Places of bytes, packets, errors and drops in each of the two halves of a line.
const COLUMNS: [usize; 4] = [0, 1, 2, 3];
const METRICS: [(&str, Unit); 4] = [
    ("system.network.io", Unit::Byte),
    ("system.network.packet.count", Unit::Count),
    ("system.network.errors", Unit::Count),
    ("system.network.packet.dropped", Unit::Count),
];
const DIRECTIONS: [(&str, usize); 2] = [("receive", 0), ("transmit", 8)];

/// Eight of each direction; empty where a line has fewer.
type Columns<'a> = [&'a str; 16];

#[derive(Debug)]
pub(super) struct Interfaces {
    file: HeldFile,
    interfaces: Vec<Interface>,
}

#[derive(Debug)]
struct Interface {
    name: String,
    /// Each direction's four counters.
    counters: [[Option<Slot>; COLUMNS.len()]; DIRECTIONS.len()],
}

impl Interfaces {
    pub(super) fn open(procfs: &Procfs) -> Self {
        Self { file: procfs.file("net/dev"), interfaces: Vec::new() }
    }

    /// Takes up interfaces that have carried something.
    pub(super) fn scan(&mut self, book: &mut Book) {
        let Ok(text) = self.file.read() else { return };
        for (name, columns) in text.lines().filter_map(row) {
            let known = self.interfaces.iter().any(|interface| interface.name == name);
            let unused = DIRECTIONS.iter().all(|&(_, at)| columns[at] == "0");
            if known || unused || self.interfaces.len() >= MAX_INTERFACES {
                continue;
            }
            self.interfaces.push(Interface::announce(name, book));
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        let text = match self.file.read() {
            Ok(text) => text,
            Err(failure) => {
                let slots = self.interfaces.iter().flat_map(|each| each.counters.concat());
                return tick.fail(slots, failure);
            }
        };
        for (name, columns) in text.lines().filter_map(row) {
            if let Some(interface) = self.interfaces.iter().find(|each| each.name == name) {
                interface.put(&columns, tick);
            }
        }
    }
}

impl Interface {
    fn announce(name: &str, book: &mut Book) -> Self {
        let counters = DIRECTIONS.map(|(direction, _)| {
            METRICS.map(|(metric, unit)| {
                let attributes =
                    [("network.io.direction", direction), ("network.interface.name", name)];
                book.announce(metric, Kind::Network, unit, &attributes)
            })
        });
        Self { name: name.to_owned(), counters }
    }

    fn put(&self, columns: &Columns<'_>, tick: &mut Tick<'_>) {
        for (slots, (_, first)) in self.counters.iter().zip(DIRECTIONS) {
            for (slot, column) in slots.iter().zip(COLUMNS) {
                tick.put(*slot, whole(columns.get(first + column).copied()).map(float));
            }
        }
    }
}

/// `name: columns…`; the two lines of headings have no colon.
fn row(line: &str) -> Option<(&str, Columns<'_>)> {
    let (name, columns) = line.split_once(':')?;
    let mut columns = columns.split_ascii_whitespace();
    Some((name.trim(), std::array::from_fn(|_| columns.next().unwrap_or_default())))
}

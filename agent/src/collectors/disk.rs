//! `/proc/diskstats` (`Documentation/admin-guide/iostats.rst`), whole disks only.

use super::procfs::{HeldFile, Procfs};
use super::text::whole;
use super::{Book, Slot, Tick, Value, float};
use flyball_units::{Kind, Unit};

/// The kernel counts in these, whatever the disk's own block is.
const SECTOR_BYTES: f64 = 512.0;
const MILLISECONDS: f64 = 1000.0;
const MAX_DISKS: usize = 64;
/// The time that a disk was busy is the tenth.
const COLUMNS: usize = 10;

#[derive(Debug)]
pub(super) struct Disks {
    file: HeldFile,
    disks: Vec<Disk>,
}

#[derive(Debug)]
struct Disk {
    name: String,
    read_bytes: Option<Slot>,
    written_bytes: Option<Slot>,
    reads: Option<Slot>,
    writes: Option<Slot>,
    busy: Option<Slot>,
}

/// The columns behind the name that are read, as iostats.rst numbers them; empty where a line has
/// fewer.
struct Columns<'a>([&'a str; COLUMNS]);

impl Disks {
    pub(super) fn open(procfs: &Procfs) -> Self {
        Self { file: procfs.file("diskstats"), disks: Vec::new() }
    }

    /// Takes up disks that have been used since boot.
    pub(super) fn scan(&mut self, book: &mut Book) {
        let Ok(text) = self.file.read() else { return };
        let names: Vec<&str> = text.lines().filter_map(|line| Some(row(line)?.0)).collect();
        for (name, columns) in text.lines().filter_map(row) {
            let known = self.disks.iter().any(|disk| disk.name == name);
            let partition = names.iter().any(|whole| is_partition(name, whole));
            if known || partition || columns.unused() || self.disks.len() >= MAX_DISKS {
                continue;
            }
            self.disks.push(Disk::announce(name, book));
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        let text = match self.file.read() {
            Ok(text) => text,
            Err(failure) => {
                return tick.fail(self.disks.iter().flat_map(Disk::slots), failure);
            }
        };
        for (name, columns) in text.lines().filter_map(row) {
            if let Some(disk) = self.disks.iter().find(|disk| disk.name == name) {
                disk.put(&columns, tick);
            }
        }
    }
}

impl Disk {
    fn announce(name: &str, book: &mut Book) -> Self {
        let mut each = |metric: &str, unit, direction| {
            let attributes = [("disk.io.direction", direction), ("system.device", name)];
            book.announce(metric, Kind::Disk, unit, &attributes)
        };
        Self {
            name: name.to_owned(),
            read_bytes: each("system.disk.io", Unit::Byte, "read"),
            written_bytes: each("system.disk.io", Unit::Byte, "write"),
            reads: each("system.disk.operations", Unit::Count, "read"),
            writes: each("system.disk.operations", Unit::Count, "write"),
            busy: book.announce(
                "system.disk.io_time",
                Kind::Duration,
                Unit::Second,
                &[("system.device", name)],
            ),
        }
    }

    fn slots(&self) -> [Option<Slot>; 5] {
        [self.read_bytes, self.written_bytes, self.reads, self.writes, self.busy]
    }

    fn put(&self, columns: &Columns<'_>, tick: &mut Tick<'_>) {
        tick.put(self.reads, columns.number(0));
        tick.put(self.read_bytes, columns.number(2).map(|sectors| sectors * SECTOR_BYTES));
        tick.put(self.writes, columns.number(4));
        tick.put(self.written_bytes, columns.number(6).map(|sectors| sectors * SECTOR_BYTES));
        tick.put(self.busy, columns.number(9).map(|ms| ms / MILLISECONDS));
    }
}

impl Columns<'_> {
    fn number(&self, at: usize) -> Value {
        whole(self.0.get(at).copied()).map(float)
    }

    fn unused(&self) -> bool {
        [0, 4].iter().all(|&at| matches!(self.0[at], "" | "0"))
    }
}

/// `major minor name columns…`
fn row(line: &str) -> Option<(&str, Columns<'_>)> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let name = words.next()?;
    Some((name, Columns(std::array::from_fn(|_| words.next().unwrap_or_default()))))
}

/// `sda1` of `sda`, `nvme0n1p2` of `nvme0n1`.
fn is_partition(name: &str, whole: &str) -> bool {
    let Some(rest) = name.strip_prefix(whole) else { return false };
    let digits = match whole.ends_with(|last: char| last.is_ascii_digit()) {
        true => rest.strip_prefix('p'),
        false => Some(rest),
    };
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_told_from_disks() {
        for (name, whole) in [("sda1", "sda"), ("nvme0n1p2", "nvme0n1"), ("mmcblk0p1", "mmcblk0")] {
            assert!(is_partition(name, whole), "{name}");
        }
        for (name, whole) in [("sda", "sda"), ("sdab", "sda"), ("dm-10", "dm-1"), ("md12", "md1")] {
            assert!(!is_partition(name, whole), "{name}");
        }
    }
}

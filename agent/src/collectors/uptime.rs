//! `/proc/uptime` (proc_uptime(5)).

use super::procfs::{HeldFile, Procfs};
use super::text::decimal;
use super::{Book, Slot, Tick};
use flyball_units::{Kind, Unit};

#[derive(Debug)]
pub(super) struct Uptime {
    file: HeldFile,
    uptime: Option<Slot>,
}

impl Uptime {
    pub(super) fn open(procfs: &Procfs, book: &mut Book) -> Self {
        let uptime = book.announce("system.uptime", Kind::Duration, Unit::Second, &[]);
        Self { file: procfs.file("uptime"), uptime }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        let value = self.file.read().and_then(|text| decimal(text.split_ascii_whitespace().next()));
        tick.put(self.uptime, value);
    }
}

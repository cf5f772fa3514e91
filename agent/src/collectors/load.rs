//! `/proc/loadavg` (proc_loadavg(5)).

use super::procfs::{HeldFile, Procfs};
use super::text::decimal;
use super::{Book, Slot, Tick};
use flyball_units::{Kind, Unit};

#[derive(Debug)]
pub(super) struct Load {
    file: HeldFile,
    averages: [Option<Slot>; 3],
}

impl Load {
    pub(super) fn open(procfs: &Procfs, book: &mut Book) -> Self {
        let averages = ["1m", "5m", "15m"].map(|span| {
            let metric = format!("system.cpu.load_average.{span}");
            book.announce(&metric, Kind::Load, Unit::One, &[])
        });
        Self { file: procfs.file("loadavg"), averages }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        match self.file.read() {
            Ok(text) => {
                let mut columns = text.split_ascii_whitespace();
                for slot in self.averages {
                    tick.put(slot, decimal(columns.next()));
                }
            }
            Err(failure) => tick.fail(self.averages, failure),
        }
    }
}

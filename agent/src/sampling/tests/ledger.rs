//! What the spool holds in the end, counted tick by tick.

use super::*;

/// What the spool holds in the end.
pub(super) struct Ledger {
    pub(super) cells: BTreeMap<(String, u64), Cell>,
    pub(super) gaps: Vec<Gap>,
    pub(super) events: Vec<String>,
}

impl Ledger {
    pub(super) fn read(sampling: &Sampling) -> Self {
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

    pub(super) fn add(&mut self, block: &Block, name: impl Fn(SeriesRef) -> String) {
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
    pub(super) fn check(&self, ticking: &str, off: &str, given: &BTreeSet<u64>, reader: Reader) {
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

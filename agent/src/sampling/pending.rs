//! What is taken and not sealed: readings by their aligned interval, events, outcomes and gaps.

use super::input::Reading;
use flyball_protocol::block::{BlockBuilder, MAX_BLOCK_BYTES};
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_units::NoData;
use std::collections::BTreeMap;

/// The length of an interval; intervals begin at its whole multiples.
pub(super) const INTERVAL_MS: u32 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// By the interval's begin.
    intervals: BTreeMap<u64, BlockBuilder>,
    /// Events and outcomes in the order of their coming.
    events: Vec<EntryBody>,
    gaps: Vec<Gap>,
    readings: usize,
}

impl Pending {
    /// A tick of a reader without any series leaves nothing: a block has at least one column.
    pub(super) fn push_readings(&mut self, tick_ms: u64, readings: &[Reading]) {
        if readings.is_empty() {
            return;
        }
        let begin_ms = tick_ms - tick_ms % u64::from(INTERVAL_MS);
        let builder = self
            .intervals
            .entry(begin_ms)
            .or_insert_with(|| BlockBuilder::new(begin_ms, INTERVAL_MS));
        for &(series, reading) in readings {
            match builder.push(series, tick_ms, reading) {
                Ok(true) => self.readings += 1,
                Ok(false) => tracing::error!(series = series.0, tick_ms, "read twice in one tick"),
                Err(error) => tracing::error!(%error, "a reading is left out"),
            }
        }
    }

    /// Events that no entry can hold are left out here: one of them would hold up all others.
    pub(super) fn push_event(&mut self, event: EntryBody) {
        match event.encode() {
            Ok(_) => self.events.push(event),
            Err(error) => tracing::error!(%error, "an event is too large for the spool; left out"),
        }
    }

    pub(super) fn push_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// The begin of the oldest interval that has readings.
    pub(super) fn oldest_ms(&self) -> Option<u64> {
        self.intervals.keys().next().copied()
    }

    pub(super) const fn readings(&self) -> usize {
        self.readings
    }

    pub(super) fn is_empty(&self) -> bool {
        self.intervals.is_empty() && self.events.is_empty() && self.gaps.is_empty()
    }

    /// Entries in the order that proves the most: measurements, what followed from them, gaps.
    pub(super) fn bodies(&self) -> Vec<EntryBody> {
        let mut bodies = Vec::new();
        let mut gaps = self.gaps.clone();
        for (&begin_ms, builder) in &self.intervals {
            match builder.clone().build() {
                Ok(block) => bodies
                    .extend(block.encode_within(MAX_BLOCK_BYTES).into_iter().map(EntryBody::Block)),
                Err(error) => gaps.push(Gap {
                    from_ms: begin_ms,
                    to_ms: begin_ms + u64::from(INTERVAL_MS),
                    scope: GapScope::Series(builder.series().collect()),
                    reason: NoData::Fault,
                    note: format!("the interval fits no block: {error}"),
                }),
            }
        }
        bodies.extend(self.events.iter().cloned());
        bodies.extend(gaps.into_iter().map(EntryBody::Gap));
        bodies
    }
}

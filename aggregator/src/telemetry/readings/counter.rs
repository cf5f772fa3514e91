//! One counter's samples as they pass by, made into what it gained between each two of them.
//!
//! A value below the one before means that it began anew: what it shows is what it gained since.
//! Over a gap nothing is reckoned, since nobody saw how often it began anew there.

use crate::telemetry::readings::steps::Steps;

/// Two samples further apart than so many cadences have a gap between them.
const GAP_CADENCES: u64 = 3;

#[derive(Debug)]
pub(super) struct Counter {
    gap_ms: u64,
    before: Option<(u64, f64)>,
    /// Samples that a coming block may still put others between.
    waiting: Vec<(u64, f64)>,
}

/// How far before a range its first difference may begin.
pub(super) const fn look_back_ms(cadence_ms: u32) -> u64 {
    let cadence_ms = if cadence_ms == 0 { 1 } else { cadence_ms };
    GAP_CADENCES * cadence_ms as u64
}

impl Counter {
    pub(super) const fn new(cadence_ms: u32) -> Self {
        Self { gap_ms: look_back_ms(cadence_ms), before: None, waiting: Vec::new() }
    }

    pub(super) fn push(&mut self, at_ms: u64, value: f64) {
        self.waiting.push((at_ms, value));
    }

    /// Reckons with what lies before `at_ms`: nothing that comes later does.
    pub(super) fn settle(&mut self, at_ms: u64, steps: &mut Steps) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_by_key(|(tick, _)| *tick);
        let settled = self.waiting.partition_point(|(tick, _)| *tick < at_ms);
        for (tick, value) in self.waiting.drain(..settled) {
            if let Some((before_ms, before)) = self.before
                && tick - before_ms <= self.gap_ms
            {
                let gained = if value < before { value } else { value - before };
                steps.gain(tick, gained, tick - before_ms);
            }
            self.before = Some((tick, value));
        }
    }
}

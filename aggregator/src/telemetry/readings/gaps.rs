//! Ticks without a value, joined to spans of one reason.

use crate::telemetry::NoData;
use crate::telemetry::readings::GapSpan;
use std::ops::Range;

/// The spans of one series while its blocks pass by.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<GapSpan>);

impl Missing {
    /// One tick; it joins the span before it where that ends one step earlier.
    pub(super) fn add_tick(&mut self, at_ms: u64, step_ms: u32, reason: NoData) {
        match self.0.last_mut() {
            Some(last) if last.reason == reason && last.to_ms + u64::from(step_ms) == at_ms => {
                last.to_ms = at_ms;
            }
            Some(_) | None => self.0.push(GapSpan { from_ms: at_ms, to_ms: at_ms, reason }),
        }
    }

    /// A named gap, cut to the range.
    pub(super) fn add_span(
        &mut self,
        from_ms: u64,
        to_ms: u64,
        reason: NoData,
        range: &Range<u64>,
    ) {
        let (from_ms, to_ms) = (from_ms.max(range.start), to_ms.min(range.end - 1));
        if from_ms <= to_ms {
            self.0.push(GapSpan { from_ms, to_ms, reason });
        }
    }

    /// In order; spans of one reason that follow each other within a cadence become one.
    pub(super) fn spans(mut self, cadence_ms: u32) -> Vec<GapSpan> {
        self.0.sort_by_key(|span| (span.from_ms, span.to_ms));
        let mut joined: Vec<GapSpan> = Vec::with_capacity(self.0.len().min(64));
        for span in self.0 {
            match joined.last_mut() {
                Some(last)
                    if last.reason == span.reason
                        && span.from_ms <= last.to_ms.saturating_add(u64::from(cadence_ms)) =>
                {
                    last.to_ms = last.to_ms.max(span.to_ms);
                }
                Some(_) | None => joined.push(span),
            }
        }
        joined
    }
}

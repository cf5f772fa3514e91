//! The running interval as a value: inputs and time in, entries and "seal now" out.

use super::TICK_MS;
use super::input::{Input, What};
use super::ledger::{Entered, Ledger};
use super::pending::{INTERVAL_MS, Pending};
use flyball_protocol::entry::EntryBody;
use flyball_protocol::guard::Severity;
use flyball_protocol::series::Reader;

/// How long after its end an interval waits for a reader that is late.
const GRACE_MS: u64 = 2000;
/// Readings that are sealed early: the guard replays minutes after the agent was away.
const MAX_READINGS: usize = 64 * 1024;
/// The least time between two seals that someone waits for.
const URGENT_PAUSE_MS: u64 = 1000;

#[derive(Debug)]
pub(super) struct Interval {
    ledger: Ledger,
    pending: Pending,
    guard_expected: bool,
    /// Someone waits for what is pending: an operator for an outcome, or the first chart.
    urgent: bool,
    sealed_at_ms: u64,
}

impl Interval {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            pending: Pending::default(),
            guard_expected: false,
            urgent: false,
            sealed_at_ms: 0,
        }
    }

    /// Takes one input. False where it was taken before and need not be kept.
    pub(super) fn take(&mut self, input: &Input) -> bool {
        let gaps = match self.ledger.enter(input) {
            Entered::Repeated => return false,
            Entered::TickTaken => {
                tracing::debug!(?input.record, "a tick that was sampled already is left out");
                return true;
            }
            Entered::New { gaps, first } => {
                self.urgent |= first;
                gaps
            }
        };
        for gap in gaps {
            self.pending.push_gap(gap);
        }
        match &input.what {
            What::Samples { tick_ms, readings, .. } => {
                self.pending.push_readings(*tick_ms, readings);
            }
            What::Event { at_ms, event } => {
                self.urgent |= event.severity >= Severity::Warning;
                let (at_ms, event) = (*at_ms, event.clone());
                self.pending.push_event(EntryBody::Event { at_ms, event });
            }
            What::Outcome(outcome) => {
                self.urgent = true;
                self.pending.push_event(EntryBody::Outcome(outcome.clone()));
            }
            What::Lost { .. } | What::Started => {}
        }
        true
    }

    /// Is the guard attached, so that its samples are worth waiting for?
    pub(super) const fn expect_guard(&mut self, expected: bool) {
        self.guard_expected = expected;
    }

    /// Is it time to seal?
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        // A clock that was set back must not hold up what is waited for.
        let rested = now_ms.abs_diff(self.sealed_at_ms) >= URGENT_PAUSE_MS;
        if self.pending.readings() >= MAX_READINGS || (self.urgent && rested) {
            return true;
        }
        let held = now_ms.abs_diff(self.sealed_at_ms) >= u64::from(INTERVAL_MS);
        match self.pending.oldest_ms() {
            // The clock was set back: its time may come in hours.
            Some(begin_ms) if begin_ms > now_ms + GRACE_MS => held,
            Some(begin_ms) => {
                let end_ms = begin_ms + u64::from(INTERVAL_MS);
                now_ms >= end_ms + GRACE_MS || self.is_complete(end_ms)
            }
            None => held,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// What an interval that is sealed now becomes.
    pub(super) fn bodies(&self) -> Vec<EntryBody> {
        self.pending.bodies()
    }

    /// It is durable.
    pub(super) fn handle_sealed(&mut self, now_ms: u64) {
        self.pending = Pending::default();
        self.urgent = false;
        self.sealed_at_ms = now_ms;
    }

    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Has every reader that is there delivered its last tick before `end_ms`?
    fn is_complete(&self, end_ms: u64) -> bool {
        let has_last =
            |reader| self.ledger.last_tick_ms(reader).is_some_and(|last| last + TICK_MS >= end_ms);
        has_last(Reader::Agent) && (!self.guard_expected || has_last(Reader::Guard))
    }
}

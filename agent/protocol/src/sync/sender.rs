//! The agent's half: when to call which address, what to send on which lane, what to trim.

mod backoff;
mod flight;

use super::{Epoch, Ranges, Seq};
use crate::entry::Entry;
use backoff::Backoff;
use flight::Flight;

/// Fresh entries have a lane of their own, so that old ones don't stand before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Numbers from `next_seq` at the connect on.
    Fresh,
    /// Everything older.
    Backfill,
}

impl Lane {
    pub const ALL: [Self; 2] = [Self::Fresh, Self::Backfill];
}

/// The bounds of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries that may be unacknowledged on each lane.
    pub window_entries: usize,
    /// Their bytes; one entry may go over it.
    pub window_bytes: usize,
    /// An entry that is not acknowledged within it ends the connection: the next address is tried.
    pub ack_timeout_ms: u64,
    pub backoff_min_ms: u64,
    pub backoff_max_ms: u64,
}

impl Default for Limits {
    /// The windows fit the aggregator's 256 KiB stream window with some in the store's commit.
    fn default() -> Self {
        Self {
            window_entries: 256,
            window_bytes: 1024 * 1024,
            ack_timeout_ms: 30_000,
            backoff_min_ms: 500,
            backoff_max_ms: 60_000,
        }
    }
}

/// What the driver has to do. Asked for by [`Sender::poll`] until it gives `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Call this one of the addresses, then `handle_connected` or `handle_disconnected`.
    Connect { address: usize },
    /// End the connection, then `handle_disconnected`.
    Disconnect,
    /// Committed at the aggregator: the spool may forget them.
    Trim(Ranges),
    /// The aggregator knows numbers that this spool has not given yet. End the connection, make a
    /// new epoch, then `handle_new_epoch`.
    NewEpoch,
}

/// A piece of the spool that a lane can take now. Read at least one entry of `from..before` if
/// there is one, at most `entries` and about `bytes`, and give them to [`Sender::supply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    pub lane: Lane,
    pub from: Seq,
    pub before: Seq,
    pub entries: usize,
    pub bytes: usize,
}

/// ```text
/// Resting ─poll─▶ Calling ─handle_connected─▶ Greeting ─handle_welcome─▶ Streaming
///    ▲               │                           │                          │
///    ├───────────────┴── handle_disconnected ────┴──────────────────────────┤
///    └───────────── handle_new_epoch ── Renewing ◀── acked ≥ next_seq ──────┘
/// ```
#[derive(Debug)]
enum State {
    Resting { until_ms: u64 },
    Calling,
    Greeting { boundary: Seq },
    Streaming { fresh: Flight, backfill: Flight },
    Renewing { told: bool },
    Leaving,
}

/// The cursor over one epoch of a spool.
#[derive(Debug)]
pub struct Sender {
    limits: Limits,
    backoff: Backoff,
    epoch: Epoch,
    next_seq: Seq,
    /// Acknowledged, or gone from the spool: never sent again.
    settled: Ranges,
    to_trim: Ranges,
    state: State,
}

impl Sender {
    /// A sender that calls the first of `addresses` at once.
    #[must_use]
    pub fn new(limits: Limits, addresses: usize, epoch: Epoch, next_seq: Seq) -> Self {
        Self {
            limits,
            backoff: Backoff::new(limits, addresses),
            epoch,
            next_seq,
            settled: Ranges::new(),
            to_trim: Ranges::new(),
            state: State::Resting { until_ms: 0 },
        }
    }

    /// The next thing to do at `now_ms` of a monotonic clock.
    pub fn poll(&mut self, now_ms: u64) -> Option<Action> {
        if !self.to_trim.is_empty() {
            return Some(Action::Trim(std::mem::take(&mut self.to_trim)));
        }
        match &mut self.state {
            State::Resting { until_ms } if *until_ms <= now_ms => {
                self.state = State::Calling;
                Some(Action::Connect { address: self.backoff.address() })
            }
            State::Streaming { fresh, backfill } => {
                let overdue = |flight: &Flight| {
                    flight.oldest_ms().is_some_and(|at| now_ms >= at + self.limits.ack_timeout_ms)
                };
                if overdue(fresh) || overdue(backfill) {
                    self.state = State::Leaving;
                    return Some(Action::Disconnect);
                }
                None
            }
            State::Renewing { told } if !*told => {
                *told = true;
                Some(Action::NewEpoch)
            }
            State::Resting { .. }
            | State::Calling
            | State::Greeting { .. }
            | State::Renewing { .. }
            | State::Leaving => None,
        }
    }

    /// When to poll again though nothing happened.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        match &self.state {
            State::Resting { until_ms } => Some(*until_ms),
            State::Streaming { fresh, backfill } => [fresh, backfill]
                .into_iter()
                .filter_map(Flight::oldest_ms)
                .min()
                .map(|at| at + self.limits.ack_timeout_ms),
            State::Calling | State::Greeting { .. } | State::Renewing { .. } | State::Leaving => {
                None
            }
        }
    }

    /// The connection stands: what `Hello` says of the spool.
    pub fn handle_connected(&mut self) -> (Epoch, Seq) {
        self.state = State::Greeting { boundary: self.next_seq };
        (self.epoch, self.next_seq)
    }

    /// The aggregator's committed ranges of this epoch. Streaming begins.
    pub fn handle_welcome(&mut self, acked: &Ranges) {
        let State::Greeting { boundary } = self.state else { return };
        self.state =
            State::Streaming { fresh: Flight::new(boundary), backfill: Flight::new(Seq::FIRST) };
        self.take_acked(acked);
    }

    pub fn handle_ack(&mut self, acked: &Ranges) {
        if matches!(self.state, State::Streaming { .. }) {
            self.take_acked(acked);
            self.backoff.reset();
        }
    }

    /// The spool has numbers below `next_seq` now.
    pub fn handle_appended(&mut self, next_seq: Seq) {
        self.next_seq = self.next_seq.max(next_seq);
    }

    /// The connection ended or could not be made. `jitter` is random, 0 to 1.
    pub fn handle_disconnected(&mut self, now_ms: u64, jitter: f64) {
        if matches!(self.state, State::Renewing { .. }) {
            return;
        }
        self.state = State::Resting { until_ms: now_ms + self.backoff.after_failure(jitter) };
    }

    /// The aggregator said no (version, revocation): asking again soon would change nothing.
    pub fn handle_refused(&mut self, now_ms: u64, jitter: f64) {
        self.state = State::Resting { until_ms: now_ms + self.backoff.after_refusal(jitter) };
    }

    /// The spool goes on under another epoch: everything it holds is unacknowledged again.
    pub fn handle_new_epoch(&mut self, epoch: Epoch, next_seq: Seq) {
        self.epoch = epoch;
        self.next_seq = next_seq;
        self.settled = Ranges::new();
        self.to_trim = Ranges::new();
        self.state = State::Resting { until_ms: 0 };
    }

    /// What `lane` can take now; `None` where its window is full or nothing waits.
    #[must_use]
    pub fn want(&self, lane: Lane) -> Option<Want> {
        let State::Streaming { fresh, backfill } = &self.state else { return None };
        let (flight, before) = match lane {
            Lane::Fresh => (fresh, self.next_seq),
            Lane::Backfill => (backfill, fresh.begin()),
        };
        let from = self.settled.first_missing(flight.cursor());
        let entries = self.limits.window_entries.checked_sub(flight.len()).filter(|&n| n > 0)?;
        let bytes = self.limits.window_bytes.checked_sub(flight.bytes()).filter(|&n| n > 0)?;
        (from < before).then_some(Want { lane, from, before, entries, bytes })
    }

    /// Takes what the spool had for `want`, in order, and gives back what to send. Numbers that
    /// the spool skipped are gone and never asked for again.
    pub fn supply(&mut self, now_ms: u64, want: Want, mut entries: Vec<Entry>) -> Vec<Entry> {
        let State::Streaming { fresh, backfill } = &mut self.state else { return Vec::new() };
        let flight = match want.lane {
            Lane::Fresh => fresh,
            Lane::Backfill => backfill,
        };
        entries.retain(|entry| want.from <= entry.seq && entry.seq < want.before);
        let mut next = want.from;
        for entry in &entries {
            if next < entry.seq {
                self.settled.insert_range(next, Seq(entry.seq.0 - 1));
            }
            next = entry.seq.next();
        }
        if entries.is_empty() {
            self.settled.insert_range(want.from, Seq(want.before.0 - 1));
            next = want.before;
        }
        entries.retain(|entry| !self.settled.contains(entry.seq));
        for entry in &entries {
            flight.depart(now_ms, entry.seq, entry.body.len());
        }
        flight.advance(next);
        entries
    }

    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Is a welcomed connection up?
    #[must_use]
    pub const fn is_streaming(&self) -> bool {
        matches!(self.state, State::Streaming { .. })
    }

    fn take_acked(&mut self, acked: &Ranges) {
        if acked.last().is_some_and(|last| last >= self.next_seq) {
            self.state = State::Renewing { told: false };
            return;
        }
        if let State::Streaming { fresh, backfill } = &mut self.state {
            fresh.arrive(acked);
            backfill.arrive(acked);
        }
        self.settled.merge(acked);
        self.to_trim.merge(acked);
    }
}

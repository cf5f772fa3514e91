//! A session and how far it is.

use super::session::Session;
use super::view::GuardWord;
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Lane, Ranges};

/// A path that carries nothing back for so long, though each packet is answered, is dead: the
/// commit may take longer, the network's own acknowledgement doesn't.
const SILENT_MS: u64 = 5_000;

/// A session and what was sent over it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: Session,
    /// `None` once `Welcome` has come.
    pub(super) welcome_by_ms: Option<u64>,
    /// Definitions that each lane has been given.
    pub(super) announced: [SeriesRef; Lane::ALL.len()],
    pub(super) reading: [bool; Lane::ALL.len()],
    pub(super) sent: Ranges,
    pub(super) acked: Ranges,
    /// When something was sent that is not acknowledged, and what had been heard until then.
    pub(super) waiting: Option<(u64, u64)>,
    /// What the aggregator knows of the guard.
    pub(super) guard: GuardWord,
}

impl Link {
    pub(super) fn new(session: Session, welcome_by_ms: u64, guard: GuardWord) -> Self {
        Self {
            session,
            welcome_by_ms: Some(welcome_by_ms),
            announced: [SeriesRef(0); Lane::ALL.len()],
            reading: [false; Lane::ALL.len()],
            sent: Ranges::new(),
            acked: Ranges::new(),
            waiting: None,
            guard,
        }
    }

    /// Something goes out now: a sign of life is due within [`SILENT_MS`].
    pub(super) fn handle_sent(&mut self, now_ms: u64) {
        if self.waiting.is_none() {
            self.session.ask_for_life();
            self.waiting = Some((now_ms, self.session.heard()));
        }
    }

    pub(super) fn handle_acked(&mut self, ranges: &Ranges) {
        self.acked.merge(ranges);
        if self.is_quiet() {
            self.waiting = None;
        }
    }

    /// When to look for the sign of life.
    pub(super) fn sign_by_ms(&self) -> Option<u64> {
        self.waiting.map(|(since_ms, _)| since_ms + SILENT_MS)
    }

    /// Has nothing come since something was sent, for as long as that?
    pub(super) fn is_dead(&mut self, now_ms: u64) -> bool {
        if self.sign_by_ms().is_none_or(|by_ms| now_ms < by_ms) {
            return false;
        }
        let (before, now) = (self.waiting.take(), self.session.heard());
        self.handle_sent(now_ms);
        before.is_some_and(|(_, heard)| heard == now)
    }

    /// Is everything that was sent acknowledged, and nothing being read?
    pub(super) fn is_quiet(&self) -> bool {
        !self.reading.contains(&true) && self.acked.missing_from(&self.sent).is_empty()
    }
}

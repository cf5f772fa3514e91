//! A session and how far it is.

use super::session::Session;
use super::view::GuardWord;
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Lane, Ranges};

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
            guard,
        }
    }

    /// Is everything that was sent acknowledged, and nothing being read?
    pub(super) fn is_quiet(&self) -> bool {
        !self.reading.contains(&true) && self.acked.missing_from(&self.sent).is_empty()
    }
}

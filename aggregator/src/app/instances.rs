//! The aggregators that serve one database, as they tell each other of themselves.

use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub id: Uuid,
    pub version: String,
    /// Where its API is reached.
    pub api: String,
    /// Where its agents connect.
    pub ingest: String,
    pub started_at_ms: u64,
    pub seen_at_ms: u64,
}

/// One that was not seen for so long is gone.
pub const GONE_MS: u64 = 60_000;
/// One that was not seen for so long is forgotten.
pub const FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1_000;

impl Instance {
    #[must_use]
    pub const fn is_online(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_at_ms) <= GONE_MS
    }
}

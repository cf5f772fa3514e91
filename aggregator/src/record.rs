//! What every record says of itself: who made it, who changed it last, whether it stands.

use crate::access::UserId;

/// The history of one record in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub created_at_ms: u64,
    /// `None`: the server itself.
    pub created_by: Option<UserId>,
    pub updated_at_ms: u64,
    pub updated_by: Option<UserId>,
    /// Since when it is gone; it can be restored.
    pub deleted_at_ms: Option<u64>,
    /// Counts its changes; its ETag.
    pub version: u64,
}

impl Record {
    /// A record that is made now.
    #[must_use]
    pub const fn new(by: Option<UserId>, now_ms: u64) -> Self {
        Self {
            created_at_ms: now_ms,
            created_by: by,
            updated_at_ms: now_ms,
            updated_by: by,
            deleted_at_ms: None,
            version: 1,
        }
    }
}

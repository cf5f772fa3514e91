//! Who did what to what, and what was decided. Rows are only ever added, most of them in the
//! transaction of the change that they record.

use serde_json::Value;

/// One row before it has a number.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    pub at_ms: u64,
    /// The account's e-mail, `device:<id>` for a machine, `system` for the aggregator itself.
    pub actor: String,
    /// `operation.create`, `operation.settle`, `device.enrol` …
    pub action: String,
    pub target: String,
    pub decision: Decision,
    pub details: Value,
    pub request_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    Clamped,
    Refused,
    Failed,
}

impl Decision {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Clamped => "clamped",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Decision {
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Allowed, Self::Clamped, Self::Refused, Self::Failed]
            .into_iter()
            .find(|decision| decision.name() == name)
    }
}

/// A stored row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    pub id: i64,
    pub entry: AuditEntry,
}

/// Which rows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub actor: Option<String>,
    pub action: Option<String>,
    /// Only what stands behind this place: the last row of the page before.
    pub before: Option<i64>,
    /// The caller has bounded it.
    pub limit: u32,
}

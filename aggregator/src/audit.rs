//! Who did what to what, and what was decided. Rows are only ever added, most of them in the
//! transaction of the change that they record, and each carries the hash of the row before it in
//! its organization's chain: `chain` says how, `difference` what a change is.

pub mod chain;
mod circumstances;
mod difference;

pub use circumstances::Circumstances;
pub use difference::{difference, masked};

use crate::access::{OrganizationId, SessionId};
use crate::listing::Listing;
use serde_json::Value;
use std::net::IpAddr;

/// One row before it has a number. Call sites name what they know and leave the rest to
/// `..AuditEntry::default()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditEntry {
    pub at_ms: u64,
    /// The account's e-mail, `device:<id>` for a machine, `system` for the aggregator itself.
    pub actor: String,
    /// `operation.create`, `operation.settle`, `device.enrol` …
    pub action: String,
    pub target: String,
    pub decision: Decision,
    /// Secrets in it are masked before it is stored.
    pub details: Value,
    pub request_id: Option<String>,
    /// Whose chain it belongs to. `None`: the organization of the device that is its target, else
    /// the server's own chain.
    pub organization: Option<OrganizationId>,
    /// The sign-in it was done under; the request's where nothing else is said.
    pub session: Option<SessionId>,
    /// Where it was asked from; the request's where nothing else is said.
    pub address: Option<IpAddr>,
    /// What [`difference`] makes of before and after.
    pub change: Option<Value>,
}

impl AuditEntry {
    /// The same with what a record was before and is now.
    #[must_use]
    pub fn changing(self, before: &Value, after: &Value) -> Self {
        Self { change: Some(difference(before, after)), ..self }
    }

    /// The same in an organization's chain.
    #[must_use]
    pub fn of(self, organization: Option<OrganizationId>) -> Self {
        Self { organization, ..self }
    }

    /// The machine or equipment that it is about.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.target.strip_prefix("device:")
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    #[default]
    Allowed,
    Clamped,
    Refused,
    Failed,
}

impl Decision {
    pub const ALL: [Self; 4] = [Self::Allowed, Self::Clamped, Self::Refused, Self::Failed];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Clamped => "clamped",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }
}

/// A stored row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    pub id: i64,
    pub entry: AuditEntry,
    /// Its number in its chain, from 1.
    pub position: Option<u64>,
    pub hash: Option<Vec<u8>>,
}

/// Which rows, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditQuery {
    pub listing: Listing,
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub decision: Option<Decision>,
    pub organization: Option<OrganizationId>,
    pub from_ms: Option<u64>,
    /// Exclusive.
    pub to_ms: Option<u64>,
    /// Only what stands behind this place: the last row of the page before.
    pub before: Option<i64>,
    /// The caller has bounded it.
    pub limit: u32,
}

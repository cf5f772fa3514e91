//! What went wrong between a driver and its equipment.

use serde::{Deserialize, Serialize};

/// The connection is lost or a round of readings failed as a whole; the driver tries again by
/// itself, with a growing wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// What failed, where, and what to do. Never a secret.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FaultKind {
    /// What it was configured with can't work; trying again won't help.
    Misconfigured,
    Unreachable,
    TimedOut,
    /// It does not take the credentials.
    Denied,
    /// It is not who it has to be.
    Untrusted,
    /// What it answers breaks its protocol: no JSON, too long, a refused redirect.
    Nonsense,
    /// It answers that it can't.
    Failing,
}

impl FaultKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Misconfigured => "misconfigured",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Denied => "denied",
            Self::Untrusted => "untrusted",
            Self::Nonsense => "nonsense",
            Self::Failing => "failing",
        }
    }
}

impl Fault {
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: crate::bounded(&message.into()) }
    }
}

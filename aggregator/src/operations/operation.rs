//! One operation and what may happen to it. Pure: every change is a `handle_*` that says
//! whether anything changed.

use crate::fleet::DeviceId;
use flyball_protocol::command::{Action, OperationId, Outcome, RefusalKind, Verdict};

/// ```text
/// queued ──sent──▶ running ──outcome──▶ succeeded | failed | refused
///    │                │ verdict refused ──▶ refused
///    └──── past not_after ────▶ expired
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// Durable, not yet sent.
    Queued,
    /// Sent; with a verdict that is not a refusal the machine is at it.
    Running,
    Succeeded,
    /// The actuator's read-back did not agree in time.
    Failed,
    Refused,
    /// Nobody answered before `not_after`.
    Expired,
}

impl OperationState {
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Refused, Self::Expired];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Refused | Self::Expired => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub device: DeviceId,
    pub action: Action,
    pub state: OperationState,
    /// The engine's answer, once it came.
    pub verdict: Option<Verdict>,
    /// How it ended on the machine, once that is stored.
    pub outcome: Option<Outcome>,
    /// The account that asked.
    pub requested_by: String,
    pub request_id: Option<String>,
    pub created_at_ms: u64,
    pub started_at_ms: Option<u64>,
    pub finished_at_ms: Option<u64>,
    pub not_after_ms: u64,
}

impl Operation {
    /// It has gone out to the machine.
    pub(crate) fn handle_sent(&mut self, now_ms: u64) -> bool {
        if self.state != OperationState::Queued {
            return false;
        }
        self.state = OperationState::Running;
        self.started_at_ms = Some(now_ms);
        true
    }

    /// The engine answered ahead of the outcome.
    pub(crate) fn handle_verdict(&mut self, verdict: Verdict, now_ms: u64) -> bool {
        if self.verdict.is_some() || self.state.is_final() {
            return false;
        }
        self.started_at_ms.get_or_insert(now_ms);
        match &verdict {
            Verdict::Accepted | Verdict::Clamped(_) => self.state = OperationState::Running,
            Verdict::Refused(refusal) => {
                self.state = refused_state(refusal.kind);
                self.finished_at_ms = Some(now_ms);
            }
        }
        self.verdict = Some(verdict);
        true
    }

    /// The durable outcome has come. It outranks what was assumed without it: an operation that
    /// expired here but was done there has been done.
    pub(crate) fn handle_outcome(&mut self, outcome: Outcome, now_ms: u64) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        self.started_at_ms.get_or_insert(now_ms);
        self.finished_at_ms = Some(now_ms);
        self.state = match &outcome.verdict {
            Verdict::Refused(refusal) => refused_state(refusal.kind),
            Verdict::Accepted | Verdict::Clamped(_) if outcome.verified => {
                OperationState::Succeeded
            }
            Verdict::Accepted | Verdict::Clamped(_) => OperationState::Failed,
        };
        self.verdict = Some(outcome.verdict.clone());
        self.outcome = Some(outcome);
        true
    }

    pub(crate) fn handle_expiry(&mut self, now_ms: u64) -> bool {
        if self.state.is_final() {
            return false;
        }
        self.state = OperationState::Expired;
        self.finished_at_ms = Some(now_ms);
        true
    }
}

const fn refused_state(kind: RefusalKind) -> OperationState {
    match kind {
        RefusalKind::Expired => OperationState::Expired,
        RefusalKind::Interlock
        | RefusalKind::Unauthorised
        | RefusalKind::Replayed
        | RefusalKind::Invalid
        | RefusalKind::Busy => OperationState::Refused,
    }
}

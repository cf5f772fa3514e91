//! One operation and what may happen to it. Pure: every change is a `handle_*` that says
//! whether anything changed.

use crate::access::SessionId;
use crate::fleet::DeviceId;
use flyball_protocol::command::{Action, OperationId, Outcome, RefusalKind, Verdict};

/// ```text
/// queued ──sent──▶ running ──outcome──▶ succeeded | failed | refused
///                     │ ▲ confirmed
///                     ▼ │
///                    armed ──nobody confirms──▶ expired
///    │                │ verdict refused ──▶ refused
///    └──── past not_after ────▶ expired
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// Durable, not yet sent.
    Queued,
    /// Sent; with a verdict that is not a refusal the machine is at it.
    Running,
    /// The machine waits for a second hand before it does it.
    Armed,
    Succeeded,
    /// The actuator's read-back did not agree in time.
    Failed,
    Refused,
    /// Nobody answered before `not_after`.
    Expired,
}

impl OperationState {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Armed,
        Self::Succeeded,
        Self::Failed,
        Self::Refused,
        Self::Expired,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Armed => "armed",
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
            Self::Queued | Self::Running | Self::Armed => false,
            Self::Succeeded | Self::Failed | Self::Refused | Self::Expired => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    /// The machine whose guard it is signed for.
    pub device: DeviceId,
    /// The equipment that is meant, where it is not the machine itself.
    pub equipment: Option<DeviceId>,
    pub action: Action,
    pub state: OperationState,
    /// The engine's answer, once it came.
    pub verdict: Option<Verdict>,
    /// How it ended on the machine, once that is stored.
    pub outcome: Option<Outcome>,
    /// The account that asked.
    pub requested_by: String,
    /// The sign-in that asked: it alone may confirm.
    pub session: Option<SessionId>,
    /// Whose second hand it was.
    pub confirmed_by: Option<String>,
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
            Verdict::Armed(_) => self.state = OperationState::Armed,
            Verdict::Refused(refusal) => {
                self.state = refused_state(refusal.kind);
                self.finished_at_ms = Some(now_ms);
            }
        }
        self.verdict = Some(verdict);
        true
    }

    /// The machine has taken the second hand: it is at it now.
    pub(crate) fn handle_confirmed(&mut self, by: &str) -> bool {
        if self.state != OperationState::Armed {
            return false;
        }
        self.state = OperationState::Running;
        self.confirmed_by = Some(by.to_owned());
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
            // It was armed and nobody confirmed it in time.
            Verdict::Armed(_) => OperationState::Expired,
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
        | RefusalKind::Busy
        | RefusalKind::Locked
        | RefusalKind::WrongState
        | RefusalKind::NotArmed
        | RefusalKind::Outranked => OperationState::Refused,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flyball_protocol::command::{Arming, Refusal};
    use uuid::Uuid;

    /// A command that waits for its machine.
    pub(crate) fn queued() -> Operation {
        Operation {
            id: OperationId(Uuid::from_u128(1)),
            device: DeviceId(Uuid::from_u128(2)),
            equipment: None,
            action: Action::ClearPowerCap { actuator: None },
            state: OperationState::Queued,
            verdict: None,
            outcome: None,
            requested_by: "operator@example.org".into(),
            session: None,
            confirmed_by: None,
            request_id: None,
            created_at_ms: 10,
            started_at_ms: None,
            finished_at_ms: None,
            not_after_ms: 100,
        }
    }

    fn outcome(verdict: Verdict, verified: bool) -> Outcome {
        let operation = queued().id;
        Outcome {
            operation,
            verdict,
            observed: None,
            state: None,
            verified,
            at_ms: 40,
            reason: None,
        }
    }

    fn refused(kind: RefusalKind) -> Verdict {
        Verdict::Refused(Refusal {
            kind,
            interlock: String::new(),
            reading: None,
            limit: None,
            unit: None,
            since_ms: None,
            clears_when: String::new(),
            reason: String::new(),
        })
    }

    #[test]
    fn an_accepted_operation_runs_until_its_outcome_says_how_it_ended() {
        for (verified, end) in [(true, OperationState::Succeeded), (false, OperationState::Failed)]
        {
            let mut operation = queued();
            assert!(operation.handle_sent(20));
            assert!(operation.handle_verdict(Verdict::Accepted, 30));
            assert_eq!(
                (operation.state, operation.finished_at_ms),
                (OperationState::Running, None)
            );
            assert!(operation.handle_outcome(outcome(Verdict::Accepted, verified), 40));
            assert_eq!((operation.state, operation.finished_at_ms), (end, Some(40)));
            assert_eq!(operation.started_at_ms, Some(20));
        }
    }

    #[test]
    fn what_is_armed_runs_when_it_is_confirmed_and_expires_where_nobody_does() {
        let arming =
            Arming { until_ms: 90, target: String::new(), state: None, consequence: String::new() };
        let armed = || {
            let mut operation = queued();
            assert!(operation.handle_verdict(Verdict::Armed(arming.clone()), 30));
            assert_eq!(operation.state, OperationState::Armed);
            operation
        };
        let mut confirmed = armed();
        assert!(confirmed.handle_confirmed("other@example.org"));
        assert!(!confirmed.handle_confirmed("third@example.org"));
        assert_eq!(confirmed.state, OperationState::Running);
        assert!(confirmed.handle_outcome(outcome(Verdict::Accepted, true), 40));
        assert_eq!(confirmed.state, OperationState::Succeeded);
        assert_eq!(confirmed.confirmed_by.as_deref(), Some("other@example.org"));
        let mut forgotten = armed();
        assert!(forgotten.handle_outcome(outcome(Verdict::Armed(arming.clone()), false), 95));
        assert_eq!(forgotten.state, OperationState::Expired);
    }

    #[test]
    fn a_refusal_ends_it_at_once_and_its_outcome_keeps_the_state() {
        let mut operation = queued();
        assert!(operation.handle_verdict(refused(RefusalKind::Interlock), 30));
        assert_eq!(operation.state, OperationState::Refused);
        assert!(operation.handle_outcome(outcome(refused(RefusalKind::Interlock), true), 40));
        assert_eq!(operation.state, OperationState::Refused);
        assert!(!operation.handle_outcome(outcome(Verdict::Accepted, true), 50));
    }

    #[test]
    fn what_was_done_on_the_machine_outranks_an_expiry_here() {
        let mut operation = queued();
        assert!(operation.handle_sent(20));
        assert!(operation.handle_expiry(200));
        assert_eq!(operation.state, OperationState::Expired);
        assert!(!operation.handle_verdict(Verdict::Accepted, 210));
        assert!(operation.handle_outcome(outcome(Verdict::Accepted, true), 220));
        assert_eq!(operation.state, OperationState::Succeeded);
    }

    #[test]
    fn a_command_that_came_too_late_is_expired_not_refused() {
        let mut operation = queued();
        assert!(operation.handle_verdict(refused(RefusalKind::Expired), 130));
        assert_eq!(operation.state, OperationState::Expired);
        assert!(!operation.handle_expiry(200));
    }
}

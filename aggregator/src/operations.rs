//! What operators asked of machines, from request to outcome. The stored row is the outbox: a
//! command is durable before it is sent, and rides in the next `Welcome` where the machine is
//! away. What the machine may do is never decided here; its verdict is taken down.

pub mod budget;
pub mod confirmation;
pub mod fleet_limits;
pub mod operation;
mod validator;

use crate::access::SessionId;
use crate::audit::{AuditEntry, Decision};
use crate::clock::Clock;
use crate::config::Safety;
use crate::fleet::{Device, DeviceId, SendError, Sessions};
use crate::listing::Listing;
use crate::live::{Hub, Live};
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError};
use crate::telemetry::Latest;
use crate::tenancy::Sight;
use budget::Draws;
use confirmation::Tokens;
pub use confirmation::{ConfirmError, Confirmation};
pub use fleet_limits::FleetPolicy;
use fleet_limits::Policies;
pub use flyball_protocol::command::{
    Action, Arming, Clamp, OperationId, Origin, Outcome, Refusal, RefusalKind, Verdict,
};
use flyball_protocol::command::{Command, CommandKey, SignatureError};
use flyball_protocol::guard::EquipmentKind;
use flyball_protocol::message::PendingCommand;
pub use operation::{Operation, OperationState};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
pub use validator::Objection;
use validator::{Case, Validator};

/// How long a request waits for the machine's verdict before it answers without.
pub const VERDICT_PATIENCE: Duration = Duration::from_secs(2);
/// How long a command stays good where the caller does not say.
pub const DEFAULT_TTL_MS: u64 = 60_000;
/// The longest that a command may wait for its machine.
pub const MAX_TTL_MS: u64 = 24 * 60 * 60 * 1000;
/// Commands that wait for one machine; more are refused.
pub const MAX_OPEN_PER_DEVICE: u32 = 64;

/// How long after `not_after` the outcome of what was sent may still come: it rides in the spool,
/// and the machine's clock is not ours.
const OUTCOME_GRACE_MS: u64 = 30_000;

/// How long a command of that wish may wait.
///
/// # Errors
/// Where it is less than a second or more than a day.
pub fn check_ttl(wished_ms: Option<u64>) -> Result<u64, SubmitError> {
    let ttl_ms = wished_ms.unwrap_or(DEFAULT_TTL_MS);
    if (1_000..=MAX_TTL_MS).contains(&ttl_ms) { Ok(ttl_ms) } else { Err(SubmitError::Ttl(ttl_ms)) }
}

/// One request for an operation, already authorised.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The machine whose guard acts.
    pub device: DeviceId,
    /// The equipment that is meant, where it is not the machine itself.
    pub equipment: Option<DeviceId>,
    pub action: Action,
    /// The account that asks, by its e-mail.
    pub issuer: String,
    /// The sign-in that asks.
    pub session: Option<SessionId>,
    /// Why the rule for the aggregator's own machine shall not hold: a superuser's word.
    pub break_glass: Option<String>,
    /// The caller's own end of it, Unix milliseconds.
    pub not_after_ms: Option<u64>,
    pub request_id: Option<String>,
    /// `DEFAULT_TTL_MS` where absent.
    pub ttl_ms: Option<u64>,
    /// The rank of who asks: an operator, or nobody in person.
    pub origin: Origin,
    /// How long what it asks for stands from now on; until it is withdrawn where absent.
    pub stands_for_ms: Option<u64>,
}

impl Submission {
    /// What is asked of the machine itself, without a sign-in and with nothing said besides.
    #[must_use]
    pub fn new(device: DeviceId, action: Action, issuer: &str, origin: Origin) -> Self {
        Self {
            device,
            equipment: None,
            action,
            issuer: issuer.into(),
            session: None,
            break_glass: None,
            not_after_ms: None,
            request_id: None,
            ttl_ms: None,
            origin,
            stands_for_ms: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("device {0} is unknown or revoked")]
    UnknownDevice(DeviceId),
    #[error("device {0} has {MAX_OPEN_PER_DEVICE} operations waiting, let some of them end first")]
    TooManyOpen(DeviceId),
    #[error("a command stays good for 1 s to 24 h, not for {0} ms")]
    Ttl(u64),
    #[error("refused by the aggregator: {0}")]
    Refused(Objection),
    #[error("signing the command")]
    Sign(#[from] SignatureError),
    #[error("storing the operation")]
    Store(#[from] StoreError),
}

/// Which operations, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationQuery {
    pub device: Option<DeviceId>,
    pub listing: Listing,
    /// Only those at devices that are seen.
    pub sight: Sight,
    pub page: PageRequest,
}

/// Requests that wait for a verdict, each at most [`VERDICT_PATIENCE`] long.
type Waiting = Arc<Mutex<HashMap<OperationId, oneshot::Sender<Operation>>>>;

#[derive(Clone, Debug)]
pub struct Operations {
    store: Store,
    sessions: Sessions,
    hub: Hub,
    clock: Clock,
    key: Arc<CommandKey>,
    waiting: Waiting,
    validator: Validator,
    tokens: Tokens,
    second_person: bool,
    policies: Policies,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("reading what was asked before")]
    Store(#[from] StoreError),
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
}

impl Operations {
    /// Opens them as they stood: what was armed can still be confirmed, and what was started
    /// within the last minute still counts.
    ///
    /// # Errors
    /// Where the store fails or the system has no randomness.
    pub(crate) async fn open(
        store: Store,
        sessions: Sessions,
        hub: Hub,
        clock: Clock,
        key: Arc<CommandKey>,
        safety: &Safety,
        latest: Latest,
    ) -> Result<Self, OpenError> {
        let draws = Draws { latest, sessions: sessions.clone() };
        let validator = Validator::new(safety.clone(), draws);
        let now_ms = clock.now_ms();
        let since_ms = now_ms.saturating_sub(validator::WINDOW_MS);
        validator.restore(&store.operations_since(since_ms).await?, now_ms);
        let tokens = Tokens::open(&store, &clock).await?;
        Ok(Self {
            store,
            sessions,
            hub,
            clock,
            key,
            waiting: Waiting::default(),
            validator,
            tokens,
            second_person: safety.second_person,
            policies: Policies::default(),
        })
    }

    /// Stores, signs and sends; waits up to [`VERDICT_PATIENCE`] for the verdict where the
    /// machine is connected. The operation comes back in whatever state it has then.
    ///
    /// # Errors
    /// Where the device is unknown, has too much waiting, or the store fails.
    pub async fn submit(&self, submission: Submission) -> Result<Operation, SubmitError> {
        let (operation, verdict) = self.create(submission).await?;
        if self.sessions.wake(operation.device) {
            Ok(self.verdict_within_patience(verdict, operation).await)
        } else {
            self.forget(operation.id);
            Ok(operation)
        }
    }

    /// As [`Operations::submit`], and waits for nobody: for the session's own task, which the
    /// verdict has to pass through.
    async fn store_and_wake(&self, submission: Submission) -> Result<Operation, SubmitError> {
        let (operation, _) = self.create(submission).await?;
        self.forget(operation.id);
        self.sessions.wake(operation.device);
        Ok(operation)
    }

    async fn create(
        &self,
        submission: Submission,
    ) -> Result<(Operation, oneshot::Receiver<Operation>), SubmitError> {
        let ttl_ms = check_ttl(submission.ttl_ms)?;
        let id = OperationId(self.clock.new_id());
        let now_ms = self.clock.now_ms();
        let own_end_ms = submission.not_after_ms.unwrap_or(u64::MAX);
        let not_after_ms = (now_ms + ttl_ms).min(own_end_ms);
        self.admit(&submission, not_after_ms, now_ms).await?;
        let sign = |counter| {
            self.key.sign(&Command {
                device: submission.device,
                operation: id,
                counter,
                not_after_ms,
                action: submission.action.clone(),
                issuer: submission.issuer.clone(),
                origin: submission.origin,
                until_ms: submission.stands_for_ms.map(|ms| now_ms.saturating_add(ms)),
            })
        };
        let operation =
            self.store.create_operation(id, &submission, now_ms, not_after_ms, sign).await?;
        self.hub.publish(Live::Operation(operation.clone()));
        Ok((operation, self.wait_for(id)))
    }

    /// Refuses what the aggregator itself can know to be wrong; the refusal is audited.
    async fn admit(
        &self,
        submission: &Submission,
        not_after_ms: u64,
        now_ms: u64,
    ) -> Result<(), SubmitError> {
        let device = submission.device;
        let machine = self.store.device(device).await?;
        let machine = machine.ok_or(SubmitError::UnknownDevice(device))?;
        let judged = if not_after_ms <= now_ms {
            Err(Objection::TooLate { not_after_ms })
        } else {
            self.validator.admit(&Case {
                machine: &machine,
                equipment: submission.equipment,
                action: &submission.action,
                manages: self.manages(device),
                break_glass: submission.break_glass.is_some(),
                now_ms,
            })
        };
        let (decision, rule) = match (&judged, &submission.break_glass) {
            (Err(objection), _) => (Decision::Refused, objection.rule()),
            (Ok(()), Some(_)) => (Decision::Allowed, "break_glass"),
            (Ok(()), None) => return Ok(()),
        };
        let entry = AuditEntry {
            at_ms: now_ms,
            actor: submission.issuer.clone(),
            action: "operation.validate".into(),
            target: format!("device:{}", submission.equipment.unwrap_or(device)),
            decision,
            details: json!({
                "action": submission.action,
                "rule": rule,
                "justification": submission.break_glass,
            }),
            request_id: submission.request_id.clone(),
            ..AuditEntry::default()
        };
        self.store.add_audit(&entry).await?;
        judged.map_err(SubmitError::Refused)
    }

    /// What the aggregator itself would say to it; nothing is counted or stored.
    ///
    /// # Errors
    /// Its objection.
    pub fn judge(
        &self,
        machine: &Device,
        equipment: Option<DeviceId>,
        action: &Action,
    ) -> Result<(), Objection> {
        let now_ms = self.clock.now_ms();
        let manages = self.manages(machine.id);
        let case = Case { machine, equipment, action, manages, break_glass: false, now_ms };
        self.validator.judge(&case)
    }

    /// How many pieces of equipment are reached through a machine; its own parts are none.
    fn manages(&self, machine: DeviceId) -> usize {
        let board = self.sessions.inventory(machine).board;
        let mut behind = board.equipment;
        behind.retain(|one| !matches!(one.kind, EquipmentKind::Gpu | EquipmentKind::Sensor));
        behind.len()
    }

    /// What the machine would say to `action`; nothing moves. Waits at most
    /// [`VERDICT_PATIENCE`]; `None` where it did not answer in that time.
    ///
    /// # Errors
    /// Where it is not connected, or too many such questions wait.
    pub async fn ask(
        &self,
        device: DeviceId,
        action: Action,
    ) -> Result<Option<Verdict>, SendError> {
        let answer = self.sessions.validate(device, action)?;
        match tokio::time::timeout(VERDICT_PATIENCE, answer).await {
            Ok(Ok(verdict)) => Ok(Some(verdict)),
            Ok(Err(_)) | Err(_) => Ok(None),
        }
    }

    /// # Errors
    /// Where the store fails.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.store.operation(id).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, query: &OperationQuery) -> Result<Page<Operation>, StoreError> {
        self.store.operations(query).await
    }

    /// What waits for the device and is still good: the outbox behind the counter `after`, in
    /// the order of its counters.
    pub(crate) async fn pending(
        &self,
        device: DeviceId,
        after: u64,
    ) -> Result<Vec<(u64, PendingCommand)>, StoreError> {
        self.store.pending_commands(device, after, self.clock.now_ms()).await
    }

    /// The command has gone out.
    pub(crate) async fn handle_sent(&self, id: OperationId) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        if let Some(operation) = self.store.settle(id, |op| op.handle_sent(now_ms), now_ms).await? {
            self.announce(operation);
        }
        Ok(())
    }

    /// The machine's engine has answered; the durable outcome follows through the spool.
    pub(crate) async fn handle_verdict(
        &self,
        device: DeviceId,
        id: OperationId,
        verdict: Verdict,
    ) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let change = |op: &mut Operation| op.device == device && op.handle_verdict(verdict, now_ms);
        let Some(operation) = self.store.settle(id, change, now_ms).await? else {
            return Ok(());
        };
        // First the armed operation, so that whoever waits for the other finds it confirmed.
        if let (Action::Confirm { operation: armed }, Some(Verdict::Accepted)) =
            (&operation.action, &operation.verdict)
        {
            let by = operation.requested_by.clone();
            let confirm = |op: &mut Operation| op.device == device && op.handle_confirmed(&by);
            if let Some(confirmed) = self.store.settle(*armed, confirm, now_ms).await? {
                self.announce(confirmed);
            }
        }
        self.announce(operation);
        Ok(())
    }

    /// An operation that another transaction has already settled and committed.
    pub(crate) fn announce(&self, operation: Operation) {
        if operation.verdict.is_some() || operation.state.is_final() {
            let waiter = self.lock().remove(&operation.id);
            if let Some(waiter) = waiter {
                // The request may have run out of patience; then nobody is left to tell.
                let _ = waiter.send(operation.clone());
            }
        }
        self.hub.publish(Live::Operation(operation));
    }

    /// Ends what nobody answered in time. Called once a second.
    pub(crate) async fn expire(&self) -> Result<(), StoreError> {
        for operation in self.store.expire_operations(self.clock.now_ms(), OUTCOME_GRACE_MS).await?
        {
            self.announce(operation);
        }
        Ok(())
    }

    async fn verdict_within_patience(
        &self,
        verdict: oneshot::Receiver<Operation>,
        operation: Operation,
    ) -> Operation {
        let id = operation.id;
        match tokio::time::timeout(VERDICT_PATIENCE, verdict).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(_)) | Err(_) => {
                self.forget(id);
                match self.store.operation(id).await {
                    Ok(Some(current)) => current,
                    Ok(None) | Err(_) => operation,
                }
            }
        }
    }

    fn wait_for(&self, id: OperationId) -> oneshot::Receiver<Operation> {
        let (sender, receiver) = oneshot::channel();
        self.lock().insert(id, sender);
        receiver
    }

    fn forget(&self, id: OperationId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OperationId, oneshot::Sender<Operation>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::app::App;
    use crate::config::Config;
    use crate::fleet::tests::device;
    use crate::store::fresh::Fresh;
    use flyball_units::Ratio;
    use uuid::Uuid;

    const NOW_MS: u64 = 1_795_298_300_000;

    #[tokio::test]
    async fn the_outbox_is_read_by_counter_from_where_the_session_stands() {
        let state = Fresh::new();
        let (folder, database) = (state.path().to_owned(), state.database());
        let config = Config { state: folder, database, ..Config::default() };
        let app = App::open(config, Clock::manual(NOW_MS)).await.unwrap();
        let device = device(Uuid::from_u128(1));
        app.store.add_device(&device).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let action = Action::SetFanFloor { actuator: None, floor: Ratio(0.2) };
            let issuer = "operator@example.org";
            let submission = Submission::new(device.id, action, issuer, Origin::Remote);
            ids.push(app.operations.submit(submission).await.unwrap().id);
        }
        let pending = app.operations.pending(device.id, 0).await.unwrap();
        let found: Vec<_> = pending.iter().map(|(counter, p)| (*counter, p.operation)).collect();
        assert_eq!(found, [(1, ids[0]), (2, ids[1]), (3, ids[2])]);
        // Sent is not answered: a session passes over it by its counter, not by its state.
        app.operations.handle_sent(ids[0]).await.unwrap();
        let rest = app.operations.pending(device.id, 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].1.operation, ids[2]);
    }
}

//! What operators asked of machines, from request to outcome. The stored row is the outbox: a
//! command is durable before it is sent, and rides in the next `Welcome` where the machine is
//! away. What the machine may do is never decided here; its verdict is taken down.

pub mod operation;

use crate::clock::Clock;
use crate::fleet::{DeviceId, Sessions};
use crate::live::{Hub, Live};
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError};
pub use flyball_protocol::command::{
    Action, Clamp, OperationId, Outcome, Refusal, RefusalKind, Verdict,
};
use flyball_protocol::command::{Command, CommandKey, SignatureError};
use flyball_protocol::message::PendingCommand;
pub use operation::{Operation, OperationState};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

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

/// One request for an operation, already authorised.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    pub device: DeviceId,
    pub action: Action,
    /// The account that asks, by its e-mail.
    pub issuer: String,
    pub request_id: Option<String>,
    /// `DEFAULT_TTL_MS` where absent.
    pub ttl_ms: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("device {0} is unknown or revoked")]
    UnknownDevice(DeviceId),
    #[error("device {0} has {MAX_OPEN_PER_DEVICE} operations waiting, let some of them end first")]
    TooManyOpen(DeviceId),
    #[error("a command stays good for 1 s to 24 h, not for {0} ms")]
    Ttl(u64),
    #[error("signing the command")]
    Sign(#[from] SignatureError),
    #[error("storing the operation")]
    Store(#[from] StoreError),
}

/// Which operations, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationQuery {
    pub device: Option<DeviceId>,
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
}

impl Operations {
    pub(crate) fn new(
        store: Store,
        sessions: Sessions,
        hub: Hub,
        clock: Clock,
        key: Arc<CommandKey>,
    ) -> Self {
        Self { store, sessions, hub, clock, key, waiting: Waiting::default() }
    }

    /// Stores, signs and sends; waits up to [`VERDICT_PATIENCE`] for the verdict where the
    /// machine is connected. The operation comes back in whatever state it has then.
    ///
    /// # Errors
    /// Where the device is unknown, has too much waiting, or the store fails.
    pub async fn submit(&self, submission: Submission) -> Result<Operation, SubmitError> {
        let ttl_ms = submission.ttl_ms.unwrap_or(DEFAULT_TTL_MS);
        if !(1000..=MAX_TTL_MS).contains(&ttl_ms) {
            return Err(SubmitError::Ttl(ttl_ms));
        }
        let id = OperationId(self.clock.new_id());
        let now_ms = self.clock.now_ms();
        let not_after_ms = now_ms + ttl_ms;
        let sign = |counter| {
            self.key.sign(&Command {
                device: submission.device,
                operation: id,
                counter,
                not_after_ms,
                action: submission.action.clone(),
                issuer: submission.issuer.clone(),
            })
        };
        let operation =
            self.store.create_operation(id, &submission, now_ms, not_after_ms, sign).await?;
        self.hub.publish(Live::Operation(operation.clone()));
        let verdict = self.wait_for(id);
        if self.sessions.wake(submission.device) {
            Ok(self.verdict_within_patience(verdict, operation).await)
        } else {
            self.forget(id);
            Ok(operation)
        }
    }

    /// # Errors
    /// Where the store fails.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.store.operation(id).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, query: OperationQuery) -> Result<Page<Operation>, StoreError> {
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
        if let Some(operation) = self.store.settle(id, change, now_ms).await? {
            self.announce(operation);
        }
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
    use flyball_units::Ratio;
    use uuid::Uuid;

    const NOW_MS: u64 = 1_795_298_300_000;

    #[tokio::test]
    async fn the_outbox_is_read_by_counter_from_where_the_session_stands() {
        let state = tempfile::tempdir().unwrap();
        let config = Config { state: state.path().to_owned(), ..Config::default() };
        let app = App::open(config, Clock::manual(NOW_MS)).await.unwrap();
        let device = device(Uuid::from_u128(1));
        app.store.add_device(&device).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let submission = Submission {
                device: device.id,
                action: Action::SetFanFloor { actuator: None, floor: Ratio(0.2) },
                issuer: "operator@example.org".into(),
                request_id: None,
                ttl_ms: None,
            };
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

//! The agents that are connected now. A session is reached through a bounded channel; the task
//! behind it belongs to `ingest`, and no word of QUIC is known here.

use crate::fleet::DeviceId;
use flyball_protocol::command::{Action, Verdict};
use flyball_protocol::guard::Inventory as Board;
use flyball_protocol::message::{
    JobEvent, JobFailure, JobFailureKind, JobRequest, PluginState, PluginStatus, Process,
};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Orders that wait for one session's task.
pub(crate) const SESSION_QUEUE: usize = 32;
/// Questions to machines that wait for their answers.
const MAX_VALIDATIONS: usize = 256;
/// Events of one job that wait for their reader.
const JOB_QUEUE: usize = 16;
/// How much longer than the agent's own deadline its job stream is waited for.
const JOB_GRACE: Duration = Duration::from_secs(2);

/// What a machine last said of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// The machine and its equipment as its guard sees them.
    pub board: Board,
    pub plugins: Vec<PluginStatus>,
    pub processes: Vec<Process>,
    /// When it last said any of it.
    pub at_ms: Option<u64>,
}

/// What the rest of the house asks of one session.
#[derive(Debug)]
pub(crate) enum Order {
    /// Commands wait in the store: send them, in the order of their counters. It carries none,
    /// because two that are stored one behind the other may come here the other way round.
    Command,
    /// Open a job stream; dropping the receiver cancels the job.
    Job { request: JobRequest, events: mpsc::Sender<JobEvent> },
    /// Ask the machine what it would say; nothing moves.
    Validate { request: u64, action: Action },
    /// Close: the device's certificate was taken back.
    Revoke,
    /// Close: the same device has connected anew.
    Replace,
    /// Close: the same device is in two places at once.
    Quarantine,
}

#[derive(Debug)]
struct Entry {
    /// Tells one connection of a device from the next.
    connection: u64,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug, Default)]
struct State {
    connected: HashMap<DeviceId, Entry>,
    inventories: HashMap<DeviceId, Inventory>,
    validations: HashMap<(DeviceId, u64), oneshot::Sender<Verdict>>,
    next_validation: u64,
    next_connection: u64,
}

/// The registry. Held under a lock because every domain reads it and no read waits for anything.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<RwLock<State>>);

/// Which machine shall do a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Device(DeviceId),
    /// Any connected machine whose plugin of that name is ready.
    Any,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SendError {
    #[error("device {0} is not connected")]
    Offline(DeviceId),
    #[error("device {0} has too many orders waiting, try again")]
    Busy(DeviceId),
    #[error("no connected machine has the plugin {0} ready")]
    NoPlugin(String),
}

/// The events of one job, in order. Dropping it cancels the job on the machine.
#[derive(Debug)]
pub struct JobStream {
    pub device: DeviceId,
    events: mpsc::Receiver<JobEvent>,
    deadline: tokio::time::Instant,
    ended: bool,
}

impl JobStream {
    /// The next event; `None` after `Done` or `Failed`. A session that ends or a machine that
    /// is silent past the deadline is a `Failed` too, so that every job has an end.
    pub async fn next(&mut self) -> Option<JobEvent> {
        if self.ended {
            return None;
        }
        let event = match tokio::time::timeout_at(self.deadline, self.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => failed(JobFailureKind::Unavailable, "the machine's connection ended"),
            Err(_) => failed(JobFailureKind::Limit, "the machine did not finish in time"),
        };
        self.ended = matches!(event, JobEvent::Done | JobEvent::Failed(_));
        Some(event)
    }
}

fn failed(kind: JobFailureKind, message: &str) -> JobEvent {
    JobEvent::Failed(JobFailure { kind, message: message.into(), diagnostics: Vec::new() })
}

impl Sessions {
    #[must_use]
    pub fn is_online(&self, device: DeviceId) -> bool {
        self.read(|state| state.connected.contains_key(&device))
    }

    #[must_use]
    pub fn online(&self) -> Vec<DeviceId> {
        self.read(|state| state.connected.keys().copied().collect())
    }

    /// The same with the numbers of their connections: one that came back has another.
    #[must_use]
    pub fn connections(&self) -> Vec<(DeviceId, u64)> {
        self.read(|state| {
            state.connected.iter().map(|(device, entry)| (*device, entry.connection)).collect()
        })
    }

    #[must_use]
    pub fn inventory(&self, device: DeviceId) -> Inventory {
        self.read(|state| state.inventories.get(&device).cloned().unwrap_or_default())
    }

    /// The plugins of every connected machine.
    #[must_use]
    pub fn plugins(&self) -> Vec<(DeviceId, PluginStatus)> {
        self.read(|state| {
            let connected = state.connected.keys();
            connected
                .filter_map(|id| state.inventories.get(id).map(|inventory| (*id, inventory)))
                .flat_map(|(id, inventory)| inventory.plugins.iter().map(move |p| (id, p.clone())))
                .collect()
        })
    }

    /// Tells the device's session that commands wait in the store; false where it has none now.
    pub(crate) fn wake(&self, device: DeviceId) -> bool {
        match self.order(device, Order::Command) {
            // A session looks for commands when it has worked off a full queue.
            Ok(()) | Err(SendError::Busy(_)) => true,
            Err(SendError::Offline(_) | SendError::NoPlugin(_)) => false,
        }
    }

    /// Starts a job on a machine that has its plugin.
    ///
    /// # Errors
    /// Where no such machine is connected or its queue is full.
    #[expect(clippy::disallowed_methods, reason = "a deadline on the runtime's own timer")]
    pub fn run_job(&self, target: Target, request: JobRequest) -> Result<JobStream, SendError> {
        let device = match target {
            Target::Device(device) => device,
            Target::Any => self
                .with_plugin(&request.plugin)
                .ok_or_else(|| SendError::NoPlugin(request.plugin.clone()))?,
        };
        let patience = Duration::from_millis(u64::from(request.deadline_ms)) + JOB_GRACE;
        let deadline = tokio::time::Instant::now() + patience;
        let (sender, events) = mpsc::channel(JOB_QUEUE);
        self.order(device, Order::Job { request, events: sender })?;
        Ok(JobStream { device, events, deadline, ended: false })
    }

    /// Asks a connected machine what its engine would say to `action`. The answer may never come.
    ///
    /// # Errors
    /// Where the machine is not connected, or too many questions wait for answers.
    pub fn validate(
        &self,
        device: DeviceId,
        action: Action,
    ) -> Result<oneshot::Receiver<Verdict>, SendError> {
        let (sender, answer) = oneshot::channel();
        let request = self.write(|state| {
            // Who asked and left has dropped the other end.
            state.validations.retain(|_, sender| !sender.is_closed());
            if state.validations.len() >= MAX_VALIDATIONS {
                return Err(SendError::Busy(device));
            }
            state.next_validation += 1;
            state.validations.insert((device, state.next_validation), sender);
            Ok(state.next_validation)
        })?;
        self.order(device, Order::Validate { request, action })?;
        Ok(answer)
    }

    pub(crate) fn settle_validation(&self, device: DeviceId, request: u64, verdict: Verdict) {
        let sender = self.write(|state| state.validations.remove(&(device, request)));
        if let Some(sender) = sender {
            // Nobody waits any more.
            let _ = sender.send(verdict);
        }
    }

    fn with_plugin(&self, plugin: &str) -> Option<DeviceId> {
        self.plugins()
            .into_iter()
            .find(|(_, status)| status.id == plugin && status.state == PluginState::Ready)
            .map(|(device, _)| device)
    }

    fn order(&self, device: DeviceId, order: Order) -> Result<(), SendError> {
        self.read(|state| match state.connected.get(&device) {
            None => Err(SendError::Offline(device)),
            Some(entry) => entry.orders.try_send(order).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SendError::Busy(device),
                mpsc::error::TrySendError::Closed(_) => SendError::Offline(device),
            }),
        })
    }

    /// Ends the device's connection, if it has one.
    pub(crate) fn revoke(&self, device: DeviceId) {
        self.expel(device, Order::Revoke);
    }

    /// The same for a device that is in two places at once.
    pub(crate) fn quarantine(&self, device: DeviceId) {
        self.expel(device, Order::Quarantine);
    }

    fn expel(&self, device: DeviceId, order: Order) {
        self.write(|state| {
            if let Some(entry) = state.connected.remove(&device) {
                // A session with a full queue ends when its sender is gone, which is dropped here.
                let _ = entry.orders.try_send(order);
            }
        });
    }

    /// Registers a connection; an older one of the same device is told to close. The number
    /// tells the two apart when the older one leaves.
    pub(crate) fn join(&self, device: DeviceId, orders: mpsc::Sender<Order>) -> u64 {
        self.write(|state| {
            state.next_connection += 1;
            let connection = state.next_connection;
            if let Some(old) = state.connected.insert(device, Entry { connection, orders }) {
                // A full queue closes with its sender, which is dropped here.
                let _ = old.orders.try_send(Order::Replace);
            }
            connection
        })
    }

    /// Takes the connection out; false where a newer one has taken its place.
    pub(crate) fn leave(&self, device: DeviceId, connection: u64) -> bool {
        self.write(|state| {
            let replaced = state.connected.get(&device).is_some_and(|e| e.connection != connection);
            if !replaced {
                state.connected.remove(&device);
            }
            !replaced
        })
    }

    pub(crate) fn update(&self, device: DeviceId, change: impl FnOnce(&mut Inventory)) {
        self.write(|state| change(state.inventories.entry(device).or_default()));
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));

    #[tokio::test]
    async fn a_revoked_session_ends_though_its_queue_is_full() {
        let sessions = Sessions::default();
        let (sender, mut orders) = mpsc::channel(1);
        let connection = sessions.join(DEVICE, sender);
        assert!(sessions.wake(DEVICE));
        sessions.revoke(DEVICE);
        assert!(!sessions.is_online(DEVICE));
        assert!(matches!(orders.recv().await, Some(Order::Command)));
        assert!(orders.recv().await.is_none());
        assert!(sessions.leave(DEVICE, connection));
    }

    #[test]
    fn a_session_that_was_replaced_does_not_take_the_new_one_out() {
        let sessions = Sessions::default();
        let (old, _old) = mpsc::channel(1);
        let (new, _new) = mpsc::channel(1);
        let old = sessions.join(DEVICE, old);
        let new = sessions.join(DEVICE, new);
        assert!(!sessions.leave(DEVICE, old));
        assert!(sessions.is_online(DEVICE));
        assert!(sessions.leave(DEVICE, new));
    }
}

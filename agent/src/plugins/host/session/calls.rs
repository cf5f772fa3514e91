//! The calls of jobs: those with the runner, and those that wait for their plugin's code.

use super::super::super::runner::{RunnerError, Writer};
use super::super::fail;
use crate::clock::Clock;
use flyball_plugin_messages::{CallId, Event, FailureKind, PluginId, ToRunner};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Their number is bounded by that of the jobs.
#[derive(Debug, Default)]
pub(super) struct Calls {
    running: BTreeMap<CallId, Running>,
    held: Vec<ToRunner>,
}

#[derive(Debug)]
struct Running {
    plugin: PluginId,
    events: mpsc::Sender<Event>,
    began: Instant,
}

impl Calls {
    pub(super) fn begin(&mut self, call: CallId, plugin: PluginId, events: mpsc::Sender<Event>) {
        self.running.insert(call, Running { plugin, events, began: Clock.now() });
    }

    /// Whose call it is, and how long it has run.
    pub(super) fn cost(&self, call: CallId) -> Option<(&PluginId, Duration)> {
        let running = self.running.get(&call)?;
        Some((&running.plugin, Clock.now().duration_since(running.began)))
    }

    /// Keeps a call until the runner has its plugin.
    pub(super) fn hold(&mut self, message: ToRunner) {
        self.held.push(message);
    }

    /// The calls that waited for `plugin`, in their order.
    pub(super) fn held(&mut self, plugin: &PluginId) -> Vec<ToRunner> {
        let (waited, others) =
            self.held.drain(..).partition(|message| target(message) == Some(plugin));
        self.held = others;
        waited
    }

    pub(super) fn refuse_held(&mut self, plugin: &PluginId, why: &str) {
        for message in self.held(plugin) {
            if let ToRunner::Call { call, .. } = message {
                self.end(call, FailureKind::Unavailable, why.to_owned());
            }
        }
    }

    /// Does anybody wait for `plugin` now?
    pub(super) fn need(&self, plugin: &PluginId) -> bool {
        self.running.values().any(|running| running.plugin == *plugin)
    }

    /// Whose call it is, while it runs.
    pub(super) fn plugin(&self, call: CallId) -> Option<PluginId> {
        self.running.get(&call).map(|running| running.plugin.clone())
    }

    pub(super) async fn send(
        &mut self,
        writer: &mut Writer,
        message: &ToRunner,
    ) -> Result<(), RunnerError> {
        match (writer.send(message).await, message) {
            // Too large for a frame: nothing of it was sent.
            (Err(RunnerError::Frame(error)), ToRunner::Call { call, .. }) => {
                self.end(*call, FailureKind::Limit, error.to_string());
                Ok(())
            }
            (sent, _) => sent,
        }
    }

    /// Forgets a call. Is the runner to be told?
    pub(super) fn cancel(&mut self, cancelled: CallId) -> bool {
        let known = self.running.remove(&cancelled).is_some();
        let held = self.held.len();
        self.held.retain(|held| !matches!(held, ToRunner::Call { call, .. } if *call == cancelled));
        known && self.held.len() == held
    }

    pub(super) fn handle_event(&mut self, call: CallId, event: Event) {
        let Some(Running { events, .. }) = self.running.get(&call) else {
            return;
        };
        let (last, lossy) = (event.is_last(), matches!(event, Event::Progress { .. }));
        match events.try_send(event) {
            Ok(()) if last => drop(self.running.remove(&call)),
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) if lossy => {}
            // Dropping the sender tells the job; its own drop cancels the call.
            Err(_) => drop(self.running.remove(&call)),
        }
    }

    /// How far a call is, told in its middle. Does anybody wait for it still?
    pub(super) fn report(
        &mut self,
        call: CallId,
        done: u64,
        total: Option<u64>,
        note: String,
    ) -> bool {
        let waits = self.running.get(&call).is_some_and(|running| !running.events.is_closed());
        if waits {
            self.handle_event(call, Event::Progress { done, total, note });
        }
        waits
    }

    fn end(&mut self, call: CallId, kind: FailureKind, message: String) {
        if let Some(Running { events, .. }) = self.running.remove(&call) {
            fail(&events, kind, message);
        }
    }
}

fn target(message: &ToRunner) -> Option<&PluginId> {
    match message {
        ToRunner::Call { plugin, .. } => Some(plugin),
        _ => None,
    }
}

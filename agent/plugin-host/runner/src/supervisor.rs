//! Which plugin runs what, when it has had too long, and what becomes of one that breaks.
//!
//! A value that takes messages, ends and time, and gives back actions: no socket, process or
//! clock is known here. A plugin has one process, which runs one call at a time.
//!
//! ```text
//! Starting ──ready──► Idle ◄──last event── Running
//!    ▲                  └──────call──────────►│
//!    │ time                                   │ died, overstayed
//! BackingOff ◄────────────────────────────────┤
//! Quarantined ◄──────── fifth in a row ───────┘
//! ```

mod worker;

use crate::clock::Ms;
use flyball_plugin_messages::{
    Answer, CallId, Context, Event, Failure, FailureKind, FromPlugin, FromRunner, PluginId,
    Request, ToPlugin, World,
};
use std::collections::{BTreeMap, VecDeque};
use worker::Worker;

/// What the event loop has to do, in order.
#[derive(Debug, PartialEq)]
pub(crate) enum Action {
    Send(FromRunner),
    /// Start the plugin's process; its death is told by `handle_end`.
    Start(PluginId),
    Tell(PluginId, ToPlugin),
    /// End the plugin's process now. Nothing is told of its end.
    Kill(PluginId),
}

#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    workers: BTreeMap<PluginId, Worker>,
    actions: VecDeque<Action>,
}

/// One call that has come in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) until: Ms,
    pub(crate) context: Context,
    pub(crate) request: Request,
}

impl Supervisor {
    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to come back with `handle_timeout`.
    pub(crate) fn poll_timeout(&self) -> Option<Ms> {
        self.workers.values().filter_map(Worker::timeout).min()
    }

    pub(crate) fn handle_load(&mut self, plugin: PluginId, world: World, now: Ms) {
        if let Some(mut replaced) = self.workers.remove(&plugin) {
            replaced.retire(&plugin, "replaced", &mut self.actions);
        }
        let worker = Worker::start(&plugin, world, now, &mut self.actions);
        self.workers.insert(plugin, worker);
    }

    /// Its code could not be taken in.
    pub(crate) fn handle_refusal(&mut self, plugin: PluginId, reason: &str) {
        let reason = reason.to_owned();
        self.actions.push_back(Action::Send(FromRunner::NotLoaded { plugin, reason }));
    }

    /// Nobody needs it for now. What it broke earlier is forgotten with it.
    pub(crate) fn handle_unload(&mut self, plugin: &PluginId) {
        if let Some(mut unloaded) = self.workers.remove(plugin) {
            unloaded.retire(plugin, "unloaded", &mut self.actions);
        }
    }

    pub(crate) fn handle_call(
        &mut self,
        plugin: &PluginId,
        id: CallId,
        deadline_ms: u32,
        (context, request): (Context, Request),
        now: Ms,
    ) {
        let call = Call { id, until: now.after(deadline_ms.into()), context, request };
        match self.workers.get_mut(plugin) {
            Some(worker) => worker.take(plugin, call, now, &mut self.actions),
            None => refuse(id, format!("no plugin `{plugin}` is loaded"), &mut self.actions),
        }
    }

    pub(crate) fn handle_cancel(&mut self, call: CallId, now: Ms) {
        for (plugin, worker) in &mut self.workers {
            worker.cancel(plugin, call, now, &mut self.actions);
        }
    }

    /// The agent's answer to what a call asked; nobody waits for it where the call has ended.
    pub(crate) fn handle_answer(&mut self, call: CallId, answer: Answer) {
        for (plugin, worker) in &mut self.workers {
            if worker.waits_for(call) {
                return worker.answer(plugin, answer, &mut self.actions);
            }
        }
    }

    pub(crate) fn handle_message(&mut self, plugin: &PluginId, message: FromPlugin, now: Ms) {
        if let Some(worker) = self.workers.get_mut(plugin) {
            worker.hear(plugin, message, now, &mut self.actions);
        }
    }

    /// The plugin's process is gone.
    pub(crate) fn handle_end(&mut self, plugin: &PluginId, how: &str, now: Ms) {
        if let Some(worker) = self.workers.get_mut(plugin) {
            worker.mourn(plugin, how, now, &mut self.actions);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Ms) {
        for (plugin, worker) in &mut self.workers {
            worker.pass_time(plugin, now, &mut self.actions);
        }
    }
}

fn refuse(call: CallId, why: String, actions: &mut VecDeque<Action>) {
    fail(call, FailureKind::Unavailable, why, actions);
}

fn fail(call: CallId, kind: FailureKind, why: String, actions: &mut VecDeque<Action>) {
    let event = Event::Failed(Failure::new(kind, why));
    actions.push_back(Action::Send(FromRunner::Event { call, event }));
}

#[cfg(test)]
mod tests;

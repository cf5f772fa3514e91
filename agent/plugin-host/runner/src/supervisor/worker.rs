//! One plugin's life: its process, its queue, its faults.

use super::{Action, Call, fail, refuse};
use crate::clock::Ms;
use flyball_plugin_messages::{
    Answer, CallId, Event, FailureKind, FromPlugin, FromRunner, PluginId, ToPlugin, World,
};
use std::collections::VecDeque;

/// Calls that wait for a plugin; more are refused.
pub(super) const QUEUE: usize = 16;
/// A process that has not said how a call ended this long after its deadline is killed. A call
/// ends at its deadline by itself; a machine that is busy is no fault of the plugin's.
pub(super) const GRACE_MS: u64 = 1_000;
/// Loading code and shutting itself in.
pub(super) const START_MS: u64 = 10_000;
/// Faults in a row after which nothing is sent there for a while.
pub(super) const QUARANTINE_FAULTS: u32 = 5;
pub(super) const QUARANTINE_MS: u64 = 30_000;
const QUARANTINE_MOST_MS: u64 = 600_000;
const BACK_OFF_MS: u64 = 20;

#[derive(Debug)]
pub(super) struct Worker {
    world: World,
    state: State,
    queue: VecDeque<Call>,
    /// Traps, deaths and overstays since a call last ended as it should.
    faults: u32,
    /// Quarantines since then, each twice as long as the one before.
    quarantines: u32,
    /// Has the agent been told that it runs?
    announced: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Starting {
        until: Ms,
    },
    Idle,
    Running {
        call: CallId,
        kill_at: Ms,
        /// Does it wait for the agent's answer?
        asking: bool,
    },
    BackingOff {
        until: Ms,
    },
    Quarantined {
        until: Ms,
        reason: String,
    },
    /// The code does not run here; a new `Load` is what helps.
    NotLoaded {
        reason: String,
    },
}

impl Worker {
    pub(super) fn start(
        plugin: &PluginId,
        world: World,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) -> Self {
        let mut worker = Self {
            world,
            state: State::Idle,
            queue: VecDeque::new(),
            faults: 0,
            quarantines: 0,
            announced: false,
        };
        worker.transition_to_starting(plugin, now, actions);
        worker
    }

    /// Ends with its process; `how` tells those who still wait for it.
    pub(super) fn retire(&mut self, plugin: &PluginId, how: &str, actions: &mut VecDeque<Action>) {
        if self.has_process() {
            actions.push_back(Action::Kill(plugin.clone()));
        }
        let running = match self.state {
            State::Running { call, .. } => Some(call),
            _ => None,
        };
        for call in running.into_iter().chain(self.queue.drain(..).map(|call| call.id)) {
            refuse(call, format!("plugin `{plugin}` was {how}"), actions);
        }
    }

    pub(super) fn timeout(&self) -> Option<Ms> {
        let own = match &self.state {
            State::Starting { until }
            | State::BackingOff { until }
            | State::Quarantined { until, .. } => Some(*until),
            State::Running { kill_at, .. } => Some(*kill_at),
            State::Idle | State::NotLoaded { .. } => None,
        };
        own.into_iter().chain(self.queue.iter().map(|call| call.until)).min()
    }

    pub(super) fn take(
        &mut self,
        plugin: &PluginId,
        call: Call,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        match &self.state {
            State::Quarantined { until, reason } => {
                let seconds = now.until(*until).div_ceil(1000);
                refuse(
                    call.id,
                    format!("plugin `{plugin}` is quarantined for {seconds} s more: {reason}"),
                    actions,
                );
            }
            State::NotLoaded { reason } => {
                refuse(call.id, format!("plugin `{plugin}` is not loaded: {reason}"), actions);
            }
            _ if self.queue.len() >= QUEUE => {
                refuse(call.id, format!("{QUEUE} calls wait for plugin `{plugin}`"), actions);
            }
            _ => {
                self.queue.push_back(call);
                self.run_next(plugin, now, actions);
            }
        }
    }

    pub(super) fn cancel(
        &mut self,
        plugin: &PluginId,
        id: CallId,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        self.queue.retain(|call| call.id != id);
        if matches!(self.state, State::Running { call, .. } if call == id) {
            // Killing costs a millisecond and always works; the plugin is not to blame.
            actions.push_back(Action::Kill(plugin.clone()));
            self.transition_to_starting(plugin, now, actions);
        }
    }

    pub(super) fn waits_for(&self, id: CallId) -> bool {
        matches!(self.state, State::Running { call, asking: true, .. } if call == id)
    }

    pub(super) fn answer(
        &mut self,
        plugin: &PluginId,
        answer: Answer,
        actions: &mut VecDeque<Action>,
    ) {
        if let State::Running { asking, .. } = &mut self.state {
            *asking = false;
            actions.push_back(Action::Tell(plugin.clone(), ToPlugin::Answer(answer)));
        }
    }

    pub(super) fn hear(
        &mut self,
        plugin: &PluginId,
        message: FromPlugin,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        match (message, &self.state) {
            (FromPlugin::Ready, State::Starting { .. }) => {
                self.transition_to_idle(plugin, now, actions);
            }
            (FromPlugin::NotLoaded { reason }, State::Starting { .. }) => {
                self.transition_to_not_loaded(plugin, reason, actions);
            }
            (FromPlugin::Ask(ask), State::Running { call, kill_at, asking: false }) => {
                let (call, kill_at) = (*call, *kill_at);
                actions.push_back(Action::Send(FromRunner::Ask { call, ask }));
                self.state = State::Running { call, kill_at, asking: true };
            }
            (FromPlugin::Cost { memory_bytes }, State::Running { call, asking: false, .. }) => {
                actions.push_back(Action::Send(FromRunner::Cost { call: *call, memory_bytes }));
            }
            (FromPlugin::Event(event), State::Running { call, asking: false, .. }) => {
                let call = *call;
                let (last, fault) = (event.is_last(), judged(&event));
                actions.push_back(Action::Send(FromRunner::Event { call, event }));
                if last {
                    self.settle(plugin, fault, now, actions);
                }
            }
            // Out of turn: whatever runs there is not what was started.
            (_, State::Starting { .. } | State::Idle | State::Running { .. }) => {
                actions.push_back(Action::Kill(plugin.clone()));
                self.mourn(plugin, "it spoke out of turn", now, actions);
            }
            (_, State::BackingOff { .. } | State::Quarantined { .. } | State::NotLoaded { .. }) => {
            }
        }
    }

    /// Its process is gone.
    pub(super) fn mourn(
        &mut self,
        plugin: &PluginId,
        how: &str,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        if !self.has_process() {
            return;
        }
        let reason = format!("its process died: {how}");
        if let State::Running { call, .. } = self.state {
            fail(call, FailureKind::Trapped, format!("plugin `{plugin}`: {reason}"), actions);
        }
        self.faults += 1;
        self.transition_after_fault(plugin, reason, now, actions);
    }

    pub(super) fn pass_time(&mut self, plugin: &PluginId, now: Ms, actions: &mut VecDeque<Action>) {
        while let Some(place) = self.queue.iter().position(|call| call.until <= now) {
            if let Some(call) = self.queue.remove(place) {
                let why = format!("time: its deadline passed while it waited for `{plugin}`");
                fail(call.id, FailureKind::Limit, why, actions);
            }
        }
        match self.state {
            State::Starting { until } if until <= now => {
                actions.push_back(Action::Kill(plugin.clone()));
                self.faults += 1;
                let reason = format!("it did not start within {START_MS} ms");
                self.transition_after_fault(plugin, reason, now, actions);
            }
            State::Running { call, kill_at, .. } if kill_at <= now => {
                actions.push_back(Action::Kill(plugin.clone()));
                let why = "time: it overstayed its deadline and was killed";
                fail(call, FailureKind::Limit, why.into(), actions);
                self.faults += 1;
                self.transition_after_fault(plugin, why.into(), now, actions);
            }
            State::BackingOff { until } | State::Quarantined { until, .. } if until <= now => {
                self.transition_to_starting(plugin, now, actions);
            }
            _ => {}
        }
    }

    const fn has_process(&self) -> bool {
        matches!(self.state, State::Starting { .. } | State::Idle | State::Running { .. })
    }

    fn run_next(&mut self, plugin: &PluginId, now: Ms, actions: &mut VecDeque<Action>) {
        if self.state != State::Idle {
            return;
        }
        let Some(call) = self.queue.pop_front() else {
            return;
        };
        let left = now.until(call.until);
        let deadline_ms = u32::try_from(left).unwrap_or(u32::MAX);
        let message = ToPlugin::Call { deadline_ms, context: call.context, request: call.request };
        actions.push_back(Action::Tell(plugin.clone(), message));
        let kill_at = call.until.after(GRACE_MS);
        self.state = State::Running { call: call.id, kill_at, asking: false };
    }

    /// A call has ended and its process lives.
    fn settle(
        &mut self,
        plugin: &PluginId,
        fault: Ending,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        match fault {
            Ending::Sound => {
                self.faults = 0;
                self.quarantines = 0;
            }
            Ending::Limit => {}
            Ending::Trap(reason) => {
                self.faults += 1;
                if self.faults >= QUARANTINE_FAULTS {
                    actions.push_back(Action::Kill(plugin.clone()));
                    return self.transition_after_fault(plugin, reason, now, actions);
                }
            }
        }
        self.transition_to_idle(plugin, now, actions);
    }

    fn transition_to_starting(
        &mut self,
        plugin: &PluginId,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        actions.push_back(Action::Start(plugin.clone()));
        actions.push_back(Action::Tell(plugin.clone(), ToPlugin::World(self.world)));
        self.state = State::Starting { until: now.after(START_MS) };
    }

    fn transition_to_idle(&mut self, plugin: &PluginId, now: Ms, actions: &mut VecDeque<Action>) {
        self.state = State::Idle;
        if !self.announced {
            self.announced = true;
            actions.push_back(Action::Send(FromRunner::Loaded { plugin: plugin.clone() }));
        }
        self.run_next(plugin, now, actions);
    }

    fn transition_to_not_loaded(
        &mut self,
        plugin: &PluginId,
        reason: String,
        actions: &mut VecDeque<Action>,
    ) {
        actions.push_back(Action::Kill(plugin.clone()));
        for call in self.queue.drain(..) {
            refuse(call.id, format!("plugin `{plugin}` is not loaded: {reason}"), actions);
        }
        let message = FromRunner::NotLoaded { plugin: plugin.clone(), reason: reason.clone() };
        actions.push_back(Action::Send(message));
        self.announced = false;
        self.state = State::NotLoaded { reason };
    }

    /// Its process is gone and it is to blame: back in a moment, or not for a while.
    fn transition_after_fault(
        &mut self,
        plugin: &PluginId,
        reason: String,
        now: Ms,
        actions: &mut VecDeque<Action>,
    ) {
        if self.faults < QUARANTINE_FAULTS {
            let back_off = BACK_OFF_MS << self.faults.min(8);
            self.state = State::BackingOff { until: now.after(back_off) };
            return;
        }
        for call in self.queue.drain(..) {
            refuse(call.id, format!("plugin `{plugin}` is quarantined: {reason}"), actions);
        }
        let length = (QUARANTINE_MS << self.quarantines.min(8)).min(QUARANTINE_MOST_MS);
        self.quarantines = self.quarantines.saturating_add(1);
        // One more fault after it suffices.
        self.faults = QUARANTINE_FAULTS - 1;
        self.announced = false;
        let message = FromRunner::Quarantined { plugin: plugin.clone(), reason: reason.clone() };
        actions.push_back(Action::Send(message));
        self.state = State::Quarantined { until: now.after(length), reason };
    }
}

/// What the end of a call says of its plugin.
enum Ending {
    Sound,
    /// Its input may have been too large; that is no fault of its own.
    Limit,
    Trap(String),
}

fn judged(event: &Event) -> Ending {
    match event {
        Event::Failed(failure) if failure.kind == FailureKind::Trapped => {
            Ending::Trap(failure.message.clone())
        }
        Event::Failed(failure) if failure.kind == FailureKind::Limit => Ending::Limit,
        _ => Ending::Sound,
    }
}

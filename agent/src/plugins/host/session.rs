//! One connection to the runner: the folder is looked at, what is new is compiled, code goes to
//! the runner with the first call that needs it, and leaves it when nobody has for a while.

mod calls;
mod code;
mod components;

use super::super::cache::Cache;
use super::super::folder::Listed;
use super::super::runner::{Reader, RunnerError, Writer};
use super::installed::{Installed, Presence};
use super::loading::{Loading, Part};
use super::making::Made;
use super::{Ask, Host};
use calls::Calls;
use flyball_plugin_messages::{FailureKind, FromRunner, PluginId, ToRunner};
use flyball_protocol::message::PluginState;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(10);

pub(super) struct Session<'a> {
    host: &'a Host,
    writer: Writer,
    cache: Arc<Cache>,
    engine: String,
    installed: Vec<Installed>,
    to_make: VecDeque<Listed>,
    /// At most one at a time: a machine that has other work is not compiled upon.
    making: JoinSet<Made>,
    to_load: VecDeque<PluginId>,
    loading: Option<Loading>,
    calls: Calls,
}

enum Input {
    Ask(Option<Ask>),
    Runner(Result<FromRunner, RunnerError>),
    Made(Made),
    Part(Part),
    Look,
}

impl<'a> Session<'a> {
    pub(super) fn open(host: &'a Host, writer: Writer, engine: String) -> io::Result<Self> {
        let cache = Arc::new(Cache::open(&host.config.state)?);
        Ok(Self {
            host,
            writer,
            cache,
            engine,
            installed: Vec::new(),
            to_make: VecDeque::new(),
            making: JoinSet::new(),
            to_load: VecDeque::new(),
            loading: None,
            calls: Calls::default(),
        })
    }

    /// `Ok` where nobody needs plugins any more.
    pub(super) async fn serve(
        mut self,
        mut reader: Reader,
        asks: &mut mpsc::Receiver<Ask>,
    ) -> Result<(), RunnerError> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let input = tokio::select! {
                ask = asks.recv() => Input::Ask(ask),
                message = reader.next() => Input::Runner(message),
                Some(made) = self.making.join_next() => match made {
                    Ok(made) => Input::Made(made),
                    Err(error) => {
                        tracing::error!(%error, "the making of a plugin broke");
                        continue;
                    }
                },
                part = next_part(&mut self.loading) => Input::Part(part),
                _ = look.tick() => Input::Look,
            };
            match input {
                Input::Ask(None) => return Ok(()),
                Input::Ask(Some(ask)) => self.handle_ask(ask).await?,
                Input::Runner(message) => self.handle_runner(message?).await?,
                Input::Made(made) => self.handle_made(made),
                Input::Part(part) => self.handle_part(part).await?,
                Input::Look => self.look().await?,
            }
            self.make_next();
            self.load_next().await?;
        }
    }

    async fn handle_ask(&mut self, ask: Ask) -> Result<(), RunnerError> {
        match ask {
            Ask::Call { call, plugin, deadline_ms, request, events } => {
                let presence = match self.presence(&plugin) {
                    Ok(presence) => presence,
                    Err(why) => {
                        super::fail(&events, FailureKind::Unavailable, why);
                        return Ok(());
                    }
                };
                let message = ToRunner::Call { call, plugin: plugin.clone(), deadline_ms, request };
                self.calls.begin(call, plugin.clone(), events);
                match presence {
                    Presence::Loaded { .. } => self.calls.send(&mut self.writer, &message).await,
                    Presence::Loading => {
                        self.calls.hold(message);
                        Ok(())
                    }
                    Presence::Away => {
                        self.calls.hold(message);
                        self.fetch(plugin);
                        Ok(())
                    }
                }
            }
            Ask::Cancel(call) if self.calls.cancel(call) => {
                self.writer.send(&ToRunner::Cancel { call }).await
            }
            Ask::Cancel(_) => Ok(()),
        }
    }

    /// Whether a call may go to `plugin`, and where its code is.
    fn presence(&self, plugin: &PluginId) -> Result<Presence, String> {
        let Some(installed) = self.installed.iter().find(|i| i.id() == *plugin) else {
            return Err(format!("this agent has no plugin `{plugin}`"));
        };
        match &installed.state {
            // The runner knows when a quarantine ends.
            PluginState::Ready | PluginState::Quarantined(_) => Ok(installed.presence),
            PluginState::Compiling => Err(format!("plugin `{plugin}` is not ready yet")),
            PluginState::Rejected(reason) => {
                Err(format!("plugin `{plugin}` was rejected: {reason}"))
            }
        }
    }

    async fn handle_runner(&mut self, message: FromRunner) -> Result<(), RunnerError> {
        match message {
            FromRunner::Hello { .. } => {}
            FromRunner::Loaded { plugin } => {
                if let Some(installed) = self.find(&plugin) {
                    installed.state = PluginState::Ready;
                    installed.presence = Presence::Loaded { idle_looks: 0 };
                    installed.remade = false;
                }
                self.publish();
                for message in self.calls.held(&plugin) {
                    self.calls.send(&mut self.writer, &message).await?;
                }
            }
            FromRunner::Quarantined { plugin, reason } => {
                tracing::warn!(%plugin, reason, "a plugin is quarantined");
                let why = format!("plugin `{plugin}` is quarantined: {reason}");
                self.calls.refuse_held(&plugin, &why);
                if let Some(installed) = self.find(&plugin) {
                    installed.state = PluginState::Quarantined(reason);
                    installed.presence = Presence::Loaded { idle_looks: 0 };
                }
                self.publish();
            }
            FromRunner::NotLoaded { plugin, reason } => {
                tracing::warn!(%plugin, reason, "the runner refused compiled code");
                self.make_again(&plugin, reason);
            }
            FromRunner::Event { call, event } => self.calls.handle_event(call, event),
        }
        Ok(())
    }

    fn find(&mut self, plugin: &PluginId) -> Option<&mut Installed> {
        self.installed.iter_mut().find(|installed| installed.id() == *plugin)
    }

    fn publish(&self) {
        self.host.publish(self.installed.iter().map(Installed::status).collect());
    }
}

/// Waits for ever where nothing is being loaded.
async fn next_part(loading: &mut Option<Loading>) -> Part {
    match loading {
        Some(loading) => loading.next().await,
        None => std::future::pending().await,
    }
}

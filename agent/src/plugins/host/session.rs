//! One connection to the runner: the folder is looked at, what is new is compiled, code goes to
//! the runner with the first call that needs it, and leaves it when nobody has for a while.

mod calls;
mod code;
mod components;

use super::super::cache::Cache;
use super::super::collecting::Due;
use super::super::folder::Listed;
use super::super::runner::{Reader, RunnerError, Writer};
use super::super::services::Services;
use super::installed::{Installed, Origin, Presence};
use super::loading::{Loading, Part};
use super::making::Made;
use super::{Ask, Description, Host};
use calls::Calls;
use flyball_plugin_messages::{
    Answer, CallId, Context, FailureKind, FromRunner, PluginId, Request, ToRunner, World,
};
use flyball_protocol::message::{PluginOrder, PluginState, PluginStatus};
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
    /// As the depot has them, and those that stand beside the folder's components.
    orders: Vec<PluginOrder>,
    complaints: Vec<String>,
    /// Who waits to hear what a component is; bounded by the number of jobs.
    describing: Vec<(String, Description)>,
    to_make: VecDeque<Listed>,
    /// At most one at a time: a machine that has other work is not compiled upon.
    making: JoinSet<Made>,
    to_load: VecDeque<PluginId>,
    loading: Option<Loading>,
    calls: Calls,
    services: Services,
}

enum Input {
    Ask(Option<Ask>),
    Runner(Result<FromRunner, RunnerError>),
    Made(Made),
    Part(Part),
    Answer(CallId, Answer),
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
            orders: Vec::new(),
            complaints: Vec::new(),
            describing: Vec::new(),
            to_make: VecDeque::new(),
            making: JoinSet::new(),
            to_load: VecDeque::new(),
            loading: None,
            calls: Calls::default(),
            services: Services::new().map_err(io::Error::other)?,
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
                (call, answer) = self.services.next() => Input::Answer(call, answer),
                _ = look.tick() => Input::Look,
            };
            match input {
                Input::Ask(None) => return Ok(()),
                Input::Ask(Some(ask)) => self.handle_ask(ask).await?,
                Input::Runner(message) => self.handle_runner(message?).await?,
                Input::Made(made) => self.handle_made(made),
                Input::Part(part) => self.handle_part(part).await?,
                Input::Answer(call, answer) => self.answer(call, answer).await?,
                Input::Look => {
                    self.host.tell_usage();
                    self.look().await?;
                }
            }
            self.make_next();
            self.load_next().await?;
        }
    }

    async fn handle_ask(&mut self, ask: Ask) -> Result<(), RunnerError> {
        match ask {
            Ask::Call { call, plugin, deadline_ms, request, events } => {
                let (plugin, presence) = match self.callee(&plugin.0) {
                    Ok(found) => found,
                    Err(why) => {
                        super::fail(&events, FailureKind::Unavailable, why);
                        return Ok(());
                    }
                };
                let context = self.context(&plugin, &request);
                let message =
                    ToRunner::Call { call, plugin: plugin.clone(), deadline_ms, context, request };
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
            Ask::Describe { hash, answer } => {
                self.describing.push((hash.to_string(), answer));
                self.look().await
            }
            Ask::Look => self.look().await,
        }
    }

    /// Tells those who wait for it what a component is.
    fn describe(&mut self) {
        for (hash, answer) in std::mem::take(&mut self.describing) {
            let mut kept = self.installed.iter().filter(|i| i.origin == Origin::Depot);
            match kept.find(|i| i.listed.name() == hash).map(Installed::said) {
                Some(None) => self.describing.push((hash, answer)),
                // Who asked may have gone.
                Some(Some(said)) => drop(answer.send(said)),
                None => {
                    let why = "the component was not kept".to_owned();
                    drop(answer.send(Err((FailureKind::Internal, why))));
                }
            }
        }
    }

    /// What a call of `plugin` goes to, and where its code is. What the machine's own operator
    /// has put there comes first.
    fn callee(&self, plugin: &str) -> Result<(PluginId, Presence), String> {
        let ordered = |i: &Installed| i.order(&self.orders).is_some_and(|order| order.enabled);
        let runs = |i: &&Installed| i.origin == Origin::Folder || ordered(i);
        let called = |i: &&Installed| i.is_called(plugin) || i.id().0 == plugin;
        let found = self.installed.iter().filter(runs).filter(called);
        let Some(installed) = found.min_by_key(|i| i.origin == Origin::Depot) else {
            return Err(format!("this agent has no plugin `{plugin}`"));
        };
        match &installed.state {
            // The runner knows when a quarantine ends.
            PluginState::Ready | PluginState::Quarantined(_) => {
                Ok((installed.id(), installed.presence))
            }
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
            FromRunner::Event { call, event } => {
                if event.is_last()
                    && let Some((plugin, took)) = self.calls.cost(call)
                {
                    self.host.count(|usage| usage.count(plugin, &event, took));
                }
                self.calls.handle_event(call, event);
            }
            FromRunner::Cost { call, memory_bytes } => {
                if let Some(plugin) = self.calls.plugin(call) {
                    self.host.count(|usage| usage.weigh(&plugin, memory_bytes));
                }
            }
            FromRunner::Ask { call, ask } => {
                // A call that has ended meanwhile gets no answer.
                if let Some(plugin) = self.calls.plugin(call) {
                    let ask = match ask {
                        flyball_plugin_messages::Ask::Progress { done, total, note } => {
                            let go_on = self.calls.report(call, done, total, note);
                            return self.answer(call, Answer::Progress { go_on }).await;
                        }
                        ask => ask,
                    };
                    let grants = self.ordered_as(&plugin).map(|order| order.grants.as_slice());
                    let grants = grants.unwrap_or_default().to_vec();
                    if let Some(answer) = self.services.ask(call, &plugin, &grants, ask) {
                        self.answer(call, answer).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn answer(&mut self, call: CallId, answer: Answer) -> Result<(), RunnerError> {
        let Some(plugin) = self.calls.plugin(call) else {
            return Ok(());
        };
        if matches!(&answer, Answer::Refused(why) if why.kind == FailureKind::Denied) {
            self.host.count(|usage| usage.deny(&plugin));
        }
        self.calls.send(&mut self.writer, &ToRunner::Answer { call, answer }).await
    }

    /// What the operator has set for a plugin.
    fn context(&self, plugin: &PluginId, request: &Request) -> Context {
        let settings = self.ordered_as(plugin).map(|order| order.settings.clone());
        // A picture is the same each time, and so is an import that begins again.
        let seed = matches!(request, Request::Poll).then(crate::random::number);
        Context { settings: settings.unwrap_or_default(), seed }
    }

    /// The order that the plugin of this id runs by.
    fn ordered_as(&self, plugin: &PluginId) -> Option<&PluginOrder> {
        self.installed.iter().find(|installed| installed.id() == *plugin)?.order(&self.orders)
    }

    fn find(&mut self, plugin: &PluginId) -> Option<&mut Installed> {
        self.installed.iter_mut().find(|installed| installed.id() == *plugin)
    }

    fn publish(&self) {
        let shown = |installed: &Installed| match installed.origin {
            Origin::Folder => Some(installed.status()),
            Origin::Depot => {
                installed.order(&self.orders).map(|order| self.ordered(installed, order))
            }
        };
        let due = self.installed.iter().filter_map(|installed| self.due(installed));
        self.host.publish(self.installed.iter().filter_map(shown).collect(), due.collect());
    }

    /// A collector that is ordered and enabled. One in the folder is ordered by the policy beside
    /// it; without any there is nothing that it could read.
    pub(super) fn due(&self, installed: &Installed) -> Option<Due> {
        let order = installed.order(&self.orders).filter(|order| order.enabled)?;
        let (manifest, world) = installed.manifest.as_ref()?;
        let state = match installed.origin {
            Origin::Folder => installed.state.clone(),
            Origin::Depot => self.ordered(installed, order).state,
        };
        // The runner knows when a quarantine ends.
        let runs = matches!(state, PluginState::Ready | PluginState::Quarantined(_));
        (*world == World::Collector && runs).then(|| Due::of(&manifest.id, order))
    }

    /// How an ordered component stands: it gives way to one of the machine's own operator.
    fn ordered(&self, installed: &Installed, order: &PluginOrder) -> PluginStatus {
        let status = PluginStatus { id: order.plugin.clone(), ..installed.status() };
        let mut own = self.installed.iter().filter(|i| i.origin == Origin::Folder);
        let objection = match &installed.manifest {
            Some((manifest, _)) if manifest.id != order.plugin => {
                Some(format!("it is `{}`, and was ordered as `{}`", manifest.id, order.plugin))
            }
            _ => own.find(|i| i.is_called(&order.plugin)).map(|own| {
                let file = own.listed.path.display();
                format!("the id `{}` is taken by {file} on this machine", order.plugin)
            }),
        };
        match objection {
            Some(why) => PluginStatus { state: PluginState::Rejected(why), ..status },
            None => status,
        }
    }
}

/// Waits for ever where nothing is being loaded.
async fn next_part(loading: &mut Option<Loading>) -> Part {
    match loading {
        Some(loading) => loading.next().await,
        None => std::future::pending().await,
    }
}

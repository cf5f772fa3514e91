//! The one task that owns the plugins: their files, their code, the runner, the calls.

use super::PluginsConfig;
use super::cache::{Cache, Entry};
use super::compiler::{CompilerError, compile};
use super::conversion::plugin_kind;
use super::folder::{self, Listed};
use super::hash::Hash;
use super::runner::{Reader, RunnerError, Writer, connect};
use crate::logging::chain;
use flyball_plugin_messages::{
    CallId, Event, Failure, FailureKind, FromRunner, Manifest, PluginId, Report, Request, ToRunner,
    World,
};
use flyball_protocol::message::{PluginKind, PluginState, PluginStatus};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

const RECONNECT_MS: [u64; 5] = [100, 250, 500, 1_000, 2_000];
/// How often the folder is looked at.
const RESCAN: Duration = Duration::from_secs(10);

/// What a job asks of the host.
#[derive(Debug)]
pub(super) enum Ask {
    Call {
        call: CallId,
        plugin: PluginId,
        deadline_ms: u32,
        request: Request,
        events: mpsc::Sender<Event>,
    },
    Cancel(CallId),
}

#[derive(Debug)]
pub(super) struct Host {
    config: PluginsConfig,
    status: watch::Sender<Vec<PluginStatus>>,
}

impl Host {
    pub(super) fn new(config: PluginsConfig, status: watch::Sender<Vec<PluginStatus>>) -> Self {
        Self { config, status }
    }

    /// Until every `Plugins` is gone.
    pub(super) async fn run(self, mut asks: mpsc::Receiver<Ask>) {
        let mut failures = 0_usize;
        loop {
            match connect(&self.config.runner_socket).await {
                Ok((reader, writer, engine)) => {
                    failures = 0;
                    tracing::info!(engine, "the plugin runner is connected");
                    match Session::open(&self, writer, engine) {
                        Ok(session) => match session.serve(reader, &mut asks).await {
                            Ok(()) => return,
                            Err(error) => {
                                tracing::warn!(error = %chain(&error), "the plugin runner is lost");
                            }
                        },
                        Err(error) => {
                            tracing::error!(%error, "the plugin cache can't be opened");
                        }
                    }
                    self.mark_unready();
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(error = %chain(&error), "no plugin runner yet");
                    }
                }
            }
            let wait = RECONNECT_MS[failures.min(RECONNECT_MS.len() - 1)];
            failures += 1;
            if !refuse_for(Duration::from_millis(wait), &mut asks).await {
                return;
            }
        }
    }

    fn mark_unready(&self) {
        self.status.send_modify(|plugins| {
            for plugin in plugins {
                if plugin.state == PluginState::Ready {
                    plugin.state = PluginState::Compiling;
                }
            }
        });
    }
}

/// Refuses calls while there is no runner. False at the end.
async fn refuse_for(time: Duration, asks: &mut mpsc::Receiver<Ask>) -> bool {
    let timer = tokio::time::sleep(time);
    tokio::pin!(timer);
    loop {
        tokio::select! {
            () = &mut timer => return true,
            ask = asks.recv() => match ask {
                None => return false,
                Some(Ask::Cancel(_)) => {}
                Some(Ask::Call { events, .. }) => {
                    fail(&events, FailureKind::Unavailable, "the plugin runner is not connected");
                }
            },
        }
    }
}

fn fail(events: &mpsc::Sender<Event>, kind: FailureKind, message: impl Into<String>) {
    if events.try_send(Event::Failed(Failure::new(kind, message))).is_err() {
        tracing::debug!("a job's end was told to nobody");
    }
}

/// One component of the folder, as far as it has come.
#[derive(Debug)]
struct Installed {
    listed: Listed,
    hash: Option<Hash>,
    manifest: Option<(Manifest, World)>,
    state: PluginState,
    /// Its code was refused by the runner once and made anew.
    remade: bool,
}

/// What the compiling of one component came to.
#[derive(Debug)]
struct Made {
    listed: Listed,
    outcome: Result<(Hash, Report), MakeError>,
}

#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("the component can't be read")]
    Read(#[source] io::Error),
    #[error("the component was not compiled")]
    Compile(#[source] CompilerError),
    #[error("the component changed while it was compiled")]
    Changed,
    #[error("the component was not compiled: the work was lost")]
    Lost,
}

/// One connection to the runner.
struct Session<'a> {
    host: &'a Host,
    writer: Writer,
    cache: Arc<Cache>,
    engine: String,
    installed: Vec<Installed>,
    to_make: VecDeque<Listed>,
    /// At most one at a time: a machine that has other work is not compiled upon.
    making: JoinSet<Made>,
    calls: BTreeMap<CallId, mpsc::Sender<Event>>,
}

enum Input {
    Ask(Option<Ask>),
    Runner(Result<FromRunner, RunnerError>),
    Made(Made),
    Rescan,
}

impl<'a> Session<'a> {
    fn open(host: &'a Host, writer: Writer, engine: String) -> io::Result<Self> {
        let cache = Arc::new(Cache::open(&host.config.state)?);
        Ok(Self {
            host,
            writer,
            cache,
            engine,
            installed: Vec::new(),
            to_make: VecDeque::new(),
            making: JoinSet::new(),
            calls: BTreeMap::new(),
        })
    }

    /// `Ok` where nobody needs plugins any more.
    async fn serve(
        mut self,
        mut reader: Reader,
        asks: &mut mpsc::Receiver<Ask>,
    ) -> Result<(), RunnerError> {
        let mut rescan = tokio::time::interval(RESCAN);
        rescan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
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
                _ = rescan.tick() => Input::Rescan,
            };
            match input {
                Input::Ask(None) => return Ok(()),
                Input::Ask(Some(ask)) => self.handle_ask(ask).await?,
                Input::Runner(message) => self.handle_runner(message?),
                Input::Made(made) => self.handle_made(made).await?,
                Input::Rescan => self.rescan(),
            }
            self.make_next();
        }
    }

    async fn handle_ask(&mut self, ask: Ask) -> Result<(), RunnerError> {
        match ask {
            Ask::Call { call, plugin, deadline_ms, request, events } => {
                if let Err(why) = self.check(&plugin) {
                    fail(&events, FailureKind::Unavailable, why);
                    return Ok(());
                }
                self.calls.insert(call, events);
                let message = ToRunner::Call { call, plugin, deadline_ms, request };
                match self.writer.send(&message).await {
                    // Too large for a frame: nothing of it was sent.
                    Err(RunnerError::Frame(error)) => {
                        self.end(call, FailureKind::Limit, error.to_string());
                        Ok(())
                    }
                    sent => sent,
                }
            }
            Ask::Cancel(call) => match self.calls.remove(&call) {
                Some(_) => self.writer.send(&ToRunner::Cancel { call }).await,
                None => Ok(()),
            },
        }
    }

    fn check(&self, plugin: &PluginId) -> Result<(), String> {
        let known = self.installed.iter().find(|installed| installed.id() == *plugin);
        match known.map(|installed| &installed.state) {
            Some(PluginState::Ready) => Ok(()),
            Some(PluginState::Compiling) => Err(format!("plugin `{plugin}` is not ready yet")),
            Some(PluginState::Rejected(reason)) => {
                Err(format!("plugin `{plugin}` was rejected: {reason}"))
            }
            // The runner knows when it ends.
            Some(PluginState::Quarantined(_)) => Ok(()),
            None => Err(format!("this agent has no plugin `{plugin}`")),
        }
    }

    fn handle_runner(&mut self, message: FromRunner) {
        match message {
            FromRunner::Hello { .. } => {}
            FromRunner::Loaded { plugin } => self.set_state(&plugin, PluginState::Ready),
            FromRunner::Quarantined { plugin, reason } => {
                tracing::warn!(%plugin, reason, "a plugin is quarantined");
                self.set_state(&plugin, PluginState::Quarantined(reason));
            }
            FromRunner::NotLoaded { plugin, reason } => self.handle_not_loaded(&plugin, reason),
            FromRunner::Event { call, event } => self.handle_event(call, event),
        }
    }

    fn handle_event(&mut self, call: CallId, event: Event) {
        let Some(events) = self.calls.get(&call) else {
            return;
        };
        let (last, lossy) = (event.is_last(), matches!(event, Event::Progress { .. }));
        match events.try_send(event) {
            Ok(()) if last => drop(self.calls.remove(&call)),
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) if lossy => {}
            // Dropping the sender tells the job; its own drop cancels the call.
            Err(_) => drop(self.calls.remove(&call)),
        }
    }

    fn end(&mut self, call: CallId, kind: FailureKind, message: String) {
        if let Some(events) = self.calls.remove(&call) {
            fail(&events, kind, message);
        }
    }

    fn handle_not_loaded(&mut self, plugin: &PluginId, reason: String) {
        tracing::warn!(%plugin, reason, "the runner refused compiled code");
        let engine = self.engine.clone();
        let Some(installed) = self.installed.iter_mut().find(|i| i.id() == *plugin) else {
            return;
        };
        if let Some(hash) = installed.hash {
            self.cache.forget(&Entry { hash, engine });
        }
        if installed.remade {
            self.set_state(plugin, PluginState::Rejected(reason));
        } else {
            installed.remade = true;
            self.to_make.push_back(installed.listed.clone());
            self.set_state(plugin, PluginState::Compiling);
        }
    }

    /// Looks at the folder; what is new or changed is made, what is gone is forgotten.
    fn rescan(&mut self) {
        let listed = match folder::list(&self.host.config.folder) {
            Ok(listed) => listed,
            Err(error) => {
                let folder = self.host.config.folder.display();
                return tracing::warn!(%folder, %error, "the plugin folder can't be listed");
            }
        };
        self.installed.retain(|installed| listed.contains(&installed.listed));
        for file in listed {
            if !self.installed.iter().any(|installed| installed.listed == file) {
                self.to_make.push_back(file.clone());
                self.installed.push(Installed {
                    listed: file,
                    hash: None,
                    manifest: None,
                    state: PluginState::Compiling,
                    remade: false,
                });
            }
        }
        self.publish();
    }

    fn make_next(&mut self) {
        if !self.making.is_empty() {
            return;
        }
        let Some(listed) = self.to_make.pop_front() else {
            return;
        };
        let (cache, engine) = (Arc::clone(&self.cache), self.engine.clone());
        let compiler = self.host.config.compiler.clone();
        self.making.spawn(async move {
            let outcome = make(&cache, engine, &compiler, &listed).await;
            Made { listed, outcome }
        });
    }

    async fn handle_made(&mut self, made: Made) -> Result<(), RunnerError> {
        let path = made.listed.path.display().to_string();
        let Some(place) = self.installed.iter().position(|i| i.listed == made.listed) else {
            return Ok(());
        };
        let (hash, report) = match made.outcome {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(path, error = %chain(&error), "a plugin was not compiled");
                self.reject(place, chain(&error).to_string());
                return Ok(());
            }
        };
        self.installed[place].hash = Some(hash);
        match report {
            Report::Rejected(fault) => {
                tracing::error!(path, %fault, "a plugin was rejected");
                self.reject(place, fault.to_string());
            }
            Report::Compiled { manifest, world, engine, code } => {
                if let Some(why) = self.objection(place, &manifest, &engine) {
                    tracing::error!(path, why, "a plugin was rejected");
                    self.installed[place].manifest = None;
                    self.reject(place, why);
                    return Ok(());
                }
                let plugin = PluginId(manifest.id.clone());
                tracing::info!(path, %plugin, version = manifest.version, "a plugin is loaded");
                self.installed[place].manifest = Some((manifest, world));
                self.publish();
                self.writer.send(&ToRunner::Load { plugin, world, code }).await?;
            }
        }
        self.tidy_cache();
        Ok(())
    }

    fn objection(&self, place: usize, manifest: &Manifest, engine: &str) -> Option<String> {
        if engine != self.engine {
            return Some(format!(
                "the compiler makes code for {engine}, the runner runs {}: upgrade both",
                self.engine
            ));
        }
        let twin = self.installed.iter().enumerate().find(|(other, installed)| {
            *other != place && installed.manifest.as_ref().is_some_and(|(m, _)| m.id == manifest.id)
        });
        twin.map(|(_, twin)| {
            let file = twin.listed.path.display();
            format!("the id `{}` is taken by {file}: remove one of them", manifest.id)
        })
    }

    fn reject(&mut self, place: usize, reason: String) {
        self.installed[place].state = PluginState::Rejected(reason);
        self.publish();
    }

    /// Once everything is known: only code of what lies in the folder is kept.
    fn tidy_cache(&self) {
        if self.to_make.is_empty() && self.making.is_empty() {
            let entry = |hash| Entry { hash, engine: self.engine.clone() };
            let kept: BTreeSet<Entry> =
                self.installed.iter().filter_map(|i| i.hash).map(entry).collect();
            self.cache.keep_only(&kept);
        }
    }

    fn set_state(&mut self, plugin: &PluginId, state: PluginState) {
        if let Some(installed) = self.installed.iter_mut().find(|i| i.id() == *plugin) {
            installed.state = state;
        }
        self.publish();
    }

    fn publish(&self) {
        let plugins: Vec<PluginStatus> = self.installed.iter().map(Installed::status).collect();
        self.host.status.send_if_modified(|known| {
            let changed = *known != plugins;
            *known = plugins;
            changed
        });
    }
}

impl Installed {
    /// Its own id; until it has said it, its file's name.
    fn id(&self) -> PluginId {
        match &self.manifest {
            Some((manifest, _)) => PluginId(manifest.id.clone()),
            None => PluginId(self.listed.name()),
        }
    }

    fn status(&self) -> PluginStatus {
        let hash = self.hash.map(|hash| hash.to_string()).unwrap_or_default();
        let state = self.state.clone();
        match self.manifest.clone() {
            Some((manifest, world)) => PluginStatus {
                id: manifest.id,
                name: manifest.name,
                version: manifest.version,
                author: manifest.author,
                licence: manifest.licence,
                description: manifest.description,
                kind: plugin_kind(world),
                handles: manifest.handles,
                hash,
                state,
            },
            None => PluginStatus {
                id: self.listed.name(),
                name: self.listed.name(),
                version: String::new(),
                author: String::new(),
                licence: String::new(),
                description: String::new(),
                // Unknown before it was described; a rejected one renders nothing either way.
                kind: PluginKind::Renderer,
                handles: Vec::new(),
                hash,
                state,
            },
        }
    }
}

/// The component's report out of the cache, else by compiling it.
async fn make(
    cache: &Arc<Cache>,
    engine: String,
    compiler: &std::path::Path,
    listed: &Listed,
) -> Result<(Hash, Report), MakeError> {
    let (kept, path) = (Arc::clone(cache), listed.path.clone());
    let looked_up = blocking(move || {
        let hash = folder::hash(&path).map_err(MakeError::Read)?;
        let entry = Entry { hash, engine };
        let report = kept.load(&entry);
        Ok((entry, report))
    });
    let (entry, report) = looked_up.await?;
    if let Some(report) = report {
        return Ok((entry.hash, report));
    }
    tracing::info!(path = %listed.path.display(), "compiling a plugin");
    let report = compile(compiler, &listed.path).await.map_err(MakeError::Compile)?;
    let (kept, path) = (Arc::clone(cache), listed.path.clone());
    blocking(move || {
        if folder::hash(&path).map_err(MakeError::Read)? != entry.hash {
            return Err(MakeError::Changed);
        }
        kept.store(&entry, &report);
        Ok((entry.hash, report))
    })
    .await
}

/// Files and hashes of many megabytes, off the runtime's thread.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, MakeError> + Send + 'static,
) -> Result<R, MakeError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(MakeError::Lost))
}

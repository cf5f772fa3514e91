//! The agent's side of plugins: which components lie in the folder, their compiled code, and
//! the connection to the runner that executes them.
//!
//! The agent never runs foreign code, and never loads code whose MAC does not hold. Jobs come
//! in through [`Plugins::run`]; one task owns everything else.

mod cache;

mod collecting;
mod compiler;
mod conversion;
mod depot;
mod folder;
mod hash;
mod host;
mod mac;
mod policy;
mod runner;
mod services;
mod usage;

use crate::clock::Clock;
use crate::collectors::collected::Intake;
use crate::config::RunConfig;
use crate::logging::chain;
use collecting::{Due, Poll};
use conversion::{Errand, errand, failed};
use depot::Depot;
use flyball_plugin_messages::{CallId, Event, Failure, FailureKind, PluginId, Reading, Request};
use flyball_protocol::message::{JobEvent, JobRequest, PluginOrder, PluginStatus};
use host::{Ask, Host};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use usage::Usage;

/// Jobs that run or wait here; more are refused.
const MAX_JOBS: usize = 32;
/// Calls and cancels on their way to the host's task.
const MAX_ASKS: usize = 4 * MAX_JOBS;
/// Events of one job that wait for the aggregator. Their size is bounded by the runner.
const MAX_EVENTS: usize = 1024;
/// Events of one poll that wait: its lines for the log, its readings and its end.
const MAX_POLL_EVENTS: usize = 256;
const MAX_DEADLINE_MS: u32 = 600_000;

/// Where everything of the plugins lies.
#[derive(Clone, Debug)]
pub(crate) struct PluginsConfig {
    /// Components, `*.wasm`.
    pub(crate) folder: PathBuf,
    /// The agent's state; compiled code goes below it.
    pub(crate) state: PathBuf,
    pub(crate) compiler: PathBuf,
    pub(crate) runner_socket: PathBuf,
}

impl PluginsConfig {
    /// `None` where the agent was not told about plugins.
    pub(crate) fn of(config: &RunConfig) -> Option<Self> {
        Some(Self {
            folder: config.plugins.clone()?,
            state: config.state.clone(),
            compiler: config.compiler.clone()?,
            runner_socket: config.runner_socket.clone()?,
        })
    }
}

/// Runs jobs on plugins. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Plugins {
    asks: mpsc::Sender<Ask>,
    jobs: Arc<Semaphore>,
    next: Arc<AtomicU64>,
    /// Absent where no plugins are configured.
    depot: Option<Depot>,
    /// The collectors that are to be polled.
    due: watch::Receiver<Vec<Due>>,
    /// What plugins have cost so far.
    usage: watch::Receiver<Usage>,
}

impl Plugins {
    /// Starts the owner of the plugins. It lives as long as a `Plugins` does.
    pub(crate) fn start(config: PluginsConfig) -> (Self, watch::Receiver<Vec<PluginStatus>>) {
        let (asks, asked) = mpsc::channel(MAX_ASKS);
        let (status, statuses) = watch::channel(Vec::new());
        let (told, due) = watch::channel(Vec::new());
        let (costs, usage) = watch::channel(Usage::default());
        let depot = Some(Depot::of(&config.state));
        tokio::spawn(Host::new(config, status, told, costs).run(asked));
        let jobs = Arc::new(Semaphore::new(MAX_JOBS));
        (Self { asks, jobs, next: Arc::new(AtomicU64::new(1)), depot, due, usage }, statuses)
    }

    /// Where no plugins are configured: every job is refused.
    pub(crate) fn none() -> (Self, watch::Receiver<Vec<PluginStatus>>) {
        let (asks, _) = mpsc::channel(1);
        let (_, statuses) = watch::channel(Vec::new());
        let (_, due) = watch::channel(Vec::new());
        let (_, usage) = watch::channel(Usage::default());
        let jobs = Arc::new(Semaphore::new(MAX_JOBS));
        (Self { asks, jobs, next: Arc::new(AtomicU64::new(1)), depot: None, due, usage }, statuses)
    }

    /// Polls the collectors at their pace, and hands in what they read and what plugins cost. It
    /// ends with the host.
    pub(crate) async fn collect(self, intake: Intake, clock: Clock) {
        let (due, usage) = (self.due.clone(), self.usage.clone());
        let costs = usage::hand_in(usage, intake.clone(), clock);
        tokio::join!(collecting::collect(self, due, intake, clock), costs);
    }

    /// Runs one job; its last event is `Done` or `Failed`. Dropping the future cancels it.
    pub(crate) async fn run(&self, job: JobRequest, events: mpsc::Sender<JobEvent>) {
        // A receiver that is gone has lost interest, which is what ends the loops below.
        let refuse = async |why: &str| {
            let _gone = events.send(failed(FailureKind::Unavailable, why)).await;
        };
        let Ok(_slot) = self.jobs.try_acquire() else {
            return refuse("this agent has as many plugin jobs as it takes").await;
        };
        let request = match (errand(job.job), self.depot.clone()) {
            (Errand::Call(request), _) => request,
            (Errand::Elsewhere, _) => return refuse("this is no plugin's job").await,
            (_, None) => return refuse("this agent runs no plugins").await,
            (Errand::Keep(bytes), Some(depot)) => {
                return self.keep(depot, bytes, &events).await;
            }
            (Errand::Order(orders), Some(depot)) => {
                return self.order(depot, orders, &events).await;
            }
        };
        let call = CallId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, mut came) = mpsc::channel(MAX_EVENTS);
        let plugin = PluginId(job.plugin);
        let ask = Ask::Call {
            call,
            plugin: plugin.clone(),
            deadline_ms: job.deadline_ms.min(MAX_DEADLINE_MS),
            request,
            events: sender,
        };
        let mut cancel = CancelOnDrop { call, asks: Some(&self.asks) };
        if self.asks.send(ask).await.is_err() {
            cancel.asks = None;
            return refuse("this agent runs no plugins").await;
        }
        while let Some(event) = came.recv().await {
            let last = event.is_last();
            if let Event::Log { level, line } = event {
                conversion::log(&plugin, level, &line);
            } else if events.send(conversion::event(event)).await.is_err() {
                return;
            }
            if last {
                cancel.asks = None;
                return;
            }
        }
        cancel.asks = None;
        refuse("the plugin runner went away during the job").await;
    }

    /// Keeps a component and says what it is.
    async fn keep(&self, depot: Depot, bytes: Vec<u8>, events: &mpsc::Sender<JobEvent>) {
        let (answer, answered) = oneshot::channel();
        let kept = filed(move || depot.keep(&bytes)).await;
        let said = match kept {
            Err(why) => Err((FailureKind::Internal, why)),
            Ok(hash) => match self.asks.send(Ask::Describe { hash, answer }).await {
                Ok(()) => answered.await.unwrap_or_else(|_| {
                    Err((FailureKind::Unavailable, "the plugin runner went away".into()))
                }),
                Err(_) => Err((FailureKind::Unavailable, "this agent is ending".into())),
            },
        };
        tell(events, said.map(|component| JobEvent::Component(*component))).await;
    }

    /// Writes down what shall run, and says what of it is not here.
    async fn order(&self, depot: Depot, orders: Vec<PluginOrder>, events: &mpsc::Sender<JobEvent>) {
        tracing::info!(plugins = orders.len(), "the aggregator says which plugins run");
        let lacking = filed(move || depot.order(&orders)).await;
        if self.asks.send(Ask::Look).await.is_err() {
            tracing::debug!("orders wait for the next start");
        }
        let said = lacking.map(JobEvent::Lacking);
        tell(events, said.map_err(|why| (FailureKind::Internal, why))).await;
    }
}

impl Poll for Plugins {
    /// Apart from the jobs' own number: renderers that are busy hold up no reading.
    async fn poll(&self, plugin: &PluginId, patience: Duration) -> Result<Vec<Reading>, Failure> {
        let gone = || Failure::new(FailureKind::Unavailable, "the plugin runner went away");
        let call = CallId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, mut came) = mpsc::channel(MAX_POLL_EVENTS);
        let deadline_ms = u32::try_from(patience.as_millis()).unwrap_or(MAX_DEADLINE_MS);
        let (plugin, request) = (plugin.clone(), Request::Poll);
        let name = plugin.clone();
        let ask = Ask::Call { call, plugin, deadline_ms, request, events: sender };
        let mut cancel = CancelOnDrop { call, asks: Some(&self.asks) };
        if self.asks.send(ask).await.is_err() {
            cancel.asks = None;
            return Err(gone());
        }
        let mut readings = Vec::new();
        let mut ended = Err(gone());
        while let Some(event) = came.recv().await {
            match event {
                Event::Log { level, line } => conversion::log(&name, level, &line),
                Event::Readings(read) => readings = read,
                Event::Failed(failure) => ended = Err(failure),
                Event::Done => ended = Ok(()),
                // No other event is a poll's.
                _ => {}
            }
        }
        cancel.asks = None;
        ended.map(|()| readings)
    }
}

/// One event and the end. A receiver that is gone has lost interest.
async fn tell(events: &mpsc::Sender<JobEvent>, said: Result<JobEvent, (FailureKind, String)>) {
    let sent = match said {
        Ok(event) => match events.send(event).await {
            Ok(()) => events.send(JobEvent::Done).await,
            gone => gone,
        },
        Err((kind, why)) => events.send(failed(kind, &why)).await,
    };
    if sent.is_err() {
        tracing::debug!("an errand's end was told to nobody");
    }
}

/// A file's work off the runtime's thread; its failure in one line.
async fn filed<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, depot::DepotError> + Send + 'static,
) -> Result<R, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| chain(&error).to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Tells the host that nobody waits for a call any more.
struct CancelOnDrop<'a> {
    call: CallId,
    asks: Option<&'a mpsc::Sender<Ask>>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(asks) = self.asks
            && asks.try_send(Ask::Cancel(self.call)).is_err()
        {
            tracing::debug!(call = self.call.0, "a cancel was lost; the call ends by its deadline");
        }
    }
}

#[cfg(test)]
mod tests;

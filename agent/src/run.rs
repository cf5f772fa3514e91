//! `flyball-agent run`: makes the parts, joins them with bounded channels, and takes them down
//! in the order in which nothing is lost.

use crate::clock::Clock;
use crate::collectors::{attached, collected};
use crate::config::RunConfig;
use crate::guard::{Cursor, GuardLink};
use crate::identity::{
    CertificateAge, Identity, IdentityError, SpoolKey, TlsError, enrolled_client,
};
use crate::plugins::{Plugins, PluginsConfig};
use crate::recorder::{self, MAX_ORDERS, Order, Progress, Recorder};
use crate::sampler::Sampler;
use crate::sampling::{Sampling, SamplingError};
use crate::shelf::{self, Serving, Shelf};
use crate::spool::{Limits, Seal};
use crate::uplink::endpoint::Client;
use crate::uplink::{JobRunner, Kept, MachineName, Means, RETRY_QUIC_MS, Sources, Uplink};
use flyball_protocol::sync::Epoch;
use std::io;
use std::pin::Pin;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

const MAX_NEWS: usize = 16;
const MAX_ASKS: usize = 32;
/// How long the sealing of the last interval may take before the program ends without it; the
/// next start takes it up.
const SEAL_PATIENCE: Duration = Duration::from_secs(10);

/// Becomes ready when the program is to end.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("this machine cannot say who it is")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("content for readers nearby cannot be kept in the state folder")]
    Shelf(#[source] io::Error),
    #[error("the store of this machine's readings cannot be used")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
    #[error("signals cannot be waited for")]
    Signal(#[source] io::Error),
    #[error("the recorder ended unexpectedly")]
    Recorder,
    #[error("the uplink ended unexpectedly")]
    Uplink,
}

impl From<IdentityError> for RunError {
    fn from(error: IdentityError) -> Self {
        Self::Identity(Box::new(error))
    }
}

impl From<TlsError> for RunError {
    fn from(error: TlsError) -> Self {
        Self::Identity(Box::new(error))
    }
}

impl From<SamplingError> for RunError {
    fn from(error: SamplingError) -> Self {
        Self::Store(Box::new(error))
    }
}

/// Ready at SIGTERM or SIGINT.
///
/// # Errors
/// Where the signals cannot be taken over.
pub fn terminated() -> Result<Shutdown, RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signal)?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

/// Runs until `shutdown` is ready or the store fails.
///
/// # Errors
/// Where identity or store cannot be used, or the store fails later: a new process opens it anew.
pub async fn run(config: RunConfig, shutdown: Shutdown) -> Result<(), RunError> {
    let clock = Clock;
    let mut identity = Identity::load(&config.state)?;
    let seal = seal(&mut identity, &config)?;
    log_age(&identity, clock);
    let client = Client::new(enrolled_client(&identity)?).map_err(TlsError::Suite)?;
    let fresh = Epoch(crate::random::number());
    let quota_bytes = config.spool_mib.saturating_mul(1024 * 1024);
    let limits = Limits { quota_bytes, quota_days: config.spool_days };
    let (sampling, report) = Sampling::open(&config.state, limits, seal.as_ref(), fresh)?;
    recorder::log_report(&report);
    tracing::info!(device = %identity.device, state = %config.state.display(), "started");

    let outbox = sampling.outbox();
    let (guard_run, through) = sampling.attach_point();
    let cursor = guard_run.map(|run| Cursor { run, through });
    let (orders, waiting_orders) = mpsc::channel(MAX_ORDERS);
    let (appended, sealed) = watch::channel(outbox.next_seq());
    let (durable, confirmed) = watch::channel(cursor);
    let (news, guard_news) = mpsc::channel(MAX_NEWS);
    let (guard, asks) = mpsc::channel(MAX_ASKS);
    let (processes, snapshots) = mpsc::channel(1);
    let (farewell, leaving) = oneshot::channel();
    let (stop_sampler, stop) = std::sync::mpsc::channel();

    let recorder = Recorder::new(sampling, clock, Progress { appended, durable })
        .start(waiting_orders)
        .map_err(RunError::Thread)?;
    if let Some(event) = recorder::loss_event(&report.spool) {
        let at_ms = clock.unix_ms();
        // The line is empty, so there is room; the log has said it too.
        let _told = orders.try_send(Order::Event { at_ms, event });
    }
    let (attached, listeners) = attached::open(config.sensors.clone());
    let equipment = listeners.equipment.clone();
    let mut listening = listeners.start(clock);
    let (collected, intake) = collected::open();
    Sampler::new(clock, &config.procfs_root, attached, collected, orders.clone(), processes)
        .start(stop)
        .map_err(RunError::Thread)?;
    let link = GuardLink {
        socket: config.guard_socket.clone(),
        cursor,
        recorder: orders.clone(),
        news,
        asks,
        durable: confirmed,
    };
    let link = tokio::spawn(link.run());
    let shelf = shelf(&config)?;
    let (plugins, status) = match PluginsConfig::of(&config) {
        Some(config) => Plugins::start(config),
        None => Plugins::none(),
    };
    listening.push(tokio::spawn(plugins.clone().collect(intake, clock)));
    let runner = jobs(plugins, shelf);
    let means = Means {
        clock,
        servers: config.servers,
        client,
        kept: Kept { identity, state: config.state.clone() },
        retry_quic_ms: RETRY_QUIC_MS,
        name: MachineName { name: config.name, simulated: config.simulated },
        outbox,
        recorder: orders.clone(),
        guard,
        runner,
    };
    let sources = Sources {
        news: guard_news,
        appended: sealed,
        processes: snapshots,
        plugins: status,
        equipment,
        farewell: leaving,
    };
    let mut uplink = tokio::spawn(Uplink::run(means, sources));

    tokio::select! {
        () = shutdown => {}
        () = orders.closed() => return Err(recorder_error(recorder)),
        // It ends by itself only in a panic, which was printed.
        _ = &mut uplink => return Err(RunError::Uplink),
    }
    tracing::info!("stopping: sealing what was read and telling the aggregator");
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    drop(stop_sampler);
    link.abort();
    finish(orders, recorder).await?;
    if farewell.send(()).is_ok() {
        // A panic in there was printed when it happened, and nothing is left to undo.
        let _ended = uplink.await;
    }
    Ok(())
}

/// What seals the spool: the identity's key, made where the operator asks for it the first time.
fn seal(identity: &mut Identity, config: &RunConfig) -> Result<Option<Seal>, IdentityError> {
    if config.seal_spool && identity.spool_key.is_none() {
        identity.spool_key = Some(SpoolKey::make());
        identity.save(&config.state)?;
    }
    Ok(identity.spool_key.as_ref().map(|key| Seal::new(key.bytes(), config.seal_spool)))
}

/// Has the recorder seal what it holds.
async fn finish(
    orders: mpsc::Sender<Order>,
    recorder: JoinHandle<Result<(), SamplingError>>,
) -> Result<(), RunError> {
    if orders.send(Order::Finish).await.is_err() {
        return Err(recorder_error(recorder));
    }
    let sealing = tokio::task::spawn_blocking(move || recorder.join());
    match tokio::time::timeout(SEAL_PATIENCE, sealing).await {
        Ok(Ok(Ok(sealed))) => Ok(sealed?),
        Ok(_) => Err(RunError::Recorder),
        Err(_) => {
            tracing::warn!("the disk is slow; the next start takes up what was not sealed");
            Ok(())
        }
    }
}

fn recorder_error(recorder: JoinHandle<Result<(), SamplingError>>) -> RunError {
    // Its channel is closed, so it is at its very end.
    match recorder.join() {
        Ok(Err(error)) => error.into(),
        Ok(Ok(())) | Err(_) => RunError::Recorder,
    }
}

fn log_age(identity: &Identity, clock: Clock) {
    let left_ms = identity.not_after_ms.saturating_sub(clock.unix_ms());
    let days_left = left_ms / (24 * 60 * 60 * 1000);
    match identity.age(clock.unix_ms()) {
        CertificateAge::Current => tracing::debug!(days_left, "the certificate is current"),
        CertificateAge::RenewalDue => {
            tracing::warn!(days_left, "the certificate is due for renewal");
        }
        CertificateAge::Expired => tracing::error!(
            "the certificate has expired; readings are kept here until this machine is enrolled \
             anew"
        ),
    }
}

/// Opens what is kept for readers nearby, and serves them.
fn shelf(config: &RunConfig) -> Result<Option<Shelf>, RunError> {
    let Some(content) = &config.content else { return Ok(None) };
    let shelf = Shelf::open(&config.state, content.most_bytes).map_err(RunError::Shelf)?;
    let serving = Serving { listen: content.listen, token: content.token.clone() };
    tokio::spawn(shelf::serve(serving, shelf.clone()));
    Ok(Some(shelf))
}

/// What runs jobs here.
fn jobs(plugins: Plugins, shelf: Option<Shelf>) -> JobRunner {
    JobRunner::new(move |request, events| {
        let (plugins, shelf) = (plugins.clone(), shelf.clone());
        async move {
            if shelf::is_for(&request) {
                shelf::run(shelf, request.job, events).await;
            } else {
                plugins.run(request, events).await;
            }
        }
    })
}

#[cfg(test)]
mod tests;

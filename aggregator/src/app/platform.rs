//! What the server looks after by itself: whether applications still speak, which instances run,
//! and what all of it comes to.

use crate::access::UserId;
use crate::app::App;
use crate::app::instances::{FORGOTTEN_MS, Instance};
use crate::clients::{Presences, Turned};
use crate::live::{Live, Told, Topic, What};
use crate::store::StoreError;
use std::time::Duration;

/// How late a client's silence is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Every second look says what all comes to, and that this instance runs.
const TELL_EVERY: u32 = 2;

/// What was received, and who is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub logs: u64,
    pub metrics: u64,
    pub online_clients: u64,
    pub servers: u64,
    pub uptime_seconds: u64,
}

/// What one account sent, or everybody and the agents that are connected here.
///
/// # Errors
/// Where the store fails.
pub async fn stats(app: &App, sender: Option<UserId>) -> Result<Stats, StoreError> {
    let now_ms = app.clock.now_ms();
    let totals = app.store.totals(sender, now_ms).await?;
    let servers = app.store.instances().await?;
    let (agents, samples) = match sender {
        None => (app.sessions.online().len() as u64, app.metrics.samples.get()),
        Some(_) => (0, 0),
    };
    Ok(Stats {
        logs: totals.logs,
        metrics: totals.metrics + samples,
        online_clients: totals.online + agents,
        servers: servers.iter().filter(|server| server.is_online(now_ms)).count() as u64,
        uptime_seconds: now_ms.saturating_sub(app.started_at_ms) / 1_000,
    })
}

/// Looks until shutdown.
pub async fn run(app: App) {
    let mut stop = app.shutdown.subscribe();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = stop.wait() => break,
            _ = ticks.tick() => {}
        }
        let told = async {
            watch.look(&app).await?;
            if looks.is_multiple_of(TELL_EVERY) {
                announce(&app).await?;
                tell_stats(&app).await?;
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = told.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "clients and instances were not looked at, trying again");
        }
        looks = looks.wrapping_add(1);
    }
    // One that ends in order is gone at once; where this fails, it is by its silence.
    if let Err(error) = app.store.forget_instance(app.instance).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "the instance stays listed");
    }
}

/// Says that this instance runs.
///
/// # Errors
/// Where the store fails.
pub async fn announce(app: &App) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let config = &app.config;
    let api = config.public_url();
    let instance = Instance {
        id: app.instance,
        version: env!("CARGO_PKG_VERSION").into(),
        api,
        ingest: config.ingest.to_string(),
        started_at_ms: app.started_at_ms,
        seen_at_ms: now_ms,
    };
    app.store.keep_instance(&instance, now_ms.saturating_sub(FORGOTTEN_MS)).await
}

async fn tell_stats(app: &App) -> Result<(), StoreError> {
    if app.live.is_wanted(Topic::Platform) {
        let what = What::Stats(stats(app, None).await?);
        app.live.publish(Live::Platform(Told { sender: None, what }));
    }
    Ok(())
}

/// Notices who comes and who falls silent.
#[derive(Debug, Default)]
pub struct Watch(Presences);

impl Watch {
    /// # Errors
    /// Where the store fails.
    pub async fn look(&mut self, app: &App) -> Result<(), StoreError> {
        let clients = app.store.clients(None).await?;
        for turned in self.0.look(clients, app.clock.now_ms()) {
            tell(app, turned);
        }
        Ok(())
    }
}

fn tell(app: &App, turned: Turned) {
    let sender = Some(turned.client.sender);
    app.live.publish(Live::Platform(Told { sender, what: What::Client(Box::new(turned)) }));
}

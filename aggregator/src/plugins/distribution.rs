//! Brings installed components to the machines that shall run them, and hears from a machine what
//! a new component is.
//!
//! Every machine is told once on each connection, and again after a change, exactly what it shall
//! run; what it lacks follows. A machine keeps its orders, so that one that is cut off goes on.

use super::{Choices, Manifest, Package, PackageState, Plugins, Rollout};
use crate::app::shutdown::Shutdown;
use crate::clock::Clock;
use crate::fleet::sessions::{JobStream, Target};
use crate::fleet::{DeviceId, Sessions};
use crate::store::{Store, StoreError};
use crate::tenancy::Tenancy;
use flyball_protocol::message::{
    Component, Job, JobEvent, JobFailure, JobFailureKind, JobRequest, PluginOrder,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::MissedTickBehavior;

/// How soon a machine that has just connected is told.
const LOOK: Duration = Duration::from_secs(2);
/// Machines that are told at once; each may take a component of many megabytes.
const AT_ONCE: usize = 4;
const ORDER_MS: u32 = 30_000;
/// To send and to compile: an interpreter takes a minute of a fast machine.
const KEEP_MS: u32 = 400_000;
/// A machine or a component that failed is left alone for that long; a machine twice as long after
/// each further failure, an hour at most. Most of those run no plugins and never will.
const REST_MS: u64 = 60_000;
const MOST_REST_MS: u64 = 60 * 60 * 1000;

#[derive(Clone, Debug)]
pub struct Distribution {
    store: Store,
    sessions: Sessions,
    plugins: Plugins,
    tenancy: Tenancy,
    clock: Clock,
    changed: Arc<Notify>,
    told: Arc<Mutex<Told>>,
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Told {
    machines: HashMap<DeviceId, Telling>,
    /// Components that nobody could describe, and until when they rest.
    resting: BTreeMap<String, u64>,
    describing: bool,
}

/// What a machine was told last, on which connection.
#[derive(Clone, Debug)]
struct Telling {
    connection: u64,
    orders: Vec<PluginOrder>,
    outcome: Outcome,
    /// In a row, of the same orders on the same connection.
    failures: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Underway,
    /// It has all that it needs.
    Done,
    /// It does not run plugins, is older than this, or is too busy.
    Failed {
        until_ms: u64,
    },
}

impl Telling {
    /// What comes after `before`, if that was told last.
    fn after(before: Option<&Self>, connection: u64, orders: Vec<PluginOrder>) -> Self {
        let same = before.filter(|b| b.connection == connection && b.orders == orders);
        let failures = same.map_or(0, |before| before.failures);
        Self { connection, orders, outcome: Outcome::Underway, failures }
    }

    fn holds(&self, connection: u64, orders: &[PluginOrder], now_ms: u64) -> bool {
        let counts = match self.outcome {
            Outcome::Underway | Outcome::Done => true,
            Outcome::Failed { until_ms } => until_ms > now_ms,
        };
        self.connection == connection && self.orders == orders && counts
    }
}

impl Distribution {
    pub(crate) fn new(
        store: Store,
        sessions: Sessions,
        plugins: Plugins,
        tenancy: Tenancy,
        clock: Clock,
    ) -> Self {
        let (changed, told) = (Arc::default(), Arc::default());
        let room = Arc::new(Semaphore::new(AT_ONCE));
        Self { store, sessions, plugins, tenancy, clock, changed, told, room }
    }

    /// Something was installed, rolled out or configured.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    pub async fn run(self, shutdown: Shutdown) {
        let mut stop = shutdown.subscribe();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = self.changed.notified() => {}
                _ = look.tick() => {}
            }
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "plugins can't be brought to machines now");
            }
        }
    }

    /// Begins to tell every connected machine what it was not told yet, and to have new
    /// components described. What was begun goes on by itself.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn pass(&self) -> Result<(), StoreError> {
        let rollouts = self.store.plugin_rollouts().await?;
        let choices = self.plugins.choices().await?;
        let tenancy = self.tenancy.map().await?;
        let now_ms = self.clock.now_ms();
        let online = self.sessions.connections();
        let due = self.with_told(|told| {
            let here: BTreeSet<DeviceId> = online.iter().map(|(device, _)| *device).collect();
            told.machines.retain(|device, _| here.contains(device));
            told.resting.retain(|_, until_ms| *until_ms > now_ms);
            let mut due = Vec::new();
            for (device, connection) in online {
                let meant = rollouts.iter().filter(|rollout| rollout.target.hold(device, &tenancy));
                let orders: Vec<_> = meant.map(|rollout| order(rollout, &choices)).collect();
                let known = told.machines.get(&device);
                if !known.is_some_and(|telling| telling.holds(connection, &orders, now_ms)) {
                    let telling = Telling::after(known, connection, orders);
                    told.machines.insert(device, telling.clone());
                    due.push((device, telling));
                }
            }
            due
        });
        for (device, telling) in due {
            tokio::spawn(self.clone().tell_machine(device, telling));
        }
        self.describe_new(now_ms).await
    }

    fn with_told<T>(&self, work: impl FnOnce(&mut Told) -> T) -> T {
        work(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn tell_machine(self, device: DeviceId, telling: Telling) {
        // It is never closed; a machine that has gone meanwhile fails at once.
        let Ok(_turn) = self.room.acquire().await else { return };
        let (outcome, failures) = match self.tell(device, telling.orders.clone()).await {
            Ok(()) => (Outcome::Done, 0),
            Err(failure) => {
                let why = failure.message;
                tracing::debug!(%device, why, "a machine does not take its plugins");
                let rest_ms = (REST_MS << telling.failures.min(10)).min(MOST_REST_MS);
                let until_ms = self.clock.now_ms() + rest_ms;
                (Outcome::Failed { until_ms }, telling.failures.saturating_add(1))
            }
        };
        self.with_told(|told| {
            let current = told.machines.get_mut(&device).filter(|current| {
                current.connection == telling.connection && current.orders == telling.orders
            });
            if let Some(current) = current {
                current.outcome = outcome;
                current.failures = failures;
            }
        });
        self.wake();
    }

    async fn tell(&self, device: DeviceId, plugins: Vec<PluginOrder>) -> Result<(), JobFailure> {
        let mut lacking = Vec::new();
        let order = Job::Order { plugins };
        let hear = |event| {
            if let JobEvent::Lacking(hashes) = event {
                lacking = hashes;
            }
        };
        self.work(device, order, ORDER_MS, hear).await?;
        for hash in lacking.into_iter().take(super::MAX_PACKAGES) {
            if let Some(bytes) = self.component(&hash).await? {
                self.keep(device, bytes).await?;
            }
        }
        Ok(())
    }

    async fn component(&self, hash: &str) -> Result<Option<Vec<u8>>, JobFailure> {
        let read = self.store.plugin_component(hash).await;
        read.map_err(|error| failure(format!("the component can't be read: {error}")))
    }

    /// Has a machine keep a component; what it is.
    async fn keep(&self, device: DeviceId, bytes: Vec<u8>) -> Result<Component, JobFailure> {
        let mut said = None;
        self.work(device, Job::Keep { bytes }, KEEP_MS, |event| {
            if let JobEvent::Component(component) = event {
                said = Some(component);
            }
        })
        .await?;
        said.ok_or_else(|| failure("the machine did not say what it is".into()))
    }

    async fn work(
        &self,
        device: DeviceId,
        job: Job,
        deadline_ms: u32,
        mut hear: impl FnMut(JobEvent),
    ) -> Result<(), JobFailure> {
        // No plugin runs: the machine itself answers.
        let request = JobRequest { deadline_ms, plugin: String::new(), job };
        let events = self.sessions.run_job(Target::Device(device), request);
        let mut events: JobStream = events.map_err(|error| failure(error.to_string()))?;
        while let Some(event) = events.next().await {
            match event {
                JobEvent::Failed(failure) => return Err(failure),
                event => hear(event),
            }
        }
        Ok(())
    }

    /// Asks a machine that runs plugins what new components are, one component at a time. The
    /// first machine that knows decides.
    async fn describe_new(&self, now_ms: u64) -> Result<(), StoreError> {
        let packages = self.store.plugin_packages().await?;
        let order = self.with_told(|told| {
            let new = packages.into_iter().find(|package| {
                package.state == PackageState::Waiting && !told.resting.contains_key(&package.hash)
            })?;
            let able = |(_, telling): &(&DeviceId, &Telling)| telling.outcome == Outcome::Done;
            let (device, _) = told.machines.iter().find(able).filter(|_| !told.describing)?;
            told.describing = true;
            Some((new, *device))
        });
        if let Some((package, device)) = order {
            tokio::spawn(self.clone().have_described(package, device, now_ms));
        }
        Ok(())
    }

    async fn have_described(self, package: Package, device: DeviceId, now_ms: u64) {
        let hash = package.hash.clone();
        let described = self.describe(package, device).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what a component is can't be stored");
            false
        });
        self.with_told(|told| {
            told.describing = false;
            if !described {
                told.resting.insert(hash, now_ms + REST_MS);
            }
        });
        self.wake();
    }

    /// False where the machine could not say.
    async fn describe(&self, mut package: Package, device: DeviceId) -> Result<bool, StoreError> {
        let Some(bytes) = self.store.plugin_component(&package.hash).await? else {
            return Ok(true);
        };
        match self.keep(device, bytes).await {
            Ok(component) if component.hash != package.hash => {
                tracing::warn!(%device, "a machine described another component than it was given");
                return Ok(false);
            }
            Ok(component) => match Manifest::try_from(component) {
                Ok(manifest) => {
                    package.state = PackageState::Described;
                    package.manifest = Some(manifest);
                }
                Err(error) => package.state = PackageState::Rejected(error.to_string()),
            },
            Err(failure) if failure.kind == JobFailureKind::InvalidInput => {
                package.state = PackageState::Rejected(failure.message);
            }
            Err(failure) => {
                let why = failure.message;
                tracing::info!(%device, hash = package.hash, why, "a component is not described yet");
                return Ok(false);
            }
        }
        self.store.describe_plugin_package(&package).await?;
        if let Some(manifest) = &package.manifest {
            self.plugins.announce(&manifest.id).await?;
        }
        Ok(true)
    }
}

fn order(rollout: &Rollout, choices: &Choices) -> PluginOrder {
    let plugin = rollout.plugin.clone();
    PluginOrder {
        enabled: choices.is_enabled(&plugin),
        settings: choices.settings(&plugin),
        hash: rollout.hash.clone(),
        grants: rollout.grants.clone(),
        plugin,
    }
}

fn failure(message: String) -> JobFailure {
    JobFailure { kind: JobFailureKind::Unavailable, message, diagnostics: Vec::new() }
}

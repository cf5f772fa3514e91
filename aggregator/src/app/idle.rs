//! Idle machines are asked to save power: every ten seconds each managed machine is looked at, and
//! where its state has turned, its power profile is chosen by a signed command of the automation's
//! rank. A machine that is away is asked when it comes back; only the instance that holds its
//! connection asks.

use crate::app::App;
use crate::fleet::DeviceId;
use crate::idle::{Definition, Idleness, Mode, Plan, State, Turn};
use crate::live::{Live, Told, What};
use crate::operations::{self, Origin, Submission, SubmitError};
use crate::record::Record;
use crate::store::StoreError;
use flyball_protocol::guard::ActuatorKind;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Who asks, where nobody does in person.
const ISSUER: &str = "system:idle";

/// One machine whose idleness is managed.
#[derive(Clone, Debug, PartialEq)]
pub struct Managed {
    pub device: DeviceId,
    pub enabled: bool,
    /// A built-in mode's name, or the id of a power profile.
    pub mode: String,
    /// Minutes after which it is cold, in place of the mode's.
    pub timeout_minutes: Option<u32>,
    pub active_at_ms: u64,
    pub awake_until_ms: Option<u64>,
    pub forced: Option<(State, u64)>,
    pub state: State,
    pub since_ms: u64,
    /// It is still to be asked for the profile of its state.
    pub pending: bool,
    /// What it was asked last.
    pub action: Option<Action>,
}

impl Managed {
    /// One that nobody has asked to be managed yet.
    #[must_use]
    pub fn new(device: DeviceId, now_ms: u64) -> Self {
        Self {
            device,
            enabled: false,
            mode: Mode::Balanced.name().into(),
            timeout_minutes: None,
            active_at_ms: now_ms,
            awake_until_ms: None,
            forced: None,
            state: State::Active,
            since_ms: now_ms,
            pending: false,
            action: None,
        }
    }

    #[must_use]
    pub fn idleness(&self, plan: &Plan) -> Idleness {
        let thresholds = plan.thresholds().map(|thresholds| match self.timeout_minutes {
            Some(minutes) => thresholds.with_timeout(u64::from(minutes) * 60),
            None => thresholds,
        });
        Idleness {
            enabled: self.enabled,
            thresholds,
            active_at_ms: self.active_at_ms,
            awake_until_ms: self.awake_until_ms,
            forced: self.forced,
        }
    }
}

/// A power profile that an operator made.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerProfile {
    pub id: Uuid,
    pub name: String,
    pub definition: Definition,
    pub record: Record,
}

/// What a machine was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub at_ms: u64,
    /// `None` where nothing was asked.
    pub profile: Option<String>,
    pub operation: Option<Uuid>,
    /// The operation's state, or why nothing was asked.
    pub outcome: String,
}

/// When an application last said that somebody uses it.
#[derive(Debug, Default)]
pub struct Activity(AtomicU64);

impl Activity {
    pub fn note(&self, at_ms: u64) {
        self.0.fetch_max(at_ms, Ordering::Relaxed);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IdleError {
    #[error("reading or storing what is managed")]
    Store(#[from] StoreError),
    #[error("asking the machine")]
    Submit(#[from] SubmitError),
}

/// The profile that a state comes to on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub actuator: String,
    pub profile: String,
    /// Does it stand already?
    pub stands: bool,
}

/// Why a machine can't be asked, as a sentence.
pub type Reason = String;

/// Looks until shutdown.
pub async fn run(app: App) {
    let mut stop = app.shutdown.subscribe();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.wait() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = look(&app).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "idle machines were not looked at, trying again");
        }
    }
}

/// Looks at every managed machine.
///
/// # Errors
/// Where the store fails.
pub async fn look(app: &App) -> Result<(), StoreError> {
    let heard_ms = app.activity.0.swap(0, Ordering::Relaxed);
    if heard_ms > 0 {
        app.store.used(None, heard_ms).await?;
    }
    for managed in app.store.all_managed().await? {
        step(app, managed).await?;
    }
    Ok(())
}

/// Looks at one machine, and asks it where it is to be asked. Gives it as it stands then.
///
/// # Errors
/// Where the store fails.
pub async fn step(app: &App, managed: Managed) -> Result<Managed, StoreError> {
    let now_ms = app.clock.now_ms();
    let plan = plan(app, &managed.mode).await?;
    let device = managed.device;
    let (to, _) = managed.idleness(&plan).look(now_ms);
    let mut managed = managed;
    if to != managed.state {
        let mode = managed.mode.clone();
        let turn = Turn { device, at_ms: now_ms, from: managed.state, to, mode };
        if app.store.turn(&turn).await? {
            let what = What::Idle(Box::new(turn));
            app.live.publish(Live::Platform(Told { sender: None, what }));
        }
        managed = app.store.managed(device).await?.unwrap_or(managed);
    }
    if managed.pending && app.sessions.is_online(device) {
        let action = ask(app, &managed, &plan).await;
        app.store.asked(device, managed.state, &action).await?;
        managed.pending = false;
        managed.action = Some(action);
    }
    Ok(managed)
}

/// What decides for machines of that mode; the balanced one where it is gone.
///
/// # Errors
/// Where the store fails.
pub async fn plan(app: &App, mode: &str) -> Result<Plan, StoreError> {
    if let Some(mode) = Mode::from_name(mode) {
        return Ok(Plan::BuiltIn(mode));
    }
    let profiles = app.store.power_profiles().await?;
    let own = profiles.into_iter().find(|profile| profile.id.to_string() == mode);
    Ok(own.map_or(Plan::BuiltIn(Mode::Balanced), |own| Plan::Own(own.definition)))
}

/// What the machine would be asked for in `state`.
///
/// # Errors
/// Why it can't be asked.
pub fn choose(app: &App, device: DeviceId, plan: &Plan, state: State) -> Result<Choice, Reason> {
    if !app.sessions.is_online(device) {
        return Err("the machine's agent is not connected here".into());
    }
    let board = app.sessions.inventory(device).board;
    let own = board.actuators.into_iter().filter(|one| one.equipment.is_none());
    let profiles = own.filter(|one| one.kind == ActuatorKind::Profile && !one.profiles.is_empty());
    let mut profiles: Vec<_> = profiles.collect();
    profiles.sort_by(|a, b| a.id.cmp(&b.id));
    let mut offered: Vec<&str> = Vec::new();
    for actuator in &profiles {
        if let Some(profile) = plan.choose(state, &actuator.profiles) {
            return Ok(Choice {
                actuator: actuator.id.clone(),
                profile: profile.into(),
                stands: actuator.profile.as_deref() == Some(profile),
            });
        }
        offered.extend(actuator.profiles.iter().map(String::as_str));
    }
    Err(if profiles.is_empty() {
        "the machine reports no power profile that could be chosen".into()
    } else {
        format!(
            "none of the machine's profiles ({}) is meant for {}",
            offered.join(", "),
            state.name()
        )
    })
}

async fn ask(app: &App, managed: &Managed, plan: &Plan) -> Action {
    let at_ms = app.clock.now_ms();
    let silent = |outcome: String| Action { at_ms, profile: None, operation: None, outcome };
    let choice = match choose(app, managed.device, plan, managed.state) {
        Ok(choice) if choice.stands => return silent(format!("{} stands already", choice.profile)),
        Ok(choice) => choice,
        Err(reason) => return silent(reason),
    };
    let Choice { actuator, profile, .. } = choice;
    let action = operations::Action::SetProfile { actuator, profile: profile.clone() };
    let submission = Submission::new(managed.device, action, ISSUER, Origin::Automation);
    match app.operations.submit(submission).await {
        Ok(operation) => Action {
            at_ms,
            profile: Some(profile),
            operation: Some(operation.id.0),
            outcome: operation.state.name().into(),
        },
        Err(error) => silent(error.to_string()),
    }
}

/// Lets a person hold the active state's profile for a while, above what the automation asks. `None`
/// takes what they held back.
///
/// # Errors
/// Why the machine was not asked.
pub async fn hold(
    app: &App,
    managed: &Managed,
    who: (String, crate::access::SessionId),
    stands_for_ms: Option<u64>,
) -> Result<operations::Operation, Reason> {
    let plan = plan(app, &managed.mode).await.map_err(|error| error.to_string())?;
    let Choice { actuator, profile, .. } = choose(app, managed.device, &plan, State::Active)?;
    let action = operations::Action::SetProfile { actuator, profile };
    let submission = Submission::new(managed.device, action, &who.0, Origin::Remote);
    let submission = Submission { session: Some(who.1), stands_for_ms, ..submission };
    let asked = app.operations.submit(submission).await.map_err(|error| error.to_string())?;
    match &asked.verdict {
        Some(operations::Verdict::Refused(refusal)) => Err(refusal.reason.clone()),
        _ => Ok(asked),
    }
}

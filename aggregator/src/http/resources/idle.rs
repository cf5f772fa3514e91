//! How idle a machine is, and what is done about it, in the flat dialect's words. The machine is
//! the first real one that enrolled, or the one that `device` names.

use super::commands::missing;
use super::system::WhichDevice;
use crate::access::{Caller, Right};
use crate::app::idle::{Managed, choose, hold, plan, step};
use crate::http::Api;
use crate::http::auth::{Actor, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Query};
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::idle::{Mode, Plan, State as Idle, Thresholds as Seconds, Turn};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The longest that a machine is kept awake by one request.
const MAX_AWAKE_S: u64 = 24 * 60 * 60;
const MAX_TIMEOUT_MINUTES: u32 = 7 * 24 * 60;

/// Seconds without activity after which each state begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdleThresholds {
    pub(super) warm: u64,
    pub(super) cool: u64,
    pub(super) cold: u64,
    pub(super) dormant: u64,
}

impl From<Seconds> for IdleThresholds {
    fn from(Seconds { warm, cool, cold, dormant }: Seconds) -> Self {
        Self { warm, cool, cold, dormant }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdleStatus {
    device_id: Uuid,
    /// `active`, `warm`, `cool`, `cold` or `dormant`.
    current_state: &'static str,
    state_since: String,
    idle_enabled: bool,
    keep_awake_until: Option<String>,
    /// Minutes after which it is cold; null where it never is.
    idle_timeout_minutes: Option<u64>,
    /// A mode's name, or a power profile's id.
    power_mode: String,
    last_activity: String,
    thresholds_seconds: Option<IdleThresholds>,
    /// What it turns into if nobody does anything.
    next_state: Option<&'static str>,
    next_state_at: Option<String>,
    /// Can the machine be asked for what its state means?
    acts: bool,
    /// Why not.
    reason: Option<String>,
    last_action: Option<IdleAction>,
}

impl Resource for IdleStatus {
    const FLAT: Flat = Flat::fields();
}

/// What the machine was asked last.
#[derive(Debug, Serialize, ToSchema)]
struct IdleAction {
    at: String,
    /// Null where nothing was asked.
    profile: Option<String>,
    operation_id: Option<Uuid>,
    /// The operation's state then, or why nothing was asked.
    outcome: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdleMode {
    /// As `power_mode` names it.
    id: String,
    name: String,
    builtin: bool,
    /// Null where the machine is never idle.
    thresholds_seconds: Option<IdleThresholds>,
}

impl Resource for IdleMode {
    const FLAT: Flat = Flat::named("mode", "modes");
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdleTurn {
    device_id: Uuid,
    timestamp: String,
    from_state: &'static str,
    to_state: &'static str,
    power_mode: String,
}

impl Resource for IdleTurn {
    const FLAT: Flat = Flat::named("turn", "history");
}

impl From<Turn> for IdleTurn {
    fn from(turn: Turn) -> Self {
        Self {
            device_id: turn.device.0,
            timestamp: rfc3339(turn.at_ms),
            from_state: turn.from.name(),
            to_state: turn.to.name(),
            power_mode: turn.mode,
        }
    }
}

/// What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdleConfig {
    /// Is the machine to be asked to save power where nobody uses it?
    enabled: Option<bool>,
    /// `performance`, `balanced`, `power_saver`, `development`, `presentation`, or a power
    /// profile's id. A new mode takes its own timeout.
    power_mode: Option<String>,
    /// Minutes after which the machine is cold; the mode's other thresholds give way.
    #[schema(minimum = 1, maximum = 10080)]
    idle_timeout_minutes: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdleConfigured {
    message: &'static str,
}

impl Resource for IdleConfigured {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepAwake {
    /// Up to a day in all.
    #[schema(minimum = 1, maximum = 1440)]
    duration_minutes: Option<u64>,
    /// In place of the minutes.
    #[schema(minimum = 1, maximum = 86400)]
    duration_seconds: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Awake {
    keep_awake_until: Option<String>,
    /// Does the machine hold its active profile until then?
    acts: bool,
    /// Why not.
    reason: Option<String>,
    /// The command that the machine was sent.
    operation_id: Option<Uuid>,
}

impl Resource for Awake {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForceState {
    /// `active`, `warm`, `cool`, `cold` or `dormant`; until somebody uses the machine.
    state: String,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct TurnsQuery {
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

pub(crate) async fn status(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
) -> Answer<One<IdleStatus>> {
    let managed = managed(&api, &caller, Right::Read, &which).await?;
    shown(&api, managed).await.map(One)
}

pub(crate) async fn modes(State(api): State<Api>, Reader(_): Reader) -> Answer<Many<IdleMode>> {
    let builtin = Mode::ALL.into_iter().map(|mode| IdleMode {
        id: mode.name().into(),
        name: mode.name().into(),
        builtin: true,
        thresholds_seconds: mode.thresholds().map(IdleThresholds::from),
    });
    let own = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    let own = own.into_iter().map(|profile| IdleMode {
        id: profile.id.to_string(),
        name: profile.name,
        builtin: false,
        thresholds_seconds: profile.definition.thresholds.map(IdleThresholds::from),
    });
    Ok(Many::whole(builtin.chain(own).collect()))
}

pub(crate) async fn history(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
    Query(asked): Query<TurnsQuery>,
) -> Answer<Many<IdleTurn>> {
    let limit = limit([asked.limit, None, None])?;
    let device = which.find_for(&api, &caller, Right::Read).await?.id;
    let turns = api.app.store.turns(device, limit).await.map_err(Problem::internal)?;
    Ok(Many::whole(turns.into_iter().map(IdleTurn::from).collect()))
}

pub(crate) async fn configure(
    State(api): State<Api>,
    Actor(caller): Actor,
    Query(which): Query<WhichDevice>,
    Body(asked): Body<IdleConfig>,
) -> Answer<One<IdleConfigured>> {
    let mut managed = managed(&api, &caller, Right::Act, &which).await?;
    let mut faults = Vec::new();
    if let Some(mode) = asked.power_mode {
        if known(&api, &mode).await? {
            managed.pending |= managed.enabled && managed.mode != mode;
            managed.mode = mode;
            managed.timeout_minutes = None;
        } else {
            let message = "is one of the modes at /api/system/idle/modes, by its id";
            faults.push(FieldError::body("power_mode", "invalid_value", message));
        }
    }
    if let Some(minutes) = asked.idle_timeout_minutes {
        if !(1..=MAX_TIMEOUT_MINUTES).contains(&minutes) {
            let message = format!("has to be 1 to {MAX_TIMEOUT_MINUTES}");
            faults.push(FieldError::body("idle_timeout_minutes", "out_of_range", message));
        }
        managed.timeout_minutes = Some(minutes);
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    if let Some(enabled) = asked.enabled {
        if enabled && !managed.enabled {
            let now_ms = api.app.clock.now_ms();
            managed.active_at_ms = now_ms;
            let used = api.app.store.used(Some(managed.device), now_ms).await;
            used.map_err(Problem::internal)?;
        }
        managed.pending |= enabled != managed.enabled && enabled;
        managed.enabled = enabled;
    }
    keep(&api, managed).await?;
    Ok(One(IdleConfigured { message: "Idle configuration updated" }))
}

pub(crate) async fn keep_awake(
    State(api): State<Api>,
    Actor(caller): Actor,
    Query(which): Query<WhichDevice>,
    Body(asked): Body<KeepAwake>,
) -> Answer<One<Awake>> {
    let seconds = match (asked.duration_minutes, asked.duration_seconds) {
        (Some(minutes), None) => minutes.saturating_mul(60),
        (None, Some(seconds)) => seconds,
        (None, None) => {
            return Err(missing("duration_minutes", "is required, or duration_seconds"));
        }
        (Some(_), Some(_)) => {
            let message = "is given beside duration_minutes, which says the same otherwise";
            let fault = FieldError::body("duration_seconds", "invalid_value", message);
            return Err(Problem::invalid(vec![fault]));
        }
    };
    if !(1..=MAX_AWAKE_S).contains(&seconds) {
        let named = if asked.duration_seconds.is_some() { "seconds" } else { "minutes" };
        let field = format!("duration_{named}");
        let fault = FieldError::body(&field, "out_of_range", "has to be 1 s to a day");
        return Err(Problem::invalid(vec![fault]));
    }
    let mut managed = managed(&api, &caller, Right::Act, &which).await?;
    let until_ms = api.app.clock.now_ms() + seconds * 1_000;
    managed.awake_until_ms = Some(until_ms);
    managed.forced = None;
    let managed = keep(&api, managed).await?;
    awake(&api, &managed, &caller, Some(seconds * 1_000)).await
}

pub(crate) async fn cancel_keep_awake(
    State(api): State<Api>,
    Actor(caller): Actor,
    Query(which): Query<WhichDevice>,
) -> Answer<One<Awake>> {
    let mut managed = managed(&api, &caller, Right::Act, &which).await?;
    let now_ms = api.app.clock.now_ms();
    let was_awake = managed.awake_until_ms.is_some_and(|until_ms| until_ms > now_ms);
    managed.awake_until_ms = None;
    let managed = keep(&api, managed).await?;
    if was_awake {
        return awake(&api, &managed, &caller, None).await;
    }
    let reason = Some("nothing kept the machine awake".into());
    Ok(One(Awake { keep_awake_until: None, acts: false, reason, operation_id: None }))
}

pub(crate) async fn force_state(
    State(api): State<Api>,
    Actor(caller): Actor,
    Query(which): Query<WhichDevice>,
    Body(asked): Body<ForceState>,
) -> Answer<One<IdleStatus>> {
    let Some(state) = Idle::from_name(&asked.state) else {
        let message = "is active, warm, cool, cold or dormant";
        let fault = FieldError::body("state", "invalid_value", message);
        return Err(Problem::invalid(vec![fault]));
    };
    let mut managed = managed(&api, &caller, Right::Act, &which).await?;
    if !managed.enabled {
        let message = "the machine's idleness is not managed; enable it at /api/system/idle/config";
        return Err(Problem::new(ErrorCode::StateConflict, message));
    }
    managed.forced = Some((state, api.app.clock.now_ms()));
    managed.awake_until_ms = None;
    let managed = keep(&api, managed).await?;
    shown(&api, managed).await.map(One)
}

async fn managed(
    api: &Api,
    caller: &Caller,
    right: Right,
    which: &WhichDevice,
) -> Result<Managed, Problem> {
    let device = which.find_for(api, caller, right).await?.id;
    let managed = api.app.store.managed(device).await.map_err(Problem::internal)?;
    Ok(managed.unwrap_or_else(|| Managed::new(device, api.app.clock.now_ms())))
}

/// Stores it and lets it take effect at once.
async fn keep(api: &Api, managed: Managed) -> Result<Managed, Problem> {
    api.app.store.keep_managed(&managed).await.map_err(Problem::internal)?;
    step(&api.app, managed).await.map_err(Problem::internal)
}

async fn awake(
    api: &Api,
    managed: &Managed,
    caller: &Caller,
    stands_for_ms: Option<u64>,
) -> Answer<One<Awake>> {
    let who = (caller.email.clone(), caller.session());
    let held = hold(&api.app, managed, who, stands_for_ms).await;
    let (operation_id, reason) = match held {
        Ok(operation) => (Some(operation.id.0), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(One(Awake {
        keep_awake_until: rfc3339_option(managed.awake_until_ms),
        acts: reason.is_none(),
        reason,
        operation_id,
    }))
}

async fn known(api: &Api, mode: &str) -> Result<bool, Problem> {
    if Mode::from_name(mode).is_some() {
        return Ok(true);
    }
    let own = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    Ok(own.iter().any(|profile| profile.id.to_string() == mode))
}

async fn shown(api: &Api, managed: Managed) -> Result<IdleStatus, Problem> {
    let plan: Plan = plan(&api.app, &managed.mode).await.map_err(Problem::internal)?;
    let idleness = managed.idleness(&plan);
    let now_ms = api.app.clock.now_ms();
    let (_, next) = idleness.look(now_ms);
    let choice = choose(&api.app, managed.device, &plan, managed.state);
    let reason = match choice {
        _ if !managed.enabled => Some("the machine's idleness is not managed".into()),
        Ok(_) => None,
        Err(reason) => Some(reason),
    };
    Ok(IdleStatus {
        device_id: managed.device.0,
        current_state: managed.state.name(),
        state_since: rfc3339(managed.since_ms),
        idle_enabled: managed.enabled,
        keep_awake_until: rfc3339_option(managed.awake_until_ms.filter(|until| *until > now_ms)),
        idle_timeout_minutes: idleness.thresholds.map(|thresholds| thresholds.cold / 60),
        power_mode: managed.mode,
        last_activity: rfc3339(managed.active_at_ms),
        thresholds_seconds: idleness.thresholds.map(IdleThresholds::from),
        next_state: next.map(|(state, _)| state.name()),
        next_state_at: next.map(|(_, at_ms)| rfc3339(at_ms)),
        acts: reason.is_none(),
        reason,
        last_action: managed.action.map(|action| IdleAction {
            at: rfc3339(action.at_ms),
            profile: action.profile,
            operation_id: action.operation,
            outcome: action.outcome,
        }),
    })
}

//! Modes of the operator's own: when a machine is how idle, and which of its power profiles that
//! means. The built-in modes can't be changed.

use super::idle::IdleThresholds;
use crate::access::{Caller, Right};
use crate::app::idle::PowerProfile as Kept;
use crate::audit::{AuditEntry, Decision};
use crate::http::Api;
use crate::http::auth::{Administrator, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId};
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Many, One, Resource};
use crate::idle::{Definition, MAX_THRESHOLD_S, Mode, State as Idle, Thresholds as Seconds};
use crate::record::Record;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

const MAX_NAME: usize = 64;
/// Profiles of all; more are refused.
const MAX_PROFILES: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerProfile {
    id: Uuid,
    name: String,
    /// Null where the machine is never idle.
    thresholds_seconds: Option<IdleThresholds>,
    /// The machine's own word for a state.
    profiles: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    recorded: Recorded,
}

impl Resource for PowerProfile {
    const FLAT: Flat = Flat::named("profile", "profiles");
}

impl From<Kept> for PowerProfile {
    fn from(kept: Kept) -> Self {
        let words = kept.definition.profiles.into_iter();
        Self {
            id: kept.id,
            name: kept.name,
            thresholds_seconds: kept.definition.thresholds.map(IdleThresholds::from),
            profiles: words.map(|(state, word)| (state.name(), word)).collect(),
            recorded: (&kept.record).into(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PowerProfileRequest {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// In their order; never idle where absent.
    thresholds_seconds: Option<IdleThresholds>,
    /// For `active`, `warm`, `cool`, `cold`, `dormant`: the machine's own word, such as
    /// `low-power`; where there is none, the machine is left as it is.
    #[serde(default)]
    profiles: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerProfileDeleted {
    id: Uuid,
    deleted: bool,
}

impl Resource for PowerProfileDeleted {
    const FLAT: Flat = Flat::fields();
}

impl PowerProfileRequest {
    fn checked(self) -> Result<(String, Definition), Problem> {
        let mut faults = Vec::new();
        let name = self.name.trim().to_owned();
        let is_word = |text: &str| {
            (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        if !is_word(&name) || Mode::from_name(&name).is_some() {
            let message = "has 1 to 64 characters, and is no built-in mode's";
            faults.push(FieldError::body("name", "out_of_range", message));
        }
        let thresholds = self.thresholds_seconds.map(|asked| Seconds {
            warm: asked.warm,
            cool: asked.cool,
            cold: asked.cold,
            dormant: asked.dormant,
        });
        if thresholds.is_some_and(|thresholds| !thresholds.are_ordered()) {
            let message = format!("are 1 to {MAX_THRESHOLD_S}, none less than the one before it");
            faults.push(FieldError::body("thresholds_seconds", "out_of_range", message));
        }
        let mut profiles = BTreeMap::new();
        for (state, word) in self.profiles {
            match Idle::from_name(&state).filter(|_| is_word(&word)) {
                Some(state) => {
                    profiles.insert(state, word);
                }
                None => {
                    let message = "are words of 1 to 64 characters for active, warm, cool, cold \
                                   and dormant";
                    faults.push(FieldError::body("profiles", "invalid_value", message));
                }
            }
        }
        if faults.is_empty() {
            Ok((name, Definition { thresholds, profiles }))
        } else {
            Err(Problem::invalid(faults))
        }
    }
}

pub(crate) async fn list(State(api): State<Api>, Reader(_): Reader) -> Answer<Many<PowerProfile>> {
    let profiles = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    Ok(Many::whole(profiles.into_iter().map(PowerProfile::from).collect()))
}

pub(crate) async fn create(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    request_id: Option<RequestId>,
    Body(asked): Body<PowerProfileRequest>,
) -> Answer<Created<PowerProfile>> {
    of_everything(&caller)?;
    let (name, definition) = asked.checked()?;
    let known = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    if known.len() >= MAX_PROFILES {
        let message = format!("there are {MAX_PROFILES} profiles, delete one of them first");
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    refuse_twin(&known, &name, None)?;
    let record = Record::new(Some(caller.user), api.app.clock.now_ms());
    let kept = Kept { id: api.app.clock.new_id(), name, definition, record };
    api.app.store.add_power_profile(&kept).await.map_err(Problem::internal)?;
    audit(&api, &caller, "power_profile.create", kept.id, request_id).await?;
    let location = format!("/api/system/profiles/{}", kept.id);
    Ok(Created { item: kept.into(), location })
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(asked): Body<PowerProfileRequest>,
) -> Answer<One<PowerProfile>> {
    of_everything(&caller)?;
    let (name, definition) = asked.checked()?;
    let known = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    refuse_twin(&known, &name, Some(id))?;
    let before = known.into_iter().find(|profile| profile.id == id);
    let before = before.ok_or_else(|| Problem::not_found("profile", id))?;
    let now_ms = api.app.clock.now_ms();
    let kept = Kept { name, definition, ..before };
    let replaced = api.app.store.replace_power_profile(&kept, caller.user, now_ms).await;
    if !replaced.map_err(Problem::internal)? {
        return Err(Problem::not_found("profile", id));
    }
    audit(&api, &caller, "power_profile.replace", id, request_id).await?;
    let record = Record {
        updated_at_ms: now_ms,
        updated_by: Some(caller.user),
        version: kept.record.version + 1,
        ..kept.record
    };
    Ok(One(Kept { record, ..kept }.into()))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<One<PowerProfileDeleted>> {
    of_everything(&caller)?;
    let known = api.app.store.power_profiles().await.map_err(Problem::internal)?;
    if known.iter().all(|profile| profile.id != id) {
        return Err(Problem::not_found("profile", id));
    }
    let now_ms = api.app.clock.now_ms();
    let deleted = api.app.store.delete_power_profile(id, caller.user, now_ms).await;
    if !deleted.map_err(Problem::internal)? {
        let message = "a machine is managed by this profile; give it another mode first";
        return Err(Problem::new(ErrorCode::StateConflict, message));
    }
    audit(&api, &caller, "power_profile.delete", id, request_id).await?;
    Ok(One(PowerProfileDeleted { id, deleted: true }))
}

/// Profiles are no organization's.
fn of_everything(caller: &Caller) -> Result<(), Problem> {
    if caller.grants.everywhere(Right::Administer) {
        return Ok(());
    }
    let message = "profiles are of all organizations; only a superuser of all can change them";
    Err(Problem::new(ErrorCode::Forbidden, message))
}

fn refuse_twin(known: &[Kept], name: &str, itself: Option<Uuid>) -> Result<(), Problem> {
    if known.iter().any(|profile| profile.name == name && Some(profile.id) != itself) {
        let message = format!("there is a profile called `{name}` already");
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    Ok(())
}

async fn audit(
    api: &Api,
    caller: &Caller,
    action: &str,
    id: Uuid,
    request_id: Option<RequestId>,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: action.into(),
        target: format!("power_profile:{id}"),
        decision: Decision::Allowed,
        details: json!({}),
        request_id: request_id.map(|id| id.0),
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)
}

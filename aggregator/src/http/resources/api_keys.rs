//! Keys with which programs sign in: `X-API-Key`.

use super::sessions::{Message, problem};
use crate::access::{ApiKeyId, Right};
use crate::accounts::api_keys::ApiKey as Kept;
use crate::http::Api;
use crate::http::auth::Owner;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, CameFrom, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Ten years.
const MAX_TTL_S: u64 = 10 * 365 * 24 * 60 * 60;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyRequest {
    /// What the key is for.
    name: String,
    /// `use`, `read`, `act`, `manage`, `administer`; each holds those before it, and none is more
    /// than what its owner may.
    scopes: Vec<String>,
    /// It does not expire where absent.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    id: Uuid,
    name: String,
    /// How its text begins.
    prefix: String,
    /// All that it may, as far as its owner may.
    scopes: Vec<&'static str>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

impl Resource for ApiKey {
    const FLAT: Flat = Flat::named("api_key", "api_keys");
}

impl Listable for ApiKey {
    const LIST: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("prefix", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("expires_at", Kind::Time),
            Field::new("last_used_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

/// A key just made: the only time that its text is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    key: String,
    api_key: ApiKey,
}

impl Resource for NewApiKey {
    const FLAT: Flat = Flat::fields();
}

impl From<Kept> for ApiKey {
    fn from(kept: Kept) -> Self {
        let held = Right::ALL.into_iter().filter(|right| right.least() <= kept.scope.least());
        Self {
            id: kept.id.0,
            name: kept.name,
            prefix: kept.start,
            scopes: held.map(Right::name).collect(),
            created_at: rfc3339(kept.created_at_ms),
            expires_at: rfc3339_option(kept.expires_at_ms),
            last_used_at: rfc3339_option(kept.last_used_at_ms),
        }
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(request): Body<ApiKeyRequest>,
) -> Answer<Created<NewApiKey>> {
    let refused =
        |field, message| Problem::invalid(vec![FieldError::body(field, "invalid_value", message)]);
    let scopes: Option<Vec<Right>> =
        request.scopes.iter().map(|name| Right::from_name(name)).collect();
    let scopes =
        scopes.ok_or_else(|| refused("scopes", "holds use, read, act, manage or administer"))?;
    if request.ttl_seconds.is_some_and(|seconds| !(60..=MAX_TTL_S).contains(&seconds)) {
        return Err(refused("ttl_seconds", "is 60 to 315360000, ten years"));
    }
    let ttl_ms = request.ttl_seconds.map(|seconds| seconds * 1_000);
    let made = api.app.accounts.add_api_key(&caller, request.name, &scopes, ttl_ms, &origin).await;
    let (kept, key) = made.map_err(problem(&api))?;
    let location = format!("/api/v1/auth/api-keys/{}", kept.id);
    Ok(Created { item: NewApiKey { key, api_key: kept.into() }, location })
}

pub(crate) async fn list(
    State(api): State<Api>,
    Owner(caller): Owner,
    Asked(listing, ..): Asked<ApiKey>,
) -> Answer<Listed<ApiKey>> {
    let keys = api.app.accounts.api_keys(&caller).await.map_err(problem(&api))?;
    let items = sift(keys.into_iter().map(ApiKey::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn revoke(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.revoke_api_key(&caller, ApiKeyId(id), &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "API key revoked" }))
}

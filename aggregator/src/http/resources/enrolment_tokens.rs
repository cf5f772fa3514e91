//! One-time tokens with which machines enrol.

use crate::enrolment::{DEFAULT_TTL_MS, EnrolmentToken as Kept, TokenError};
use crate::http::Api;
use crate::http::auth::Administrator;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::reply::{Answer, Created, Flat, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// What the token is for.
    name: Option<String>,
    /// 600 where absent.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnrolmentToken {
    id: Uuid,
    name: String,
    created_by: String,
    created_at: String,
    expires_at: String,
    used_at: Option<String>,
    used_by: Option<Uuid>,
    revoked_at: Option<String>,
}

impl Resource for EnrolmentToken {
    const FLAT: Flat = Flat::named("token", "tokens");
}

/// A token just made: the only time that its text is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewEnrolmentToken {
    id: Uuid,
    token: String,
    name: String,
    expires_at: String,
}

impl Resource for NewEnrolmentToken {
    const FLAT: Flat = Flat::named("token", "tokens");
}

impl From<Kept> for EnrolmentToken {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            name: kept.name,
            created_by: kept.created_by,
            created_at: rfc3339(kept.created_at_ms),
            expires_at: rfc3339(kept.expires_at_ms),
            used_at: rfc3339_option(kept.used_at_ms),
            used_by: kept.used_by.map(|device| device.0),
            revoked_at: rfc3339_option(kept.revoked_at_ms),
        }
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Body(request): Body<TokenRequest>,
) -> Answer<Created<NewEnrolmentToken>> {
    let name = request.name.unwrap_or_else(|| "unnamed".into());
    let ttl_ms = request.ttl_seconds.map_or(DEFAULT_TTL_MS, |s| s.saturating_mul(1_000));
    let new =
        api.app.enrolment.create_token(&name, &caller.email, ttl_ms).await.map_err(problem)?;
    Ok(Created {
        location: format!("/api/v1/enrolment-tokens/{}", new.token.id),
        item: NewEnrolmentToken {
            id: new.token.id,
            token: new.text,
            name: new.token.name,
            expires_at: rfc3339(new.token.expires_at_ms),
        },
    })
}

pub(crate) async fn list(
    State(api): State<Api>,
    Administrator(_): Administrator,
) -> Answer<Many<EnrolmentToken>> {
    let tokens = api.app.enrolment.tokens().await.map_err(Problem::internal)?;
    Ok(Many::whole(tokens.into_iter().map(EnrolmentToken::from).collect()))
}

/// What became of a token that was to be revoked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevokedToken {
    id: Uuid,
    revoked: bool,
}

impl Resource for RevokedToken {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn revoke(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Path(id): Path<Uuid>,
) -> Answer<One<RevokedToken>> {
    if api.app.enrolment.revoke_token(id).await.map_err(Problem::internal)? {
        return Ok(One(RevokedToken { id, revoked: true }));
    }
    Err(Problem::not_found("unused enrolment token", id))
}

fn problem(error: TokenError) -> Problem {
    let field = match &error {
        TokenError::Ttl(_) => "ttl_seconds",
        TokenError::Name => "name",
        TokenError::Random(_) | TokenError::Store(_) => return Problem::internal(error),
    };
    Problem::invalid(vec![FieldError::body(field, "out_of_range", error.to_string())])
}

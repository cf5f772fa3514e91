//! One-time tokens with which machines enrol.

use crate::access::{Caller, OrganizationId, Right, Scope, SiteId};
use crate::enrolment::{DEFAULT_TTL_MS, EnrolmentToken as Kept, Home, TokenError};
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List};
use crate::tenancy::Map;
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
    /// Where the machine will belong; needed of whoever manages no more than that.
    organization: Option<Uuid>,
    /// A site of the organization.
    site: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnrolmentToken {
    id: Uuid,
    name: String,
    organization: Option<Uuid>,
    site: Option<Uuid>,
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

impl Listable for EnrolmentToken {
    const LIST: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("organization", Kind::Id),
            Field::new("site", Kind::Id),
            Field::new("created_by", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("expires_at", Kind::Time),
            Field::new("used_at", Kind::Time),
            Field::new("used_by", Kind::Id),
            Field::new("revoked_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
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
            organization: kept.home.organization.map(|id| id.0),
            site: kept.home.site.map(|id| id.0),
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
    Manager(caller): Manager,
    Body(request): Body<TokenRequest>,
) -> Answer<Created<NewEnrolmentToken>> {
    let name = request.name.unwrap_or_else(|| "unnamed".into());
    let ttl_ms = request.ttl_seconds.map_or(DEFAULT_TTL_MS, |s| s.saturating_mul(1_000));
    let home = home(&api, &caller, request.organization, request.site).await?;
    let new = api.app.enrolment.create_token_at(home, &name, &caller.email, ttl_ms).await;
    let new = new.map_err(problem)?;
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
    Manager(caller): Manager,
    Asked(listing, ..): Asked<EnrolmentToken>,
) -> Answer<Listed<EnrolmentToken>> {
    let mut tokens = api.app.enrolment.tokens().await.map_err(Problem::internal)?;
    if !caller.grants.everywhere(Right::Manage) {
        let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
        tokens.retain(|token| is_managed(&map, &caller, token.home));
    }
    let items = sift(tokens.into_iter().map(EnrolmentToken::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
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
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<One<RevokedToken>> {
    let token = api.app.enrolment.token(id).await.map_err(Problem::internal)?;
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    if !token.is_some_and(|token| is_managed(&map, &caller, token.home)) {
        return Err(Problem::not_found("unused enrolment token", id));
    }
    if api.app.enrolment.revoke_token(id).await.map_err(Problem::internal)? {
        return Ok(One(RevokedToken { id, revoked: true }));
    }
    Err(Problem::not_found("unused enrolment token", id))
}

/// Where a machine will belong: a place that the caller manages.
async fn home(
    api: &Api,
    caller: &Caller,
    organization: Option<Uuid>,
    site: Option<Uuid>,
) -> Result<Home, Problem> {
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let unknown = |field| {
        let message = "names nothing that you manage; say where the machine will belong";
        Problem::invalid(vec![FieldError::body(field, "unknown", message)])
    };
    let site = site.map(SiteId);
    let around = match site {
        Some(site) => Some(map.organization_of(Scope::Site(site)).ok_or_else(|| unknown("site"))?),
        None => organization.map(OrganizationId),
    };
    if organization.is_some_and(|said| Some(OrganizationId(said)) != around) {
        return Err(unknown("organization"));
    }
    let home = Home { organization: around, site };
    let there = around.is_none_or(|id| map.holds(Scope::Organization(id)));
    if there && is_managed(&map, caller, home) { Ok(home) } else { Err(unknown("organization")) }
}

fn is_managed(map: &Map, caller: &Caller, home: Home) -> bool {
    let grants = &caller.grants;
    grants.everywhere(Right::Manage)
        || home.organization.is_some_and(|organization| {
            map.is_within(Scope::Organization(organization), grants.scopes(Right::Manage))
        })
}

fn problem(error: TokenError) -> Problem {
    let field = match &error {
        TokenError::Ttl(_) => "ttl_seconds",
        TokenError::Name => "name",
        TokenError::Random(_) | TokenError::Store(_) => return Problem::internal(error),
    };
    Problem::invalid(vec![FieldError::body(field, "out_of_range", error.to_string())])
}

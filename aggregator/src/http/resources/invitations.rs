//! Invitations to make an account.

use super::sessions::problem;
use crate::access::{Role, Scope};
use crate::accounts::invitations::{DEFAULT_TTL_MS, Invitation as Kept, Offer};
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, CameFrom, Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List, words};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationRequest {
    /// The only address that may use it; anybody's where absent.
    email: Option<String>,
    /// `user` where absent. Nobody gives more than what is their own.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// What the role is bound to; the account's own role where absent.
    scope: Option<ScopeBody>,
    /// Seven days where absent, at most thirty.
    ttl_seconds: Option<u64>,
}

/// A part of the fleet.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeBody {
    /// `organization`, `site`, `location`, `group` or `device`.
    kind: String,
    id: Uuid,
}

impl From<Scope> for ScopeBody {
    fn from(scope: Scope) -> Self {
        Self { kind: scope.kind().into(), id: scope.id() }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    id: Uuid,
    email: Option<String>,
    role: &'static str,
    scope: Option<ScopeBody>,
    /// `open`, `accepted`, `revoked` or `expired`.
    state: &'static str,
    created_at: String,
    created_by: Uuid,
    expires_at: String,
    accepted_at: Option<String>,
    accepted_by: Option<Uuid>,
    revoked_at: Option<String>,
}

impl Resource for Invitation {
    const FLAT: Flat = Flat::named("invitation", "invitations");
}

impl Listable for Invitation {
    const LIST: List = List {
        fields: &[
            Field::new("email", Kind::Text).searched(),
            Field::new("role", Kind::OneOf(words!(Role))),
            Field::new("state", Kind::OneOf(&["open", "accepted", "revoked", "expired"])),
            Field::new("created_at", Kind::Time),
            Field::new("created_by", Kind::Id),
            Field::new("expires_at", Kind::Time),
            Field::new("accepted_at", Kind::Time),
            Field::new("accepted_by", Kind::Id),
            Field::new("revoked_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

/// An invitation just made: the only time that its secret is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewInvitation {
    /// What `register` takes as `invitation`.
    secret: String,
    invitation: Invitation,
}

impl Resource for NewInvitation {
    const FLAT: Flat = Flat::fields();
}

fn shown(kept: Kept, now_ms: u64) -> Invitation {
    let state = match (kept.accepted_at_ms, kept.revoked_at_ms) {
        (Some(_), _) => "accepted",
        (None, Some(_)) => "revoked",
        (None, None) if kept.expires_at_ms <= now_ms => "expired",
        (None, None) => "open",
    };
    Invitation {
        id: kept.id,
        email: kept.email,
        role: kept.role.name(),
        scope: kept.scope.map(ScopeBody::from),
        state,
        created_at: rfc3339(kept.created_at_ms),
        created_by: kept.created_by.0,
        expires_at: rfc3339(kept.expires_at_ms),
        accepted_at: rfc3339_option(kept.accepted_at_ms),
        accepted_by: kept.accepted_by.map(|user| user.0),
        revoked_at: rfc3339_option(kept.revoked_at_ms),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    Manager(caller): Manager,
    CameFrom(origin): CameFrom,
    Body(request): Body<InvitationRequest>,
) -> Answer<Created<NewInvitation>> {
    let scope = request.scope.map(|scope| {
        Scope::parse(&scope.kind, scope.id).ok_or_else(|| {
            let message = "is organization, site, location, group or device";
            Problem::invalid(vec![FieldError::body("scope.kind", "invalid_value", message)])
        })
    });
    let offer = Offer {
        email: request.email,
        role: request.role.unwrap_or(Role::User),
        scope: scope.transpose()?,
        ttl_ms: request.ttl_seconds.map_or(DEFAULT_TTL_MS, |s| s.saturating_mul(1_000)),
    };
    let made = api.app.accounts.invite(&caller, offer, &origin).await;
    let (kept, secret) = made.map_err(problem(&api))?;
    let location = format!("/api/v1/invitations/{}", kept.id);
    let invitation = shown(kept, api.app.clock.now_ms());
    Ok(Created { item: NewInvitation { secret, invitation }, location })
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Invitation>,
) -> Answer<Listed<Invitation>> {
    let page = page.request()?;
    let found = api.app.accounts.invitations(&caller, &listing, page).await;
    let found = found.map_err(problem(&api))?;
    let now_ms = api.app.clock.now_ms();
    let items = found.items.into_iter().map(|kept| shown(kept, now_ms)).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<One<Invitation>> {
    let kept = api.app.accounts.invitation(&caller, id).await.map_err(problem(&api))?;
    Ok(One(shown(kept, api.app.clock.now_ms())))
}

pub(crate) async fn withdraw(
    State(api): State<Api>,
    Manager(caller): Manager,
    CameFrom(origin): CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<One<Invitation>> {
    let done = api.app.accounts.withdraw_invitation(&caller, id, &origin).await;
    Ok(One(shown(done.map_err(problem(&api))?, api.app.clock.now_ms())))
}

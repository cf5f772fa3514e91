//! Roles over a part of the fleet, and the members of an organization: those with a role over all
//! of it.

use super::entities::demand;
use crate::access::{Caller, Grant, OrganizationId, Right, Role, Scope, UserId};
use crate::audit::{AuditEntry, Decision};
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, Query, RequestId};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource};
use crate::listing::{Field, Form, Kind, List, Listing, words};
use crate::record::Record;
use crate::store::{Binding, NewBinding};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One account's role over one scope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleBinding {
    id: Uuid,
    user: BoundUser,
    /// `user`, `viewer`, `operator` or `org_admin`.
    role: &'static str,
    scope: BoundScope,
    #[serde(flatten)]
    record: Recorded,
}

#[derive(Debug, Serialize, ToSchema)]
struct BoundUser {
    id: Uuid,
    email: String,
    display_name: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct BoundScope {
    /// `organization`, `site`, `location`, `group` or `device`.
    kind: &'static str,
    id: Uuid,
}

impl Resource for RoleBinding {
    const FLAT: Flat = Flat::named("role_binding", "role_bindings");
}

impl Listable for RoleBinding {
    const LIST: List = List {
        fields: &[
            Field::new("user", Kind::Id),
            Field::new("email", Kind::Text).searched(),
            Field::new("display_name", Kind::Text).searched(),
            Field::new("role", Kind::OneOf(words!(Role))),
            Field::new("created_at", Kind::Time),
            Field::new("updated_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
    const OTHERS: &'static [&'static str] = &["scope_kind", "scope"];
}

impl From<Binding> for RoleBinding {
    fn from(binding: Binding) -> Self {
        let Grant { role, scope } = binding.grant;
        Self {
            id: binding.id,
            user: BoundUser {
                id: binding.user.0,
                email: binding.email,
                display_name: binding.display_name,
            },
            role: role.name(),
            scope: BoundScope { kind: scope.kind(), id: scope.id() },
            record: Recorded::from(&binding.record),
        }
    }
}

/// Who gets it: by id or by e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleBindingRequest {
    #[serde(default)]
    user: Option<Uuid>,
    #[serde(default)]
    email: Option<String>,
    /// `user`, `viewer`, `operator`, or `org_admin` over an organization.
    role: String,
    scope: ScopeRequest,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScopeRequest {
    /// `organization`, `site`, `location`, `group` or `device`.
    kind: String,
    id: Uuid,
}

/// The same over an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberRequest {
    #[serde(default)]
    user: Option<Uuid>,
    #[serde(default)]
    email: Option<String>,
    /// `user`, `viewer`, `operator` or `org_admin`.
    role: String,
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ScopeFilter {
    /// `organization`, `site`, `location`, `group` or `device`.
    scope_kind: String,
    scope: Uuid,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Query(page): Query<PageQuery>,
    Query(filter): Query<ScopeFilter>,
    Asked(listing, ..): Asked<RoleBinding>,
) -> Answer<Listed<RoleBinding>> {
    let scope = Scope::parse(&filter.scope_kind, filter.scope);
    let scope = scope.ok_or_else(|| {
        Problem::invalid(vec![FieldError::query("scope_kind", "invalid_value", SCOPES)])
    })?;
    within(&api, &caller, scope, page, listing).await
}

pub(crate) async fn members(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<RoleBinding>,
) -> Answer<Listed<RoleBinding>> {
    within(&api, &caller, Scope::Organization(OrganizationId(id)), page, listing).await
}

async fn within(
    api: &Api,
    caller: &Caller,
    scope: Scope,
    page: PageQuery,
    listing: Listing,
) -> Answer<Listed<RoleBinding>> {
    let page = page.request()?;
    see(api, caller, scope).await?;
    let found = api.app.store.role_bindings(scope, &listing, page).await;
    let found = found.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(RoleBinding::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

/// Roles over a scope are shown to whoever manages it, and for all others it is not there.
async fn see(api: &Api, caller: &Caller, scope: Scope) -> Result<(), Problem> {
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let grants = &caller.grants;
    let near = grants.everywhere(Right::Read) || map.is_near(scope, grants.scopes(Right::Read));
    if !map.holds(scope) || !near {
        return Err(Problem::not_found(scope.kind(), scope.id()));
    }
    demand(api, caller, Right::Manage, Some(scope)).await
}

pub(crate) async fn create(
    State(api): State<Api>,
    Manager(caller): Manager,
    request_id: Option<RequestId>,
    Body(sent): Body<RoleBindingRequest>,
) -> Answer<Created<RoleBinding>> {
    let scope = Scope::parse(&sent.scope.kind, sent.scope.id);
    let scope = scope.ok_or_else(|| {
        Problem::invalid(vec![FieldError::body("scope.kind", "invalid_value", SCOPES)])
    })?;
    give(&api, &caller, (sent.user, sent.email), &sent.role, scope, request_id).await
}

pub(crate) async fn add_member(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(sent): Body<MemberRequest>,
) -> Answer<Created<RoleBinding>> {
    let scope = Scope::Organization(OrganizationId(id));
    give(&api, &caller, (sent.user, sent.email), &sent.role, scope, request_id).await
}

const SCOPES: &str = "is organization, site, location, group or device";

async fn give(
    api: &Api,
    caller: &Caller,
    who: (Option<Uuid>, Option<String>),
    role: &str,
    scope: Scope,
    request_id: Option<RequestId>,
) -> Answer<Created<RoleBinding>> {
    see(api, caller, scope).await?;
    let role = bindable(role, scope)?;
    let user = find_user(api, who).await?;
    let now_ms = api.app.clock.now_ms();
    let record = Record::new(Some(caller.user), now_ms);
    let grant = Grant { role, scope };
    let new = NewBinding { id: api.app.clock.new_id(), user, grant, record };
    let entry = entry(api, caller, "role.give", (user, grant), request_id).await?;
    api.app.store.bind_role(&new, &entry).await.map_err(Problem::internal)?;
    api.app.tenancy.forget();
    api.app.accounts.reconsider();
    // Whoever had a role over it keeps its binding's id.
    let bound = api.app.store.binding_of(user, scope).await.map_err(Problem::internal)?;
    let bound = bound.ok_or_else(|| Problem::not_found("role binding", new.id))?;
    let location = format!("/api/v1/role-bindings/{}", bound.id);
    Ok(Created { item: bound.into(), location })
}

/// A superuser's scope is everything, and an organization is administered as a whole.
fn bindable(word: &str, scope: Scope) -> Result<Role, Problem> {
    let refused =
        |message| Problem::invalid(vec![FieldError::body("role", "invalid_value", message)]);
    match Role::from_name(word) {
        Some(Role::OrgAdmin) if !matches!(scope, Scope::Organization(_)) => {
            Err(refused("org_admin is a role over an organization as a whole"))
        }
        Some(role @ (Role::User | Role::Viewer | Role::Operator | Role::OrgAdmin)) => Ok(role),
        Some(Role::Superuser) | None => Err(refused("is user, viewer, operator or org_admin")),
    }
}

async fn find_user(
    api: &Api,
    (id, email): (Option<Uuid>, Option<String>),
) -> Result<UserId, Problem> {
    let unknown = |field| {
        let message = "names no account; invite them, or have them register first";
        Problem::invalid(vec![FieldError::body(field, "unknown", message)])
    };
    match (id, email) {
        (Some(id), None) => {
            let user = api.app.store.user(UserId(id)).await.map_err(Problem::internal)?;
            user.map(|user| user.id).ok_or_else(|| unknown("user"))
        }
        (None, Some(email)) => {
            let found = api.app.store.credentials(&email).await.map_err(Problem::internal)?;
            found.map(|found| found.user.id).ok_or_else(|| unknown("email"))
        }
        (_, _) => {
            let message = "is needed, or an e-mail address in its place, and not both";
            Err(Problem::invalid(vec![FieldError::body("user", "missing_field", message)]))
        }
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<One<RoleBinding>> {
    let binding = api.app.store.role_binding(id).await.map_err(Problem::internal)?;
    let binding = binding.ok_or_else(|| Problem::not_found("role binding", id))?;
    take(&api, &caller, binding, request_id).await
}

pub(crate) async fn remove_member(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path((id, user)): Path<(Uuid, Uuid)>,
    request_id: Option<RequestId>,
) -> Answer<One<RoleBinding>> {
    let scope = Scope::Organization(OrganizationId(id));
    see(&api, &caller, scope).await?;
    let bound = api.app.store.binding_of(UserId(user), scope).await.map_err(Problem::internal)?;
    let binding = bound.ok_or_else(|| Problem::not_found("member", user))?;
    take(&api, &caller, binding, request_id).await
}

async fn take(
    api: &Api,
    caller: &Caller,
    binding: Binding,
    request_id: Option<RequestId>,
) -> Answer<One<RoleBinding>> {
    let id = binding.id;
    match see(api, caller, binding.grant.scope).await {
        Err(problem) if problem.code == ErrorCode::NotFound => {
            return Err(Problem::not_found("role binding", id));
        }
        other => other?,
    }
    let of = (binding.user, binding.grant);
    let entry = entry(api, caller, "role.take", of, request_id).await?;
    if !api.app.store.unbind_role(id, &entry).await.map_err(Problem::internal)? {
        return Err(Problem::not_found("role binding", id));
    }
    api.app.tenancy.forget();
    api.app.accounts.reconsider();
    Ok(One(binding.into()))
}

async fn entry(
    api: &Api,
    caller: &Caller,
    action: &str,
    (user, grant): (UserId, Grant),
    request_id: Option<RequestId>,
) -> Result<AuditEntry, Problem> {
    let Grant { role, scope } = grant;
    let details = json!({ "role": role.name(), "scope": scope.kind(), "scope_id": scope.id() });
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let organization = map.organization_of(scope);
    Ok(AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: action.into(),
        target: format!("user:{user}"),
        decision: Decision::Allowed,
        details,
        request_id: request_id.map(|id| id.0),
        organization,
        ..AuditEntry::default()
    })
}

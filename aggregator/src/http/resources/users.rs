//! Other people's accounts.

use super::invitations::ScopeBody;
use super::profile::ProfilePatch;
use super::sessions::{credentials, problem};
use crate::access::{Grant, Role, UserId};
use crate::accounts::fields::{DEFAULT_LOCALE, DEFAULT_TIMEZONE, ProfileChange};
use crate::accounts::people::{NewPerson, PeopleQuery, Person, PersonChange};
use crate::http::Api;
use crate::http::auth::{Administrator, Manager};
use crate::http::extract::{Body, CameFrom, Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::precondition::{IfMatch, IfNoneMatch};
use crate::http::purge::Purge;
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, Resource, Tagged};
use crate::http::time::rfc3339_option;
use crate::listing::{Field, Form, Kind, List, words};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserRequest {
    #[schema(value_type = String)]
    email: Option<String>,
    #[schema(value_type = String, format = "password", min_length = 8)]
    password: Option<String>,
    /// `user` where absent.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    display_name: Option<String>,
    avatar_url: Option<String>,
    locale: Option<String>,
    timezone: Option<String>,
}

/// A whole account as it is to be; what may be absent goes back to its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserBody {
    email: String,
    display_name: String,
    #[schema(value_type = String)]
    role: Role,
    #[serde(default)]
    disabled: bool,
    avatar_url: Option<String>,
    locale: Option<String>,
    timezone: Option<String>,
}

/// A merge patch, RFC 7396.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(crate) struct UserPatch {
    email: Option<String>,
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    disabled: Option<bool>,
    display_name: Option<String>,
    #[serde(default, deserialize_with = "super::commands::present")]
    #[schema(value_type = Option<String>)]
    avatar_url: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::commands::present")]
    #[schema(value_type = Option<String>)]
    locale: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::commands::present")]
    #[schema(value_type = Option<String>)]
    timezone: Option<Option<String>>,
}

/// A role over a part of the fleet.
#[derive(Debug, Serialize, ToSchema)]
struct BoundRole {
    role: &'static str,
    scope: ScopeBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: Uuid,
    email: String,
    email_verified: bool,
    display_name: String,
    avatar_url: Option<String>,
    locale: String,
    timezone: String,
    role: &'static str,
    /// Roles over narrower scopes.
    roles: Vec<BoundRole>,
    disabled: bool,
    mfa_enabled: bool,
    last_login_at: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

impl Resource for User {
    const FLAT: Flat = Flat::named("user", "users");
}

impl Listable for User {
    const LIST: List = List {
        fields: &[
            Field::new("email", Kind::Text).searched(),
            Field::new("display_name", Kind::Text).searched(),
            Field::new("role", Kind::OneOf(words!(Role))),
            Field::new("disabled", Kind::Boolean),
            Field::new("email_verified", Kind::Boolean),
            Field::new("mfa_enabled", Kind::Boolean),
            Field::new("locale", Kind::Text),
            Field::new("timezone", Kind::Text),
            Field::new("last_login_at", Kind::Time),
            Field::new("created_at", Kind::Time),
            Field::new("updated_at", Kind::Time),
            Field::new("id", Kind::Id),
            Field::new("deleted", Kind::View),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        let Person { user, disabled, record, bound } = person;
        let bound = bound
            .into_iter()
            .map(|Grant { role, scope }| BoundRole { role: role.name(), scope: scope.into() });
        Self {
            id: user.id.0,
            email: user.email,
            email_verified: user.email_verified,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            locale: user.locale,
            timezone: user.timezone,
            role: user.role.name(),
            roles: bound.collect(),
            disabled,
            mfa_enabled: user.mfa_enabled,
            last_login_at: rfc3339_option(user.last_login_at_ms),
            recorded: Recorded::from(&record),
        }
    }
}

fn tagged(person: Person, known: bool) -> Tagged<User> {
    Tagged { version: person.record.version, item: person.into(), known }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Query(page): Query<PageQuery>,
    Asked(mut listing, ..): Asked<User>,
) -> Answer<Listed<User>> {
    let page = page.request()?;
    let deleted = listing.take_view("deleted");
    let query = PeopleQuery { listing, deleted, page };
    let found = api.app.accounts.people(&caller, &query).await.map_err(problem(&api))?;
    let items = found.items.into_iter().map(User::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(query.listing))
}

/// The list of 003's console.
pub(crate) async fn admin_list(
    state: State<Api>,
    Administrator(caller): Administrator,
    page: Query<PageQuery>,
    asked: Asked<User>,
) -> Answer<Listed<User>> {
    list(state, Manager(caller), page, asked).await
}

pub(crate) async fn create(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    CameFrom(origin): CameFrom,
    Body(request): Body<NewUserRequest>,
) -> Answer<Created<User>> {
    let (email, password) = credentials(request.email, request.password)?;
    let new = NewPerson {
        email,
        password,
        role: request.role.unwrap_or(Role::User),
        profile: ProfileChange {
            display_name: request.display_name,
            avatar_url: request.avatar_url.map(Some),
            locale: request.locale,
            timezone: request.timezone,
        },
    };
    let person = api.app.accounts.add_person(&caller, new, &origin).await;
    let person = person.map_err(problem(&api))?;
    let location = format!("/api/v1/users/{}", person.user.id);
    Ok(Created { item: person.into(), location })
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<User>> {
    let person = api.app.accounts.person(&caller, UserId(id)).await.map_err(problem(&api))?;
    let known = known.knows(person.record.version);
    Ok(tagged(person, known))
}

pub(crate) async fn replace(
    State(api): State<Api>,
    administrator: Administrator,
    came: CameFrom,
    Path(id): Path<Uuid>,
    given: IfMatch,
    Body(body): Body<UserBody>,
) -> Answer<Tagged<User>> {
    let change = PersonChange {
        email: Some(body.email),
        role: Some(body.role),
        disabled: Some(body.disabled),
        deleted: None,
        profile: ProfileChange {
            display_name: Some(body.display_name),
            avatar_url: Some(body.avatar_url),
            locale: Some(body.locale.unwrap_or_else(|| DEFAULT_LOCALE.into())),
            timezone: Some(body.timezone.unwrap_or_else(|| DEFAULT_TIMEZONE.into())),
        },
    };
    change_user(&api, administrator, came, id, given.expected()?, change).await
}

pub(crate) async fn update(
    State(api): State<Api>,
    administrator: Administrator,
    came: CameFrom,
    Path(id): Path<Uuid>,
    given: IfMatch,
    Body(patch): Body<UserPatch>,
) -> Answer<Tagged<User>> {
    let profile = ProfilePatch::of(patch.avatar_url, patch.locale, patch.timezone).change()?;
    let change = PersonChange {
        email: patch.email,
        role: patch.role,
        disabled: patch.disabled,
        deleted: None,
        profile: ProfileChange { display_name: patch.display_name, ..profile },
    };
    change_user(&api, administrator, came, id, given.expected()?, change).await
}

/// It can be restored where it was not to be erased for good.
pub(crate) async fn delete(
    State(api): State<Api>,
    administrator: Administrator,
    came: CameFrom,
    Path(id): Path<Uuid>,
    Query(purge): Query<Purge>,
    given: IfMatch,
) -> Answer<Tagged<User>> {
    let Administrator(caller) = &administrator;
    if purge.admit(caller)? {
        let expected = given.expected()?;
        let erased = api.app.accounts.purge_person(caller, UserId(id), expected, &came.0).await;
        api.app.tenancy.forget();
        return Ok(tagged(erased.map_err(problem(&api))?, false));
    }
    let change = PersonChange { deleted: Some(true), ..PersonChange::default() };
    change_user(&api, administrator, came, id, given.expected()?, change).await
}

pub(crate) async fn restore(
    State(api): State<Api>,
    administrator: Administrator,
    came: CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<Tagged<User>> {
    let change = PersonChange { deleted: Some(false), ..PersonChange::default() };
    change_user(&api, administrator, came, id, None, change).await
}

async fn change_user(
    api: &Api,
    Administrator(caller): Administrator,
    CameFrom(origin): CameFrom,
    id: Uuid,
    expected: Option<u64>,
    change: PersonChange,
) -> Answer<Tagged<User>> {
    let changed =
        api.app.accounts.change_person(&caller, UserId(id), expected, change, &origin).await;
    let person = changed.map_err(problem(api))?;
    Ok(tagged(person, false))
}

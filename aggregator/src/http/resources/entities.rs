//! Organizations, sites, locations and groups: the same handlers for all of them. What is each
//! kind's own stands in its file.

pub(crate) mod groups;
pub(crate) mod locations;
pub(crate) mod organizations;
pub(crate) mod sites;

use crate::access::{Caller, LocationId, OrganizationId, Right, Scope, SiteId};
use crate::audit::{AuditEntry, Decision};
use crate::http::Api;
use crate::http::auth::{Manager, Member};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, Query, RequestId};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::patch::Patch;
use crate::http::precondition::{IfMatch, IfNoneMatch, failed};
use crate::http::purge::Purge;
use crate::http::reply::{Answer, Created, Listed, Many, Tagged};
use crate::listing::{Field, Form, Kind as Word, List};
use crate::record::Record;
use crate::store::{Change, EntityQuery, NewEntity};
use crate::tenancy::{Entity, Kept};
use axum::extract::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) const MAX_NAME: usize = 128;
pub(crate) const MAX_TEXT: usize = 1024;

/// How one kind is drawn, checked and addressed.
pub(crate) trait Kind: Listable + Sized {
    type Entity: Entity;
    /// What a client sends, and what a merge patch is applied to.
    type Sent: DeserializeOwned + Serialize + ToSchema + Send + Sync + 'static;
    const PATH: &'static str;
    /// What the client calls the thing that it hangs below.
    const PARENT_FIELD: &'static str;

    fn draw(kept: Kept<Self::Entity>) -> Self;
    fn sent(kept: &Kept<Self::Entity>) -> Self::Sent;
    /// The name, what it hangs below, and the rest.
    fn checked(sent: Self::Sent) -> Result<Checked<Self::Entity>, Problem>;
}

pub(crate) struct Checked<T> {
    pub(crate) name: String,
    pub(crate) parent: Option<Uuid>,
    pub(crate) body: T,
}

/// What the list of every kind can be asked; a kind may have more.
const FIELDS: [Field; 9] = [
    Field::new("name", Word::Text).searched(),
    Field::new("organization", Word::Id).bare(),
    // What it stands in directly: a site, or a location.
    Field::new("parent", Word::Id).bare(),
    Field::new("created_at", Word::Time),
    Field::new("created_by", Word::Id),
    Field::new("updated_at", Word::Time),
    Field::new("updated_by", Word::Id),
    Field::new("id", Word::Id),
    // For whoever manages, to restore them.
    Field::new("deleted", Word::View).bare(),
];

/// The list of a kind with `fields`.
const fn entities(fields: &'static [Field]) -> List {
    List { fields, form: Form::Pages, includes: &[], labelled: false }
}

pub(crate) async fn list<K: Kind>(
    State(api): State<Api>,
    Member(caller): Member,
    Query(page): Query<PageQuery>,
    Asked(mut listing, ..): Asked<K>,
) -> Answer<Listed<K>> {
    let page = page.request()?;
    let deleted = listing.take_view("deleted");
    let only = seen::<K>(&api, &caller, deleted).await?;
    let query = EntityQuery { only, listing, deleted, page };
    let found = api.app.store.entities(&query).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(K::draw).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(query.listing))
}

/// The ids that the caller sees, where they are not all. Deleted ones are in no map: they are a
/// superuser's to see.
async fn seen<K: Kind>(
    api: &Api,
    caller: &Caller,
    deleted: bool,
) -> Result<Option<HashSet<Uuid>>, Problem> {
    if caller.grants.everywhere(Right::Read) {
        return Ok(None);
    }
    if deleted {
        return Ok(Some(HashSet::new()));
    }
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let scopes: Vec<Scope> = caller.grants.scopes(Right::Read).collect();
    Ok(Some(map.near(K::Entity::KIND, &scopes)))
}

pub(crate) async fn detail<K: Kind>(
    State(api): State<Api>,
    Member(caller): Member,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<K>> {
    let kept = find::<K>(&api, &caller, Right::Read, id).await?;
    let version = kept.record.version;
    Ok(Tagged { item: K::draw(kept), version, known: known.knows(version) })
}

/// One that stands. What the caller does not see is not there for it.
pub(crate) async fn find<K: Kind>(
    api: &Api,
    caller: &Caller,
    right: Right,
    id: Uuid,
) -> Result<Kept<K::Entity>, Problem> {
    let kept = any::<K>(api, caller, id).await?;
    if kept.record.deleted_at_ms.is_some() {
        return Err(not_found::<K>(id));
    }
    demand(api, caller, right, kept.scope()).await?;
    Ok(kept)
}

/// One that the caller sees, a deleted one too.
async fn any<K: Kind>(api: &Api, caller: &Caller, id: Uuid) -> Result<Kept<K::Entity>, Problem> {
    let kept = api.app.store.entity::<K::Entity>(id).await.map_err(Problem::internal)?;
    let kept = kept.ok_or_else(|| not_found::<K>(id))?;
    if caller.grants.everywhere(Right::Read) {
        return Ok(kept);
    }
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    // A deleted one is in no map; its organization is.
    let organization = Scope::Organization(kept.organization);
    let near =
        kept.scope().is_some_and(|scope| map.is_near(scope, caller.grants.scopes(Right::Read)));
    let deleted = kept.record.deleted_at_ms.is_some();
    if near || (deleted && map.is_within(organization, caller.grants.scopes(Right::Manage))) {
        return Ok(kept);
    }
    Err(not_found::<K>(id))
}

fn not_found<K: Kind>(id: Uuid) -> Problem {
    Problem::not_found(K::Entity::KIND, id)
}

/// Has the caller `right` over `scope`? Reading needs no more than to have found it.
pub(crate) async fn demand(
    api: &Api,
    caller: &Caller,
    right: Right,
    scope: Option<Scope>,
) -> Result<(), Problem> {
    let may = match scope {
        _ if right == Right::Read => true,
        Some(scope) => {
            api.app.tenancy.may(&caller.grants, right, scope).await.map_err(Problem::internal)?
        }
        None => caller.grants.everywhere(right),
    };
    if may {
        return Ok(());
    }
    let message = format!("you may see this, and not {} it", right.verb());
    Err(Problem::new(ErrorCode::Forbidden, message).detail("right", right.name()))
}

pub(crate) async fn create<K: Kind>(
    State(api): State<Api>,
    Manager(caller): Manager,
    request_id: Option<RequestId>,
    Body(sent): Body<K::Sent>,
) -> Answer<Created<K>> {
    let checked = K::checked(sent)?;
    let id = api.app.clock.new_id();
    let organization = home::<K>(&api, &caller, id, checked.parent).await?;
    let now_ms = api.app.clock.now_ms();
    let Checked { name, parent, body } = checked;
    let new = NewEntity { id, organization, parent, name, body };
    let record = Record::new(Some(caller.user), now_ms);
    let entry = entry::<K>(
        &api,
        &caller,
        "create",
        (id, organization),
        json!({ "name": new.name }),
        request_id,
    );
    let change = api.app.store.add_entity(&new, &record, &entry).await;
    done::<K>(change.map_err(Problem::internal)?, &new.name)?;
    api.app.tenancy.forget();
    let NewEntity { id, organization, parent, name, body } = new;
    let location = format!("{}/{id}", K::PATH);
    Ok(Created { item: K::draw(Kept { id, organization, parent, name, body, record }), location })
}

/// The organization that something belongs to that hangs below `parent`; the caller has to manage
/// that. An organization is its own, and only a superuser makes one.
async fn home<K: Kind>(
    api: &Api,
    caller: &Caller,
    id: Uuid,
    parent: Option<Uuid>,
) -> Result<OrganizationId, Problem> {
    let Some(parent) = parent else {
        demand(api, caller, Right::Administer, None).await?;
        return Ok(OrganizationId(id));
    };
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let kinds = [
        Scope::Organization(OrganizationId(parent)),
        Scope::Site(SiteId(parent)),
        Scope::Location(LocationId(parent)),
    ];
    let allowed = match K::Entity::KIND {
        "location" => &kinds[1..],
        _ => &kinds[..1],
    };
    let missing = || {
        let message = "names nothing that this can stand in";
        Problem::invalid(vec![FieldError::body(K::PARENT_FIELD, "unknown", message)])
    };
    let scope = allowed.iter().copied().find(|scope| map.holds(*scope)).ok_or_else(missing)?;
    // What lies in it itself would be nobody's.
    if map.within(scope).iter().any(|around| around.id() == id) {
        let message = "lies within this itself";
        return Err(Problem::invalid(vec![FieldError::body(K::PARENT_FIELD, "circular", message)]));
    }
    let grants = &caller.grants;
    if !grants.everywhere(Right::Read) && !map.is_near(scope, grants.scopes(Right::Read)) {
        return Err(missing());
    }
    demand(api, caller, Right::Manage, Some(scope)).await?;
    map.organization_of(scope).ok_or_else(missing)
}

pub(crate) async fn replace<K: Kind>(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    request_id: Option<RequestId>,
    Body(sent): Body<K::Sent>,
) -> Answer<Tagged<K>> {
    let kept = find::<K>(&api, &caller, Right::Manage, id).await?;
    put::<K>(&api, &caller, kept, if_match, sent, request_id).await
}

/// RFC 7396.
pub(crate) async fn patch<K: Kind>(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    request_id: Option<RequestId>,
    Body(patch): Body<Patch<K::Sent>>,
) -> Answer<Tagged<K>> {
    let kept = find::<K>(&api, &caller, Right::Manage, id).await?;
    let sent = patch.merged(&K::sent(&kept))?;
    put::<K>(&api, &caller, kept, if_match, sent, request_id).await
}

async fn put<K: Kind>(
    api: &Api,
    caller: &Caller,
    kept: Kept<K::Entity>,
    if_match: IfMatch,
    sent: K::Sent,
    request_id: Option<RequestId>,
) -> Answer<Tagged<K>> {
    let expected = if_match.expected()?;
    let (before, after) = (json!(K::sent(&kept)), json!(sent));
    let Checked { name, parent, body } = K::checked(sent)?;
    let organization = if parent == kept.parent {
        kept.organization
    } else {
        home::<K>(api, caller, kept.id, parent).await?
    };
    if organization != kept.organization {
        let message = "lies in another organization; make it there anew";
        return Err(Problem::invalid(vec![FieldError::body(K::PARENT_FIELD, "foreign", message)]));
    }
    let id = kept.id;
    let new = NewEntity { id, organization, parent, name, body };
    let by = (caller.user, api.app.clock.now_ms());
    let entry = entry::<K>(api, caller, "replace", (id, organization), json!({}), request_id);
    let entry = entry.changing(&before, &after);
    let change = api.app.store.replace_entity(&new, expected, by, &entry).await;
    done::<K>(change.map_err(Problem::internal)?, &new.name)?;
    api.app.tenancy.forget();
    let kept = any::<K>(api, caller, id).await?;
    let version = kept.record.version;
    Ok(Tagged { item: K::draw(kept), version, known: false })
}

pub(crate) async fn delete<K: Kind>(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(purge): Query<Purge>,
    if_match: IfMatch,
    request_id: Option<RequestId>,
) -> Answer<Tagged<K>> {
    if purge.admit(&caller)? {
        let kept = any::<K>(&api, &caller, id).await?;
        return erase::<K>(&api, &caller, kept, if_match.expected()?, request_id).await;
    }
    let kept = find::<K>(&api, &caller, Right::Manage, id).await?;
    mark::<K>(&api, &caller, kept, true, if_match.expected()?, request_id).await
}

/// Shows for the last time what it was.
async fn erase<K: Kind>(
    api: &Api,
    caller: &Caller,
    kept: Kept<K::Entity>,
    expected: Option<u64>,
    request_id: Option<RequestId>,
) -> Answer<Tagged<K>> {
    let details = json!({ "name": kept.name });
    let target = (kept.id, kept.organization);
    let entry = entry::<K>(api, caller, "purge", target, details, request_id);
    let change = api.app.store.purge_entity::<K::Entity>(kept.id, expected, &entry).await;
    done::<K>(change.map_err(Problem::internal)?, &kept.name)?;
    api.app.tenancy.forget();
    api.app.accounts.reconsider();
    let version = kept.record.version;
    Ok(Tagged { item: K::draw(kept), version, known: false })
}

pub(crate) async fn restore<K: Kind>(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<Tagged<K>> {
    let kept = any::<K>(&api, &caller, id).await?;
    if kept.record.deleted_at_ms.is_none() {
        let message = format!("the {} `{id}` was not deleted", K::Entity::KIND);
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    demand(&api, &caller, Right::Manage, Some(Scope::Organization(kept.organization))).await?;
    mark::<K>(&api, &caller, kept, false, None, request_id).await
}

async fn mark<K: Kind>(
    api: &Api,
    caller: &Caller,
    kept: Kept<K::Entity>,
    deleted: bool,
    expected: Option<u64>,
    request_id: Option<RequestId>,
) -> Answer<Tagged<K>> {
    let word = if deleted { "delete" } else { "restore" };
    let details = json!({ "name": kept.name });
    let entry = entry::<K>(api, caller, word, (kept.id, kept.organization), details, request_id);
    let by = (caller.user, api.app.clock.now_ms());
    let change = api.app.store.mark_entity::<K::Entity>(kept.id, deleted, expected, by, &entry);
    done::<K>(change.await.map_err(Problem::internal)?, &kept.name)?;
    api.app.tenancy.forget();
    let found = api.app.store.entity::<K::Entity>(kept.id).await.map_err(Problem::internal)?;
    let kept = found.ok_or_else(|| not_found::<K>(kept.id))?;
    let version = kept.record.version;
    Ok(Tagged { item: K::draw(kept), version, known: false })
}

fn done<K: Kind>(change: Change, name: &str) -> Result<(), Problem> {
    let kind = K::Entity::KIND;
    match change {
        Change::Done => Ok(()),
        Change::Stale => Err(failed(format!("the {kind} is another version by now"))),
        Change::NameTaken => {
            let message = format!("there is a {kind} called `{name}` already");
            Err(Problem::new(ErrorCode::Conflict, message).detail("name", name))
        }
        Change::InUse => {
            let message = format!("something lies in this {kind}, or stands there: move it first");
            Err(Problem::new(ErrorCode::Conflict, message))
        }
    }
}

fn entry<K: Kind>(
    api: &Api,
    caller: &Caller,
    word: &str,
    (id, organization): (Uuid, OrganizationId),
    details: Value,
    request_id: Option<RequestId>,
) -> AuditEntry {
    let kind = K::Entity::KIND;
    AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: format!("{kind}.{word}"),
        target: format!("{kind}:{id}"),
        decision: Decision::Allowed,
        details,
        request_id: request_id.map(|id| id.0),
        organization: Some(organization),
        ..AuditEntry::default()
    }
}

/// A name of 1 to [`MAX_NAME`] characters, and a description of at most [`MAX_TEXT`].
pub(crate) fn check_texts(name: &str, description: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let strange = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n');
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || strange(name) {
        let message = format!("has 1 to {MAX_NAME} characters, none of them a control character");
        faults.push(FieldError::body("name", "invalid_value", message));
    }
    if description.chars().count() > MAX_TEXT || strange(description) {
        let message = format!("has at most {MAX_TEXT} characters");
        faults.push(FieldError::body("description", "too_long", message));
    }
    faults
}

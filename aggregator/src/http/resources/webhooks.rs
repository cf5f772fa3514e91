//! Webhooks, their secrets and their deliveries.

mod deliveries;

use super::owned;
use super::schedules::Removed;
use crate::access::{Caller, OrganizationId, Right};
use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::precondition::{IfMatch, IfNoneMatch, changed};
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource, Tagged};
use crate::http::time::rfc3339_option;
use crate::listing::{Field, Form, Kind, List};
use crate::webhooks::{
    MAX_OVERLAP_MS, NewWebhook, OVERLAP_MS, Webhook as Kept, WebhookError, WebhookTopic,
};
use axum::extract::State;
pub(crate) use deliveries::{list as deliveries, redeliver, test};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookRequest {
    name: String,
    /// Of http or https, on the public network.
    url: String,
    /// `events`, `operations`, `devices`.
    topics: Vec<String>,
    /// Only what is about this device.
    device_id: Option<Uuid>,
    /// Only what is about its devices. Without it the webhook is the server's.
    organization_id: Option<Uuid>,
    enabled: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    id: Uuid,
    name: String,
    url: String,
    topics: Vec<&'static str>,
    device_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    enabled: bool,
    /// Since when no delivery was taken.
    failing_since: Option<String>,
    /// Why the server disabled it.
    disabled_reason: Option<String>,
    /// Until then the secret before signs too.
    previous_secret_until: Option<String>,
    #[serde(flatten)]
    record: Recorded,
}

impl Resource for Webhook {
    const FLAT: Flat = Flat::named("webhook", "webhooks");
}

impl Listable for Webhook {
    const LIST: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("url", Kind::Text).searched(),
            Field::new("device_id", Kind::Id),
            Field::new("organization_id", Kind::Id),
            Field::new("enabled", Kind::Boolean),
            Field::new("failing_since", Kind::Time),
            Field::new("created_at", Kind::Time),
            Field::new("created_by", Kind::Id),
            Field::new("updated_at", Kind::Time),
            Field::new("updated_by", Kind::Id),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Webhook {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            name: kept.name,
            url: kept.url,
            topics: kept.topics.into_iter().map(WebhookTopic::name).collect(),
            device_id: kept.device.map(|device| device.0),
            organization_id: kept.organization.map(|id| id.0),
            enabled: kept.enabled,
            failing_since: rfc3339_option(kept.failing_since_ms),
            disabled_reason: kept.disabled_why,
            previous_secret_until: rfc3339_option(kept.previous_until_ms),
            record: Recorded::from(&kept.record),
        }
    }
}

/// A webhook with its new secret: the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What deliveries are verified with, as Standard Webhooks has it.
    secret: String,
}

impl Resource for WebhookSecret {
    const FLAT: Flat = Flat::named("webhook", "webhooks");
}

impl WebhookRequest {
    async fn parse(self, api: &Api, caller: &Caller) -> Result<NewWebhook, Problem> {
        let mut faults = Vec::new();
        let name = owned::name(&mut faults, &self.name);
        let url = api.app.webhooks.url(&self.url).map_err(|error| {
            faults.push(FieldError::body("url", "invalid_url", error.to_string()))
        });
        let topics: Option<Vec<_>> =
            self.topics.iter().map(|name| WebhookTopic::from_name(name)).collect();
        let topics = topics.map(|mut topics| {
            topics.sort_by_key(|topic| topic.name());
            topics.dedup();
            topics
        });
        let topics = topics.filter(|topics| !topics.is_empty());
        if topics.is_none() {
            let message = "names one or more of events, operations and devices";
            faults.push(FieldError::body("topics", "invalid_value", message));
        }
        let (Ok(url), Some(topics), true) = (url, topics, faults.is_empty()) else {
            return Err(Problem::invalid(faults));
        };
        let organization = self.organization_id.map(OrganizationId);
        owned::demand(caller, organization)?;
        if let Some(id) = self.device_id {
            super::devices::find(api, caller, Right::Read, id).await?;
        }
        let device = self.device_id.map(DeviceId);
        Ok(NewWebhook {
            organization,
            name,
            url,
            topics,
            device,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

async fn audit(api: &Api, caller: &Caller, action: &str, webhook: &Kept) -> Result<(), Problem> {
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: format!("webhook.{action}"),
        target: format!("webhook:{}", webhook.id),
        decision: Decision::Allowed,
        details: json!({ "name": webhook.name, "url": webhook.url }),
        organization: webhook.organization,
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Asked(listing, ..): Asked<Webhook>,
) -> Answer<Listed<Webhook>> {
    let mut found = api.app.webhooks.list().await.map_err(Problem::internal)?;
    found.retain(|webhook| owned::may_manage(&caller, webhook.organization));
    let items = sift(found.into_iter().map(Webhook::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn create(
    State(api): State<Api>,
    Manager(caller): Manager,
    Body(request): Body<WebhookRequest>,
) -> Answer<Created<WebhookSecret>> {
    let new = request.parse(&api, &caller).await?;
    let (made, secret) = api.app.webhooks.create(new, &caller).await.map_err(problem)?;
    audit(&api, &caller, "create", &made).await?;
    let location = format!("/api/v1/webhooks/{}", made.id);
    Ok(Created { item: shown(made, &secret), location })
}

fn shown(webhook: Kept, secret: &Zeroizing<String>) -> WebhookSecret {
    WebhookSecret { webhook: webhook.into(), secret: secret.as_str().to_owned() }
}

async fn find(api: &Api, caller: &Caller, id: Uuid) -> Result<Kept, Problem> {
    let found = api.app.webhooks.webhook(id).await.map_err(Problem::internal)?;
    found
        .filter(|webhook| owned::may_manage(caller, webhook.organization))
        .ok_or_else(|| Problem::not_found("webhook", id))
}

async fn expected(
    api: &Api,
    caller: &Caller,
    id: Uuid,
    expected: IfMatch,
) -> Result<Kept, Problem> {
    let found = find(api, caller, id).await?;
    expected.admit(found.record.version, "webhook")?;
    Ok(found)
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<Webhook>> {
    let found = find(&api, &caller, id).await?;
    let version = found.record.version;
    Ok(Tagged { item: found.into(), version, known: known.knows(version) })
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Body(request): Body<WebhookRequest>,
) -> Answer<Tagged<Webhook>> {
    let old = expected(&api, &caller, id, if_match).await?;
    let new = request.parse(&api, &caller).await?;
    let replaced = api.app.webhooks.replace(&old, new, &caller).await.map_err(problem)?;
    let replaced = replaced.ok_or_else(|| changed("webhook"))?;
    audit(&api, &caller, "update", &replaced).await?;
    let version = replaced.record.version;
    Ok(Tagged { item: replaced.into(), version, known: false })
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Answer<One<Removed>> {
    let old = expected(&api, &caller, id, if_match).await?;
    if !api.app.webhooks.remove(&old, &caller).await.map_err(Problem::internal)? {
        return Err(changed("webhook"));
    }
    audit(&api, &caller, "delete", &old).await?;
    Ok(One(Removed { id, removed: true }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateRequest {
    /// How long the secret before signs too: a day where absent, a week at most.
    #[schema(maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

pub(crate) async fn rotate_secret(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Body(request): Body<RotateRequest>,
) -> Answer<One<WebhookSecret>> {
    let overlap_ms = request.overlap_seconds.map_or(OVERLAP_MS, |s| s.saturating_mul(1_000));
    if overlap_ms > MAX_OVERLAP_MS {
        let message = format!("is at most {}", MAX_OVERLAP_MS / 1_000);
        return Err(Problem::invalid(vec![FieldError::body(
            "overlap_seconds",
            "out_of_range",
            message,
        )]));
    }
    let old = find(&api, &caller, id).await?;
    let rotated = api.app.webhooks.rotate_secret(&old, overlap_ms, &caller).await;
    let (webhook, secret) = rotated.map_err(problem)?.ok_or_else(|| {
        Problem::new(ErrorCode::Conflict, "the webhook was changed at the same moment")
    })?;
    audit(&api, &caller, "rotate_secret", &webhook).await?;
    Ok(One(shown(webhook, &secret)))
}

fn problem(error: WebhookError) -> Problem {
    match error {
        WebhookError::Full => Problem::new(ErrorCode::Conflict, error.to_string()),
        error => Problem::internal(error),
    }
}

//! What was sent to a webhook, and what came of it.

use super::find;
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Accepted, Answer, Flat, Listed, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List, words};
use crate::webhooks::{Delivery as Kept, DeliveryState};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    id: Uuid,
    /// Its `webhook-id`, the same at every attempt.
    message_id: String,
    /// Such as `events.limit.tripped`.
    topic: String,
    /// `pending`, `delivered` or `failed`.
    state: &'static str,
    attempts: u32,
    next_attempt_at: Option<String>,
    last_status: Option<u16>,
    last_error: Option<String>,
    /// As it is sent.
    body: String,
    created_at: String,
    finished_at: Option<String>,
}

impl Resource for Delivery {
    const FLAT: Flat = Flat::named("delivery", "deliveries");
}

impl Listable for Delivery {
    const LIST: List = List {
        fields: &[
            Field::new("message_id", Kind::Text),
            Field::new("topic", Kind::Text).searched(),
            Field::new("state", Kind::OneOf(words!(DeliveryState))).bare(),
            Field::new("attempts", Kind::Number),
            Field::new("last_status", Kind::Number),
            Field::new("created_at", Kind::Time),
            Field::new("finished_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Delivery {
    fn from(kept: Kept) -> Self {
        let pending = kept.state == DeliveryState::Pending;
        Self {
            id: kept.id,
            message_id: kept.message,
            topic: kept.topic,
            state: kept.state.name(),
            attempts: kept.attempts,
            next_attempt_at: pending.then(|| rfc3339(kept.due_at_ms)),
            last_status: kept.last_status,
            last_error: kept.last_error,
            body: kept.body,
            created_at: rfc3339(kept.created_at_ms),
            finished_at: rfc3339_option(kept.finished_at_ms),
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Delivery>,
) -> Answer<Listed<Delivery>> {
    let page = page.request()?;
    find(&api, &caller, id).await?;
    let found = api.app.webhooks.deliveries(id, &listing, page).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(Delivery::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

/// Sends a message that says nothing but that it is a test.
pub(crate) async fn test(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<Accepted<Delivery>> {
    let webhook = find(&api, &caller, id).await?;
    if !webhook.enabled {
        return Err(Problem::new(ErrorCode::StateConflict, "the webhook is disabled"));
    }
    let delivery = api.app.webhooks.test(&webhook).await.map_err(Problem::internal)?;
    let location = format!("/api/v1/webhooks/{id}/deliveries");
    Ok(Accepted { item: delivery.into(), location })
}

pub(crate) async fn redeliver(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path((id, delivery)): Path<(Uuid, Uuid)>,
) -> Answer<Accepted<Delivery>> {
    let webhook = find(&api, &caller, id).await?;
    if !webhook.enabled {
        return Err(Problem::new(ErrorCode::StateConflict, "the webhook is disabled"));
    }
    let again = api.app.webhooks.redeliver(id, delivery).await.map_err(Problem::internal)?;
    let again = again.ok_or_else(|| Problem::not_found("delivery that has ended", delivery))?;
    Ok(Accepted { item: again.into(), location: format!("/api/v1/webhooks/{id}/deliveries") })
}

//! Subscriptions to events by mail, to the caller's own address.

use super::owned;
use super::schedules::Removed;
use crate::access::{OrganizationId, Right};
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource};
use crate::listing::{Field, Form, Kind, List};
use crate::notifications::{
    DEFAULT_PER_HOUR, MAX_KINDS, NewNotification, Notification as Kept, NotificationError, PER_HOUR,
};
use crate::telemetry::event::{severity_from_name, severity_name};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationRequest {
    /// This and worse: `info`, `warning` or `critical`.
    severity: String,
    /// `limit.*` is every kind that begins so; every kind where absent.
    #[serde(default)]
    kinds: Vec<String>,
    device_id: Option<Uuid>,
    /// Only what its devices tell.
    organization_id: Option<Uuid>,
    /// Mails an hour, 1 to 60; what is above is summed up. 10 where absent.
    per_hour: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notification {
    id: Uuid,
    /// Who is told.
    email: String,
    severity: &'static str,
    kinds: Vec<String>,
    device_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    per_hour: u32,
    /// Events of this hour that the next summary counts.
    held_back: u32,
    #[serde(flatten)]
    record: Recorded,
}

impl Resource for Notification {
    const FLAT: Flat = Flat::named("notification", "notifications");
}

impl Listable for Notification {
    const LIST: List = List {
        fields: &[
            Field::new("email", Kind::Text).searched(),
            Field::new("severity", Kind::OneOf(&["info", "warning", "critical"])),
            Field::new("device_id", Kind::Id),
            Field::new("organization_id", Kind::Id),
            Field::new("per_hour", Kind::Number),
            Field::new("held_back", Kind::Number),
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

impl From<Kept> for Notification {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            email: kept.email,
            severity: severity_name(kept.severity),
            kinds: kept.kinds,
            device_id: kept.device.map(|device| device.0),
            organization_id: kept.organization.map(|id| id.0),
            per_hour: kept.window.per_hour,
            held_back: kept.window.held,
            record: Recorded::from(&kept.record),
        }
    }
}

/// One's own.
pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Asked(listing, ..): Asked<Notification>,
) -> Answer<Listed<Notification>> {
    let mut found = api.app.notifications.list().await.map_err(Problem::internal)?;
    found.retain(|one| one.record.created_by == Some(caller.user));
    let items = sift(found.into_iter().map(Notification::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn create(
    State(api): State<Api>,
    Reader(caller): Reader,
    Body(request): Body<NotificationRequest>,
) -> Answer<Created<Notification>> {
    let mut faults = Vec::new();
    let severity = severity_from_name(&request.severity);
    if severity.is_none() {
        let message = "is info, warning or critical";
        faults.push(FieldError::body("severity", "invalid_value", message));
    }
    let kind = |kind: &String| {
        let name = kind.strip_suffix('*').unwrap_or(kind);
        name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    if request.kinds.len() > MAX_KINDS || !request.kinds.iter().all(kind) {
        let message = format!("is a list of at most {MAX_KINDS} kinds such as limit.*");
        faults.push(FieldError::body("kinds", "invalid_value", message));
    }
    let per_hour = request.per_hour.unwrap_or(DEFAULT_PER_HOUR);
    if !PER_HOUR.contains(&per_hour) {
        let message = format!("is {} to {}", PER_HOUR.start(), PER_HOUR.end());
        faults.push(FieldError::body("per_hour", "out_of_range", message));
    }
    let (Some(severity), true) = (severity, faults.is_empty()) else {
        return Err(Problem::invalid(faults));
    };
    let organization = request.organization_id.map(OrganizationId);
    // Who reads everything may be told of everything; others of a device or their organization.
    let allowed = match organization {
        None if request.device_id.is_some() => true,
        None => caller.grants.everywhere(Right::Read),
        Some(_) => owned::may(&caller, Right::Read, organization),
    };
    if !allowed {
        let message = "you may only be told of a device or an organization that you see; name one";
        return Err(Problem::new(ErrorCode::Forbidden, message));
    }
    if let Some(id) = request.device_id {
        super::devices::find(&api, &caller, Right::Read, id).await?;
    }
    let new = NewNotification {
        organization,
        kinds: request.kinds,
        severity,
        device: request.device_id.map(DeviceId),
        per_hour,
    };
    let made =
        api.app.notifications.subscribe(new, &caller).await.map_err(|error| match error {
            NotificationError::Full => Problem::new(ErrorCode::Conflict, error.to_string()),
            NotificationError::Store(error) => Problem::internal(error),
        })?;
    let location = format!("/api/v1/notifications/{}", made.id);
    Ok(Created { item: made.into(), location })
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<Removed>> {
    let own = api.app.notifications.list().await.map_err(Problem::internal)?;
    let own = own.iter().any(|one| {
        one.id == id
            && (one.record.created_by == Some(caller.user)
                || caller.grants.everywhere(Right::Administer))
    });
    if own && api.app.notifications.remove(id, &caller).await.map_err(Problem::internal)? {
        return Ok(One(Removed { id, removed: true }));
    }
    Err(Problem::not_found("notification", id))
}

//! The queue of mail: what was sent, what waits, and what nobody took.

use super::jobs::known;
use crate::http::Api;
use crate::http::auth::Administrator;
use crate::http::error::Problem;
use crate::http::extract::Query;
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::mail::MailState;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Without its text: that may hold what opens an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mail {
    id: Uuid,
    to: String,
    subject: String,
    /// `queued`, `sent`, `dead`, or `not_configured` where it waits for a server.
    state: &'static str,
    attempts: u32,
    next_attempt_at: Option<String>,
    last_error: Option<String>,
    created_at: String,
    finished_at: Option<String>,
}

impl Resource for Mail {
    const FLAT: Flat = Flat::named("mail", "mail");
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct MailFilter {
    /// `queued`, `sent` or `dead`.
    state: Option<String>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Query(filter): Query<MailFilter>,
    Query(page): Query<PageQuery>,
) -> Answer<Many<Mail>> {
    let page = page.request()?;
    let state = known("state", filter.state.as_deref(), MailState::from_name)?;
    let found = api.app.mail.list(state, page).await.map_err(Problem::internal)?;
    let configured = api.app.mail.is_configured();
    let items = found.items.into_iter().map(|mail| {
        let waits = mail.state == MailState::Queued;
        Mail {
            id: mail.id,
            to: mail.to,
            subject: mail.subject,
            state: if waits && !configured { "not_configured" } else { mail.state.name() },
            attempts: mail.attempts,
            next_attempt_at: (waits && configured).then(|| rfc3339(mail.due_at_ms)),
            last_error: mail.last_error,
            created_at: rfc3339(mail.created_at_ms),
            finished_at: rfc3339_option(mail.finished_at_ms),
        }
    });
    let items = items.collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).fact("configured", configured))
}

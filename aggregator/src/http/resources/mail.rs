//! The queue of mail: what was sent, what waits, and what nobody took.

use crate::http::Api;
use crate::http::auth::Administrator;
use crate::http::error::Problem;
use crate::http::extract::Query;
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List, words};
use crate::mail::MailState;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
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

impl Listable for Mail {
    const LIST: List = List {
        fields: &[
            Field::new("to", Kind::Text).searched(),
            Field::new("subject", Kind::Text).searched(),
            Field::new("state", Kind::OneOf(words!(MailState))).bare(),
            Field::new("attempts", Kind::Number),
            Field::new("last_error", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("finished_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

pub(crate) async fn list(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Mail>,
) -> Answer<Listed<Mail>> {
    let page = page.request()?;
    let found = api.app.mail.list(&listing, page).await.map_err(Problem::internal)?;
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
    let many = Many::page(items, page.page, page.per_page, found.total);
    Ok(many.fact("configured", configured).asked(listing))
}

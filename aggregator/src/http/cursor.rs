//! The list that a cursor is good for: its address and filters, and who asked.

use super::Api;
use super::auth::Identity;
use super::error::{ErrorCode, Problem};
use super::reply::Schemas;
use super::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Parameters that say where in a list one is, not which list it is.
const PLACE: [&str; 5] = ["cursor", "limit", "page", "per_page", "pageSize"];

/// What cursors of this request are bound to.
#[derive(Debug)]
pub(crate) struct Walk {
    bound: Vec<u8>,
}

impl<S: Send + Sync> FromRequestParts<S> for Walk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !PLACE.contains(&name.as_ref()))
            .collect();
        pairs.sort();
        let mut bound = Vec::new();
        let mut add = |text: &str| {
            bound.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bound.extend_from_slice(text.as_bytes());
        };
        match parts.extensions.get::<Identity>() {
            Some(Identity::Known(caller)) => add(&caller.user.to_string()),
            _ => add(""),
        }
        add(parts.uri.path());
        for (name, value) in &pairs {
            add(name);
            add(value);
        }
        Ok(Self { bound })
    }
}

impl Input for Walk {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.fails(&[ErrorCode::InvalidCursor]);
    }
}

impl Walk {
    /// The cursor of a place in this list.
    pub(crate) fn cursor(&self, api: &Api, place: &str) -> String {
        api.app.cursors.sign(&self.bound, place)
    }

    /// The place of a cursor of this list, and nobody else's.
    pub(crate) fn place<T>(
        &self,
        api: &Api,
        cursor: Option<&str>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = cursor else { return Ok(None) };
        let place = api.app.cursors.open_text(&self.bound, text);
        match place.as_deref().and_then(parse) {
            Some(place) => Ok(Some(place)),
            None => Err(Problem::new(
                ErrorCode::InvalidCursor,
                "the cursor is none that this server gave you for this list",
            )),
        }
    }
}

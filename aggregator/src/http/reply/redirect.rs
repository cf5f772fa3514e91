//! Answers that send a browser elsewhere, or leave a cookie with it.

use super::schema::Schemas;
use super::{One, ReplySchema, Resource};
use crate::http::dialect::Dialect;
use crate::http::render::Final;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// 302 to another address.
#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) to: String,
    pub(crate) cookie: Option<String>,
}

/// One resource, and a cookie that goes with it.
#[derive(Debug)]
pub(crate) struct WithCookie<T> {
    pub(crate) item: T,
    pub(crate) cookie: String,
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let mut response = StatusCode::FOUND.into_response();
        if let Ok(to) = HeaderValue::from_str(&self.to) {
            response.headers_mut().insert(header::LOCATION, to);
        }
        if let Some(cookie) = &self.cookie {
            leave(&mut response, cookie);
        }
        response.extensions_mut().insert(Final);
        response
    }
}

impl<T: Resource> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        let mut response = One(self.item).into_response();
        leave(&mut response, &self.cookie);
        response
    }
}

fn leave(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl ReplySchema for Redirect {
    fn status(_: Dialect) -> u16 {
        302
    }

    fn schema(_: Dialect, _: &mut Schemas) -> Value {
        Value::Null
    }

    fn located(_: Dialect) -> bool {
        true
    }

    fn json() -> bool {
        false
    }
}

impl<T: Resource> ReplySchema for WithCookie<T> {
    fn status(dialect: Dialect) -> u16 {
        One::<T>::status(dialect)
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        One::<T>::schema(dialect, schemas)
    }
}

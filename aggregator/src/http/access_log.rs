//! One line and one measurement for every request: who asked what, and how it went. No query, no
//! header and no body is written, so that no secret is.

use super::Api;
use super::peer::ClientAddress;
use crate::access::UserId;
use crate::clock::Stopwatch;
use crate::metrics::HttpLabels;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::response::Response;
use std::net::IpAddr;

/// What no route has is counted together: addresses that anybody makes up must not each become a
/// series.
const NO_ROUTE: &str = "unmatched";

/// Left in the response by whoever knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskedBy(pub(crate) UserId);

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Asked {
    watch: Stopwatch,
    method: Method,
    route: String,
    bytes: u64,
}

impl Asked {
    pub(crate) fn start(api: &Api, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str);
        let length = request.headers().get(header::CONTENT_LENGTH);
        Self {
            watch: api.app.clock.stopwatch(),
            method: request.method().clone(),
            route: route.to_owned(),
            bytes: length.and_then(|text| text.to_str().ok()?.parse().ok()).unwrap_or(0),
        }
    }

    pub(crate) fn end(self, api: &Api, request_id: &str, response: &Response) {
        let (took, status) = (self.watch.elapsed(), response.status());
        let labels = HttpLabels {
            http_request_method: known(&self.method),
            http_route: self.route,
            http_response_status_class: class(status.as_u16()),
        };
        api.app.metrics.http_requests.get_or_create(&labels).observe(took.as_secs_f64());
        if !api.app.config.log.requests {
            return;
        }
        let extensions = response.extensions();
        let user = extensions.get::<AskedBy>().map(|user| user.0.to_string());
        let address: Option<IpAddr> = extensions.get::<ClientAddress>().and_then(|client| client.0);
        tracing::info!(
            target: "flyball::requests",
            request_id,
            user,
            address = address.map(tracing::field::display),
            method = labels.http_request_method,
            route = labels.http_route,
            status = status.as_u16(),
            duration_ms = took.as_secs_f64() * 1_000.0,
            request_bytes = self.bytes,
            response_bytes = response.body().size_hint().exact(),
            "answered"
        );
    }
}

/// A method of the registry, as OpenTelemetry has it; others are one.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

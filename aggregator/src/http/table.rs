//! A route table that documents itself: what a handler takes and gives is read from its
//! signature, so that the OpenAPI document of a dialect can't say something else.

use super::Api;
use super::dialect::Dialect;
use super::error::{ErrorCode, ProblemBody};
use super::names;
use super::reply::{Answer, ReplySchema, Schemas};
use crate::access::Right;
use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodFilter, get, on};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::future::ready;

/// The routes of one dialect and their documentation.
pub(crate) struct Table {
    dialect: Dialect,
    router: Router<Api>,
    paths: Map<String, Value>,
    schemas: Schemas,
    listed: Vec<Listed>,
}

/// One documented route.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) method: Method,
    pub(crate) path: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests walk every route by it"))]
    pub(crate) right: Option<Right>,
    pub(crate) is_list: bool,
}

/// One route's documentation, filled in by what its handler takes and gives.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    pub(crate) right: Option<Right>,
    /// Which of the path's parameters are ids.
    pub(crate) ids: &'static [bool],
    pub(crate) errors: BTreeSet<&'static str>,
    codes: Vec<ErrorCode>,
}

impl Operation {
    pub(crate) fn fails(&mut self, codes: &[ErrorCode]) {
        for code in codes {
            if self.errors.insert(code.entry().slug) {
                self.codes.push(*code);
            }
        }
    }
}

/// The end of a route, and what to use instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deprecated {
    /// Since when, in Unix seconds (RFC 9745).
    pub(crate) since_s: u64,
    /// An HTTP date: nothing is there any more from then on (RFC 8594).
    pub(crate) sunset: &'static str,
    /// The address of what comes after it.
    pub(crate) successor: &'static str,
}

impl Deprecated {
    fn headers(self) -> [(HeaderName, String); 3] {
        [
            (HeaderName::from_static("deprecation"), format!("@{}", self.since_s)),
            (HeaderName::from_static("sunset"), self.sunset.to_owned()),
            (header::LINK, format!("<{}>; rel=\"successor-version\"", self.successor)),
        ]
    }
}

/// Something that a handler takes, as its documentation shows it.
pub(crate) trait Input {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

/// A handler whose signature can be read. `D` tells the arities apart.
pub(crate) trait Described<D> {
    type Reply: ReplySchema;
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

macro_rules! described {
    ($($input:ident),*) => {
        impl<F, Fut, R, $($input,)*> Described<($($input,)*)> for F
        where
            F: FnOnce($($input),*) -> Fut,
            Fut: Future<Output = Answer<R>>,
            R: ReplySchema,
            $($input: Input,)*
        {
            type Reply = R;

            fn describe(_operation: &mut Operation, _schemas: &mut Schemas) {
                $($input::describe(_operation, _schemas);)*
            }
        }
    };
}
described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);
described!(A, B, C, D, E, G);
described!(A, B, C, D, E, G, H);

impl Table {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            router: Router::new(),
            paths: Map::new(),
            schemas: Schemas::default(),
            listed: Vec::new(),
        }
    }

    pub(crate) fn get<H, M, D>(self, path: &str, summary: &str, handler: H) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.route(Method::GET, MethodFilter::GET, path, summary, handler)
    }

    pub(crate) fn post<H, M, D>(self, path: &str, summary: &str, handler: H) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.route(Method::POST, MethodFilter::POST, path, summary, handler)
    }

    pub(crate) fn put<H, M, D>(self, path: &str, summary: &str, handler: H) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.route(Method::PUT, MethodFilter::PUT, path, summary, handler)
    }

    pub(crate) fn patch<H, M, D>(self, path: &str, summary: &str, handler: H) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.route(Method::PATCH, MethodFilter::PATCH, path, summary, handler)
    }

    pub(crate) fn delete<H, M, D>(self, path: &str, summary: &str, handler: H) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.route(Method::DELETE, MethodFilter::DELETE, path, summary, handler)
    }

    fn route<H, M, D>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &str,
        summary: &str,
        handler: H,
    ) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.describe::<H, D>(&method, path, summary);
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// Takes the route down in the document and in the list.
    fn describe<H: Described<D>, D>(&mut self, method: &Method, path: &str, summary: &str) {
        let mut operation = Operation::default();
        <H as Described<D>>::describe(&mut operation, &mut self.schemas);
        operation.fails(&[ErrorCode::RateLimitExceeded, ErrorCode::InternalError]);
        let dialect = self.dialect;
        let schema = <H as Described<D>>::Reply::schema(dialect, &mut self.schemas);
        let mut response = json!({ "description": "Done.", "content": {} });
        if <H as Described<D>>::Reply::json() {
            response["content"]["application/json"] = json!({ "schema": schema });
        }
        for media_type in <H as Described<D>>::Reply::media_types() {
            response["content"][*media_type] = json!({ "schema": { "type": "string" } });
        }
        if <H as Described<D>>::Reply::located(dialect) {
            response["headers"] = json!({
                "Location": { "description": "Its address.", "schema": { "type": "string" } },
            });
        }
        let tagged = <H as Described<D>>::Reply::tagged();
        if tagged {
            response["headers"] = json!({
                "ETag": {
                    "description": "Its version, for If-Match and If-None-Match.",
                    "schema": { "type": "string" },
                },
            });
        }
        let status = <H as Described<D>>::Reply::status(dialect).to_string();
        let mut documented = self.document(path, summary, &operation, &status, response);
        if tagged {
            documented["responses"]["304"] =
                json!({ "description": "It is still the version of If-None-Match." });
        }
        let entry = self.paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        entry[method.as_str().to_lowercase()] = documented;
        let right = operation.right;
        let is_list = <H as Described<D>>::Reply::is_list();
        self.listed.push(Listed { method: method.clone(), path: path.into(), right, is_list });
    }

    /// A route on its way out: its document says so, and each of its answers, whatever its status.
    pub(crate) fn deprecated_get<H, M, D>(
        mut self,
        end: Deprecated,
        path: &str,
        summary: &str,
        handler: H,
    ) -> Self
    where
        H: Handler<M, Api> + Described<D>,
        M: 'static,
    {
        self.describe::<H, D>(&Method::GET, path, summary);
        self.paths[path]["get"]["deprecated"] = true.into();
        let headers = end.headers();
        let route = get(handler).layer(map_response(move |mut response: Response| {
            for (name, text) in &headers {
                if let Ok(value) = HeaderValue::from_str(text) {
                    response.headers_mut().append(name.clone(), value);
                }
            }
            ready(response)
        }));
        self.router = self.router.route(path, route);
        self
    }

    /// The route before fails in these ways too, which its handler's signature does not tell.
    pub(crate) fn fails(mut self, codes: &[ErrorCode]) -> Self {
        let Some(last) = self.listed.last() else { return self };
        let (path, method) = (last.path.clone(), last.method.as_str().to_lowercase());
        let taken = self.paths[&path][&method]["responses"].take();
        if let Value::Object(mut responses) = taken {
            for code in codes {
                self.add_problem(&mut responses, *code);
            }
            self.paths[&path][&method]["responses"] = responses.into();
        }
        self
    }

    fn document(
        &mut self,
        path: &str,
        summary: &str,
        operation: &Operation,
        status: &str,
        response: Value,
    ) -> Value {
        let mut parameters: Vec<Value> = path_parameters(path, operation.ids).collect();
        parameters.extend(operation.parameters.iter().cloned());
        let mut responses = Map::from_iter([(status.to_owned(), response)]);
        let mut codes = operation.codes.clone();
        if !parameters.is_empty() && path.contains('{') {
            codes.push(ErrorCode::NotFound);
        }
        for code in codes {
            self.add_problem(&mut responses, code);
        }
        let problem = self.problem();
        responses.insert(
            "default".into(),
            json!({ "description": "Any other problem.", "content": problem }),
        );
        let mut documented = json!({ "summary": summary, "tags": [tag(path, self.dialect)] });
        if !parameters.is_empty() {
            documented["parameters"] = parameters.into();
        }
        if let Some(body) = &operation.body {
            documented["requestBody"] = body.clone();
        }
        documented["responses"] = responses.into();
        if let Some(right) = operation.right {
            documented["security"] = json!([{ "bearer": [] }, { "api_key": [] }]);
            documented["x-right"] = right.name().into();
        }
        documented
    }

    fn add_problem(&mut self, responses: &mut Map<String, Value>, code: ErrorCode) {
        let entry = code.entry();
        let status = code.status(self.dialect).as_str().to_owned();
        let line = format!("`{}`: {}", entry.slug, entry.recovery);
        if let Some(known) = responses.get_mut(&status) {
            let before = known["description"].as_str().unwrap_or_default().to_owned();
            if !before.contains(&line) {
                known["description"] = format!("{before}\n\n{line}").into();
            }
            return;
        }
        let content = if code == ErrorCode::RateLimitExceeded && self.dialect == Dialect::Flat {
            rate_limited()
        } else if code.is_oauth() {
            oauth_error()
        } else {
            self.problem()
        };
        responses.insert(status, json!({ "description": line, "content": content }));
    }

    fn problem(&mut self) -> Value {
        let schema = self.schemas.reference::<ProblemBody>();
        json!({ self.dialect.problem_media_type(): { "schema": schema } })
    }

    /// The router, the document's paths and components, and the list of routes.
    pub(crate) fn finish(self) -> (Router<Api>, Map<String, Value>, Schemas, Vec<Listed>) {
        (self.router, self.paths, self.schemas, self.listed)
    }
}

fn rate_limited() -> Value {
    let schema = json!({
        "type": "object",
        "required": ["error", "code", "retry_after"],
        "properties": {
            "error": { "type": "string", "const": "Rate limit exceeded" },
            "code": { "type": "string", "const": "RATE_LIMIT_EXCEEDED" },
            "retry_after": { "type": "integer", "minimum": 0 },
        },
    });
    json!({ "application/json": { "schema": schema } })
}

/// RFC 6749, section 5.2.
fn oauth_error() -> Value {
    let schema = json!({
        "type": "object",
        "required": ["error", "error_description"],
        "properties": {
            "error": { "type": "string" },
            "error_description": { "type": "string" },
        },
    });
    json!({ "application/json": { "schema": schema } })
}

fn path_parameters<'a>(path: &'a str, ids: &'a [bool]) -> impl Iterator<Item = Value> + 'a {
    names::parameters(path).enumerate().map(|(place, name)| {
        let mut schema = json!({ "type": "string" });
        if ids.get(place) == Some(&true) {
            schema["format"] = "uuid".into();
        }
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    })
}

fn tag(path: &str, dialect: Dialect) -> String {
    let rest = path.strip_prefix(dialect.prefix()).unwrap_or(path);
    rest.split(['/', ':']).find(|part| !part.is_empty()).unwrap_or("root").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::reply::{Flat, One, Resource};
    use serde::Serialize;
    use utoipa::ToSchema;

    #[derive(Debug, Serialize, ToSchema)]
    struct Thing {
        name: &'static str,
    }

    impl Resource for Thing {
        const FLAT: Flat = Flat::fields();
    }

    async fn thing() -> Answer<One<Thing>> {
        Ok(One(Thing { name: "a" }))
    }

    #[test]
    fn a_route_on_its_way_out_is_marked_in_the_document_and_no_other_is() {
        let end = Deprecated {
            since_s: 1_795_298_300,
            sunset: "Sun, 21 Nov 2027 00:00:00 GMT",
            successor: "/api/v1/new",
        };
        let table = Table::new(Dialect::V1)
            .get("/api/v1/new", "New", thing)
            .deprecated_get(end, "/api/v1/old", "Old", thing)
            .get("/api/v1/other", "Other", thing);
        let (_, paths, ..) = table.finish();
        assert_eq!(paths["/api/v1/old"]["get"]["deprecated"], true);
        assert!(paths["/api/v1/new"]["get"].get("deprecated").is_none());
        let [deprecation, sunset, link] = end.headers();
        assert_eq!(deprecation.1, "@1795298300");
        assert_eq!(sunset.1, "Sun, 21 Nov 2027 00:00:00 GMT");
        assert_eq!(link.1, "</api/v1/new>; rel=\"successor-version\"");
    }
}

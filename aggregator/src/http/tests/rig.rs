//! One API on a fresh state, in one line.

use super::conformance;
use crate::access::Role;
use crate::accounts::create_user;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::{dialects, document, router};
use crate::store::fresh::Fresh;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use tower::ServiceExt;

pub(super) const NOW_MS: u64 = 1_795_298_300_000;
pub(super) const ADMIN: &str = "admin@example.org";
pub(super) const VIEWER: &str = "viewer@example.org";
pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) static DOCUMENTS: LazyLock<Vec<(&str, Value)>> =
    LazyLock::new(|| dialects().map(|name| (name, document(name).unwrap())).to_vec());

pub(super) struct Rig {
    pub(super) app: App,
    pub(super) clock: Clock,
    pub(super) state: Fresh,
    router: Router,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) text: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status and the slug.
    #[track_caller]
    pub(super) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        (self.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One request in the making.
pub(super) struct Ask<'a> {
    rig: &'a Rig,
    request: axum::http::request::Builder,
    method: Method,
    path: String,
    address: SocketAddr,
}

impl Rig {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::at(Clock::manual(NOW_MS), change).await
    }

    /// By a clock that somebody else reads too.
    pub(super) async fn at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let state = Fresh::new();
        let (folder, database) = (state.path().to_owned(), state.database());
        let mut config = Config { state: folder, database, ..Config::default() };
        change(&mut config);
        let app = App::open(config, clock.clone()).await.unwrap();
        let router = router(app.clone());
        Self { app, clock, state, router }
    }

    /// The same state under a new process's eyes.
    pub(super) async fn restarted(self) -> Self {
        let Self { app, clock, state, .. } = self;
        app.store.close().await;
        let (folder, database) = (state.path().to_owned(), state.database());
        let config = Config { state: folder, database, ..Config::default() };
        let app = App::open(config, clock.clone()).await.unwrap();
        let router = router(app.clone());
        Self { app, clock, state, router }
    }

    /// An account and its access token.
    pub(super) async fn token(&self, email: &str, role: Role) -> String {
        create_user(&self.app.store, &self.clock, email, PASSWORD, role).await.unwrap();
        let answer = self.sign_in("/api/v1/auth/login", email, PASSWORD).await;
        answer.json()["data"]["tokens"]["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn admin(&self) -> String {
        self.token(ADMIN, Role::Superuser).await
    }

    pub(super) async fn sign_in(&self, path: &str, email: &str, password: &str) -> Answer {
        let device = json!({ "fingerprint": "f-1", "name": "test", "type": "web" });
        self.post(path)
            .json(&json!({ "email": email, "password": password, "device": device }))
            .await
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method.clone()).uri(path);
        let address = (Ipv4Addr::LOCALHOST, 40_000).into();
        Ask { rig: self, request, method, path: path.to_owned(), address }
    }

    pub(super) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The same router on a real listener.
    pub(super) async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(crate::http::serve(self.app.clone(), listener));
        address
    }
}

impl Ask<'_> {
    pub(super) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn from(self, address: &str) -> Self {
        Self { address: address.parse().unwrap(), ..self }
    }

    pub(super) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub(super) async fn json(self, body: &Value) -> Answer {
        self.header("content-type", "application/json").body(body.to_string()).await
    }

    /// A form with a file and some words.
    pub(super) async fn form(self, name: &str, file: &[u8], words: &[(&str, &str)]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in words {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        }
        let head = "Content-Type: application/octet-stream\r\n\r\n";
        let named = format!("form-data; name=\"file\"; filename=\"{name}\"\r\n{head}");
        body.extend_from_slice(format!("--b\r\nContent-Disposition: {named}").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--b--\r\n");
        // As every client says it: what is too long is refused by that alone.
        let length = body.len().to_string();
        let ask = self.header("content-type", "multipart/form-data; boundary=b");
        ask.header("content-length", &length).body(body).await
    }

    pub(super) async fn send(self) -> Answer {
        self.body(String::new()).await
    }

    pub(super) async fn body(self, body: impl Into<Body>) -> Answer {
        let mut request = self.request.body(body.into()).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = self.rig.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let bytes = bytes.to_vec();
        let answer = Answer { status: parts.status, headers: parts.headers, bytes, text };
        if answer.header(header::CONTENT_TYPE.as_str()).ends_with("json")
            && !answer.header(header::CONTENT_TYPE.as_str()).ends_with("ndjson")
        {
            conformance::check(&DOCUMENTS, &self.method, &self.path, &answer);
        }
        answer
    }
}

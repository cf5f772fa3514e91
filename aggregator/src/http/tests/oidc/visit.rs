//! A browser's visit to the provider, step by step, so that each can go wrong.

use super::provider::{CLIENT, IdentityProvider, SECRET};
use crate::clock::Clock;
use crate::config::OidcProvider;
use crate::http::tests::rig::{Answer, NOW_MS, Rig};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) const START: &str = "/api/v1/auth/oidc/staff/start";
const CALLBACK: &str = "/api/v1/auth/oidc/staff/callback";

/// A server and its provider.
pub(super) struct House {
    pub(super) rig: Rig,
    pub(super) provider: IdentityProvider,
}

/// A browser at the provider's door.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) query: HashMap<String, String>,
    pub(super) cookie: String,
}

impl House {
    pub(super) async fn start() -> Self {
        Self::with(json!({ "create": "anyone", "domains": ["example.org"] })).await
    }

    /// With more keys of the provider's section.
    pub(super) async fn with(more: Value) -> Self {
        let clock = Clock::manual(NOW_MS);
        let provider = IdentityProvider::start(clock.clone()).await;
        Self::at(clock, provider, more).await
    }

    /// With a provider that runs already.
    pub(super) async fn at(clock: Clock, provider: IdentityProvider, more: Value) -> Self {
        let mut section = json!({
            "id": "staff", "title": "Staff", "issuer": provider.issuer, "client_id": CLIENT,
            "client_secret_file": "staff.secret",
        });
        for (name, value) in more.as_object().unwrap() {
            section[name] = value.clone();
        }
        let settings: OidcProvider = serde_json::from_value(section).unwrap();
        let rig = Rig::at(clock, |config| {
            std::fs::write(config.state.join("staff.secret"), format!("{SECRET}\n")).unwrap();
            config.limits.enabled = false;
            config.public_url = Some("https://fleet.example.org".into());
            config.oidc = vec![settings];
        })
        .await;
        Self { rig, provider }
    }

    pub(super) async fn begin(&self) -> Visit {
        let answer = self.rig.get(START).send().await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        Visit::of(answer.header("location"), &answer)
    }

    /// The provider sends the browser back, with what `change` makes of it.
    pub(super) async fn back(&self, visit: &Visit) -> Answer {
        let code = self.provider.authorize(&visit.query);
        self.back_with(&visit.cookie, &[("state", &visit.query["state"]), ("code", &code)]).await
    }

    pub(super) async fn back_with(&self, cookie: &str, query: &[(&str, &str)]) -> Answer {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(query);
        let path = format!("{CALLBACK}?{}", text.finish());
        self.rig.get(&path).header("cookie", cookie).send().await
    }

    pub(super) async fn exchange(&self, cookie: &str, code: &str) -> Answer {
        let body = json!({ "code": code, "device": { "fingerprint": "f-1", "type": "web" } });
        self.rig.post("/api/v1/auth/oidc/exchange").header("cookie", cookie).json(&body).await
    }

    /// The whole way.
    pub(super) async fn sign_in(&self) -> Answer {
        let visit = self.begin().await;
        let back = self.back(&visit).await;
        if back.status != 302 {
            return back;
        }
        self.exchange(&visit.cookie, &code(&back)).await
    }

    /// The same, to its access token.
    pub(super) async fn token(&self) -> String {
        let answer = self.sign_in().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"]["tokens"]["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn me(&self, token: &str) -> Value {
        let answer = self.rig.get("/api/v1/auth/me").by(token).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"]["user"].clone()
    }

    /// The newest rows of the trail: what was done, and what was decided.
    pub(super) async fn trail(&self) -> Vec<(String, &'static str)> {
        let query = crate::audit::AuditQuery { limit: 50, ..Default::default() };
        let rows = self.rig.app.store.audit(&query).await.unwrap();
        rows.into_iter().map(|row| (row.entry.action, row.entry.decision.name())).collect()
    }
}

impl Visit {
    pub(super) fn of(url: &str, answer: &Answer) -> Self {
        let (_, query) = url.split_once('?').unwrap();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { query, cookie }
    }
}

/// The code that the page finds in its fragment.
#[track_caller]
pub(super) fn code(back: &Answer) -> String {
    let (_, code) = back.header("location").split_once("#oidc_code=").expect("a code");
    code.to_owned()
}

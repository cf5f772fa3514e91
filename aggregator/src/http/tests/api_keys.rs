use super::rig::{Rig, VIEWER};
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/api/v1/auth/api-keys";

async fn key(rig: &Rig, token: &str, scopes: &[&str]) -> (String, String) {
    let body = json!({ "name": "script", "scopes": scopes, "ttl_seconds": 3600 });
    let made = rig.post(KEYS).by(token).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = made.json()["data"]["key"].as_str().unwrap().to_owned();
    (text, made.header("location").to_owned())
}

#[tokio::test]
async fn a_key_is_shown_once_and_signs_in_with_its_scope() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (text, path) = key(&rig, &admin, &["read"]).await;
    assert!(text.starts_with("fb_"));
    let by_key = |method: Method, path: &str| rig.ask(method, path).header("x-api-key", &text);
    assert_eq!(by_key(Method::GET, "/api/v1/devices").send().await.status, 200);
    let audit = by_key(Method::GET, "/api/v1/audit").send().await;
    assert_eq!(audit.refusal(), (403, "forbidden".into()));
    let list = rig.get(KEYS).by(&admin).send().await;
    assert!(!list.text.contains(&text));
    let shown = &list.json()["data"][0];
    assert_eq!(shown["scopes"], json!(["use", "read"]));
    assert!(text.starts_with(shown["prefix"].as_str().unwrap()));
    assert_eq!(shown["last_used_at"], "2026-11-21T21:58:20.000Z");

    let caller = rig.app.accounts.caller_by_key(&text).await.unwrap();
    let revoked = rig.ask(Method::DELETE, &path).by(&admin).send().await;
    assert_eq!(revoked.status, 200);
    let answer = by_key(Method::GET, "/api/v1/devices").send().await;
    assert_eq!(answer.refusal(), (401, "invalid_token".into()));
    assert!(!rig.app.accounts.still_stands(&caller).await.unwrap());
}

#[tokio::test]
async fn a_key_may_never_more_than_its_owner_may_now() {
    let rig = Rig::start().await;
    rig.admin().await;
    let viewer = rig.token(VIEWER, Role::Viewer).await;
    let ask = |scopes: Value| {
        let body = json!({ "name": "x", "scopes": scopes });
        let (rig, viewer) = (&rig, &viewer);
        async move { rig.post(KEYS).by(viewer).json(&body).await.refusal() }
    };
    assert_eq!(ask(json!(["act"])).await, (403, "forbidden".into()));
    assert_eq!(ask(json!(["everything"])).await, (422, "validation_error".into()));
    assert_eq!(ask(json!([])).await, (422, "validation_error".into()));
    let (text, _) = key(&rig, &viewer, &["read"]).await;
    let status =
        async || rig.get("/api/v1/devices").header("x-api-key", &text).send().await.status.as_u16();
    assert_eq!(status().await, 200);
    let demote = "UPDATE users SET role = 'user' WHERE role = 'viewer'";
    rig.app.store.tamper(demote.into()).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!(status().await, 403);
    rig.app.store.tamper("UPDATE users SET active = 0 WHERE role = 'user'".into()).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_key_ends_with_its_time_and_can_not_change_its_owner() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (text, _) = key(&rig, &admin, &["administer"]).await;
    for (method, path, body) in [
        (Method::POST, KEYS, json!({ "name": "x", "scopes": ["administer"] })),
        (Method::PATCH, "/api/v1/auth/me", json!({ "display_name": "x" })),
        (Method::POST, "/api/v1/auth/mfa/totp", json!({})),
        (Method::GET, "/api/v1/auth/sessions", json!({})),
    ] {
        let answer = rig.ask(method, path).header("x-api-key", &text).json(&body).await;
        assert_eq!(answer.refusal(), (403, "forbidden".into()), "{path}");
    }
    assert_eq!(rig.get("/api/v1/users").header("x-api-key", &text).send().await.status, 200);
    rig.clock.advance(Duration::from_secs(3600));
    let late = rig.get("/api/v1/users").header("x-api-key", &text).send().await;
    assert_eq!(late.refusal(), (401, "token_expired".into()));
    for wrong in ["", "fb_", "fb_x", "Bearer x", &"f".repeat(5_000)] {
        let answer = rig.get("/api/v1/users").header("x-api-key", wrong).send().await;
        assert_eq!(answer.refusal(), (401, "invalid_token".into()));
    }
}

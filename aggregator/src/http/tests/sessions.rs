use super::rig::{ADMIN, NOW_MS, PASSWORD, Rig, VIEWER};
use crate::access::Role;
use crate::access::token::ACCESS_TTL_MS;
use crate::accounts::lockout::LOCK_MS;
use crate::accounts::{REFRESH_TTL_MS, create_user};
use crate::audit::AuditQuery;
use serde_json::json;
use std::time::Duration;

const LOGIN: &str = "/api/auth/login";

async fn with_admin() -> Rig {
    let rig = Rig::start().await;
    create_user(&rig.app.store, &rig.clock, ADMIN, PASSWORD, Role::Superuser).await.unwrap();
    rig
}

async fn refresh(rig: &Rig, token: &str) -> super::rig::Answer {
    rig.post("/api/auth/refresh").json(&json!({ "refresh_token": token })).await
}

#[tokio::test]
async fn signing_in_gives_both_tokens_in_the_flat_shape() {
    let rig = with_admin().await;
    let answer = rig.sign_in(LOGIN, ADMIN, PASSWORD).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["user"]["email"], ADMIN);
    assert_eq!(body["user"]["role"], "superuser");
    assert_eq!(body["tokens"]["token_type"], "Bearer");
    assert_eq!(body["tokens"]["expires_in"], 900);
    assert!(body["device"]["id"].is_string());
    assert!(body.get("success").is_none());

    let token = body["tokens"]["access_token"].as_str().unwrap();
    let me = rig.get("/api/auth/me").by(token).send().await.json();
    assert_eq!(me["user"]["email"], ADMIN);
    assert_eq!(me["user"]["mfa_enabled"], false);
    assert_eq!(me["user"]["last_login_at"], "2026-11-21T21:58:20.000Z");
}

#[tokio::test]
async fn a_device_that_comes_again_is_the_same_one() {
    let rig = with_admin().await;
    let first = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json();
    let second = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json();
    assert_eq!(first["device"], second["device"]);
    assert_ne!(first["tokens"]["refresh_token"], second["tokens"]["refresh_token"]);
}

#[tokio::test]
async fn what_a_sign_in_lacks_is_named() {
    let rig = with_admin().await;
    let device = json!({ "fingerprint": "f" });
    for (body, status, slug) in [
        (json!({ "password": "x", "device": device }), 400, "missing_credentials"),
        (json!({ "email": "", "password": "x", "device": device }), 400, "missing_credentials"),
        (json!({ "email": ADMIN, "password": PASSWORD }), 400, "missing_device"),
        (json!({ "email": ADMIN, "password": 7, "device": device }), 400, "validation_error"),
        (json!({ "email": ADMIN, "password": "no", "device": device }), 401, "invalid_credentials"),
    ] {
        let answer = rig.post(LOGIN).json(&body).await;
        assert_eq!(answer.refusal(), (status, slug.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_account_for_a_while() {
    let rig = with_admin().await;
    for _ in 0..5 {
        let answer = rig.sign_in(LOGIN, ADMIN, "wrong").await;
        assert_eq!(answer.refusal(), (401, "invalid_credentials".into()));
    }
    // From another address, so that the rate limit does not answer first.
    let device = json!({ "fingerprint": "f" });
    let body = json!({ "email": ADMIN, "password": PASSWORD, "device": device });
    let locked = rig.post(LOGIN).from("10.0.0.2:1").json(&body).await;
    assert_eq!(locked.refusal(), (401, "account_locked".into()));
    assert_eq!(locked.header("retry-after"), "900");
    rig.clock.advance(Duration::from_millis(LOCK_MS));
    assert_eq!(rig.post(LOGIN).json(&body).await.status, 200);
}

#[tokio::test]
async fn an_address_without_an_account_is_locked_alike_and_each_lock_is_longer() {
    let rig = with_admin().await;
    let device = json!({ "fingerprint": "f" });
    for (email, others) in [(ADMIN, 0), ("nobody@example.org", 100)] {
        let attempt = async |number: u32| {
            let body = json!({ "email": email, "password": "wrong", "device": device });
            let from = format!("10.1.{}.{}:1", others + number / 200, number % 200);
            rig.post(LOGIN).from(&from).json(&body).await
        };
        let mut seen = Vec::new();
        for lock in 0..3 {
            for number in 0..5 {
                let answer = attempt(lock * 10 + number).await;
                assert_eq!(answer.refusal(), (401, "invalid_credentials".into()), "{email}");
            }
            let locked = attempt(lock * 10 + 6).await;
            assert_eq!(locked.refusal().1, "account_locked", "{email}");
            seen.push(locked.header("retry-after").to_owned());
            rig.clock.advance(Duration::from_secs(seen[lock as usize].parse().unwrap()));
        }
        assert_eq!(seen, ["900", "1800", "3600"], "{email}");
    }
}

#[tokio::test]
async fn the_sixth_sign_in_of_a_minute_is_refused_with_the_documents_body() {
    let rig = with_admin().await;
    for left in ["4", "3", "2", "1", "0"] {
        let answer = rig.sign_in(LOGIN, "nobody@example.org", "wrong").await;
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    let answer = rig.sign_in(LOGIN, ADMIN, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.text,
        r#"{"error":"Rate limit exceeded","code":"RATE_LIMIT_EXCEEDED","retry_after":60}"#
    );
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(answer.header("x-ratelimit-limit"), "5");
    assert_eq!(answer.header("x-ratelimit-window"), "60");
    assert_eq!(answer.header("x-ratelimit-reset"), (NOW_MS / 1_000 + 60).to_string());
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_family() {
    let rig = with_admin().await;
    let first = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json();
    let old = first["tokens"]["refresh_token"].as_str().unwrap();
    let answer = refresh(&rig, old).await;
    assert_eq!(answer.status, 200);
    let tokens = answer.json()["tokens"].clone();
    let (access, new) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(rig.get("/api/auth/me").by(access).send().await.status, 200);

    assert_eq!(refresh(&rig, old).await.refusal(), (401, "token_reused".into()));
    assert_eq!(refresh(&rig, new).await.refusal(), (401, "invalid_token".into()));
    // The access token of the family ends at once too.
    assert_eq!(rig.get("/api/auth/me").by(access).send().await.refusal().1, "invalid_token");
}

#[tokio::test]
async fn refresh_tokens_that_are_missing_unknown_or_old_are_told_apart() {
    let rig = with_admin().await;
    let answer = rig.post("/api/auth/refresh").json(&json!({})).await;
    assert_eq!(answer.refusal(), (400, "missing_token".into()));
    assert_eq!(refresh(&rig, "fbr1.none").await.refusal(), (401, "invalid_token".into()));
    let tokens = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json()["tokens"].clone();
    rig.clock.advance(Duration::from_millis(REFRESH_TTL_MS));
    let old = refresh(&rig, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(old.refusal(), (401, "token_expired".into()));
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let rig = with_admin().await;
    let here = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json()["tokens"].clone();
    let there = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json()["tokens"].clone();
    let me = |tokens: &serde_json::Value| {
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let rig = &rig;
        async move { rig.get("/api/auth/me").by(&token).send().await.status.as_u16() }
    };
    assert_eq!((me(&here).await, me(&there).await), (200, 200));
    let body = json!({ "refresh_token": here["refresh_token"], "all_devices": false });
    let answer = rig.post("/api/auth/logout").json(&body).await;
    assert_eq!(answer.json(), json!({ "message": "Logged out successfully" }));
    assert_eq!((me(&here).await, me(&there).await), (401, 200));

    let third = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json()["tokens"].clone();
    let body = json!({ "refresh_token": third["refresh_token"], "all_devices": true });
    rig.post("/api/auth/logout").json(&body).await;
    assert_eq!((me(&third).await, me(&there).await), (401, 401));
}

#[tokio::test]
async fn an_access_token_ends_after_its_time_and_a_forged_one_never_began() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let forged = format!("{token}x");
    for (token, slug) in [(forged.as_str(), "invalid_token"), ("x", "invalid_token")] {
        let answer = rig.get("/api/v1/auth/me").by(token).send().await;
        assert_eq!(answer.refusal(), (401, slug.to_owned()));
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    rig.clock.advance(Duration::from_millis(ACCESS_TTL_MS));
    let answer = rig.get("/api/v1/auth/me").by(&token).send().await;
    assert_eq!(answer.refusal(), (401, "token_expired".into()));
    let answer = rig.get("/api/v1/auth/me").header("authorization", "Basic eDp5").send().await;
    assert_eq!(answer.refusal(), (401, "basic_refused".into()));
}

#[tokio::test]
async fn sign_ins_are_in_the_audit_trail_without_passwords() {
    let rig = with_admin().await;
    rig.sign_in(LOGIN, ADMIN, "wrong-secret").await;
    rig.sign_in(LOGIN, ADMIN, PASSWORD).await;
    let query = AuditQuery { limit: 10, ..AuditQuery::default() };
    let rows = rig.app.store.audit(&query).await.unwrap();
    let seen: Vec<_> =
        rows.iter().map(|row| (row.entry.action.as_str(), row.entry.decision.name())).collect();
    assert_eq!(
        seen,
        [("auth.login", "allowed"), ("auth.login", "refused"), ("user.create", "allowed")]
    );
    assert!(rows.iter().all(|row| !row.entry.details.to_string().contains("secret")));
}

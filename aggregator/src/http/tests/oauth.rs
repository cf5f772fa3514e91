use super::rig::{ADMIN, Answer, PASSWORD, Rig};
use crate::access::token::ACCESS_TTL_MS;
use crate::accounts::password::{Hashing, Passwords};
use crate::accounts::rotate_signing_keys;
use crate::http::listener::Secure;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt;

const TOKEN: &str = "/api/v1/auth/token";

async fn ask(rig: &Rig, number: u8, form: &str) -> Answer {
    let ask = rig.post(TOKEN).from(&format!("10.0.0.{number}:1"));
    ask.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await
}

#[tokio::test]
async fn the_password_form_gives_both_tokens_as_rfc_6749_has_them() {
    let rig = Rig::start().await;
    rig.admin().await;
    let form = "grant_type=password&username=admin%40example.org&password=correct+horse+battery";
    let answer = ask(&rig, 1, form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(900)));
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(rig.get("/api/v1/auth/me").by(token).send().await.status, 200);
    let refresh = body["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(ask(&rig, 1, &form).await.status, 200);
    // Used twice, from two places: the family ends.
    assert_eq!(ask(&rig, 2, &form).await.refusal(), (400, "invalid_grant".into()));
    assert_eq!(rig.get("/api/v1/auth/me").by(token).send().await.status, 401);
}

#[tokio::test]
async fn a_faulty_form_is_told_in_the_words_of_rfc_6749() {
    let rig = Rig::start().await;
    rig.admin().await;
    let user = "username=admin%40example.org";
    for (number, (form, slug)) in [
        (format!("grant_type=password&{user}&password=wrong"), "invalid_grant"),
        ("grant_type=password&username=nobody%40example.org&password=x".into(), "invalid_grant"),
        (format!("grant_type=password&{user}"), "invalid_request"),
        (format!("grant_type=password&{user}&{user}&password=x"), "invalid_request"),
        ("grant_type=client_credentials".into(), "unsupported_grant_type"),
        (String::new(), "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x".into(), "invalid_grant"),
        ("grant_type=password&username=a%00b&password=x".into(), "invalid_request"),
        ("grant_type=password&username=a%0d%0ab&password=x".into(), "invalid_request"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = ask(&rig, u8::try_from(number).unwrap(), &form).await;
        assert_eq!(answer.refusal(), (400, slug.to_owned()), "{form}");
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        assert!(body["error_description"].is_string());
    }
    let json = rig.post(TOKEN).from("10.0.1.1:1").json(&json!({})).await;
    assert_eq!(json.refusal(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn basic_works_over_tls_only_and_only_where_it_is_enabled() {
    let status = async |enabled: bool, tls: bool, password: &str| {
        let rig = Rig::with(|config| config.auth.basic = enabled).await;
        rig.admin().await;
        let value = format!("Basic {}", STANDARD.encode(format!("{ADMIN}:{password}")));
        let mut request = Request::get("/api/v1/auth/me").header("authorization", value);
        if tls {
            request = request.extension(Secure);
        }
        let request = request.body(Body::empty()).unwrap();
        rig.router().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status(true, true, PASSWORD).await, 200);
    assert_eq!(status(true, true, "wrong").await, 401);
    assert_eq!(status(true, false, PASSWORD).await, 401);
    assert_eq!(status(false, true, PASSWORD).await, 401);
}

#[tokio::test]
async fn passwords_that_come_with_requests_are_counted_and_right_ones_are_remembered_for_a_moment()
{
    let rig = Rig::with(|config| config.auth.basic = true).await;
    rig.admin().await;
    let router = rig.router();
    let ask = async |password: &str| {
        let value = format!("Basic {}", STANDARD.encode(format!("{ADMIN}:{password}")));
        let request = Request::get("/api/v1/auth/me").header("authorization", value);
        let request = request.extension(Secure).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    // One check serves all requests of a moment; each would have been counted.
    for _ in 0..30 {
        assert_eq!(ask(PASSWORD).await, 200);
    }
    let mut refused = 0;
    for number in 0..30 {
        refused += u32::from(ask(&format!("wrong {number}")).await == 429);
    }
    assert!(refused >= 10, "{refused} of 30 guesses were refused unseen");
    assert_eq!(ask(PASSWORD).await, 200, "who was known a moment ago");
    let sql = "UPDATE users SET active = 0".to_owned();
    rig.app.store.tamper(sql).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    assert_ne!(ask(PASSWORD).await, 200, "a disabled account is shut out");
}

#[tokio::test]
async fn a_bcrypt_hash_is_replaced_at_the_next_sign_in() {
    let rig = Rig::start().await;
    rig.admin().await;
    let old = Passwords::new(Hashing::Bcrypt).hash(PASSWORD).await.unwrap();
    let sql = format!("UPDATE users SET password_hash = '{old}'");
    rig.app.store.tamper(sql).await.unwrap();
    let hash = async || rig.app.store.credentials(ADMIN).await.unwrap().unwrap().password_hash;
    let wrong = rig.sign_in("/api/auth/login", ADMIN, "wrong").await;
    assert_eq!(wrong.refusal().1, "invalid_credentials");
    assert_eq!(hash().await, old);
    assert_eq!(rig.sign_in("/api/auth/login", ADMIN, PASSWORD).await.status, 200);
    assert!(hash().await.starts_with("$argon2id$"));
    assert_eq!(rig.sign_in("/api/auth/login", ADMIN, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_rotated_key_signs_at_once_and_the_old_one_checks_until_its_tokens_end() {
    let rig = Rig::start().await;
    let before = rig.admin().await;
    let kid = rotate_signing_keys(&rig.app.store, &rig.clock).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    let signed_in = rig.sign_in("/api/auth/login", ADMIN, PASSWORD).await.json();
    let after = signed_in["tokens"]["access_token"].as_str().unwrap();
    let me = async |token: &str| rig.get("/api/auth/me").by(token).send().await.refusal();
    assert_eq!((me(&before).await.0, me(after).await.0), (200, 200));
    let header = STANDARD.decode(format!("{}==", after.split('.').next().unwrap())).or_else(|_| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(after.split('.').next().unwrap())
    });
    assert!(String::from_utf8(header.unwrap()).unwrap().contains(&kid));
    rig.clock.advance(Duration::from_millis(ACCESS_TTL_MS));
    assert_eq!(me(&before).await, (401, "token_expired".into()));
}

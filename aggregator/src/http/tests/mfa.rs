use super::rig::{ADMIN, Answer, PASSWORD, Rig};
use crate::accounts::code_of_app;
use crate::accounts::mfa::CHALLENGE_TTL_MS;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const LOGIN: &str = "/api/auth/login";
const TOTP: &str = "/api/v1/auth/mfa/totp";

/// An account with a second factor: its secret, its recovery codes and an access token.
async fn with_factor(rig: &Rig) -> (String, Vec<String>, String) {
    let token = rig.admin().await;
    let begun = rig.post(TOTP).by(&token).send().await.json();
    let secret = begun["data"]["secret"].as_str().unwrap().to_owned();
    let uri = begun["data"]["otpauth_uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Flyball:") && uri.contains(&secret), "{uri}");
    // Nothing is asked for before the app has shown that it has the secret.
    assert_eq!(rig.sign_in(LOGIN, ADMIN, PASSWORD).await.status, 200);
    let body = json!({ "code": code(rig, &secret) });
    let confirmed = rig.post(&format!("{TOTP}/confirm")).by(&token).json(&body).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let codes = confirmed.json()["data"]["recovery_codes"].as_array().unwrap().clone();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    rig.clock.advance(Duration::from_secs(60));
    (secret, codes, token)
}

fn code(rig: &Rig, secret: &str) -> String {
    code_of_app(secret, rig.clock.now_ms())
}

async fn challenge(rig: &Rig) -> String {
    rig.clock.advance(Duration::from_secs(60));
    let answer = rig.sign_in(LOGIN, ADMIN, PASSWORD).await;
    assert_eq!(answer.refusal(), (401, "mfa_required".into()), "{}", answer.text);
    answer.json()["details"]["challenge"].as_str().unwrap().to_owned()
}

async fn verify(rig: &Rig, challenge: &str, code: &str) -> Answer {
    let body = json!({ "challenge": challenge, "code": code });
    rig.post("/api/auth/mfa/verify").json(&body).await
}

#[tokio::test]
async fn a_sign_in_waits_for_the_code_and_takes_it_once() {
    let rig = Rig::start().await;
    let (secret, codes, token) = with_factor(&rig).await;
    assert_eq!(codes.len(), 10);
    let me = rig.get("/api/auth/me").by(&token).send().await.json();
    assert_eq!(me["user"]["mfa_enabled"], true);
    let waiting = challenge(&rig).await;
    let right = code(&rig, &secret);
    assert_eq!(verify(&rig, "fbm1.guessed", &right).await.refusal(), (401, "invalid_token".into()));
    let answer = verify(&rig, &waiting, &right).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["user"]["email"]), (200, &json!(ADMIN)));
    assert_eq!(verify(&rig, &waiting, &right).await.refusal().1, "invalid_token");
    // The same code again, with a new challenge.
    let answer = rig.sign_in(LOGIN, ADMIN, PASSWORD).await.json();
    let next = answer["details"]["challenge"].as_str().unwrap();
    assert_eq!(verify(&rig, next, &right).await.refusal(), (401, "invalid_code".into()));
    rig.clock.advance(Duration::from_millis(CHALLENGE_TTL_MS));
    let late = verify(&rig, next, &code(&rig, &secret)).await;
    assert_eq!(late.refusal(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_all_are_renewed_with_the_password() {
    let rig = Rig::start().await;
    let (_, codes, token) = with_factor(&rig).await;
    let waiting = challenge(&rig).await;
    assert_eq!(verify(&rig, &waiting, &codes[0].to_uppercase()).await.status, 200);
    let waiting = challenge(&rig).await;
    assert_eq!(verify(&rig, &waiting, &codes[0]).await.refusal().1, "invalid_code");
    let shown = rig.get("/api/v1/auth/mfa").by(&token).send().await.json();
    assert_eq!(shown["data"]["recovery_codes_left"], 9);
    let renew = async |password: &str| {
        let body = json!({ "password": password });
        rig.post("/api/v1/auth/mfa/recovery-codes").by(&token).json(&body).await
    };
    assert_eq!(renew("wrong").await.refusal().1, "invalid_credentials");
    assert_eq!(renew(PASSWORD).await.status, 200);
    assert_eq!(verify(&rig, &waiting, &codes[1]).await.refusal().1, "invalid_code");
}

#[tokio::test]
async fn wrong_codes_lock_the_account_as_wrong_passwords_do() {
    let rig = Rig::start().await;
    let (secret, _, _) = with_factor(&rig).await;
    let waiting = challenge(&rig).await;
    for _ in 0..5 {
        assert_eq!(verify(&rig, &waiting, "000000").await.refusal().1, "invalid_code");
    }
    rig.clock.advance(Duration::from_secs(61));
    let answer = verify(&rig, &waiting, &code(&rig, &secret)).await;
    assert_eq!(answer.refusal(), (401, "account_locked".into()));
    assert_eq!(rig.sign_in(LOGIN, ADMIN, PASSWORD).await.refusal().1, "account_locked");
}

#[tokio::test]
async fn the_factor_is_taken_off_with_the_password_and_its_secret_is_sealed() {
    let rig = Rig::start().await;
    let (secret, _, token) = with_factor(&rig).await;
    let sealed = rig.app.store.totp(rig.app.accounts.caller(&token).await.unwrap().user).await;
    let sealed = sealed.unwrap().unwrap().sealed;
    let plain = crate::accounts::totp::from_base32(&secret);
    assert_eq!(plain.len(), 20);
    assert!(!sealed.windows(plain.len()).any(|part| part == plain));
    let again = rig.post(TOTP).by(&token).send().await;
    assert_eq!(again.refusal(), (409, "conflict".into()));
    let remove = async |body: Value| rig.ask(Method::DELETE, TOTP).by(&token).json(&body).await;
    assert_eq!(remove(json!({})).await.refusal(), (400, "missing_credentials".into()));
    assert_eq!(remove(json!({ "password": "wrong" })).await.refusal().1, "invalid_credentials");
    assert_eq!(remove(json!({ "password": PASSWORD })).await.status, 200);
    assert_eq!(rig.sign_in(LOGIN, ADMIN, PASSWORD).await.status, 200);
}

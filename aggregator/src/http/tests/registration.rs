use super::rig::{Answer, Rig};
use crate::access::{OrganizationId, Role, Scope};
use crate::accounts::registration::RegistrationMode;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const REGISTER: &str = "/api/auth/register";
const EMAIL: &str = "user@example.org";

fn body(email: &str, password: &str) -> Value {
    json!({
        "email": email,
        "password": password,
        "display_name": "User Name",
        "device": {
            "fingerprint": "device-uuid",
            "name": "Chrome on macOS",
            "type": "web",
            "model": "Chrome",
            "os_version": "120.0",
            "app_version": "1.0.0"
        }
    })
}

async fn register(rig: &Rig, number: u8, body: &Value) -> Answer {
    rig.post(REGISTER).from(&format!("10.0.0.{number}:1")).json(body).await
}

async fn with_mode(mode: RegistrationMode) -> Rig {
    Rig::with(|config| config.registration.mode = Some(mode)).await
}

#[tokio::test]
async fn a_new_account_is_signed_in_at_once_as_a_user() {
    let rig = Rig::start().await;
    let answer = register(&rig, 1, &body(EMAIL, "securepassword")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let shown = answer.json();
    assert_eq!(shown["user"]["email"], EMAIL);
    assert_eq!(shown["user"]["display_name"], "User Name");
    assert_eq!(shown["user"]["role"], "user");
    assert_eq!(shown["tokens"]["token_type"], "Bearer");
    assert_eq!(shown["tokens"]["expires_in"], 900);
    assert!(shown["device"]["id"].is_string() && shown.get("success").is_none());
    let token = shown["tokens"]["access_token"].as_str().unwrap();
    let me = rig.get("/api/auth/me").by(token).send().await.json();
    assert_eq!(
        (&me["user"]["role"], &me["user"]["email_verified"]),
        (&json!("user"), &json!(false))
    );
    assert_eq!(rig.sign_in("/api/auth/login", EMAIL, "securepassword").await.status, 200);
    let devices = rig.get("/api/v1/devices").by(token).send().await;
    assert_eq!(devices.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named_in_each_dialect() {
    let rig = Rig::start().await;
    assert_eq!(register(&rig, 1, &body(EMAIL, "securepassword")).await.status, 201);
    let mut number = 1;
    for (email, password, flat, v1, slug) in [
        ("nobody", "securepassword", 400, 422, "invalid_email"),
        ("a\r\nBcc: b@example.org", "securepassword", 400, 422, "invalid_email"),
        ("a\0@example.org", "securepassword", 400, 422, "invalid_email"),
        ("b@example.org", "short", 400, 422, "weak_password"),
        ("USER@example.org", "securepassword", 409, 409, "email_exists"),
        ("", "securepassword", 400, 400, "missing_credentials"),
    ] {
        number += 1;
        let answer = register(&rig, number, &body(email, password)).await;
        assert_eq!(answer.refusal(), (flat, slug.to_owned()), "{email:?}");
        let ask = rig.post("/api/v1/auth/register").from(&format!("10.0.0.{number}:1"));
        let answer = ask.json(&body(email, password)).await;
        assert_eq!(answer.refusal(), (v1, slug.to_owned()), "{email:?}");
        if slug == "weak_password" {
            assert!(answer.json()["details"]["suggestions"].as_array().unwrap().len() > 1);
        }
    }
    let mut bad = body("c@example.org", "securepassword");
    bad["display_name"] = json!("a\r\nb");
    assert_eq!(register(&rig, 20, &bad).await.refusal(), (400, "validation_error".into()));
    bad["display_name"] = json!("a");
    bad["device"]["name"] = json!("a\0b");
    assert_eq!(register(&rig, 21, &bad).await.refusal(), (400, "validation_error".into()));
    bad["device"] = Value::Null;
    assert_eq!(register(&rig, 22, &bad).await.refusal(), (400, "missing_device".into()));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let ask = rig.post(REGISTER).from("10.0.0.23:1").header("content-type", "application/json");
    assert_eq!(ask.body(deep).await.refusal(), (400, "invalid_json".into()));
}

#[tokio::test]
async fn a_registration_is_limited_to_three_in_an_hour() {
    let rig = Rig::start().await;
    for left in ["2", "1", "0"] {
        let answer = register(&rig, 1, &json!({})).await;
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    assert_eq!(register(&rig, 1, &json!({})).await.status, 429);
}

#[tokio::test]
async fn registration_is_open_on_loopback_only_and_closed_where_the_configuration_says_so() {
    let remote = Rig::with(|config| config.api = "0.0.0.0:8766".parse().unwrap()).await;
    let answer = register(&remote, 1, &body(EMAIL, "securepassword")).await;
    assert_eq!(answer.refusal(), (403, "invitation_required".into()));
    let closed = with_mode(RegistrationMode::Closed).await;
    let answer = register(&closed, 1, &body(EMAIL, "securepassword")).await;
    assert_eq!(answer.refusal(), (403, "registration_closed".into()));
}

#[tokio::test]
async fn an_invitation_gives_its_role_once() {
    let rig = with_mode(RegistrationMode::Invited).await;
    let admin = rig.admin().await;
    let offer = json!({ "role": "operator", "email": "Operator@example.org" });
    let made = rig.post("/api/v1/invitations").by(&admin).json(&offer).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.json()["data"]["secret"].as_str().unwrap().to_owned();
    let list = rig.get("/api/v1/invitations").by(&admin).send().await;
    assert_eq!(list.json()["data"][0]["state"], "open");
    assert!(!list.text.contains(&secret));

    let mut asked = body("another@example.org", "securepassword");
    asked["invitation"] = json!(secret);
    let answer = register(&rig, 1, &asked).await;
    assert_eq!(answer.refusal(), (400, "invalid_invitation".into()));
    asked["email"] = json!("operator@example.org");
    let answer = register(&rig, 2, &asked).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["user"]["role"]), (201, &json!("operator")));
    asked["email"] = json!("third@example.org");
    assert_eq!(register(&rig, 3, &asked).await.refusal().1, "invalid_invitation");
    let path = made.header("location").to_owned();
    let shown = rig.get(&path).by(&admin).send().await.json();
    assert_eq!(shown["data"]["state"], "accepted");
    let gone = rig.ask(axum::http::Method::DELETE, &path).by(&admin).send().await;
    assert_eq!(gone.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn an_invitation_that_expired_was_withdrawn_or_whose_giver_is_gone_opens_nothing() {
    let rig = with_mode(RegistrationMode::Invited).await;
    let admin = rig.admin().await;
    let manager = rig.token("manager@example.org", Role::OrgAdmin).await;
    let mut secrets = Vec::new();
    for token in [&admin, &admin, &manager] {
        let offer = json!({ "ttl_seconds": 600 });
        let made = rig.post("/api/v1/invitations").by(token).json(&offer).await;
        let secret = made.json()["data"]["secret"].as_str().unwrap().to_owned();
        secrets.push((secret, made.header("location").to_owned()));
    }
    let withdrawn = rig.ask(axum::http::Method::DELETE, &secrets[0].1).by(&admin).send().await;
    assert_eq!(withdrawn.json()["data"]["state"], "revoked");
    rig.app
        .store
        .tamper("UPDATE users SET active = 0 WHERE role = 'org_admin'".into())
        .await
        .unwrap();
    let attempt = async |secret: &str, number: u8| {
        let mut asked = body(EMAIL, "securepassword");
        asked["invitation"] = json!(secret);
        register(&rig, number, &asked).await.refusal().1
    };
    assert_eq!(attempt(&secrets[0].0, 1).await, "invalid_invitation");
    assert_eq!(attempt(&secrets[2].0, 2).await, "invalid_invitation");
    assert_eq!(attempt("fbi1.guessed", 3).await, "invalid_invitation");
    rig.clock.advance(Duration::from_secs(600));
    assert_eq!(attempt(&secrets[1].0, 4).await, "invalid_invitation");
}

#[tokio::test]
async fn who_manages_one_organization_invites_into_it_and_nowhere_else() {
    let rig = with_mode(RegistrationMode::Invited).await;
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for (id, slug) in [(own, "own"), (other, "other")] {
        let sql = format!(
            "INSERT INTO entities
               (id, kind, organization, name, body, created_at_ms, updated_at_ms)
             VALUES ('{id}', 'organization', '{id}', '{slug}', '{{}}', 0, 0)"
        );
        rig.app.store.tamper(sql).await.unwrap();
    }
    let manager = rig.token("manager@example.org", Role::User).await;
    let sql = format!(
        "INSERT INTO role_bindings (id, \"user\", role, scope_kind, scope, created_at_ms, updated_at_ms)
         SELECT 'b', id, 'org_admin', 'organization', '{own}', 0, 0 FROM users"
    );
    rig.app.store.tamper(sql).await.unwrap();
    rig.clock.advance(Duration::from_secs(4));
    let invite = async |role: &str, organization: Option<Uuid>| {
        let scope = organization.map(|id| json!({ "kind": "organization", "id": id }));
        let offer = json!({ "role": role, "scope": scope });
        rig.post("/api/v1/invitations").by(&manager).json(&offer).await
    };
    assert_eq!(invite("viewer", None).await.refusal(), (403, "forbidden".into()));
    assert_eq!(invite("superuser", Some(own)).await.refusal(), (422, "validation_error".into()));
    let foreign = invite("viewer", Some(other)).await;
    let missing = invite("viewer", Some(Uuid::from_u128(9))).await;
    assert_eq!(foreign.refusal(), (422, "validation_error".into()));
    assert_eq!(foreign.json()["message"], missing.json()["message"]);
    let made = invite("operator", Some(own)).await;
    assert_eq!(made.status, 201, "{}", made.text);

    let mut asked = body(EMAIL, "securepassword");
    asked["invitation"] = made.json()["data"]["secret"].clone();
    let answer = register(&rig, 1, &asked).await.json();
    assert_eq!(answer["user"]["role"], "user");
    let token = answer["tokens"]["access_token"].as_str().unwrap();
    let caller = rig.app.accounts.caller(token).await.unwrap();
    let [grant] = *caller.grants.bound else { panic!("{:?}", caller.grants) };
    let scope = Scope::Organization(OrganizationId(own));
    assert_eq!((grant.role, grant.scope), (Role::Operator, scope));

    // The manager sees the one who came, and nobody outside.
    rig.token("stranger@example.org", Role::Superuser).await;
    let users = rig.get("/api/v1/users?sort=-email").by(&manager).send().await.json();
    let seen: Vec<_> = users["data"].as_array().unwrap().iter().map(|u| &u["email"]).collect();
    assert_eq!(seen, [EMAIL, "manager@example.org"]);
    assert_eq!(users["meta"]["total"], 2);
}

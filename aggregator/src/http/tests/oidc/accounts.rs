use super::visit::{House, Visit};
use crate::access::Role;
use crate::accounts::code_of_app;
use crate::http::tests::rig::{ADMIN, Answer, PASSWORD};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.org";
const IDENTITIES: &str = "/api/v1/auth/identities";

/// An account with that address, by password, whose address is verified.
async fn ann(house: &House) -> String {
    house.rig.token(ANN, Role::Viewer).await
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_verified_opens_nothing() {
    let house = House::with(json!({
        "create": "anyone", "domains": ["example.org"], "link_verified_email": true,
    }))
    .await;
    ann(&house).await;
    for verified in [json!(false), Value::Null, json!("no"), json!(1)] {
        house.provider.turn().claims["email_verified"] = verified;
        assert_eq!(house.sign_in().await.refusal(), (403, "email_unverified".into()));
    }
    assert_eq!(house.trail().await[0], ("auth.login".into(), "refused"));
}

#[tokio::test]
async fn whoever_has_no_account_gets_one_only_as_the_configuration_says() {
    let closed = House::with(json!({})).await;
    assert_eq!(closed.sign_in().await.refusal(), (403, "identity_unknown".into()));
    let open = House::start().await;
    for email in ["eve@example.com", "eve@evil.example.org", "nobody"] {
        open.provider.turn().claims["email"] = json!(email);
        assert_eq!(open.sign_in().await.refusal(), (403, "identity_unknown".into()), "{email}");
    }
    let invited = House::with(json!({ "create": "invited" })).await;
    let admin = invited.rig.admin().await;
    let invite = async |email: Option<&str>| {
        let body = json!({ "email": email, "role": "operator" });
        let made = invited.rig.post("/api/v1/invitations").by(&admin).json(&body).await;
        assert_eq!(made.status, 201, "{}", made.text);
    };
    // An invitation for anybody is a secret that somebody has to show.
    invite(None).await;
    invite(Some("bob@example.org")).await;
    assert_eq!(invited.sign_in().await.refusal(), (403, "invitation_required".into()));
    invite(Some(ANN)).await;
    let token = invited.token().await;
    assert_eq!(invited.me(&token).await["role"], "operator");
    // It is used up, and no password opens the account.
    invited.provider.turn().claims["sub"] = json!("43");
    assert_eq!(invited.sign_in().await.refusal(), (409, "identity_unlinked".into()));
    let login = invited.rig.sign_in("/api/v1/auth/login", ANN, "").await;
    assert_eq!(login.status, 400);
    let login = invited.rig.sign_in("/api/v1/auth/login", ANN, PASSWORD).await;
    assert_eq!(login.refusal(), (401, "invalid_credentials".into()));
}

#[tokio::test]
async fn an_account_of_the_same_address_is_opened_only_if_both_sides_have_verified_it() {
    let house = House::start().await;
    ann(&house).await;
    assert_eq!(house.sign_in().await.refusal(), (409, "identity_unlinked".into()));
    let linking = House::with(json!({ "link_verified_email": true })).await;
    ann(&linking).await;
    let unverified = format!("UPDATE users SET email_verified = 0 WHERE email = '{ANN}'");
    linking.rig.app.store.tamper(unverified).await.unwrap();
    assert_eq!(linking.sign_in().await.refusal(), (409, "identity_unlinked".into()));
    let verified = format!("UPDATE users SET email_verified = 1 WHERE email = '{ANN}'");
    linking.rig.app.store.tamper(verified).await.unwrap();
    let token = linking.token().await;
    assert_eq!(linking.me(&token).await["role"], "viewer");
}

#[tokio::test]
async fn a_disabled_account_stays_shut() {
    let house = House::start().await;
    let admin = house.rig.admin().await;
    let visit = house.begin().await;
    let code = super::code(&house.back(&visit).await);
    let token = house.token().await;
    let id = house.me(&token).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    let body = json!({ "disabled": true });
    let ask = house.rig.ask(Method::PATCH, &path).by(&admin).header("if-match", "*");
    assert_eq!(ask.json(&body).await.status, 200);
    assert_eq!(house.sign_in().await.refusal(), (401, "account_inactive".into()));
    assert_eq!(house.trail().await[0], ("auth.login".into(), "refused"));
    // A code from before is good for nothing either.
    let answer = house.exchange(&visit.cookie, &code).await;
    assert_eq!(answer.refusal(), (401, "account_inactive".into()));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_unless_the_provider_has_asked() {
    let house = House::with(json!({
        "create": "anyone", "domains": ["example.org"],
        "mfa_amr": ["mfa", "hwk"], "mfa_acr": ["gold"],
    }))
    .await;
    let token = house.token().await;
    let begun = house.rig.post("/api/v1/auth/mfa/totp").by(&token).send().await.json();
    let secret = begun["data"]["secret"].as_str().unwrap().to_owned();
    let now = || code_of_app(&secret, house.rig.clock.now_ms());
    let confirm = house.rig.post("/api/v1/auth/mfa/totp/confirm").by(&token);
    assert_eq!(confirm.json(&json!({ "code": now() })).await.status, 200);
    house.rig.clock.advance(Duration::from_secs(60));
    house.provider.turn().claims["amr"] = json!(["pwd"]);
    let answer = house.sign_in().await;
    assert_eq!(answer.refusal(), (401, "mfa_required".into()));
    let challenge = answer.json()["details"]["challenge"].clone();
    let body = json!({ "challenge": challenge, "code": now() });
    let verified = house.rig.post("/api/v1/auth/mfa/verify").json(&body).await;
    assert_eq!(verified.status, 200, "{}", verified.text);
    house.provider.turn().claims["amr"] = json!(["pwd", "hwk"]);
    assert_eq!(house.sign_in().await.status, 200);
    house.provider.turn().claims["amr"] = Value::Null;
    house.provider.turn().claims["acr"] = json!("gold");
    assert_eq!(house.sign_in().await.status, 200);
}

/// Somebody who is signed in goes to link an identity.
async fn begin_link(house: &House, token: &str) -> Visit {
    let body = json!({ "provider": "staff", "return_to": "/account" });
    let begun = house.rig.post(IDENTITIES).by(token).json(&body).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let url = begun.json()["data"]["authorization_url"].as_str().unwrap().to_owned();
    Visit::of(&url, &begun)
}

/// The same, and what came back.
async fn link(house: &House, token: &str) -> Answer {
    house.back(&begin_link(house, token).await).await
}

#[tokio::test]
async fn nothing_is_linked_once_the_session_has_ended_that_asked_for_it() {
    let house = House::with(json!({})).await;
    let admin = house.rig.admin().await;
    let visit = begin_link(&house, &admin).await;
    let left = house.rig.post("/api/v1/auth/logout").by(&admin).json(&json!({})).await;
    assert_eq!(left.status, 200, "{}", left.text);
    assert_eq!(house.back(&visit).await.refusal(), (401, "invalid_token".into()));
    assert_eq!(house.sign_in().await.refusal(), (403, "identity_unknown".into()));
}

#[tokio::test]
async fn somebody_who_is_signed_in_links_an_identity_and_parts_from_it() {
    let house = House::with(json!({})).await;
    let admin = house.rig.admin().await;
    let back = link(&house, &admin).await;
    assert_eq!(back.header("location"), "/account#oidc_linked=staff", "{}", back.text);
    let token = house.token().await;
    assert_eq!(house.me(&token).await["email"], ADMIN);
    assert_eq!(link(&house, &admin).await.status, 302, "once more changes nothing");
    let other = ann(&house).await;
    assert_eq!(link(&house, &other).await.refusal(), (409, "identity_taken".into()));
    let listed = house.rig.get(IDENTITIES).by(&admin).send().await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let one = &listed["data"][0];
    assert_eq!((&one["provider"], &one["subject"]), (&json!("staff"), &json!("42")));
    let path = format!("{IDENTITIES}/{}", one["id"].as_str().unwrap());
    let foreign = house.rig.ask(Method::DELETE, &path).by(&other).send().await;
    assert_eq!(foreign.refusal(), (404, "not_found".into()));
    assert_eq!(house.rig.ask(Method::DELETE, &path).by(&admin).send().await.status, 200);
    // The address that it names is that of the other account now.
    assert_eq!(house.sign_in().await.refusal(), (409, "identity_unlinked".into()));
    let trail = house.trail().await;
    for action in ["identity.link", "identity.unlink"] {
        assert!(trail.contains(&(action.to_owned(), "allowed")), "{trail:?}");
    }
}

#[tokio::test]
async fn nobody_shuts_themselves_out_by_unlinking() {
    let house = House::start().await;
    let token = house.token().await;
    let listed = house.rig.get(IDENTITIES).by(&token).send().await.json();
    let path = format!("{IDENTITIES}/{}", listed["data"][0]["id"].as_str().unwrap());
    let answer = house.rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(answer.refusal(), (409, "conflict".into()));
}

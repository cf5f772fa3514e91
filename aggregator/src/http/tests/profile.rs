use super::rig::{Answer, PASSWORD, Rig, VIEWER};
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const LOGIN: &str = "/api/auth/login";

async fn from_device(rig: &Rig, fingerprint: &str) -> Value {
    let device = json!({ "fingerprint": fingerprint, "name": fingerprint, "type": "web" });
    let body = json!({ "email": VIEWER, "password": PASSWORD, "device": device });
    let ask = rig.post(LOGIN).from("10.0.0.9:1").header("user-agent", "test/1");
    ask.json(&body).await.json()
}

fn access(signed_in: &Value) -> String {
    signed_in["tokens"]["access_token"].as_str().unwrap().to_owned()
}

async fn me(rig: &Rig, signed_in: &Value) -> Answer {
    rig.get("/api/auth/me").by(&access(signed_in)).send().await
}

#[tokio::test]
async fn a_profile_is_merged_and_faults_are_named() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let patch =
        async |body: Value| rig.ask(Method::PATCH, "/api/auth/me").by(&token).json(&body).await;
    let body = json!({
        "display_name": "New Name", "avatar_url": "https://example.org/a.png",
        "locale": "de-DE", "timezone": "America/Los_Angeles",
    });
    let user = patch(body).await.json()["user"].clone();
    assert_eq!(user["display_name"], "New Name");
    assert_eq!(user["timezone"], "America/Los_Angeles");
    let user = patch(json!({ "avatar_url": null, "locale": null })).await.json()["user"].clone();
    assert_eq!((&user["avatar_url"], &user["locale"]), (&Value::Null, &json!("en-US")));
    assert_eq!(user["display_name"], "New Name");
    for body in [
        json!({ "avatar_url": "http://example.org/a.png" }),
        json!({ "display_name": null }),
        json!({ "display_name": "a\u{0}b" }),
        json!({ "timezone": "nowhere at all" }),
        json!({ "role": "superuser" }),
        json!({ "email": "b@example.org" }),
    ] {
        assert_eq!(patch(body.clone()).await.refusal(), (400, "validation_error".into()), "{body}");
    }
    let answer = rig.ask(Method::PATCH, "/api/v1/auth/me").by(&token).json(&json!({})).await;
    assert_eq!(answer.json()["data"]["user"]["role"], "viewer");
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_other_devices() {
    let rig = Rig::start().await;
    rig.token(VIEWER, Role::Viewer).await;
    let (here, there) = (from_device(&rig, "here").await, from_device(&rig, "there").await);
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        rig.post("/api/auth/password").by(&access(&here)).json(&body).await
    };
    assert_eq!(change("wrong", "another horse").await.refusal().1, "invalid_credentials");
    assert_eq!(change(PASSWORD, "short").await.refusal(), (400, "weak_password".into()));
    assert_eq!(me(&rig, &there).await.status, 200);
    let done = change(PASSWORD, "another horse").await;
    assert_eq!(done.json(), json!({ "message": "Password changed successfully" }));
    assert_eq!(
        (me(&rig, &here).await.status.as_u16(), me(&rig, &there).await.status.as_u16()),
        (200, 401)
    );
    let body = json!({ "refresh_token": there["tokens"]["refresh_token"] });
    assert_eq!(rig.post("/api/auth/refresh").json(&body).await.refusal().1, "invalid_token");
    assert_eq!(rig.sign_in(LOGIN, VIEWER, PASSWORD).await.refusal().1, "invalid_credentials");
    assert_eq!(rig.sign_in(LOGIN, VIEWER, "another horse").await.status, 200);
}

#[tokio::test]
async fn devices_and_sessions_are_listed_as_the_document_has_them_and_ended() {
    let rig = Rig::with(|config| {
        let place = r#"{"network":"10.0.0.0/8","country":"DE","city":null}"#;
        config.auth.places = vec![serde_json::from_str(place).unwrap()];
    })
    .await;
    rig.token(VIEWER, Role::Viewer).await;
    let (here, there) = (from_device(&rig, "here").await, from_device(&rig, "there").await);
    let token = access(&here);
    let devices = rig.get("/api/auth/devices").by(&token).send().await.json();
    assert_eq!(devices.as_object().unwrap().keys().collect::<Vec<_>>(), ["devices"]);
    assert_eq!(devices["devices"].as_array().unwrap().len(), 3);
    let sessions = rig.get("/api/auth/sessions").by(&token).send().await.json();
    // Those of the same moment stand in any order.
    let mut all = sessions["sessions"].as_array().unwrap().iter();
    let own = all.find(|session| session["ip_address"] == "10.0.0.9").unwrap();
    assert_eq!(own["user_agent"], "test/1");
    assert_eq!(own["location"], json!({ "country": "DE", "city": null }));
    let local = sessions["sessions"].as_array().unwrap().iter();
    assert!(local.filter(|s| s["ip_address"] == "127.0.0.1").all(|s| s["location"].is_null()));
    let v1 = rig.get("/api/v1/auth/sessions").by(&token).send().await.json();
    assert_eq!(v1["meta"]["total"], 3);

    let device = there["device"]["id"].as_str().unwrap();
    let path = format!("/api/auth/devices/{device}");
    assert_eq!(me(&rig, &there).await.status, 200);
    let gone = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(gone.json(), json!({ "message": "Device removed successfully" }));
    assert_eq!(me(&rig, &there).await.status, 401);
    let again = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(again.refusal(), (404, "not_found".into()));

    let back = from_device(&rig, "there").await;
    assert_eq!(back["device"]["id"], device);
    let sessions = rig.get("/api/v1/auth/sessions").by(&access(&back)).send().await.json();
    let session = sessions["data"][0]["id"].as_str().unwrap();
    let path = format!("/api/auth/sessions/{session}");
    let stranger = rig.token("stranger@example.org", Role::Superuser).await;
    assert_eq!(rig.ask(Method::DELETE, &path).by(&stranger).send().await.status, 404);
    let ended = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(ended.json(), json!({ "message": "Session terminated" }));
    rig.clock.advance(Duration::from_secs(5));
}

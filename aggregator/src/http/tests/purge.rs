//! What is erased for good.

use super::rig::{Answer, Rig};
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn make(rig: &Rig, admin: &str, path: &str, body: Value) -> String {
    let answer = rig.post(path).by(admin).json(&body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

async fn delete(rig: &Rig, by: &str, path: &str) -> Answer {
    rig.clock.advance(Duration::from_millis(100));
    rig.ask(Method::DELETE, path).by(by).header("if-match", "*").send().await
}

#[tokio::test]
async fn an_organization_is_erased_with_what_hangs_on_it_and_its_trail_holds() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let organization =
        make(&rig, &admin, "/api/v1/organizations", json!({ "name": "Harbour" })).await;
    let site = json!({ "organization": organization, "name": "Quay" });
    let site = make(&rig, &admin, "/api/v1/sites", site).await;
    let group = json!({ "organization": organization, "name": "Hot", "selector": "tier=hot" });
    let group = make(&rig, &admin, "/api/v1/groups", group).await;
    let token = json!({ "name": "next", "organization": organization, "site": site });
    make(&rig, &admin, "/api/v1/enrolment-tokens", token).await;
    rig.clock.advance(Duration::from_secs(13));
    let member = rig.token("ada@example.org", Role::User).await;
    let members = format!("/api/v1/organizations/{organization}/members");
    let body = json!({ "email": "ada@example.org", "role": "org_admin" });
    assert_eq!(rig.post(&members).by(&admin).json(&body).await.status, 201);

    let path = format!("/api/v1/organizations/{organization}");
    let purge = format!("{path}?purge=true");
    let refused = delete(&rig, &member, &purge).await;
    assert_eq!(refused.refusal(), (403, "forbidden".into()));
    // Something lies in it.
    assert_eq!(delete(&rig, &admin, &purge).await.refusal(), (409, "conflict".into()));
    assert_eq!(delete(&rig, &admin, &format!("/api/v1/sites/{site}")).await.status, 200);
    assert_eq!(
        delete(&rig, &admin, &format!("/api/v1/groups/{group}?purge=true")).await.status,
        200
    );
    let stale = rig.ask(Method::DELETE, &purge).by(&admin).header("if-match", "\"7\"").send().await;
    assert_eq!(stale.refusal(), (412, "precondition_failed".into()));
    let unsaid = rig.ask(Method::DELETE, &purge).by(&admin).send().await;
    assert_eq!(unsaid.refusal(), (428, "precondition_required".into()));

    let gone = delete(&rig, &admin, &purge).await;
    assert_eq!(
        (gone.status.as_u16(), gone.json()["data"]["name"].clone()),
        (200, json!("Harbour"))
    );
    for path in [path.clone(), format!("/api/v1/sites/{site}"), members] {
        rig.clock.advance(Duration::from_millis(100));
        let answer = rig.get(&path).by(&admin).send().await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{path}");
    }
    let restore = rig.post(&format!("{path}/restore")).by(&admin).send().await.status;
    assert_eq!(restore, 404);
    for list in ["organizations", "sites", "groups"] {
        let deleted = rig.get(&format!("/api/v1/{list}?deleted=true")).by(&admin).send().await;
        assert!(!deleted.text.contains(&organization), "{list}: {}", deleted.text);
    }
    let tokens = rig.get("/api/v1/enrolment-tokens").by(&admin).send().await;
    assert!(!tokens.text.contains(&organization), "{}", tokens.text);
    let me = rig.get("/api/v1/users?q=ada").by(&admin).send().await.json();
    assert_eq!(me["data"][0]["roles"], json!([]));
    // What was done to it stays told, and nobody took a row out.
    let trail = rig.get(&format!("/api/v1/audit?organization={organization}")).by(&admin);
    let trail = trail.send().await;
    assert!(trail.text.contains("organization.purge"), "{}", trail.text);
    let verified = rig.get(&format!("/api/v1/audit/verify?organization={organization}"));
    let verified = verified.by(&admin).send().await;
    assert_eq!(verified.json()["data"]["intact"], true, "{}", verified.text);
    make(&rig, &admin, "/api/v1/organizations", json!({ "name": "Harbour" })).await;
}

#[tokio::test]
async fn an_account_is_erased_with_its_sessions_and_keys_and_its_address_is_free() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let organization =
        make(&rig, &admin, "/api/v1/organizations", json!({ "name": "Harbour" })).await;
    rig.clock.advance(Duration::from_secs(13));
    let token = rig.token("ada@example.org", Role::User).await;
    let members = format!("/api/v1/organizations/{organization}/members");
    let body = json!({ "email": "ada@example.org", "role": "org_admin" });
    assert_eq!(rig.post(&members).by(&admin).json(&body).await.status, 201);
    let key = json!({ "name": "script", "scopes": ["read"] });
    let key = rig.post("/api/v1/auth/api-keys").by(&token).json(&key).await.json();
    let key = key["data"]["key"].as_str().unwrap().to_owned();
    let invited = json!({ "email": "ben@example.org" });
    assert_eq!(rig.post("/api/v1/invitations").by(&token).json(&invited).await.status, 201);
    let by_key = async || rig.get("/api/v1/auth/me").header("x-api-key", &key).send().await;
    assert_eq!(by_key().await.status, 200);
    let me = rig.get("/api/v1/auth/me").by(&token).send().await.json();
    let id = me["data"]["user"]["id"].as_str().or(me["data"]["id"].as_str()).unwrap().to_owned();

    let purge = format!("/api/v1/users/{id}?purge=true");
    assert_eq!(delete(&rig, &token, &purge).await.refusal(), (403, "forbidden".into()));
    let gone = delete(&rig, &admin, &purge).await;
    assert_eq!(gone.json()["data"]["email"], "ada@example.org", "{}", gone.text);
    assert_eq!(rig.get("/api/v1/auth/me").by(&token).send().await.status, 401);
    assert_eq!(by_key().await.status, 401);
    for path in ["/api/v1/users?filter[deleted]=true", "/api/v1/users", &members] {
        rig.clock.advance(Duration::from_millis(100));
        let list = rig.get(path).by(&admin).send().await;
        assert_eq!(list.status, 200, "{path}");
        assert!(!list.text.contains(&id), "{path}: {}", list.text);
    }
    let restore = rig.post(&format!("/api/v1/users/{id}/restore")).by(&admin).send().await;
    assert_eq!(restore.refusal(), (404, "not_found".into()));
    rig.clock.advance(Duration::from_secs(13));
    rig.token("ada@example.org", Role::User).await;

    let me = rig.get("/api/v1/auth/me").by(&admin).send().await.json();
    let id = me["data"]["user"]["id"].as_str().or(me["data"]["id"].as_str()).unwrap().to_owned();
    let last = delete(&rig, &admin, &format!("/api/v1/users/{id}?purge=true")).await;
    assert_eq!(last.status, 409, "{}", last.text);
    let trail = rig.get("/api/v1/audit?action=user.purge").by(&admin).send().await;
    assert!(trail.text.contains("ada@example.org"), "{}", trail.text);
}

use super::rig::{ADMIN, PASSWORD, Rig, VIEWER};
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn person(rig: &Rig, admin: &str, body: Value) -> (String, Value) {
    let made = rig.post("/api/v1/users").by(admin).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location").to_owned(), made.json()["data"].clone())
}

#[tokio::test]
async fn an_account_is_made_changed_deleted_and_restored_with_its_tag() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let body = json!({ "email": "New@example.org", "password": PASSWORD, "role": "operator" });
    let (path, made) = person(&rig, &admin, body.clone()).await;
    assert_eq!((&made["email"], &made["role"]), (&json!("new@example.org"), &json!("operator")));
    assert_eq!((&made["disabled"], &made["is_active"]), (&json!(false), &json!(true)));
    let twice = rig.post("/api/v1/users").by(&admin).json(&body).await;
    assert_eq!(twice.refusal(), (409, "email_exists".into()));

    let shown = rig.get(&path).by(&admin).send().await;
    assert_eq!(shown.header("etag"), "\"1\"");
    let known = rig.get(&path).by(&admin).header("if-none-match", "\"1\"").send().await;
    assert_eq!(known.status, 304);
    let patch = json!({ "display_name": "Newest", "role": "viewer" });
    let bare = rig.ask(Method::PATCH, &path).by(&admin).json(&patch).await;
    assert_eq!(bare.refusal(), (428, "precondition_required".into()));
    let ask = rig.ask(Method::PATCH, &path).by(&admin).header("if-match", "\"1\"");
    let changed = ask.json(&patch).await;
    assert_eq!(
        (changed.header("etag"), &changed.json()["data"]["role"]),
        ("\"2\"", &json!("viewer"))
    );
    let ask = rig.ask(Method::PATCH, &path).by(&admin).header("if-match", "\"1\"");
    assert_eq!(ask.json(&patch).await.refusal(), (412, "precondition_failed".into()));
    let whole = json!({ "email": "new@example.org", "display_name": "N", "role": "user" });
    let ask = rig.ask(Method::PUT, &path).by(&admin).header("if-match", "\"2\"");
    assert_eq!(ask.json(&whole).await.json()["data"]["role"], "user");

    let ask = rig.ask(Method::DELETE, &path).by(&admin).header("if-match", "*");
    assert_eq!(ask.send().await.json()["data"]["is_active"], false);
    let gone = rig.sign_in("/api/v1/auth/login", "new@example.org", PASSWORD).await;
    assert_eq!(gone.refusal(), (401, "account_inactive".into()));
    let list = async |query: &str| {
        let path = format!("/api/v1/users{query}");
        rig.get(&path).by(&admin).send().await.json()["meta"]["total"].clone()
    };
    assert_eq!((list("").await, list("?filter[deleted]=true").await), (json!(1), json!(1)));
    let restored = rig.post(&format!("{path}/restore")).by(&admin).send().await;
    assert_eq!(restored.json()["data"]["is_active"], true);
    let again = rig.post(&format!("{path}/restore")).by(&admin).send().await;
    assert_eq!(again.refusal(), (404, "not_found".into()));
    assert_eq!(rig.sign_in("/api/v1/auth/login", "new@example.org", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn accounts_are_searched_filtered_sorted_and_paged() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    for (name, role) in [("anna", "viewer"), ("bert", "operator"), ("c_ra", "viewer")] {
        let email = format!("{name}@example.org");
        person(&rig, &admin, json!({ "email": email, "password": PASSWORD, "role": role })).await;
    }
    let names = async |query: &str| {
        let path = format!("/api/v1/users?{query}");
        let body = rig.get(&path).by(&admin).send().await.json();
        let items = body["data"].as_array().unwrap_or_else(|| panic!("{body}")).clone();
        items.iter().map(|u| u["display_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["admin", "anna", "bert", "c_ra"]);
    assert_eq!(names("filter[role]=viewer&sort=-email").await, ["c_ra", "anna"]);
    assert_eq!(names("q=C_R").await, ["c_ra"]);
    assert_eq!(names("q=%25").await, [""; 0]);
    assert_eq!(names("q=%27%20OR%201=1--").await, [""; 0]);
    assert_eq!(names("per_page=2&page=2").await, ["bert", "c_ra"]);
    assert_eq!(names("sort=-created_at&limit=1").await.len(), 1);
    for query in ["sort=password_hash", "filter[role]=root", "q=%00", "filter[disabled]=maybe"] {
        let answer = rig.get(&format!("/api/v1/users?{query}")).by(&admin).send().await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{query}");
    }
    let flat = rig.get("/api/admin/users").by(&admin).send().await.json();
    assert_eq!((&flat["success"], &flat["total"]), (&json!(true), &json!(4)));
    assert!(!flat.to_string().contains("argon2"));
}

#[tokio::test]
async fn the_last_active_superuser_stays_one() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let list = rig.get("/api/v1/users").by(&admin).send().await.json();
    let path = format!("/api/v1/users/{}", list["data"][0]["id"].as_str().unwrap());
    let patch = async |body: Value| {
        rig.ask(Method::PATCH, &path).by(&admin).header("if-match", "*").json(&body).await
    };
    for body in [json!({ "disabled": true }), json!({ "role": "org_admin" })] {
        assert_eq!(patch(body).await.refusal(), (409, "last_superuser".into()));
    }
    let ask = rig.ask(Method::DELETE, &path).by(&admin).header("if-match", "*");
    assert_eq!(ask.send().await.refusal(), (409, "last_superuser".into()));
    let body = json!({ "email": "b@example.org", "password": PASSWORD, "role": "superuser" });
    person(&rig, &admin, body).await;
    assert_eq!(patch(json!({ "role": "viewer" })).await.status, 200);
    // What was a superuser is one no longer, with the same token.
    assert_eq!(patch(json!({ "role": "superuser" })).await.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn who_is_disabled_is_out_within_five_seconds_and_so_is_a_role() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let viewer = rig.token(VIEWER, Role::Viewer).await;
    let caller = rig.app.accounts.caller(&viewer).await.unwrap();
    let path = format!("/api/v1/users/{}", caller.user);
    let patch = async |body: Value| {
        rig.ask(Method::PATCH, &path).by(&admin).header("if-match", "*").json(&body).await
    };
    assert_eq!(rig.get("/api/v1/devices").by(&viewer).send().await.status, 200);
    assert_eq!(patch(json!({ "role": "user" })).await.status, 200);
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!(rig.get("/api/v1/devices").by(&viewer).send().await.status, 403);
    // A live stream asks the same question.
    assert!(!rig.app.accounts.still_stands(&caller).await.unwrap());
    assert_eq!(patch(json!({ "disabled": true })).await.status, 200);
    let answer = rig.get("/api/v1/auth/me").by(&viewer).send().await;
    assert_eq!(answer.refusal(), (401, "invalid_token".into()));
    let manager = rig.token("manager@example.org", Role::OrgAdmin).await;
    assert_eq!(rig.get("/api/v1/users").by(&manager).send().await.json()["meta"]["total"], 3);
    let ask = rig.ask(Method::PATCH, &path).by(&manager).header("if-match", "*");
    assert_eq!(ask.json(&json!({ "role": "superuser" })).await.refusal().0, 403);
    assert_eq!(rig.sign_in("/api/auth/login", ADMIN, PASSWORD).await.status, 200);
}

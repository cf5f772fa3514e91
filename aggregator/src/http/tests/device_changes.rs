//! What people say of devices: one by itself, or many at once.

use super::machine::enrol;
use super::rig::{Answer, Rig};
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

async fn made(rig: &Rig, admin: &str, path: &str, body: Value) -> String {
    let answer = rig.post(path).by(admin).json(&body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// An organization's rack of four units.
async fn rack(rig: &Rig, admin: &str, name: &str) -> (String, String) {
    let organization = made(rig, admin, "/api/v1/organizations", json!({ "name": name })).await;
    let site = json!({ "organization": organization, "name": "hall" });
    let site = made(rig, admin, "/api/v1/sites", site).await;
    let rack = json!({ "parent": site, "kind": "rack", "name": "r1", "units": 4 });
    (organization, made(rig, admin, "/api/v1/locations", rack).await)
}

async fn bulk(rig: &Rig, by: &str, query: &str, rows: Value) -> Answer {
    rig.clock.advance(Duration::from_millis(100));
    let path = format!("/api/v1/devices:bulk{query}");
    rig.post(&path).by(by).json(&json!({ "devices": rows })).await
}

async fn shown(rig: &Rig, by: &str, id: &str) -> Value {
    rig.get(&format!("/api/v1/devices/{id}")).by(by).send().await.json()["data"].clone()
}

#[tokio::test]
async fn a_device_is_named_placed_and_labelled_under_its_tag_and_the_trail_says_so() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (organization, rack) = rack(&rig, &admin, "one").await;
    let id = enrol(&rig).await.to_string();
    let path = format!("/api/v1/devices/{id}");
    let patch = async |tag: &str, query: &str, body: Value| {
        rig.clock.advance(Duration::from_millis(100));
        let ask = rig.ask(Method::PATCH, &format!("{path}{query}")).by(&admin);
        ask.header("if-match", tag).json(&body).await
    };
    let blind = rig.ask(Method::PATCH, &path).by(&admin).json(&json!({ "name": "a" })).await;
    assert_eq!(blind.refusal(), (428, "precondition_required".into()));
    let tag = rig.get(&path).by(&admin).send().await.header("etag").to_owned();
    let body =
        json!({ "name": "rack-7-top", "location": rack, "unit": 4, "labels": { "tier": "hot" } });
    let tried = patch(&tag, "?dry_run=true", body.clone()).await;
    assert_eq!(tried.json()["data"]["name"], "rack-7-top");
    assert_eq!(shown(&rig, &admin, &id).await["name"], "board");
    let changed = patch(&tag, "", body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let device = changed.json()["data"].clone();
    assert_eq!((&device["name"], &device["placement"]["unit"]), (&json!("rack-7-top"), &json!(4)));
    assert_eq!(device["placement"]["organization"], organization.as_str());
    assert_eq!(patch(&tag, "", json!({})).await.refusal(), (412, "precondition_failed".into()));
    let labels = json!({ "labels": { "tier": null, "row": "b" } });
    let device = patch("*", "", labels).await.json()["data"].clone();
    assert_eq!(device["placement"]["labels"], json!({ "row": "b" }));
    // Moved to the organization itself it stands in no rack any more.
    let (other, _) = self::rack(&rig, &admin, "other").await;
    let device = patch("*", "", json!({ "organization": other })).await.json()["data"].clone();
    assert_eq!(device["placement"]["location"], Value::Null);
    assert_eq!(device["placement"]["labels"], json!({ "row": "b" }));
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "labels": { "a b": "c" } }), "labels"),
        (json!({ "location": Uuid::nil() }), "location"),
        (json!({ "colour": "red" }), "colour"),
    ] {
        let answer = patch("*", "", body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{field}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field);
    }
    let trail = rig.get("/api/v1/audit?action=device.update").by(&admin).send().await.json();
    assert_eq!(trail["data"].as_array().unwrap().len(), 3);
    assert!(trail["data"][2]["change"].to_string().contains("rack-7-top"), "{trail}");
}

#[tokio::test]
async fn rows_are_all_done_or_none_and_may_change_places_among_themselves() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (_, rack) = rack(&rig, &admin, "one").await;
    let (a, b) = (enrol(&rig).await.to_string(), enrol(&rig).await.to_string());
    let row = |id: &str, name: &str, unit: u32| {
        let change =
            json!({ "name": name, "location": rack, "unit": unit, "labels": { "tier": "hot" } });
        json!({ "id": id, "change": change })
    };
    let rows = json!([row(&a, "a", 1), row(&b, "b", 2)]);
    let tried = bulk(&rig, &admin, "?dry_run=true", rows.clone()).await;
    assert_eq!((tried.status.as_u16(), &tried.json()["data"]["done"]), (200, &json!(2)));
    assert_eq!(shown(&rig, &admin, &a).await["name"], "board");
    assert_eq!(bulk(&rig, &admin, "", rows).await.json()["data"]["done"], 2);
    assert_eq!(shown(&rig, &admin, &b).await["placement"]["unit"], 2);
    let list = rig.get("/api/v1/devices?labels=tier%3Dhot&sort=-name").by(&admin).send().await;
    assert_eq!(list.json()["data"][0]["name"], "b");
    let swap = json!([row(&a, "a", 2), row(&b, "b", 1)]);
    assert_eq!(bulk(&rig, &admin, "", swap).await.status, 200);
    assert_eq!(shown(&rig, &admin, &a).await["placement"]["unit"], 2);

    let wrong =
        json!([row(&a, "changed", 4), row(&b, "b", 4), { "id": Uuid::nil(), "change": {} }]);
    let answer = bulk(&rig, &admin, "", wrong.clone()).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let said = answer.json()["field_errors"].to_string();
    assert!(said.contains("devices.1") && said.contains("devices.2"), "{said}");
    assert_eq!(shown(&rig, &admin, &a).await["name"], "a");
    let answer = bulk(&rig, &admin, "?atomic=false", wrong).await;
    let body = answer.json()["data"].clone();
    assert_eq!((&body["done"], &body["refused"]), (&json!(1), &json!(2)), "{body}");
    let statuses: Vec<_> =
        body["results"].as_array().unwrap().iter().map(|r| r["status"].clone()).collect();
    assert_eq!(statuses, [200, 409, 404]);
    assert_eq!(shown(&rig, &admin, &a).await["name"], "changed");
    let stale = json!([{ "id": a, "version": 1, "change": { "name": "late" } }]);
    assert_eq!(bulk(&rig, &admin, "", stale).await.refusal(), (412, "precondition_failed".into()));
    for rows in [json!([]), json!([row(&a, "a", 1), row(&a, "a", 1)])] {
        assert_eq!(bulk(&rig, &admin, "", rows).await.refusal(), (422, "validation_error".into()));
    }
}

#[tokio::test]
async fn nobody_changes_devices_that_they_do_not_manage() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, _) = rack(&rig, &admin, "own").await;
    let (foreign, foreign_rack) = rack(&rig, &admin, "foreign").await;
    let (a, b) = (enrol(&rig).await.to_string(), enrol(&rig).await.to_string());
    let rows = json!([
        { "id": a, "change": { "organization": own } },
        { "id": b, "change": { "location": foreign_rack } },
    ]);
    assert_eq!(bulk(&rig, &admin, "", rows).await.status, 200);
    rig.clock.advance(Duration::from_secs(30));
    let manager = rig.token("manager@example.org", Role::User).await;
    let scope = json!({ "kind": "organization", "id": own });
    let role = json!({ "email": "manager@example.org", "role": "org_admin", "scope": scope });
    assert_eq!(rig.post("/api/v1/role-bindings").by(&admin).json(&role).await.status, 201);
    let rows = json!([
        { "id": a, "change": { "name": "mine" } },
        { "id": b, "change": { "name": "taken" } },
    ]);
    assert_eq!(bulk(&rig, &manager, "", rows.clone()).await.refusal(), (404, "not_found".into()));
    let body = bulk(&rig, &manager, "?atomic=false", rows).await.json()["data"].clone();
    assert_eq!(
        (&body["results"][0]["status"], &body["results"][1]["status"]),
        (&json!(200), &json!(404))
    );
    // Nor do they give one away to where they manage nothing, or learn that there is such a place.
    for place in [json!({ "organization": foreign }), json!({ "location": foreign_rack })] {
        let answer = bulk(&rig, &manager, "", json!([{ "id": a, "change": place }])).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()));
    }
    assert_eq!(shown(&rig, &admin, &b).await["name"], "board");
    rig.clock.advance(Duration::from_secs(30));
    let viewer = rig.token("viewer@example.org", Role::User).await;
    let role = json!({ "email": "viewer@example.org", "role": "viewer", "scope": scope });
    assert_eq!(rig.post("/api/v1/role-bindings").by(&admin).json(&role).await.status, 201);
    let ask = rig.ask(Method::PATCH, &format!("/api/v1/devices/{a}")).by(&viewer);
    let answer = ask.header("if-match", "*").json(&json!({ "name": "b" })).await;
    assert_eq!(answer.refusal(), (403, "forbidden".into()));
}

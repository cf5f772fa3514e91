//! Two organizations on one server: what each role sees of its own and of the other, by every route.

use super::resuming::Source;
use super::rig::{Answer, PASSWORD, Rig};
use super::sockets::{close_code, next_json, next_of, open, sampled, say};
use crate::access::Role;
use crate::fleet::DeviceId;
use crate::http::routes;
use crate::http::table::Listed;
use crate::live::Live;
use crate::store::EntryKey;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// One organization with one of everything, by the word of its kind.
struct Tenant {
    name: &'static str,
    ids: BTreeMap<&'static str, String>,
}

/// An organization `name` with a site, a rack, a group, a machine in the rack, an operation at it, and
/// a token to enrol the next.
async fn tenant(rig: &Rig, admin: &str, name: &'static str) -> Tenant {
    let make = async |path: &str, body: Value| -> String {
        rig.clock.advance(Duration::from_millis(100));
        let answer = rig.post(path).by(admin).json(&body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        answer.json()["data"]["id"].as_str().unwrap().to_owned()
    };
    let organization = make("/api/v1/organizations", json!({ "name": name })).await;
    let site = json!({ "organization": organization, "name": format!("{name} hall") });
    let site = make("/api/v1/sites", site).await;
    let rack =
        json!({ "parent": site, "kind": "rack", "name": format!("{name} rack"), "units": 42 });
    let rack = make("/api/v1/locations", rack).await;
    let group = json!({
        "organization": organization, "name": format!("{name} hot"), "selector": "tier=hot",
    });
    let group = make("/api/v1/groups", group).await;
    let token =
        json!({ "name": format!("{name} next"), "organization": organization, "site": site });
    let token = make("/api/v1/enrolment-tokens", token).await;
    let machine = super::machine::enrol(rig).await;
    let place = json!({ "location": rack, "unit": 7, "labels": { "tier": "hot" } });
    let answer = rig
        .ask(Method::PUT, &format!("/api/v1/devices/{}/location", machine.0))
        .by(admin)
        .header("if-match", "\"0\"")
        .json(&place)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let power = rig.post(&format!("/api/v1/devices/{}/power", machine.0)).by(admin);
    let answer = power.json(&json!({ "cap_watts": 100.0 })).await;
    let operation = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    let ids = BTreeMap::from([
        ("organization", organization),
        ("site", site),
        ("location", rack),
        ("group", group),
        ("device", machine.0.to_string()),
        ("operation", operation),
        ("token", token),
    ]);
    Tenant { name, ids }
}

async fn member(rig: &Rig, admin: &str, role: Role, scope: (&str, &str)) -> String {
    let email = format!("{}-{}@example.org", role.name().replace('_', "-"), scope.0);
    // Sign-ins are few a minute.
    rig.clock.advance(Duration::from_secs(13));
    let token = rig.token(&email, Role::User).await;
    let (kind, id) = scope;
    let body = json!({ "email": email, "role": role.name(), "scope": { "kind": kind, "id": id } });
    let answer = rig.post("/api/v1/role-bindings").by(admin).json(&body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    token
}

/// Which of a tenant's things a route is about, by its path.
fn kind_of(path: &str) -> Option<&'static str> {
    let kinds = [
        ("/organizations/{id}", "organization"),
        ("/sites/{id}", "site"),
        ("/locations/{id}", "location"),
        ("/groups/{id}", "group"),
        ("/devices/{id}", "device"),
        ("/modules/{id}", "device"),
        ("/operations/{id}", "operation"),
        ("/enrolment-tokens/{id}", "token"),
    ];
    kinds.into_iter().find(|(part, _)| path.contains(part)).map(|(_, kind)| kind)
}

/// A body that the route takes as far as it is not about ids.
fn body_of(path: &str) -> Value {
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "power" => json!({ "cap_watts": 100.0 }),
        "thermal" => json!({ "fan_floor": 0.5 }),
        "clear" if path.ends_with("trips/clear") => json!({ "limit": "cpu" }),
        "locks" => json!({ "name": "service", "reason": "fans" }),
        "indicator" => json!({ "lit": true }),
        "boot-once" => json!({ "source": "Pxe" }),
        "services" => json!({ "service": "backup", "verb": "pause" }),
        "profile" => json!({ "profile": "balanced" }),
        "hold" => json!({ "from": "Quiesce", "for_seconds": 60, "reason": "test" }),
        "actions:validate" => json!({ "action": "power", "cap_watts": 100.0 }),
        "confirm" => json!({ "token": "t" }),
        "members" => json!({ "email": "user-site@example.org", "role": "viewer" }),
        _ if path.ends_with("/organizations/{id}") => json!({ "name": "other" }),
        _ if path.ends_with("/sites/{id}") || path.ends_with("/groups/{id}") => {
            json!({ "organization": Uuid::nil(), "name": "other" })
        }
        _ if path.ends_with("/locations/{id}") => {
            json!({ "parent": Uuid::nil(), "kind": "rack", "name": "other" })
        }
        _ => json!({}),
    }
}

async fn ask(rig: &Rig, route: &Listed, path: &str, token: &str) -> Answer {
    rig.clock.advance(Duration::from_millis(100));
    let ask = rig.ask(route.method.clone(), path).by(token);
    if route.method == Method::GET {
        return ask.send().await;
    }
    ask.header("if-match", "*").json(&body_of(&route.path)).await
}

/// What differs from one request to the next, or says which id was asked for, left out.
fn bare(answer: &Answer, id: &str) -> String {
    let text = answer.text.replace(id, "ID");
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    for member in ["request_id", "timestamp"] {
        value[member] = Value::Null;
    }
    format!("{} {value}", answer.status)
}

fn with_id(path: &str, id: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{id}" => id,
            part if part.starts_with('{') => "00000000-0000-0000-0000-000000000007",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn what_is_of_another_organization_is_like_what_is_not_there_for_every_role_at_every_route() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let scopes = [
        ("organization", Role::ALL.to_vec()),
        ("site", vec![Role::Operator]),
        ("location", vec![Role::Operator]),
        ("group", vec![Role::Viewer]),
        ("device", vec![Role::Operator]),
    ];
    let (_, documents) = routes::build();
    let (mut asked, mut opened) = (0, 0);
    for (kind, roles) in scopes {
        for role in roles.into_iter().filter(|role| *role != Role::Superuser) {
            let token = member(&rig, &admin, role, (kind, &own.ids[kind])).await;
            for (_, route) in &documents.listed {
                let Some(kind) = kind_of(&route.path) else { continue };
                let (id, nobodys) = (&foreign.ids[kind], Uuid::from_u128(99).to_string());
                let answer = ask(&rig, route, &with_id(&route.path, id), &token).await;
                let unknown = ask(&rig, route, &with_id(&route.path, &nobodys), &token).await;
                assert_eq!(
                    bare(&answer, id),
                    bare(&unknown, &nobodys),
                    "{} over {}: {} {}",
                    role.name(),
                    kind,
                    route.method,
                    route.path
                );
                assert!(!answer.status.is_success(), "{} {}", route.method, route.path);
                asked += 1;
            }
            // Its own is there for whoever may read it; a group stands nowhere.
            let around: &[_] = match kind {
                "group" => &["organization", "device", "group"],
                _ => &["organization", "site", "location", "device"],
            };
            for kind in around {
                let path = format!("/api/v1/{kind}s/{}", own.ids[*kind]);
                let answer = rig.get(&path).by(&token).send().await;
                let may = role >= Role::Viewer;
                assert_eq!(answer.status == 200, may, "{}: {path} {}", role.name(), answer.text);
                opened += 1;
            }
        }
    }
    println!("{asked} attempts at what is another's, {opened} at what is one's own");
    assert!(asked > 400, "{asked}");
}

#[tokio::test]
async fn no_list_filter_or_stream_shows_anything_of_another_organization() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let (_, documents) = routes::build();
    for role in [Role::OrgAdmin, Role::Operator, Role::Viewer, Role::User] {
        let token = member(&rig, &admin, role, ("organization", &own.ids["organization"])).await;
        for (_, route) in &documents.listed {
            if route.method != Method::GET || route.path.contains('{') {
                continue;
            }
            let filters = ["device", "gateway", "organization", "parent"];
            let filters = filters.iter().flat_map(|name| {
                foreign.ids.values().map(move |id| format!("{}?{name}={id}", route.path))
            });
            for path in std::iter::once(route.path.clone()).chain(filters) {
                let answer = ask(&rig, route, &path, &token).await;
                for (kind, id) in &foreign.ids {
                    let told = answer.text.replace(&path, "");
                    let query = path.contains(id.as_str()) && !answer.status.is_success();
                    assert!(query || !items(&told).contains(id.as_str()), "{path}: {kind} {told}");
                }
                assert!(!items(&answer.text).contains("foreign "), "{path}: {}", answer.text);
            }
        }
        if role >= Role::Viewer {
            let devices = rig.get("/api/v1/devices").by(&token).send().await.json();
            assert_eq!(devices["meta"]["total"], 1);
            assert_eq!(devices["data"][0]["id"], own.ids["device"].as_str());
            let operations = rig.get("/api/v1/operations").by(&token).send().await.json();
            assert_eq!(operations["data"][0]["id"], own.ids["operation"].as_str());
        }
    }
    assert_eq!(own.name, "own");
}

#[tokio::test]
async fn the_next_page_of_somebody_who_sees_more_shows_no_more() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let scope = ("organization", own.ids["organization"].as_str());
    let token = member(&rig, &admin, Role::OrgAdmin, scope).await;
    for tenant in [&foreign, &own] {
        let device = DeviceId(tenant.ids["device"].parse().unwrap());
        let mut source = Source::of(&rig, device).await;
        source.sample(&rig, 1_000, Ok(40.0)).await;
        for _ in 0..2 {
            source.event(&rig, tenant.name).await;
        }
    }
    let (_, documents) = routes::build();
    let mut followed = Vec::new();
    for (_, route) in &documents.listed {
        if route.method != Method::GET || route.path.contains('{') {
            continue;
        }
        for sort in ["", "&sort=name", "&sort=-created_at"] {
            let mut path = format!("{}?per_page=1{sort}", route.path);
            // As many pages as the superuser has, each asked by both.
            for _ in 0..8 {
                let page = ask(&rig, route, &path, &admin).await;
                let answer = ask(&rig, route, &path, &token).await;
                for (kind, id) in &foreign.ids {
                    assert!(!items(&answer.text).contains(id.as_str()), "{path}: {kind}");
                }
                let page: Value = serde_json::from_str(&page.text).unwrap_or_default();
                let Some(next) = page["links"]["next"].as_str() else { break };
                path = next.to_owned();
                followed.push(path.clone());
            }
        }
    }
    let cursors = followed.iter().filter(|path| path.contains("cursor=")).count();
    println!("{} next pages, {cursors} of them by a cursor", followed.len());
    assert!(cursors > 4 && followed.len() > 20, "{followed:?}");
}

/// The answer without its links, which repeat what was asked.
fn items(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            if let Some(members) = value.as_object_mut() {
                members.remove("links");
                members.remove("instance");
            }
            value.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

#[tokio::test]
async fn an_organization_is_made_changed_deleted_and_brought_back_under_its_etag() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let made = rig.post("/api/v1/organizations").by(&admin);
    let made = made.json(&json!({ "name": "Hall", "description": "one" })).await;
    assert_eq!(made.status, 201);
    let path = made.header("location").to_owned();
    let body = &made.json()["data"];
    assert_eq!((&body["is_active"], &body["created_at"]), (&json!(true), &body["updated_at"]));
    assert!(body["created_by"].is_string());
    let twice = rig.post("/api/v1/organizations").by(&admin);
    assert_eq!(twice.json(&json!({ "name": "Hall" })).await.refusal(), (409, "conflict".into()));
    let ask = |method| rig.ask(method, &path).by(&admin);
    let blind = ask(Method::PATCH).json(&json!({ "name": "Halls" })).await;
    assert_eq!(blind.refusal(), (428, "precondition_required".into()));
    let patched =
        ask(Method::PATCH).header("if-match", "\"1\"").json(&json!({ "name": "Halls" })).await;
    let shown = patched.json()["data"].clone();
    assert_eq!((&shown["name"], &shown["description"]), (&json!("Halls"), &json!("one")));
    assert_eq!(patched.header("etag"), "\"2\"");
    let late = ask(Method::DELETE).header("if-match", "\"1\"").send().await;
    assert_eq!(late.refusal(), (412, "precondition_failed".into()));
    let deleted = ask(Method::DELETE).header("if-match", "\"2\"").send().await;
    assert_eq!(deleted.json()["data"]["is_active"], false);
    assert_eq!(ask(Method::GET).send().await.status, 404);
    let gone = rig.get("/api/v1/organizations?deleted=true").by(&admin).send().await.json();
    assert_eq!(gone["data"][0]["name"], "Halls");
    let restored = rig.post(&format!("{path}/restore")).by(&admin).send().await;
    assert_eq!(restored.json()["data"]["is_active"], true);
    assert_eq!(ask(Method::GET).send().await.status, 200);
}

#[tokio::test]
async fn a_rack_shows_what_stands_in_it_and_refuses_what_does_not_fit() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let own = tenant(&rig, &admin, "own").await;
    let second = super::machine::enrol(&rig).await;
    let path = format!("/api/v1/devices/{}/location", second.0);
    let place = async |body: Value| {
        rig.ask(Method::PUT, &path).by(&admin).header("if-match", "*").json(&body).await
    };
    let rack = &own.ids["location"];
    let taken = place(json!({ "location": rack, "unit": 6, "height_units": 2 })).await;
    assert_eq!(taken.refusal(), (409, "conflict".into()));
    assert_eq!(taken.json()["details"]["device"], own.ids["device"].as_str());
    let high = place(json!({ "location": rack, "unit": 42, "height_units": 2 })).await;
    assert_eq!(high.refusal(), (409, "conflict".into()));
    let nowhere = place(json!({ "location": Uuid::nil() })).await;
    assert_eq!(nowhere.refusal(), (422, "validation_error".into()));
    let fits = place(json!({ "location": rack, "unit": 41, "height_units": 2, "watts": 500.0 }));
    let fits = fits.await.json()["data"].clone();
    assert_eq!(fits["organization"], own.ids["organization"].as_str());
    let elevation = rig.get(&format!("/api/v1/locations/{rack}/elevation")).by(&admin);
    let elevation = elevation.send().await.json()["data"].clone();
    assert_eq!(elevation["units"][0]["device"]["id"], second.0.to_string());
    assert_eq!(elevation["units"][35]["device"]["id"], own.ids["device"].as_str());
    assert_eq!(elevation["units"][2]["device"], Value::Null);
    assert_eq!(
        (&elevation["used"]["units"], &elevation["used"]["units_free"]),
        (&json!(3), &json!(39))
    );
    let site = rig.ask(Method::DELETE, &format!("/api/v1/sites/{}", own.ids["site"])).by(&admin);
    let full = site.header("if-match", "*").send().await;
    assert_eq!(full.refusal(), (409, "conflict".into()));
}

#[tokio::test]
async fn a_role_that_is_taken_back_shows_nothing_at_the_next_request() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let own = tenant(&rig, &admin, "own").await;
    let token = member(&rig, &admin, Role::Operator, ("location", &own.ids["location"])).await;
    let device = format!("/api/v1/devices/{}", own.ids["device"]);
    assert_eq!(rig.get(&device).by(&token).send().await.status, 200);
    let bindings =
        format!("/api/v1/role-bindings?scope_kind=location&scope={}", own.ids["location"]);
    let listed = rig.get(&bindings).by(&admin).send().await.json();
    let id = listed["data"][0]["id"].as_str().unwrap();
    let taken = rig.ask(Method::DELETE, &format!("/api/v1/role-bindings/{id}")).by(&admin);
    assert_eq!(taken.send().await.status, 200);
    let after = rig.get(&device).by(&token).send().await;
    assert_eq!(after.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn who_manages_an_organization_reads_its_trail_and_no_other() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let manager =
        member(&rig, &admin, Role::OrgAdmin, ("organization", &own.ids["organization"])).await;
    let trail =
        async |of: &str| rig.get(&format!("/api/v1/audit?limit=200{of}")).by(&manager).send().await;
    let of = |tenant: &Tenant| format!("&organization={}", tenant.ids["organization"]);
    let rows = trail(&of(&own)).await.json()["data"].clone();
    let rows = rows.as_array().unwrap();
    assert!(rows.iter().any(|row| row["action"] == "device.place"), "{rows:?}");
    assert!(rows.iter().all(|row| row["organization"] == own.ids["organization"]), "{rows:?}");
    let nobodys = format!("&organization={}", Uuid::from_u128(9));
    assert_eq!(trail("").await.refusal(), (422, "validation_error".into()));
    for refused in [&of(&foreign), &nobodys] {
        assert_eq!(trail(refused).await.refusal(), (404, "not_found".into()), "{refused}");
    }
    let verified = rig.get("/api/v1/audit/verify").by(&manager).send().await;
    assert_eq!(verified.status, 403);
}

#[tokio::test]
async fn nobody_gives_a_role_over_what_is_not_theirs_to_manage() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let manager =
        member(&rig, &admin, Role::OrgAdmin, ("organization", &own.ids["organization"])).await;
    let email = "newcomer@example.org";
    let _ = rig.token(email, Role::User).await;
    let give = async |role: &str, kind: &str, id: &str| {
        let scope = json!({ "kind": kind, "id": id });
        let body = json!({ "email": email, "role": role, "scope": scope });
        rig.post("/api/v1/role-bindings").by(&manager).json(&body).await
    };
    assert_eq!(give("operator", "site", &own.ids["site"]).await.status, 201);
    assert_eq!(give("operator", "site", &foreign.ids["site"]).await.status, 404);
    let over = give("superuser", "organization", &own.ids["organization"]).await;
    assert_eq!(over.refusal(), (422, "validation_error".into()));
    let narrow = give("org_admin", "site", &own.ids["site"]).await;
    assert_eq!(narrow.refusal(), (422, "validation_error".into()));
    let signed_in = rig.sign_in("/api/v1/auth/login", email, PASSWORD).await.json();
    let token = signed_in["data"]["tokens"]["access_token"].as_str().unwrap();
    let devices = rig.get("/api/v1/devices").by(token).send().await.json();
    assert_eq!(devices["meta"]["total"], 1);
}

#[tokio::test]
async fn a_stream_shows_only_the_devices_that_its_caller_sees_and_no_longer_than_that() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (tenant(&rig, &admin, "own").await, tenant(&rig, &admin, "foreign").await);
    let token = member(&rig, &admin, Role::Viewer, ("location", &own.ids["location"])).await;
    let of = |tenant: &Tenant| DeviceId(tenant.ids["device"].parse().unwrap());
    let (own_device, foreign_device) = (of(&own), of(&foreign));
    let address = rig.listen().await;
    let mut socket = open(address, "/api/v1/stream", Some(&token)).await.unwrap();
    let topics = json!([
        "readings:*",
        format!("readings:{foreign_device}"),
        "metrics:metric=hw.temperature",
        "events",
        "operations",
        format!("device:{foreign_device}:state"),
    ]);
    say(&mut socket, json!({ "id": 1, "type": "subscribe", "topics": topics })).await;
    let publish = |device: DeviceId, seq: u64| {
        let entry = EntryKey::for_test(1, seq);
        let sampled = vec![sampled(device, 4, vec![(1_000, Ok(41.5))])];
        rig.app.live.publish(Live::readings(device, entry, sampled));
        rig.app.live.publish(Live::Device { device, online: true, at_ms: 1 });
    };
    // The subscription stands once its result is there.
    assert_eq!(next_of(&mut socket, "result").await["ok"], true);
    for seq in 0..3 {
        publish(foreign_device, seq);
        publish(own_device, 10 + seq);
    }
    let mut told = 0;
    // Each of its own samples comes twice: as a device's and as a selection's.
    while told < 6 {
        let message = next_json(&mut socket).await;
        let of_topic = message["topic"] == format!("device:{foreign_device}:state");
        if of_topic || message["topic"] == format!("readings:{foreign_device}") {
            // As of a device that is not there: nothing, and offline.
            assert_eq!(message["type"], "snapshot");
            assert_ne!(message["data"]["online"], true, "{message}");
            continue;
        }
        assert!(!message.to_string().contains(&foreign_device.to_string()), "{message}");
        told += i32::from(message["type"] == "delta");
    }
    let bindings =
        format!("/api/v1/role-bindings?scope_kind=location&scope={}", own.ids["location"]);
    let listed = rig.get(&bindings).by(&admin).send().await.json();
    let id = listed["data"][0]["id"].as_str().unwrap();
    rig.ask(Method::DELETE, &format!("/api/v1/role-bindings/{id}")).by(&admin).send().await;
    assert_eq!(close_code(&mut socket).await, 4401);
}

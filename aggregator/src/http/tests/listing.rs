//! Lists as they are asked: filters, orders, fields, and what stands beside them.

use super::machine::{connect, enrol};
use super::rig::{DOCUMENTS, NOW_MS, Rig};
use crate::access::Role;
use axum::http::Method;
use flyball_protocol::command::Verdict;
use serde_json::{Value, json};
use std::time::Duration;

/// The parameters of every list of v1 that stands at an address of its own.
fn lists() -> Vec<(String, Vec<Value>)> {
    let (_, document) = DOCUMENTS.iter().find(|(name, _)| *name == "v1").unwrap();
    let paths = document["paths"].as_object().unwrap();
    let lists = paths.iter().filter(|(path, item)| {
        let parameters = item["get"]["parameters"].as_array();
        let asked = parameters.into_iter().flatten().any(|one| one["name"] == "fields");
        asked && !path.contains('{')
    });
    let parameters = |item: &Value| item["get"]["parameters"].as_array().unwrap().clone();
    lists.map(|(path, item)| (path.clone(), parameters(item))).collect()
}

/// A value that a parameter takes.
fn value(schema: &Value, operator: &str) -> String {
    if operator == "exists" {
        return "true".into();
    }
    if let Some(first) = schema.pointer("/enum/0") {
        return first.as_str().unwrap().to_owned();
    }
    // Of several forms the first.
    let schema = schema.pointer("/anyOf/0").unwrap_or(schema);
    match (schema["type"].as_str().unwrap(), schema["format"].as_str()) {
        ("string", Some("uuid")) => "00000000-0000-0000-0000-000000000007".into(),
        ("string", Some("date-time")) => "2024-01-15T12:30:00Z".into(),
        ("number", _) => "1.5".into(),
        ("boolean", _) => "false".into(),
        (_, _) => "a%25_b".into(),
    }
}

#[tokio::test]
async fn every_filter_and_order_that_the_document_names_is_answered() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let hall = hall(&rig, &admin, "own").await;
    let mut asked = 0;
    for (path, parameters) in lists() {
        let needed = match path.as_str() {
            "/api/v1/role-bindings" => format!("scope_kind=site&scope={}&", hall.site),
            _ => String::new(),
        };
        let mut queries = Vec::new();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            for operator in parameter["x-operators"].as_array().into_iter().flatten() {
                let operator = operator.as_str().unwrap();
                queries.push(format!("{name}[{operator}]={}", value(schema, operator)));
            }
            if matches!(name, "sort" | "fields" | "include")
                && let Some(names) = schema["pattern"].as_str()
            {
                let names = names.rsplit_once('(').unwrap().1.split_once(')').unwrap().0;
                for one in names.split('|') {
                    queries.push(format!("{name}={one}"));
                    queries.extend((name == "sort").then(|| format!("sort=-{one}")));
                }
            }
            queries.extend((name == "q").then(|| "q=a%25".to_owned()));
        }
        assert!(!queries.is_empty(), "{path}");
        for query in queries {
            rig.clock.advance(Duration::from_millis(100));
            let answer = rig.get(&format!("{path}?{needed}{query}")).by(&admin).send().await;
            assert_eq!(answer.status, 200, "{path}?{query}: {}", answer.text);
            asked += 1;
        }
        let answer = rig.get(&format!("{path}?{needed}colour=red")).by(&admin).send().await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{path}");
        let fault = &answer.json()["field_errors"][0];
        assert_eq!(
            (&fault["field"], &fault["code"]),
            (&json!("colour"), &json!("unknown_parameter"))
        );
    }
    println!("{asked} questions");
    assert!(asked > 300, "{asked}");
}

/// An organization with a site and two machines in it, one labelled `tier=hot`.
struct Hall {
    organization: String,
    site: String,
    hot: String,
    cold: String,
}

async fn hall(rig: &Rig, admin: &str, name: &str) -> Hall {
    let make = async |path: &str, body: Value| -> String {
        let answer = rig.post(path).by(admin).json(&body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        answer.json()["data"]["id"].as_str().unwrap().to_owned()
    };
    let organization = make("/api/v1/organizations", json!({ "name": name })).await;
    let site = json!({ "organization": organization, "name": format!("{name} site") });
    let site = make("/api/v1/sites", site).await;
    let mut machines = Vec::new();
    for tier in ["hot", "cold"] {
        let machine = enrol(rig).await.to_string();
        let place = json!({ "site": site, "labels": { "tier": tier } });
        let path = format!("/api/v1/devices/{machine}/location");
        let ask = rig.ask(Method::PUT, &path).by(admin).header("if-match", "*");
        assert_eq!(ask.json(&place).await.status, 200);
        machines.push(machine);
        rig.clock.advance(Duration::from_secs(1));
    }
    let cold = machines.pop().unwrap();
    Hall { organization, site, hot: machines.pop().unwrap(), cold }
}

async fn devices(rig: &Rig, token: &str, query: &str) -> Value {
    rig.clock.advance(Duration::from_millis(100));
    let answer = rig.get(&format!("/api/v1/devices?{query}")).by(token).send().await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["data"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn devices_are_narrowed_by_labels_place_and_state_and_counted_so() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let hall = hall(&rig, &admin, "hall").await;
    let board =
        connect(&rig, Vec::new(), Verdict::Accepted, |_| Vec::new()).await.device.to_string();
    let (hot, cold) = (hall.hot.clone(), hall.cold.clone());
    let site = format!("filter[site]={}", hall.site);
    for (query, meant) in [
        ("labels=tier%3Dhot", vec![&hot]),
        ("labels=tier%20in%20(hot,cold)&sort=-created_at", vec![&cold, &hot]),
        ("labels=!tier", vec![&board]),
        (&site, vec![&hot, &cold]),
        (&format!("{site}&labels=tier!%3Dhot"), vec![&cold]),
        ("filter[site][exists]=false", vec![&board]),
        ("filter[status]=online", vec![&board]),
        ("filter[status][ne]=online&sort=id", vec![&hot, &cold]),
        ("sort=status,-enrolled_at", vec![&cold, &hot, &board]),
        ("filter[last_seen_at][exists]=true", vec![]),
        (&format!("filter[enrolled_at][gte]={}", NOW_MS + 2_000), vec![&board]),
        ("filter[kind]=simulated&kind=real", vec![]),
        (
            &format!("filter[organization]={}&filter[id][in]={hot},{board}", hall.organization),
            vec![&hot],
        ),
    ] {
        let list = devices(&rig, &admin, query).await;
        let meant: Vec<String> = meant.into_iter().cloned().collect();
        assert_eq!(ids(&list), meant, "{query}");
        assert_eq!(list["meta"]["total"], meant.len(), "{query}");
    }
    let page = devices(&rig, &admin, &format!("{site}&per_page=1&page=2&sort=enrolled_at")).await;
    assert_eq!((ids(&page), &page["meta"]["total"]), (vec![cold], &json!(2)));
}

#[tokio::test]
async fn a_list_shows_the_fields_that_were_asked_for_and_what_was_asked_for_beside_it() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let hall = hall(&rig, &admin, "hall").await;
    let query = "fields=name,status&include=organization,site,placement&labels=tier%3Dhot";
    let list = devices(&rig, &admin, query).await;
    assert_eq!(list["data"], json!([{ "id": hall.hot, "name": "board", "status": "offline" }]));
    let beside = &list["included"];
    assert_eq!(beside["organizations"], json!([{ "id": hall.organization, "name": "hall" }]));
    assert_eq!(beside["sites"], json!([{ "id": hall.site, "name": "hall site" }]));
    assert_eq!(beside["placements"][0]["labels"], json!({ "tier": "hot" }));
    assert!(beside.get("locations").is_none());
    assert!(devices(&rig, &admin, "").await.get("included").is_none());
    let answer = rig.get("/api/v1/devices?fields=nme").by(&admin).send().await;
    let said = answer.json()["field_errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("`nme` is none of") && said.contains("last_seen_at"), "{said}");
}

#[tokio::test]
async fn no_question_shows_what_the_caller_may_not_see() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let (own, foreign) = (hall(&rig, &admin, "own").await, hall(&rig, &admin, "foreign").await);
    rig.clock.advance(Duration::from_secs(30));
    let viewer = rig.token("member@example.org", Role::User).await;
    let scope = json!({ "kind": "organization", "id": own.organization });
    let role = json!({ "email": "member@example.org", "role": "org_admin", "scope": scope });
    assert_eq!(rig.post("/api/v1/role-bindings").by(&admin).json(&role).await.status, 201);
    let hidden = [&foreign.organization, &foreign.site, &foreign.hot, &foreign.cold];
    let mut asked = 0;
    for (path, parameters) in lists() {
        let mut queries = vec!["q=foreign".to_owned(), "labels=tier".to_owned()];
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            if schema["format"] == "uuid" && name.starts_with("filter[") {
                for id in hidden {
                    queries.push(format!("{name}={id}"));
                    queries.push(format!("{name}[in]={id}"));
                }
                queries.push(format!("{name}[ne]={}", own.organization));
                queries.push(format!("{name}[exists]=true"));
            }
            if let ("sort" | "include", Some(names)) = (name, schema["pattern"].as_str()) {
                let names = names.rsplit_once('(').unwrap().1.split_once(')').unwrap().0;
                queries.extend(
                    names
                        .split('|')
                        .map(|one| format!("{name}=-{one}").replace("include=-", "include=")),
                );
            }
        }
        for query in queries {
            rig.clock.advance(Duration::from_millis(100));
            let answer = rig.get(&format!("{path}?{query}")).by(&viewer).send().await;
            if !answer.status.is_success() {
                continue;
            }
            let mut told = answer.json();
            told["links"] = Value::Null;
            let told = told.to_string();
            for id in hidden {
                assert!(!told.contains(id.as_str()), "{path}?{query}: {told}");
            }
            assert!(!told.contains("foreign"), "{path}?{query}: {told}");
            asked += 1;
        }
    }
    println!("{asked} questions");
    let list = devices(&rig, &viewer, "labels=tier&sort=-name&include=site").await;
    assert_eq!((ids(&list).len(), &list["meta"]["total"]), (2, &json!(2)));
    let list = devices(&rig, &viewer, &format!("filter[site]={}", foreign.site)).await;
    assert_eq!((ids(&list).len(), &list["meta"]["total"]), (0, &json!(0)));
}

#[tokio::test]
async fn members_are_found_by_role_and_by_a_part_of_their_address() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let hall = hall(&rig, &admin, "own").await;
    let members = format!("/api/v1/organizations/{}/members", hall.organization);
    for (email, role) in
        [("ada@example.org", "viewer"), ("ben@example.org", "operator"), ("eve@a.test", "viewer")]
    {
        rig.clock.advance(Duration::from_secs(13));
        rig.token(email, Role::User).await;
        let body = json!({ "email": email, "role": role });
        assert_eq!(rig.post(&members).by(&admin).json(&body).await.status, 201);
    }
    let ask = async |query: &str| {
        rig.clock.advance(Duration::from_millis(100));
        let answer = rig.get(&format!("{members}?{query}")).by(&admin).send().await.json();
        let emails = answer["data"].as_array().unwrap().iter();
        let emails: Vec<_> = emails.map(|m| m["user"]["email"].clone()).collect();
        (json!(emails), answer["meta"]["total"].clone())
    };
    assert_eq!(ask("q=EXAMPLE").await, (json!(["ada@example.org", "ben@example.org"]), json!(2)));
    let viewers = ask("filter[role]=viewer&sort=-email&per_page=1").await;
    assert_eq!(viewers, (json!(["eve@a.test"]), json!(2)));
    let users = rig.get("/api/v1/users?filter[email][contains]=example").by(&admin).send().await;
    let users = users.json();
    let bound = users["data"].as_array().unwrap().iter().find(|u| u["email"] == "ben@example.org");
    assert_eq!(bound.unwrap()["roles"][0]["role"], "operator");
}

//! The examples of the flat dialect's requirement, as it writes them: each is held against the
//! document, whose schemas every answer is held against, and those that need nothing but an account
//! are sent.

use super::conformance::{faults, operation, resolve};
use super::rig::{Answer, Rig};
use crate::http::document;
use crate::http::openapi::endpoints::{ENDPOINTS, is_there};
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Example {
    method: String,
    path: String,
    status: Option<u16>,
    request: Option<Value>,
    response: Option<Value>,
}

fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("flat_examples.json")).unwrap()
}

fn example(method: &str, path: &str) -> Example {
    let found = examples().into_iter().find(|one| one.method == method && one.path == path);
    found.unwrap_or_else(|| panic!("no example of {method} {path}"))
}

/// The schema of a field, and whether an answer always has it.
fn field<'a>(document: &'a Value, schema: &'a Value, name: &str) -> Option<(&'a Value, bool)> {
    let schema = resolve(document, schema);
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array());
    if let Some(own) = schema["properties"].get(name) {
        let always = schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
        // What may be null is always there, as null where nobody knows it.
        return Some((own, always || faults(document, own, &Value::Null).is_empty()));
    }
    if let Some(found) = parts.flatten().find_map(|part| field(document, part, name)) {
        return Some(found);
    }
    // A map from names to values.
    schema.get("additionalProperties").filter(|other| other.is_object()).map(|other| (other, true))
}

/// The schema of a list's items.
fn items<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let schema = resolve(document, schema);
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array());
    schema.get("items").or_else(|| parts.flatten().find_map(|part| items(document, part)))
}

/// Is anything at all allowed here?
fn is_open(document: &Value, schema: &Value) -> bool {
    let schema = resolve(document, schema);
    let said = ["properties", "allOf", "oneOf", "anyOf", "items", "additionalProperties"];
    said.iter().all(|key| schema.get(key).is_none()) || schema["additionalProperties"] == true
}

/// What of an example no answer is promised to have.
fn lacks(document: &Value, schema: &Value, example: &Value, at: &str, found: &mut Vec<String>) {
    match example {
        Value::Object(fields) => {
            for (name, own) in fields {
                let at = format!("{at}/{name}");
                match field(document, schema, name) {
                    Some((inner, true)) => lacks(document, inner, own, &at, found),
                    Some((_, false)) => found.push(format!("{at} may be absent")),
                    // What stands beside a list is no part of its schema; the answers are asked.
                    None if at.matches('/').count() == 1 || is_open(document, schema) => {}
                    None => found.push(format!("{at} is unknown")),
                }
            }
        }
        Value::Array(all) => {
            for item in all {
                match items(document, schema) {
                    Some(inner) => lacks(document, inner, item, &format!("{at}/0"), found),
                    None => found.push(format!("{at} is no list")),
                }
            }
        }
        other => {
            let own = faults(document, schema, other);
            found.extend(own.into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
}

#[test]
fn the_examples_are_those_of_every_endpoint() {
    let all: Vec<(String, String)> =
        examples().into_iter().map(|one| (one.method, one.path)).collect();
    let named: Vec<(String, String)> =
        ENDPOINTS.map(|(method, path)| (method.to_owned(), path.to_owned())).to_vec();
    assert_eq!(all, named);
}

#[test]
fn what_an_example_asks_is_taken_and_what_it_is_answered_is_promised() {
    let document = document("flat").unwrap();
    let (mut wrong, mut held) = (Vec::new(), 0);
    for example in examples() {
        let Example { method, path, status, request, response } = example;
        if !is_there(&method, &path) {
            continue;
        }
        let verb: Method = method.parse().unwrap();
        let operation = operation(&document, &verb, &path).unwrap();
        let at = format!("{method} {path}");
        if let Some(request) = request {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let own = faults(&document, schema, &request);
            wrong.extend(own.into_iter().map(|fault| format!("{at}: request: {fault}")));
        }
        if let Some(response) = response {
            let status = status.unwrap().to_string();
            let schema = &operation["responses"][&status]["content"]["application/json"]["schema"];
            let mut own = Vec::new();
            lacks(&document, schema, &response, "", &mut own);
            wrong.extend(own.into_iter().map(|fault| format!("{at}: response: {fault}")));
            held += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{held} examples held");
}

/// What of the example's fields the answer does not have, or has as another type.
fn differs(example: &Value, answer: &Value, at: &str, found: &mut Vec<String>) {
    match (example, answer) {
        // What is not known is null; an example shows it where it is.
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(fields), Value::Object(own)) => {
            for (name, value) in fields {
                let at = format!("{at}/{name}");
                match own.get(name) {
                    Some(own) => differs(value, own, &at, found),
                    None => found.push(format!("{at} is missing")),
                }
            }
        }
        (Value::Array(all), Value::Array(own)) => {
            if let (Some(example), Some(own)) = (all.first(), own.first()) {
                differs(example, own, &format!("{at}/0"), found);
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(format!("{at} is {answer}, not like {example}")),
    }
}

impl Example {
    #[track_caller]
    fn is_like(&self, answer: &Answer) {
        let at = format!("{} {}", self.method, self.path);
        let status = answer.status.as_u16();
        assert_eq!(Some(status), self.status, "{at}: {}", answer.text);
        let mut found = Vec::new();
        if let Some(response) = &self.response {
            differs(response, &answer.json(), "", &mut found);
        }
        assert!(found.is_empty(), "{at}: {found:#?}\n{}", answer.text);
    }
}

/// Sends an example as it is written, with the address's ids and some fields of the body put in.
async fn send(rig: &Rig, token: &str, method: &str, path: &str, put: &Value) -> Answer {
    let example = example(method, path);
    let mut real = path.to_owned();
    let mut body = example.request.clone();
    for (name, value) in put.as_object().into_iter().flatten() {
        real = real.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
        if let Some(field) = body.as_mut().and_then(|body| body.get_mut(name)) {
            *field = value.clone();
        }
    }
    let mut ask = rig.ask(example.method.parse().unwrap(), &real);
    if !token.is_empty() {
        ask = ask.by(token);
    }
    let answer = match &body {
        Some(body) => ask.json(body).await,
        None => ask.send().await,
    };
    example.is_like(&answer);
    answer
}

#[tokio::test]
async fn an_account_lives_its_life_by_the_examples_as_they_are_written() {
    let rig = Rig::start().await;
    let none = json!({});
    let registered = send(&rig, "", "POST", "/api/auth/register", &none).await.json();
    let password = example("POST", "/api/auth/register").request.unwrap()["password"].clone();
    let put = json!({ "password": password });
    let signed_in = send(&rig, "", "POST", "/api/auth/login", &put).await.json();
    let refresh = json!({ "refresh_token": signed_in["tokens"]["refresh_token"] });
    let refreshed = send(&rig, "", "POST", "/api/auth/refresh", &refresh).await.json();
    let token = refreshed["tokens"]["access_token"].as_str().unwrap().to_owned();
    send(&rig, &token, "GET", "/api/auth/me", &none).await;
    let avatar = json!({ "avatar_url": "https://example.org/a.png" });
    send(&rig, &token, "PATCH", "/api/auth/me", &avatar).await;
    let change = json!({ "current_password": password, "new_password": "a quite new secret" });
    send(&rig, &token, "POST", "/api/auth/password", &change).await;
    send(&rig, &token, "GET", "/api/auth/devices", &none).await;
    let sessions = send(&rig, &token, "GET", "/api/auth/sessions", &none).await.json();
    let other = sessions["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["is_current"] == false && one["id"] != registered["session"]["id"]);
    if let Some(other) = other {
        let put = json!({ "session_id": other["id"] });
        send(&rig, &token, "DELETE", "/api/auth/sessions/{session_id}", &put).await;
    }
    let again = rig.sign_in("/api/auth/login", "user@example.com", "a quite new secret").await;
    let device = again.json()["device"]["id"].clone();
    let put = json!({ "device_id": device });
    send(&rig, &token, "DELETE", "/api/auth/devices/{device_id}", &put).await;
    let leave = json!({ "refresh_token": refreshed["tokens"]["refresh_token"] });
    send(&rig, &token, "POST", "/api/auth/logout", &leave).await;
}

#[tokio::test]
async fn the_platform_answers_the_examples_as_they_are_written() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let none = json!({});
    for (method, path) in [
        ("GET", "/health"),
        ("POST", "/api/clients/heartbeat"),
        ("GET", "/api/clients"),
        ("POST", "/api/logs"),
        ("GET", "/api/logs"),
        ("POST", "/api/metrics"),
        ("GET", "/api/metrics"),
        ("GET", "/api/stats"),
        ("DELETE", "/api/logs"),
        ("GET", "/api/curricula"),
        ("GET", "/api/media/capabilities"),
        ("GET", "/api/import/sources"),
        ("GET", "/api/import/jobs"),
        ("GET", "/api/plugins"),
    ] {
        send(&rig, &token, method, path, &none).await;
    }
}

/// A form that has a file alone.
async fn file(ask: super::rig::Ask<'_>, name: &str, content: &str) -> Answer {
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
    let body = format!("{head}\r\n\r\n{content}\r\n--b--\r\n");
    ask.header("content-type", "multipart/form-data; boundary=b").body(body).await
}

#[tokio::test]
async fn a_curriculum_lives_its_life_by_the_examples_as_they_are_written() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let document = json!({
        "formatIdentifier": "umcf", "id": { "value": "b" }, "title": "Biology 101",
        "version": { "number": "1.0.0" },
        "content": [{ "id": { "value": "root" }, "title": "Root", "type": "curriculum",
            "children": [{ "id": { "value": "t" }, "title": "Cells", "type": "topic",
                "transcript": { "segments": [{ "id": "s", "type": "introduction",
                    "content": "Welcome to this lesson.",
                    "speakingNotes": { "pace": "normal", "emphasis": ["key"], "pauseAfter": true } }],
                    "pronunciationGuide": { "mitochondria": { "ipa": "x", "respelling": "y" } } } }] }],
    });
    let import = rig.post("/api/curricula/import").by(&token);
    let answer = file(import, "b.umcf", &document.to_string()).await;
    example("POST", "/api/curricula/import").is_like(&answer);
    let put = json!({ "curriculum_id": "b", "topic_id": "t" });
    let assets = "/api/curricula/{curriculum_id}/topics/{topic_id}/assets";
    let upload = rig.post("/api/curricula/b/topics/t/assets").by(&token);
    let answer = file(upload, "cell.svg", "<svg><g/></svg>").await;
    example("POST", assets).is_like(&answer);
    let asset = answer.json()["asset"]["id"].clone();
    for path in [
        "/api/curricula",
        "/api/curricula/{curriculum_id}",
        "/api/curricula/{curriculum_id}/full",
        "/api/curricula/{curriculum_id}/topics/{topic_id}/transcript",
    ] {
        send(&rig, &token, "GET", path, &put).await;
    }
    let with_assets = "/api/curricula/{curriculum_id}/full-with-assets";
    let example_of_assets = example("GET", with_assets);
    let answer = rig.get("/api/curricula/b/full-with-assets").by(&token).send().await;
    assert_eq!(example_of_assets.status, Some(200));
    assert!(answer.json()["assets"][asset.as_str().unwrap()].is_string());
    let whole = rig.ask(Method::PUT, "/api/curricula/b").by(&token).json(&document).await;
    example("PUT", "/api/curricula/{curriculum_id}").is_like(&whole);
    let preload = "/api/curricula/{curriculum_id}/preload-assets";
    send(&rig, &token, "POST", preload, &put).await;
    let one = format!("{assets}/{{asset_id}}");
    let this = json!({ "curriculum_id": "b", "topic_id": "t", "asset_id": asset });
    send(&rig, &token, "PATCH", &one, &this).await;
    send(&rig, &token, "DELETE", &one, &this).await;
    send(&rig, &token, "POST", "/api/curricula/reload", &json!({})).await;
    let archive = "/api/curricula/{curriculum_id}/archive";
    let archived = send(&rig, &token, "POST", archive, &put).await.json();
    send(&rig, &token, "GET", "/api/curricula/archived", &json!({})).await;
    let unarchive = "/api/curricula/archived/{file_name}/unarchive";
    let name = json!({ "file_name": archived["archive_file"] });
    send(&rig, &token, "POST", unarchive, &name).await;
    let gone = rig.ask(Method::DELETE, "/api/curricula/b?confirm=true").by(&token).send().await;
    example("DELETE", "/api/curricula/{curriculum_id}").is_like(&gone);
}

#[tokio::test]
async fn plugins_are_chosen_by_the_examples_as_they_are_written() {
    use flyball_protocol::message::PluginKind::Importer;
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let plugins =
        ["mit_ocw", "ck12_flexbook"].map(|id| super::machine::plugin(id, Importer, &[id]));
    let accepted = flyball_protocol::command::Verdict::Accepted;
    super::machine::connect(&rig, plugins.into(), accepted, |_| Vec::new()).await;
    let none = json!({});
    let one = json!({ "plugin_id": "mit_ocw" });
    send(&rig, &token, "GET", "/api/plugins", &none).await;
    send(&rig, &token, "POST", "/api/plugins/initialize", &none).await;
    for what in ["disable", "enable", "configure"] {
        let path = format!("/api/plugins/{{plugin_id}}/{what}");
        send(&rig, &token, "POST", &path, &one).await;
    }
    send(&rig, &token, "GET", "/api/media/maps/styles", &none).await;
}

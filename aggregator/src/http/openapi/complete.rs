//! What a document says of all its operations alike: names, security, areas, examples.

use super::{examples, links};
use crate::http::dialect::Dialect;
use crate::http::names::Names;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const METHODS: [Method; 5] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Completes `document`, whose paths and components are there.
pub(super) fn complete(document: &mut Value, dialect: Dialect, names: &Names) {
    open_parts(document);
    unsigned(document);
    let components = document["components"].clone();
    let mut tags = BTreeSet::new();
    let paths = document["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get_mut(method.as_str().to_lowercase()) else { continue };
            if let Some(tag) = operation["tags"][0].as_str() {
                tags.insert(tag.to_owned());
            }
            if let Some(name) = names.get(&(method.clone(), path.clone())) {
                operation["operationId"] = name.replace(['.', '-'], "_").into();
                if dialect == Dialect::V1 {
                    operation["x-ipc-method"] = name.clone().into();
                }
            }
            if operation.get("security").is_none() {
                operation["security"] = json!([]);
            }
            parameters(operation, path, &method);
            retry_after(operation);
            examples::add(operation, &components);
        }
    }
    links::add(document);
    document["components"]["parameters"] = json!({ "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Sent again with the same key within a day, the request has no second \
            effect and gets the first answer.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
    } });
    document["tags"] =
        tags.iter().map(|tag| json!({ "name": tag, "description": about(tag) })).collect();
}

/// What is sent takes no unknown fields; as a part of something it stands beside others.
fn open_parts(document: &mut Value) {
    let known = document["components"]["schemas"].clone();
    let schemas = document["components"]["schemas"].as_object_mut();
    for schema in schemas.into_iter().flatten().map(|(_, schema)| schema) {
        open(schema, &known);
        for choice in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
            if open(choice, &known) {
                // Of a choice its word and its fields are all that it takes.
                choice["unevaluatedProperties"] = false.into();
            }
        }
    }
}

/// Writes closed parts of `schema` out, open. Was there one?
fn open(schema: &mut Value, known: &Value) -> bool {
    let mut opened = false;
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let Some(whole) = name.map(|name| &known[name]) else { continue };
        if whole["additionalProperties"] == false {
            *part = whole.clone();
            if let Some(members) = part.as_object_mut() {
                members.remove("additionalProperties");
            }
            opened = true;
        }
    }
    opened
}

/// A format bounds a number: what has no sign goes twice as far as `int32` does.
fn unsigned(part: &mut Value) {
    if part["format"] == "int32" && part["minimum"] == 0 {
        part["format"] = "uint32".into();
        if part["maximum"].is_null() {
            part["maximum"] = u32::MAX.into();
        }
    }
    match part {
        Value::Array(items) => items.iter_mut().for_each(unsigned),
        Value::Object(members) => members.values_mut().for_each(unsigned),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn parameters(operation: &mut Value, path: &str, method: &Method) {
    let own = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in own.into_iter().flatten() {
        // Whatever stands in an address is no null.
        let schema = &mut parameter["schema"];
        let types = schema["type"].as_array().cloned().unwrap_or_default();
        let mut kept = types.into_iter().filter(|name| name != "null");
        if let (Some(only), None) = (kept.next(), kept.next()) {
            schema["type"] = only;
        }
    }
    let takes_keys = matches!(*method, Method::POST | Method::PATCH)
        && operation.get("x-right").is_some()
        && !path.contains("/auth/");
    if takes_keys {
        let key = json!({ "$ref": "#/components/parameters/IdempotencyKey" });
        match operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(key),
            None => operation["parameters"] = json!([key]),
        }
    }
}

fn retry_after(operation: &mut Value) {
    if let Some(limited) = operation["responses"].get_mut("429") {
        limited["headers"] = json!({ "Retry-After": {
            "description": "Seconds to wait.",
            "schema": { "type": "integer", "minimum": 0 },
        } });
    }
}

/// What an area is about.
fn about(tag: &str) -> String {
    let known = match tag {
        "audit" => "Who did what, and what was refused to whom.",
        "auth" => "Signing in and out, and one's own account.",
        "clients" => "Sources of logs and metrics: agents and applications.",
        "curricula" => "Courses as UMCF documents.",
        "devices" => {
            "Managed machines and their equipment: state, limits, and what they are asked to do."
        }
        "enrolment-tokens" => "What lets a machine's agent in for the first time.",
        "events" => "What happened, newest first.",
        "groups" => "Devices that were put together, by name or by their labels.",
        "health" => "Is the server well?",
        "import" => "Courses from outside, and the jobs that fetch them.",
        "locations" => "Buildings, rooms and racks.",
        "logs" => "What applications and agents logged.",
        "media" => "Diagrams and other pictures that are drawn from a source.",
        "metrics" => "What applications measured of themselves.",
        "modules" => "Devices, by the name that the fleet's requirement gives them.",
        "operations" => "What was asked of machines, and what came of it.",
        "organizations" => "Tenants and their members.",
        "plugins" => "What agents were extended by.",
        "readings" => "Samples of series over time.",
        "retention" => "How long telemetry is kept.",
        "role-bindings" => "Roles over a part of the fleet.",
        "root" => "Beside the API's own folder.",
        "series" => "What is measured, and in which unit.",
        "sites" => "Places of an organization that have an address.",
        "stats" => "The server in numbers.",
        "system" => "The machine that the server runs on.",
        "users" => "Accounts.",
        "webhooks" => "Addresses that are told of events.",
        other => return format!("Everything under `{other}`."),
    };
    known.to_owned()
}

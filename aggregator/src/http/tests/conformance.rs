//! Holds an answer against its document: a small part of JSON Schema, enough for ours, and one
//! rule more: a field that the document does not name is a fault of the document.

use super::rig::Answer;
use axum::http::Method;
use serde_json::Value;
use std::collections::BTreeSet;

#[track_caller]
pub(super) fn check(documents: &[(&str, Value)], method: &Method, asked: &str, answer: &Answer) {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    for (name, document) in documents {
        let Some(operation) = operation(document, method, path) else { continue };
        let status = answer.status.as_str();
        let responses = &operation["responses"];
        let response = responses.get(status).unwrap_or_else(|| {
            assert!(!answer.status.is_success(), "{name}: {method} {path}: {status} undocumented");
            &responses["default"]
        });
        if answer.text.is_empty() && response.get("content").is_none() {
            continue;
        }
        let media_type = answer.header("content-type");
        let mut schema = response["content"][media_type]["schema"].clone();
        assert!(!schema.is_null(), "{name}: {method} {path} {status}: no {media_type}");
        if !query.contains("fields=") {
            whole(&mut schema);
        }
        let value = serde_json::from_str(&answer.text).unwrap();
        let mut faults = Vec::new();
        hold(document, &schema, &value, "", &mut faults);
        assert!(
            faults.is_empty(),
            "{name}: {method} {path} {status}: {faults:#?}\n{}",
            answer.text
        );
    }
}

/// An item that was not asked for a part of its fields has all of them.
fn whole(schema: &mut Value) {
    if let Some(all) = schema.pointer("/anyOf/0").cloned() {
        *schema = all;
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(whole),
        Value::Array(items) => items.iter_mut().for_each(whole),
        _ => {}
    }
}

/// What of `value` does not hold to `schema`.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    hold(document, schema, value, "", &mut faults);
    faults
}

pub(super) fn operation<'a>(document: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let given: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == given.len()
            && parts.iter().zip(&given).all(|(part, own)| part == own || part.starts_with('{'))
    };
    let paths = document["paths"].as_object().unwrap();
    let exact = paths.get_key_value(path);
    let (_, item) = exact.or_else(|| paths.iter().find(|(template, _)| matches(template)))?;
    item.get(method.as_str().to_lowercase())
}

pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            let found = document.pointer(pointer);
            resolve(document, found.unwrap_or_else(|| panic!("dangling {reference}")))
        }
        None => schema,
    }
}

/// The fields that a schema names, through references and parts; `None` where it is open.
fn fields(document: &Value, schema: &Value) -> Option<BTreeSet<String>> {
    let schema = resolve(document, schema);
    if schema.get("additionalProperties").is_some() {
        return None;
    }
    let mut names = BTreeSet::new();
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            names.extend(fields(document, part)?);
        }
    }
    match schema["properties"].as_object() {
        Some(own) => names.extend(own.keys().cloned()),
        None if names.is_empty() => return None,
        None => {}
    }
    Some(names)
}

fn hold(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let (Some(named), Some(object)) = (fields(document, schema), value.as_object()) {
        // `meta` and what flat puts beside a list hold facts of their own.
        let open = at.ends_with("/meta") || at.is_empty();
        for key in object.keys().filter(|key| !open && !named.contains(*key)) {
            faults.push(format!("{at}/{key} is not in the document"));
        }
    }
    hold_parts(document, schema, value, at, faults);
}

fn hold_parts(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolve(document, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        hold_parts(document, part, value, at, faults);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let fits = choices.iter().any(|choice| {
            let mut own = Vec::new();
            hold(document, choice, value, at, &mut own);
            own.is_empty()
        });
        if !fits {
            faults.push(format!("{at} fits no choice"));
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(name, value)) {
        faults.push(format!("{at} is no {types:?}: {value}"));
        return;
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        faults.push(format!("{at} is not {constant}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.as_object().is_some_and(|object| !object.contains_key(name)) {
            faults.push(format!("{at}/{name} is missing"));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(own) = value.get(name) {
            hold(document, property, own, &format!("{at}/{name}"), faults);
        }
    }
    if let (Some(_), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            hold(document, &schema["items"], item, &format!("{at}/{index}"), faults);
        }
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    }
}

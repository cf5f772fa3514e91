//! Links: what may be done next with what an answer has made, and with a version that was read.
//!
//! They follow from the paths and the schemas. An answer that makes something leads to every
//! operation on it: those below the path that it was made at, or else those below the path that
//! reads the same. A list leads to the operations on the first that stands in it. An answer with an
//! `ETag` leads to the changes that want it.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Deeper schemas hold no id of what was made.
const MAX_DEPTH: usize = 3;

/// An operation that a link may lead to.
struct Aim {
    path: String,
    id: String,
    /// Does it want `If-Match`?
    conditional: bool,
    deletes: bool,
    /// What a GET answers with.
    read: Option<Value>,
}

/// Adds the links of `document`, whose operations have their names.
pub(super) fn add(document: &mut Value) {
    let components = document["components"].clone();
    let aims = aims(document);
    let paths = document["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let operation = item.get_mut(method);
            let responses = operation.and_then(|found| found["responses"].as_object_mut());
            for (status, response) in responses.into_iter().flatten() {
                let links = match (method, status.as_str()) {
                    ("post", "200" | "201" | "202") => of_made(&components, path, response, &aims),
                    ("get", "200") if !response["headers"]["ETag"].is_null() => {
                        of_read(path, &aims)
                    }
                    ("get", "200") => of_listed(&components, path, response, &aims),
                    _ => continue,
                };
                if !links.is_empty() {
                    response["links"] = links.into();
                }
            }
        }
    }
}

fn aims(document: &Value) -> Vec<Aim> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| METHODS.map(|method| (path, method, &item[method])));
    let named = all.filter_map(|(path, method, operation)| {
        let id = operation["operationId"].as_str()?.to_owned();
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let conditional = parameters.any(|parameter| parameter["name"] == "If-Match");
        let good = &operation["responses"]["200"];
        let read = (method == "get").then(|| schema(good).clone());
        let deletes = method == "delete";
        Some(Aim { path: path.clone(), id, conditional, deletes, read })
    });
    named.collect()
}

/// To what may be done with what was made at `path`.
fn of_made(components: &Value, path: &str, response: &Value, aims: &[Aim]) -> Map<String, Value> {
    let made = schema(response);
    let is_collection = aims.iter().any(|aim| last_parameter(&aim.path, path).is_some());
    let reads = || {
        let mut same = aims.iter().filter(|aim| aim.read.as_ref() == Some(made));
        let one =
            same.find_map(|aim| aim.path.rsplit_once("/{").filter(|(_, name)| name.ends_with('}')));
        one.map(|(collection, _)| collection).filter(|collection| !collection.contains('{'))
    };
    let Some(collection) = (if is_collection { Some(path) } else { reads() }) else {
        return Map::new();
    };
    below(collection, aims.iter(), |name| place(components, made, name))
}

/// To what may be done with the first of what is listed at `path`, short of deleting it: the
/// first of one's own sessions and roles is what one asks with.
fn of_listed(components: &Value, path: &str, response: &Value, aims: &[Aim]) -> Map<String, Value> {
    let members = members(components, schema(response), 0);
    let mut lists = members.iter().filter(|(_, part)| part["type"] == "array");
    let (Some((list, part)), None) = (lists.next(), lists.next()) else { return Map::new() };
    let lasting = aims.iter().filter(|aim| !aim.deletes);
    below(path, lasting, |name| {
        let place = place(components, &part["items"], name)?;
        Some(format!("/{list}/0{place}"))
    })
}

/// To the operations on one of `collection`, whose id is found in the answer by its parameter.
fn below<'a>(
    collection: &str,
    aims: impl Iterator<Item = &'a Aim>,
    place: impl Fn(&str) -> Option<String>,
) -> Map<String, Value> {
    let links = aims.filter_map(|aim| {
        let name = last_parameter(&aim.path, collection)?;
        let place = place(name)?;
        let mut values = around(collection);
        values.insert(name.to_owned(), format!("$response.body#{place}").into());
        if aim.conditional {
            // The answer does not name the version.
            values.insert("header.If-Match".into(), "*".into());
        }
        Some((aim.id.clone(), link(aim, values)))
    });
    links.collect()
}

/// To the changes of what was read at `path`, by its version.
fn of_read(path: &str, aims: &[Aim]) -> Map<String, Value> {
    let changes = aims.iter().filter(|aim| aim.path == path && aim.conditional);
    let links = changes.map(|aim| {
        let mut values = around(path);
        values.insert("header.If-Match".into(), "$response.header.ETag".into());
        (aim.id.clone(), link(aim, values))
    });
    links.collect()
}

fn link(aim: &Aim, parameters: Map<String, Value>) -> Value {
    json!({ "operationId": aim.id, "parameters": parameters })
}

/// The parameter that follows `collection` in `path`, where no other does.
fn last_parameter<'a>(path: &'a str, collection: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(collection)?.strip_prefix("/{")?;
    let (name, rest) = rest.split_once('}')?;
    (!rest.contains('{')).then_some(name)
}

/// The parameters of `path` itself, as they were in the request.
fn around(path: &str) -> Map<String, Value> {
    let names = crate::http::names::parameters(path);
    names.map(|name| (name.to_owned(), format!("$request.path.{name}").into())).collect()
}

fn schema(response: &Value) -> &Value {
    &response["content"]["application/json"]["schema"]
}

/// Where the id for the parameter `name` stands in an answer of `schema`, as a JSON pointer.
fn place(components: &Value, schema: &Value, name: &str) -> Option<String> {
    let members = members(components, schema, 0);
    if let Some(data) = members.get("data").filter(|_| members.contains_key("links")) {
        return place(components, data, name).map(|rest| format!("/data{rest}"));
    }
    for own in [name, "id", "job_id", "jobId"] {
        if members.contains_key(own) {
            return Some(format!("/{own}"));
        }
    }
    let mut nested = members.iter().filter(|(_, part)| {
        self::members(components, part, 0)
            .get("id")
            .is_some_and(|id| id["format"] == "uuid" || id["type"] == "string")
    });
    match (nested.next(), nested.next()) {
        (Some((part, _)), None) => Some(format!("/{part}/id")),
        _ => None,
    }
}

/// The properties of an object, those of its parts among them.
fn members(components: &Value, schema: &Value, depth: usize) -> BTreeMap<String, Value> {
    if depth > MAX_DEPTH {
        return BTreeMap::new();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return members(components, &components["schemas"][name], depth + 1);
    }
    // Of several forms the first is the whole one.
    let whole = schema["anyOf"].as_array().and_then(|forms| forms.first());
    let parts = schema["allOf"].as_array().into_iter().flatten().chain(whole);
    let of_parts = parts.flat_map(|part| members(components, part, depth + 1));
    let own = schema["properties"].as_object().into_iter().flatten();
    own.map(|(name, part)| (name.clone(), part.clone())).chain(of_parts).collect()
}

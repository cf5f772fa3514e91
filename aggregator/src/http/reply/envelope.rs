//! The envelopes: bytes of a shape in a dialect.

use super::{Many, Paging, Resource, Scene};
use crate::http::dialect::Dialect;
use axum::http::HeaderValue;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Serialize, ser};
use serde_json::{Map, Value};

#[derive(Serialize)]
struct V1<'a, T: ?Sized> {
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    included: Option<&'a Map<String, Value>>,
    meta: Map<String, Value>,
    links: Map<String, Value>,
}

/// The items of a list, each with the fields that were asked for.
struct Items<'a, T>(&'a Many<T>);

impl<T: Serialize> Serialize for Items<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = &self.0.fields else { return self.0.items.serialize(serializer) };
        let mut items = serializer.serialize_seq(Some(self.0.items.len()))?;
        for item in &self.0.items {
            let mut value = serde_json::to_value(item).map_err(ser::Error::custom)?;
            if let Some(members) = value.as_object_mut() {
                members.retain(|name, _| name == "id" || fields.contains(name));
            }
            items.serialize_element(&value)?;
        }
        items.end()
    }
}

pub(super) fn one<T: Resource>(item: &T, scene: &Scene) -> Result<Vec<u8>, serde_json::Error> {
    match scene.dialect {
        Dialect::V1 => serde_json::to_vec(&V1 {
            data: item,
            included: None,
            meta: v1_meta(scene, Map::new()),
            links: Map::from_iter([("self".to_owned(), address(scene).into())]),
        }),
        Dialect::Flat => flat_one(item),
        Dialect::Ipc => ipc(item, None, v1_meta(scene, Map::new())),
    }
}

/// What a socket's clients get: 004's members, and `meta` beside them.
#[derive(Serialize)]
struct Ipc<'a, T: ?Sized> {
    status: &'static str,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    included: Option<&'a Map<String, Value>>,
    error: Option<()>,
    meta: Map<String, Value>,
}

fn ipc<T: Serialize + ?Sized>(
    data: &T,
    included: Option<&Map<String, Value>>,
    meta: Map<String, Value>,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Ipc { status: "ok", data, included, error: None, meta })
}

/// A document as it is; within a frame it is the data.
pub(super) fn raw(text: &str, scene: &Scene) -> Result<Vec<u8>, serde_json::Error> {
    match scene.dialect {
        Dialect::V1 | Dialect::Flat => Ok(text.as_bytes().to_vec()),
        Dialect::Ipc => {
            let data: Value = serde_json::from_str(text)?;
            ipc(&data, None, v1_meta(scene, Map::new()))
        }
    }
}

fn flat_one<T: Resource>(item: &T) -> Result<Vec<u8>, serde_json::Error> {
    let flat = T::FLAT;
    if let (Some(key), false) = (flat.one, flat.camel) {
        return serde_json::to_vec(&FlatNamed { success: flat.success, key, item });
    }
    let mut value = serde_json::to_value(item)?;
    if flat.camel {
        value = camel_value(value);
    }
    let mut body = Map::new();
    if flat.success {
        body.insert("success".into(), true.into());
    }
    match (flat.one, value) {
        (Some(key), value) => {
            body.insert(key.into(), value);
        }
        (None, Value::Object(fields)) => body.extend(fields),
        (None, _) => {
            return Err(ser::Error::custom("a resource without a key is an object"));
        }
    }
    serde_json::to_vec(&body)
}

struct FlatNamed<'a, T> {
    success: bool,
    key: &'static str,
    item: &'a T,
}

impl<T: Serialize> Serialize for FlatNamed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.success {
            map.serialize_entry("success", &true)?;
        }
        map.serialize_entry(self.key, self.item)?;
        map.end()
    }
}

pub(super) fn many<T: Resource>(
    list: &Many<T>,
    scene: &Scene,
) -> Result<Vec<u8>, serde_json::Error> {
    match scene.dialect {
        Dialect::V1 => serde_json::to_vec(&V1 {
            data: &Items(list),
            included: included(list),
            meta: v1_meta(scene, v1_list_facts(list)),
            links: v1_links(list, scene),
        }),
        Dialect::Flat => flat_many(list),
        Dialect::Ipc => ipc(&Items(list), included(list), v1_meta(scene, v1_list_facts(list))),
    }
}

/// What stands beside the list, where something was asked for.
fn included<T>(list: &Many<T>) -> Option<&Map<String, Value>> {
    Some(&list.included).filter(|included| !included.is_empty())
}

fn flat_many<T: Resource>(list: &Many<T>) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Map::new();
    if T::FLAT.success {
        body.insert("success".into(), true.into());
    }
    let mut items = serde_json::to_value(Items(list))?;
    if T::FLAT.camel {
        items = camel_value(items);
    }
    body.insert(T::FLAT.many.into(), items);
    let total = match &list.paging {
        Paging::Whole => Some(list.items.len() as u64),
        Paging::Page { total, .. } => Some(*total),
        Paging::Cursor { .. } => None,
    };
    if let Some(total) = total {
        body.insert("total".into(), total.into());
    }
    if let Paging::Page { page, per_page, total } = list.paging {
        body.insert(
            "pagination".into(),
            serde_json::json!({
                "page": page,
                "pageSize": per_page,
                "total": total,
                "totalPages": total.div_ceil(u64::from(per_page.max(1))),
            }),
        );
    }
    if let Paging::Cursor { next, .. } = &list.paging {
        body.insert("next_cursor".into(), next.clone().into());
    }
    body.extend(list.facts.clone());
    if let Some(included) = included(list) {
        body.insert("included".into(), included.clone().into());
    }
    serde_json::to_vec(&body)
}

fn v1_meta(scene: &Scene, facts: Map<String, Value>) -> Map<String, Value> {
    let mut meta = facts;
    meta.insert("request_id".into(), scene.request_id.clone().into());
    meta
}

fn v1_list_facts<T>(list: &Many<T>) -> Map<String, Value> {
    let mut facts = Map::new();
    match &list.paging {
        Paging::Whole => {
            facts.insert("total".into(), list.items.len().into());
        }
        Paging::Page { page, per_page, total } => {
            facts.insert("total".into(), (*total).into());
            facts.insert("page".into(), (*page).into());
            facts.insert("per_page".into(), (*per_page).into());
        }
        Paging::Cursor { limit, next } => {
            facts.insert("limit".into(), (*limit).into());
            facts.insert("next_cursor".into(), next.clone().into());
        }
    }
    facts.extend(list.facts.clone());
    facts
}

fn v1_links<T>(list: &Many<T>, scene: &Scene) -> Map<String, Value> {
    let mut links = Map::from_iter([("self".to_owned(), Value::from(address(scene)))]);
    match &list.paging {
        Paging::Whole => {}
        Paging::Page { page, per_page, total } => {
            let pages = total.div_ceil(u64::from((*per_page).max(1)));
            let at = |page: u64| {
                let page = page.to_string();
                Value::from(with_query(scene, &[("page", &page)], &["cursor"]))
            };
            if u64::from(*page) < pages {
                links.insert("next".into(), at(u64::from(*page) + 1));
            }
            if *page > 1 {
                links.insert("prev".into(), at(u64::from(*page) - 1));
            }
        }
        Paging::Cursor { .. } => {
            if let Some(next) = next_address(list, scene) {
                links.insert("next".into(), next.into());
            }
        }
    }
    links
}

fn next_address<T>(list: &Many<T>, scene: &Scene) -> Option<String> {
    match &list.paging {
        Paging::Cursor { next: Some(next), .. } => {
            Some(with_query(scene, &[("cursor", next)], &["page"]))
        }
        _ => None,
    }
}

/// RFC 8288, for lists that a cursor walks.
pub(super) fn link_header<T>(list: &Many<T>, scene: &Scene) -> Option<HeaderValue> {
    let next = next_address(list, scene)?;
    HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()
}

fn address(scene: &Scene) -> String {
    match &scene.query {
        Some(query) => format!("{}?{query}", scene.path),
        None => scene.path.clone(),
    }
}

/// The request's address with `set` in place of its own values and without `drop`.
fn with_query(scene: &Scene, set: &[(&str, &str)], drop: &[&str]) -> String {
    let own = scene.query.as_deref().unwrap_or_default();
    let kept = own.split('&').filter(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !drop.contains(&key) && !set.iter().any(|(name, _)| *name == key)
    });
    let added = set.iter().map(|(key, value)| format!("{key}={value}"));
    let query: Vec<String> = kept.map(str::to_owned).chain(added).collect();
    format!("{}?{}", scene.path, query.join("&"))
}

/// `snake_case` to `camelCase`, in every key.
pub(super) fn camel_value(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(key, value)| (camel(&key), camel_value(value))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_value).collect()),
        other => other,
    }
}

pub(super) fn camel(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut raise = false;
    for letter in key.chars() {
        if letter == '_' {
            raise = !text.is_empty();
        } else if raise {
            text.push(letter.to_ascii_uppercase());
            raise = false;
        } else {
            text.push(letter);
        }
    }
    text
}

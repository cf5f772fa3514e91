//! A query string's parameters as a question, or every fault of it.

use super::field::{Field, Kind, List, Operator};
use super::{Filter, Listing, Order, Value};
use crate::clock::parse_time;
use crate::telemetry::selector::Selector;
use std::collections::BTreeSet;
use uuid::Uuid;

pub const MAX_FILTERS: usize = 16;
/// Of one filter.
pub const MAX_VALUES: usize = 50;
/// Characters of one value.
pub const MAX_TEXT: usize = 200;
const MAX_LABELS: usize = 1_024;
const MAX_ORDERS: usize = 8;

/// What is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub parameter: String,
    pub code: &'static str,
    pub message: String,
}

/// Reads `pairs` for `list`, whose items show `shown`. Parameters of `others` are another's to
/// read.
///
/// # Errors
/// Every parameter that is not good, each by its name.
pub fn parse(
    list: &List,
    others: &[&str],
    shown: impl FnOnce() -> BTreeSet<String>,
    pairs: impl Iterator<Item = (String, String)>,
) -> Result<Listing, Vec<Fault>> {
    let mut reader = Reader { list, found: Listing::default(), faults: Vec::new() };
    let mut seen = BTreeSet::new();
    let mut fields = None;
    for (name, value) in pairs {
        if list.places().contains(&name.as_str()) || others.contains(&name.as_str()) {
            continue;
        }
        if !seen.insert(name.clone()) {
            reader.refuse(&name, "invalid_value", "stands there more than once");
            continue;
        }
        match name.as_str() {
            "q" if list.fields.iter().any(|field| field.searched) => reader.text(value),
            "sort" => reader.order(&value),
            "fields" => fields = Some(value),
            "include" if !list.includes.is_empty() => reader.include(&value),
            "labels" if list.labelled => reader.labels(&value),
            _ => reader.filter(&name, &value),
        }
    }
    if let Some(value) = fields {
        reader.fields(&value, &shown());
    }
    if reader.faults.is_empty() { Ok(reader.found) } else { Err(reader.faults) }
}

struct Reader<'l> {
    list: &'l List,
    found: Listing,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn refuse(&mut self, parameter: &str, code: &'static str, message: impl Into<String>) {
        let parameter = parameter.chars().take(MAX_TEXT).collect();
        self.faults.push(Fault { parameter, code, message: message.into() });
    }

    fn text(&mut self, text: String) {
        if !is_text(&text) {
            let message = format!("has at most {MAX_TEXT} characters, none of them a control");
            self.refuse("q", "invalid_value", message);
        } else if !text.is_empty() {
            self.found.text = Some(text);
            let searched = self.list.fields.iter().filter(|field| field.searched);
            self.found.searched = searched.map(|field| field.name).collect();
        }
    }

    fn order(&mut self, text: &str) {
        if !self.list.is_sorted() {
            let message = "this list stands in the order of time, the newest first; \
                           filter it by its times instead";
            return self.refuse("sort", "unknown_parameter", message);
        }
        let parts = text.split(',').filter(|_| !text.is_empty());
        for part in parts {
            let (descending, name) = match part.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, part),
            };
            let field = self.list.field(name).filter(|field| field.kind != Kind::View);
            match field {
                Some(field) => self.found.order.push(Order { field, descending }),
                None => {
                    let known: Vec<_> = self.list.sortable().collect();
                    let message = format!("is of {}; a `-` turns one", known.join(", "));
                    return self.refuse("sort", "invalid_value", message);
                }
            }
        }
        if self.found.order.len() > MAX_ORDERS {
            let message = format!("names at most {MAX_ORDERS} fields");
            self.refuse("sort", "out_of_range", message);
        }
    }

    fn fields(&mut self, text: &str, shown: &BTreeSet<String>) {
        let asked: BTreeSet<&str> = text.split(',').filter(|name| !name.is_empty()).collect();
        if let Some(unknown) = asked.iter().find(|name| !shown.contains(**name)) {
            let unknown: String = unknown.chars().take(MAX_TEXT).collect();
            let known: Vec<&str> = shown.iter().map(String::as_str).collect();
            let message = format!("`{unknown}` is none of {}", known.join(", "));
            return self.refuse("fields", "invalid_value", message);
        }
        if !asked.is_empty() {
            self.found.fields = Some(asked.into_iter().map(str::to_owned).collect());
        }
    }

    fn include(&mut self, text: &str) {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match self.list.includes.iter().find(|known| **known == part) {
                Some(known) if self.found.includes(known) => {}
                Some(known) => self.found.include.push(known),
                None => {
                    let message = format!("is of {}", self.list.includes.join(", "));
                    return self.refuse("include", "invalid_value", message);
                }
            }
        }
    }

    fn labels(&mut self, text: &str) {
        if text.len() > MAX_LABELS {
            let message = format!("has at most {MAX_LABELS} bytes");
            return self.refuse("labels", "out_of_range", message);
        }
        match Selector::parse(text) {
            Ok(selector) => {
                self.found.labels = Some(selector).filter(|selector| !selector.is_empty());
            }
            Err(error) => self.refuse("labels", "invalid_value", error.to_string()),
        }
    }

    fn filter(&mut self, parameter: &str, text: &str) {
        let Some((field, operator)) = self.aim(parameter) else { return };
        let words = field.kind.words();
        let parts: Vec<&str> = match operator {
            Operator::In => text.split(',').collect(),
            _ => vec![text],
        };
        if parts.len() > MAX_VALUES {
            let message = format!("has at most {MAX_VALUES} values");
            return self.refuse(parameter, "out_of_range", message);
        }
        let values: Option<Vec<Value>> =
            parts.into_iter().map(|part| value(field.kind, operator, part)).collect();
        let Some(values) = values else {
            let message = match (operator, field.kind) {
                (Operator::Exists, _) => "is true or false".to_owned(),
                (_, Kind::Text) => {
                    format!("has at most {MAX_TEXT} characters, none of them a control")
                }
                (Operator::In, _) => format!("has values of which each is {words}"),
                _ => format!("is {words}"),
            };
            return self.refuse(parameter, "invalid_value", message);
        };
        if self.found.filters.len() == MAX_FILTERS {
            let message = format!("is one filter too many: there are at most {MAX_FILTERS}");
            return self.refuse(parameter, "out_of_range", message);
        }
        self.found.filters.push(Filter { field, operator, values });
    }

    /// Which field a parameter is about, and how.
    fn aim(&mut self, parameter: &str) -> Option<(&'static Field, Operator)> {
        let list = self.list;
        if let Some(field) = list.field(parameter).filter(|field| field.bare) {
            return Some((field, Operator::Equal));
        }
        let inner = parameter.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']'));
        let Some(inner) = inner else {
            let message = format!("is no parameter of this list; it takes {}", known(list));
            self.refuse(parameter, "unknown_parameter", message);
            return None;
        };
        let (name, operator) = match inner.split_once("][") {
            Some((name, operator)) => (name, operator),
            None => (inner, "eq"),
        };
        let Some(field) = list.field(name) else {
            let names: Vec<_> = list.fields.iter().map(|field| field.name).collect();
            let message = match names.as_slice() {
                [] => "this list has no filters".to_owned(),
                names => format!("names no field of this list; it has {}", names.join(", ")),
            };
            self.refuse(parameter, "unknown_field", message);
            return None;
        };
        let allowed = field.kind.operators();
        let operator = Operator::from_name(operator).filter(|one| allowed.contains(one));
        if operator.is_none() {
            let allowed: Vec<_> = allowed.iter().map(|operator| operator.name()).collect();
            let message =
                format!("`{name}` is {}: it takes {}", field.kind.words(), allowed.join(", "));
            self.refuse(parameter, "unknown_operator", message);
        }
        operator.map(|operator| (field, operator))
    }
}

/// What a list takes, in words.
fn known(list: &List) -> String {
    let mut known: Vec<String> = list.places().iter().map(|name| (*name).to_owned()).collect();
    if !list.fields.is_empty() {
        known.push("filter[…]".into());
    }
    if list.fields.iter().any(|field| field.searched) {
        known.push("q".into());
    }
    if list.is_sorted() && !list.fields.is_empty() {
        known.push("sort".into());
    }
    known.push("fields".into());
    if !list.includes.is_empty() {
        known.push("include".into());
    }
    if list.labelled {
        known.push("labels".into());
    }
    known.extend(list.fields.iter().filter(|field| field.bare).map(|field| field.name.to_owned()));
    known.join(", ")
}

fn is_text(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT && !text.contains(char::is_control)
}

fn boolean(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::Boolean)
}

fn value(kind: Kind, operator: Operator, text: &str) -> Option<Value> {
    if !is_text(text) {
        return None;
    }
    match kind {
        _ if operator == Operator::Exists => boolean(text),
        Kind::Boolean | Kind::View => boolean(text),
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Number => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite())?;
            Some(Value::Number(number + 0.0))
        }
        Kind::Time => parse_time(text).map(Value::Time),
        Kind::OneOf(words) => words.contains(&text).then(|| Value::Text(text.to_owned())),
        Kind::Id => text.parse().ok().map(|id: Uuid| Value::Text(id.to_string())),
    }
}

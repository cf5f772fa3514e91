//! Which readings a document of JSON holds, by the operator's own words.

use crate::path::{Found, Path};
use crate::reading::{Absence, Kind, MAX_LABELS, MAX_READINGS, Reading, number};
use crate::settings::{Faults, Settings};
use crate::template::{Template, TemplateFault};
use crate::topic::Filter;
use serde_json::{Map, Value};

/// Mappings of one collector.
const MAX_MAPPINGS: usize = 200;
const KNOWN: [&str; 8] = ["name", "unit", "kind", "path", "scale", "offset", "labels", "topic"];

/// Where documents come from, which decides what labels can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Answer,
    Topic,
}

/// One reading, or one for each element of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    name: String,
    unit: String,
    kind: Kind,
    path: Path,
    scale: f64,
    offset: f64,
    labels: Vec<(String, Template)>,
    /// Only documents of topics that fit this filter.
    pub topic: Option<Filter>,
}

impl Mapping {
    /// All mappings of the setting `readings`.
    pub fn all(settings: &mut Settings<'_>, source: Source) -> Vec<Self> {
        let Some(listed) = settings.list("readings") else {
            settings.faults.push("readings", "is missing: a list with at least one reading");
            return Vec::new();
        };
        if listed.is_empty() || listed.len() > MAX_MAPPINGS {
            settings.faults.push("readings", format!("has 1 to {MAX_MAPPINGS} entries"));
            return Vec::new();
        }
        let parse = |(at, value): (usize, &Value)| {
            parse(&format!("readings[{at}]"), value, source, &mut settings.faults)
        };
        listed.iter().enumerate().filter_map(parse).collect()
    }

    /// Whether it gives as many readings as an array has elements.
    #[must_use]
    pub fn spreads(&self) -> bool {
        self.path.spreads()
    }

    /// What it finds in `document`, which came by a topic of these `levels`.
    #[must_use]
    pub fn read(&self, document: &Value, levels: &[&str]) -> Vec<Reading> {
        let read = |found: Found<'_>| {
            let value = value(found.value);
            let value = value.and_then(|value| number(value.mul_add(self.scale, self.offset)));
            self.reading(Some(found.element), found.index, levels, value)
        };
        // One more than is taken, so that what is beyond the bound is named.
        self.path.find(document, MAX_READINGS + 1).into_iter().map(read).collect()
    }

    /// Its reading where no document came.
    #[must_use]
    pub fn absent(&self, why: Absence) -> Reading {
        self.reading(None, 0, &[], Err(why))
    }

    fn reading(
        &self,
        element: Option<&Value>,
        index: usize,
        levels: &[&str],
        value: Result<f64, Absence>,
    ) -> Reading {
        let labels = self.labels.iter();
        let labels = labels.map(|(name, of)| (name.clone(), of.fill(element, index, levels)));
        let mut labels: Vec<_> = labels.filter(|(_, value)| !value.is_empty()).collect();
        labels.sort_unstable();
        let (name, unit) = (self.name.clone(), self.unit.clone());
        Reading { name, unit, kind: self.kind, labels, value }
    }
}

/// A number, a truth, or a text that is a number; anything else is none.
fn value(found: Option<&Value>) -> Result<f64, Absence> {
    match found {
        None => Err(Absence::Unsupported),
        Some(Value::Null) => Err(Absence::NotReady),
        Some(Value::Number(found)) => found.as_f64().ok_or(Absence::OutOfRange),
        Some(Value::Bool(true)) => Ok(1.0),
        Some(Value::Bool(false)) => Ok(0.0),
        Some(Value::String(text)) => text.trim().parse().map_err(|_| Absence::Malformed),
        Some(Value::Array(_) | Value::Object(_)) => Err(Absence::Malformed),
    }
}

fn parse(at: &str, value: &Value, source: Source, faults: &mut Faults) -> Option<Mapping> {
    let Value::Object(members) = value else {
        faults.push(at, "is no object");
        return None;
    };
    let unknown = members.keys().find(|key| {
        !KNOWN.contains(&key.as_str()) || (*key == "topic" && source == Source::Answer)
    });
    if let Some(unknown) = unknown {
        faults.push(at, format!("has the unknown key {unknown:?}"));
    }
    let name = text(at, members, "name", faults).filter(|name| is_name(at, name, faults));
    let path = text(at, members, "path", faults)
        .and_then(|path| Path::parse(&path).map_err(|fault| faults.push(at, fault)).ok());
    let kind = match members.get("kind").map(|kind| kind.as_str()) {
        None | Some(Some("gauge")) => Kind::Gauge,
        Some(Some("counter")) => Kind::Counter,
        Some(_) => {
            faults.push(at, "`kind` is gauge or counter");
            Kind::Gauge
        }
    };
    let unit = match members.get("unit") {
        None => "1".to_owned(),
        Some(Value::String(unit)) if !unit.is_empty() && unit.len() <= 32 => unit.clone(),
        Some(_) => {
            faults.push(at, "`unit` is a UCUM code such as Cel, W or %");
            String::new()
        }
    };
    let mut factor = |key: &str, without: f64| match members.get(key).map(Value::as_f64) {
        None => without,
        Some(Some(factor)) if factor.is_finite() => factor,
        Some(_) => {
            faults.push(at, format!("`{key}` is a number"));
            without
        }
    };
    let (scale, offset) = (factor("scale", 1.0), factor("offset", 0.0));
    let topic = match members.get("topic").map(|topic| topic.as_str().map(Filter::parse)) {
        None => None,
        Some(Some(Ok(filter))) => Some(filter),
        Some(Some(Err(fault))) => {
            faults.push(at, fault);
            None
        }
        Some(None) => {
            faults.push(at, "`topic` is no text");
            None
        }
    };
    let labels = labels(at, members.get("labels"), source, faults);
    Some(Mapping { name: name?, unit, kind, path: path?, scale, offset, labels, topic })
}

fn labels(
    at: &str,
    value: Option<&Value>,
    source: Source,
    faults: &mut Faults,
) -> Vec<(String, Template)> {
    let members = match value {
        None => return Vec::new(),
        Some(Value::Object(members)) if members.len() <= MAX_LABELS => members,
        Some(_) => {
            faults.push(at, format!("`labels` is an object of at most {MAX_LABELS} texts"));
            return Vec::new();
        }
    };
    let mut labels = Vec::new();
    for (name, value) in members {
        let template = match value.as_str().map(Template::parse) {
            Some(Ok(template)) if template.names_levels() && source == Source::Answer => {
                Err(TemplateFault::NoTopic.to_string())
            }
            Some(Ok(template)) => Ok(template),
            Some(Err(fault)) => Err(fault.to_string()),
            None => Err("is no text".to_owned()),
        };
        match template {
            Ok(template) => labels.push((name.clone(), template)),
            Err(fault) => faults.push(at, format!("label {name:?}: {fault}")),
        }
    }
    labels
}

fn text(at: &str, members: &Map<String, Value>, key: &str, faults: &mut Faults) -> Option<String> {
    let text = members.get(key).and_then(Value::as_str).map(str::to_owned);
    if text.is_none() {
        faults.push(at, format!("`{key}` is missing, or no text"));
    }
    text
}

fn is_name(at: &str, name: &str, faults: &mut Faults) -> bool {
    let letter = |char: char| char.is_ascii_alphanumeric() || "._:-".contains(char);
    let sound = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(letter)
        && name.len() <= 128;
    if !sound {
        faults.push(
            at,
            format!(
                "the name {name:?} is not letters, digits, `.`, `_`, `-` and `:`, a letter first"
            ),
        );
    }
    sound
}

//! Reads members of JSON objects into bounded values and collects what is wrong with them.

use super::super::fault::Weight;
use super::{Fault, Geo, Kind, MapRequest, Place, Value, colour};

/// More would only bury the first.
const FAULTS: usize = 50;

#[derive(Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
    notes: Vec<Fault>,
}

impl Reader {
    pub(super) fn finish(
        self,
        request: Option<MapRequest>,
    ) -> Result<(MapRequest, Vec<Fault>), Vec<Fault>> {
        match request {
            Some(request) if self.faults.is_empty() => Ok((request, self.notes)),
            Some(_) | None => Err(self.faults),
        }
    }

    pub(super) fn fault(&mut self, code: &'static str, message: String, place: Place) {
        if self.faults.len() < FAULTS {
            self.faults.push(Fault::error(code, message, place));
        }
    }

    pub(super) fn wrong(&mut self, path: &str, value: &Value, expected: &str) {
        let message = format!("{path}: expected {expected}, found {}", value.kind.noun());
        self.fault("type", message, value.place);
    }

    /// A key that means nothing here is left alone, and told.
    pub(super) fn known(&mut self, path: &str, value: &Value, keys: &[&str]) {
        let Kind::Object(members) = &value.kind else { return };
        for (key, member) in members {
            if !keys.contains(&key.as_str()) && self.notes.len() < FAULTS {
                let key: String = key.chars().take(60).collect();
                let message =
                    format!("{}: not a key that maps know, left alone", joined(path, &key));
                self.notes.push(Fault {
                    weight: Weight::Warning,
                    ..Fault::error("key", message, member.place)
                });
            }
        }
    }

    /// The first spelling that is there, and not null.
    pub(super) fn member<'a>(
        &self,
        value: &'a Value,
        keys: &[&'a str],
    ) -> Option<(&'a str, &'a Value)> {
        let Kind::Object(members) = &value.kind else { return None };
        keys.iter().find_map(|&wanted| {
            let (_, member) = members.iter().find(|(key, _)| key == wanted)?;
            (!matches!(member.kind, Kind::Null)).then_some((wanted, member))
        })
    }

    pub(super) fn flag(&mut self, path: &str, value: &Value, keys: &[&str]) -> Option<bool> {
        let (key, member) = self.member(value, keys)?;
        if let Kind::Bool(flag) = member.kind {
            return Some(flag);
        }
        self.wrong(&joined(path, key), member, "true or false");
        None
    }

    pub(super) fn number(
        &mut self,
        path: &str,
        value: &Value,
        keys: &[&str],
        bounds: [f64; 2],
    ) -> Option<f64> {
        let (key, member) = self.member(value, keys)?;
        self.bounded(&joined(path, key), member, bounds)
    }

    fn bounded(&mut self, path: &str, value: &Value, [low, high]: [f64; 2]) -> Option<f64> {
        let Kind::Number(number) = value.kind else {
            self.wrong(path, value, "a number");
            return None;
        };
        if (low..=high).contains(&number) {
            return Some(number);
        }
        self.fault(
            "range",
            format!("{path}: {number} is not between {low} and {high}"),
            value.place,
        );
        None
    }

    pub(super) fn text(
        &mut self,
        path: &str,
        value: &Value,
        keys: &[&str],
        most: usize,
    ) -> Option<String> {
        let (key, member) = self.member(value, keys)?;
        let path = joined(path, key);
        let Kind::Text(text) = &member.kind else {
            self.wrong(&path, member, "text");
            return None;
        };
        let length = text.chars().count();
        if length > most {
            self.fault(
                "limit",
                format!("{path}: {length} characters, {most} at most"),
                member.place,
            );
            return None;
        }
        let text = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty());
        let text = text.collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn colour(&mut self, path: &str, value: &Value, keys: &[&str]) -> Option<String> {
        let (key, member) = self.member(value, keys)?;
        let path = joined(path, key);
        let Kind::Text(text) = &member.kind else {
            self.wrong(&path, member, "a colour");
            return None;
        };
        if colour::is_colour(text) {
            return Some(text.to_ascii_lowercase());
        }
        let shown: String = text.chars().take(40).collect();
        let message = format!("{path}: `{shown}` is not a colour such as `#E74C3C` or `teal`");
        self.fault("colour", message, member.place);
        None
    }

    /// The position of the choice, from the source or else from the caller's options.
    pub(super) fn choice(
        &mut self,
        key: &str,
        value: &Value,
        option: Option<&str>,
        names: &[&str],
    ) -> Option<usize> {
        let (said, place) = match self.member(value, &[key]) {
            Some((_, Value { kind: Kind::Text(text), place })) => (text.as_str(), *place),
            Some((_, other)) => {
                self.wrong(key, other, "text");
                return None;
            }
            None => (option?, Place::START),
        };
        let found = names.iter().position(|name| name.eq_ignore_ascii_case(said));
        if found.is_none() {
            let said: String = said.chars().take(40).collect();
            let message = format!("{key}: `{said}` is none of {}", names.join(", "));
            self.fault("choice", message, place);
        }
        found
    }

    /// The items of a list with their paths; what is past the bound is a fault and not read.
    pub(super) fn list<'a>(
        &mut self,
        path: &str,
        value: &'a Value,
        key: &'static str,
        most: usize,
    ) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
        let path = joined(path, key);
        let items: &'a [Value] = match self.member(value, &[key]) {
            None => &[],
            Some((_, Value { kind: Kind::List(items), place })) => {
                if items.len() > most {
                    self.fault(
                        "limit",
                        format!("{path}: {} of them, {most} at most", items.len()),
                        *place,
                    );
                }
                items.get(..items.len().min(most)).unwrap_or(items)
            }
            Some((_, other)) => {
                self.wrong(&path, other, "a list");
                &[]
            }
        };
        items.iter().enumerate().map(move |(index, item)| (format!("{path}[{index}]"), item))
    }

    pub(super) fn points(&mut self, path: &str, value: &Value, least: usize) -> Option<Vec<Geo>> {
        let Kind::Object(_) = value.kind else {
            self.wrong(path, value, "an object with `points`");
            return None;
        };
        let Some((_, list)) = self.member(value, &["points"]) else {
            self.fault("missing", format!("{path}.points: missing"), value.place);
            return None;
        };
        let items: Vec<_> = self.list(path, value, "points", super::POINTS).collect();
        let count = items.len();
        let points: Vec<_> =
            items.into_iter().filter_map(|(path, item)| self.point(&path, item)).collect();
        if count < least && matches!(list.kind, Kind::List(_)) {
            self.fault(
                "missing",
                format!("{path}.points: {count} points, {least} at least"),
                list.place,
            );
        }
        (points.len() == count && count >= least).then_some(points)
    }

    /// `{latitude, longitude}` in any of the usual spellings, or `[latitude, longitude]`.
    pub(super) fn point(&mut self, path: &str, value: &Value) -> Option<Geo> {
        let mut part = |name: &str, keys: &[&str], index: usize, bounds| match &value.kind {
            Kind::Object(_) => match self.member(value, keys) {
                Some((key, member)) => self.bounded(&joined(path, key), member, bounds),
                None => {
                    self.fault("missing", format!("{path}.{name}: missing"), value.place);
                    None
                }
            },
            Kind::List(items) if items.len() == 2 => {
                self.bounded(&format!("{path}[{index}]"), items.get(index)?, bounds)
            }
            Kind::List(items) => {
                if index == 0 {
                    let message =
                        format!("{path}: {} values, a point is [latitude, longitude]", items.len());
                    self.fault("type", message, value.place);
                }
                None
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
                if index == 0 {
                    self.wrong(
                        path,
                        value,
                        "a point, {latitude, longitude} or [latitude, longitude]",
                    );
                }
                None
            }
        };
        let latitude = part("latitude", &["latitude", "lat"], 0, [-90.0, 90.0]);
        let longitude = part("longitude", &["longitude", "lng", "lon"], 1, [-360.0, 360.0]);
        Some(Geo { longitude: longitude?, latitude: latitude? })
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.into() } else { format!("{path}.{key}") }
}

//! What the operator says of one broker, its topics and what is read in their messages.

use crate::broker::Broker;
use readings::{Faults, Filter, Mapping, Settings, Source};
use serde_json::Value;

const MAX_TOPICS: usize = 64;
const STALE_AFTER_S: u64 = 300;
const MAX_STALE_AFTER_S: u64 = 7 * 24 * 60 * 60;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subscription {
    pub(crate) broker: Broker,
    pub(crate) topics: Vec<Filter>,
    pub(crate) mappings: Vec<Mapping>,
    /// How long a reading stands after its message.
    pub(crate) stale_after_ms: u64,
}

/// The settings' JSON Schema; a property that is `writeOnly` is a secret.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["broker", "topics", "readings"],
  "properties": {
    "interval_s": {
      "type": "integer", "minimum": 1, "maximum": 3600, "default": 10,
      "title": "Seconds between two polls"
    },
    "broker": {
      "type": "string", "pattern": "^mqtts?://", "maxLength": 512,
      "title": "Address of the broker; mqtts with TLS", "examples": ["mqtt://10.0.0.5:1883"]
    },
    "username": { "type": "string", "title": "Name at the broker" },
    "password": { "type": "string", "writeOnly": true, "title": "Password at the broker" },
    "topics": {
      "type": "array", "minItems": 1, "maxItems": 64, "items": { "type": "string" },
      "title": "Topics to listen to; + is any level, # the rest", "examples": [["site/+/climate"]]
    },
    "stale_after_s": {
      "type": "integer", "minimum": 1, "maximum": 604800, "default": 300,
      "title": "Seconds after which a reading without a new message is absent"
    },
    "readings": {
      "type": "array", "minItems": 1, "maxItems": 200, "title": "What is read in a message",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["name", "path"],
        "properties": {
          "name": { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9._:-]*$", "maxLength": 128 },
          "unit": { "type": "string", "title": "UCUM code, 1 without it", "maxLength": 32 },
          "kind": { "enum": ["gauge", "counter"], "default": "gauge" },
          "topic": { "type": "string", "title": "Only messages of topics that fit this filter" },
          "path": {
            "type": "string",
            "title": "JSON Pointer to the value, empty for the whole message; the step * goes through a list"
          },
          "scale": { "type": "number", "default": 1 },
          "offset": { "type": "number", "default": 0 },
          "labels": {
            "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 30,
            "title": "Labels; {2} is the topic's second level, {/pointer} a field, {#} an element's number"
          }
        }
      },
      "examples": [[{
        "name": "room.temperature", "unit": "Cel", "path": "/temperature",
        "labels": { "room": "{2}" }
      }]]
    }
  }
}"#;

impl Subscription {
    /// # Errors
    /// Everything that is wrong with the settings.
    pub(crate) fn parse(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut settings = Settings::new(get);
        let broker = settings.required_text("broker");
        let broker = broker.and_then(|text| {
            Broker::parse(&text).map_err(|fault| settings.faults.push("broker", fault)).ok()
        });
        let login = match (settings.text("username"), settings.text("password")) {
            (None, Some(_)) => {
                settings.faults.push("password", "stands without a `username`");
                None
            }
            (name, word) => name.map(|name| (name, word.unwrap_or_default())),
        };
        let topics = topics(&mut settings);
        let mappings = Mapping::all(&mut settings, Source::Topic);
        let stale_after_ms = match settings.value("stale_after_s") {
            None => STALE_AFTER_S * 1000,
            Some(value) => match value.as_u64() {
                Some(seconds @ 1..=MAX_STALE_AFTER_S) => seconds * 1000,
                _ => {
                    let why = format!("is a whole number of 1 to {MAX_STALE_AFTER_S}");
                    settings.faults.push("stale_after_s", why);
                    0
                }
            },
        };
        let broker = broker.map(|broker| broker.with_login(login));
        let all = broker.map(|broker| Self { broker, topics, mappings, stale_after_ms });
        settings.faults.or(all)
    }
}

fn topics(settings: &mut Settings<'_>) -> Vec<Filter> {
    let listed: Vec<Value> = settings.list("topics").unwrap_or_default();
    if listed.is_empty() || listed.len() > MAX_TOPICS {
        settings.faults.push("topics", format!("is a list of 1 to {MAX_TOPICS} topics"));
    }
    let mut topics = Vec::new();
    for (at, topic) in listed.iter().enumerate().take(MAX_TOPICS) {
        match topic.as_str().map(Filter::parse) {
            Some(Ok(filter)) => topics.push(filter),
            Some(Err(fault)) => settings.faults.push(&format!("topics[{at}]"), fault),
            None => settings.faults.push(&format!("topics[{at}]"), "is no text"),
        }
    }
    topics
}

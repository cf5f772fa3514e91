//! What the operator says of one endpoint.

use crate::relabel::Rule;
use readings::{Address, Faults, Headers, Settings};

const MAX_PREFIXES: usize = 100;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    /// Beginnings of the names that are taken; all where there is none.
    pub(crate) prefixes: Vec<String>,
    pub(crate) headers: Headers,
    pub(crate) rules: Vec<Rule>,
}

/// The settings' JSON Schema; a property that is `writeOnly` is a secret.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["endpoint"],
  "properties": {
    "interval_s": {
      "type": "integer", "minimum": 1, "maximum": 3600, "default": 10,
      "title": "Seconds between two polls"
    },
    "endpoint": {
      "type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 2048,
      "title": "Address of the metrics", "examples": ["http://10.0.0.7:9100/metrics"]
    },
    "match": {
      "type": "array", "maxItems": 100, "items": { "type": "string" },
      "title": "Beginnings of the metrics' names that are taken; all without it",
      "examples": [["node_cpu", "node_memory_"]]
    },
    "headers": {
      "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 32,
      "writeOnly": true, "title": "Further headers of the request"
    },
    "bearer_token": { "type": "string", "writeOnly": true, "title": "Token of the request" },
    "relabel": {
      "type": "array", "maxItems": 50,
      "title": "Labels that are renamed, set or left out, in this order",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["label"],
        "properties": {
          "label": { "type": "string" },
          "to": { "type": "string", "title": "Its new name" },
          "value": { "type": "string", "title": "The value that it gets" },
          "drop": { "const": true, "title": "It is left out" }
        }
      },
      "examples": [[{ "label": "instance", "to": "host" }, { "label": "site", "value": "north" }]]
    }
  }
}"#;

impl Endpoint {
    /// # Errors
    /// Everything that is wrong with the settings.
    pub(crate) fn parse(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut settings = Settings::new(get);
        let address = settings.address("endpoint");
        let prefixes = settings.texts("match");
        if prefixes.len() > MAX_PREFIXES {
            settings.faults.push("match", format!("has at most {MAX_PREFIXES} entries"));
        }
        let headers = settings.headers();
        let rules = Rule::all(&mut settings);
        let endpoint = address.map(|address| Self { address, prefixes, headers, rules });
        settings.faults.or(endpoint)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

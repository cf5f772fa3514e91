//! What the operator says of one address, and what is read there.

use readings::{Address, Faults, Headers, Mapping, Settings, Source};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) headers: Headers,
    pub(crate) mappings: Vec<Mapping>,
}

/// The settings' JSON Schema; a property that is `writeOnly` is a secret.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["url", "readings"],
  "properties": {
    "interval_s": {
      "type": "integer", "minimum": 1, "maximum": 3600, "default": 10,
      "title": "Seconds between two polls"
    },
    "url": {
      "type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 2048,
      "title": "Address of the document", "examples": ["http://10.0.0.9/status"]
    },
    "headers": {
      "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 32,
      "writeOnly": true, "title": "Further headers of the request"
    },
    "bearer_token": { "type": "string", "writeOnly": true, "title": "Token of the request" },
    "readings": {
      "type": "array", "minItems": 1, "maxItems": 200, "title": "What is read in the document",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["name", "path"],
        "properties": {
          "name": { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9._:-]*$", "maxLength": 128 },
          "unit": { "type": "string", "title": "UCUM code, 1 without it", "maxLength": 32 },
          "kind": { "enum": ["gauge", "counter"], "default": "gauge" },
          "path": {
            "type": "string",
            "title": "JSON Pointer to the value; the step * goes through a list"
          },
          "scale": { "type": "number", "default": 1 },
          "offset": { "type": "number", "default": 0 },
          "labels": {
            "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 30,
            "title": "Labels; {/pointer} is a field of the list's element, {#} its number"
          }
        }
      },
      "examples": [[{
        "name": "outlet.power", "unit": "W", "path": "/outlets/*/watts",
        "labels": { "outlet": "{/name}" }
      }]]
    }
  }
}"#;

impl Endpoint {
    /// # Errors
    /// Everything that is wrong with the settings.
    pub(crate) fn parse(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut settings = Settings::new(get);
        let address = settings.address("url");
        let headers = settings.headers();
        let mappings = Mapping::all(&mut settings, Source::Answer);
        let endpoint = address.map(|address| Self { address, headers, mappings });
        settings.faults.or(endpoint)
    }
}

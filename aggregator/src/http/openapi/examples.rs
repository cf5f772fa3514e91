//! Small examples, derived from the schemas, so that they can't contradict them.

use serde_json::{Map, Value, json};

/// Deeper values are left empty.
const MAX_DEPTH: usize = 8;

/// Adds an example of the body and of each good answer.
pub(super) fn add(operation: &mut Value, components: &Value) {
    if let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") {
        let example = Maker { components, all: false }.make(&content["schema"], "", 0);
        content["example"] = example;
    }
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        let content = response.pointer_mut("/content/application~1json");
        if let (Some(content), true) = (content, status.starts_with('2')) {
            let example = Maker { components, all: true }.make(&content["schema"], "", 0);
            content["example"] = example;
        }
    }
}

struct Maker<'a> {
    components: &'a Value,
    /// An answer has all its fields; a request those that it needs.
    all: bool,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if let Some(given) = schema.get("example").or_else(|| schema.pointer("/examples/0")) {
            return given.clone();
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema.pointer("/enum/0") {
            return first.clone();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut fields = Map::new();
            for part in parts {
                if let Value::Object(own) = self.make(part, name, depth) {
                    fields.extend(own);
                }
            }
            return fields.into();
        }
        for key in ["oneOf", "anyOf"] {
            let choices = schema[key].as_array().into_iter().flatten();
            if let Some(choice) = choices.into_iter().find(|choice| choice["type"] != "null") {
                return self.make(choice, name, depth);
            }
        }
        match kind(schema) {
            Some("object") => self.object(schema, depth),
            Some("array") if schema.get("prefixItems").is_some() => {
                let parts = schema["prefixItems"].as_array().into_iter().flatten();
                parts.map(|part| self.make(part, name, depth + 1)).collect()
            }
            Some("array") if depth < MAX_DEPTH && schema.get("items").is_some() => {
                json!([self.make(&schema["items"], name, depth + 1)])
            }
            Some("array") => json!([]),
            Some("boolean") => json!(true),
            Some("integer") => integer(schema, name),
            Some("number") => number(schema),
            Some("string") => text(schema, name).into(),
            _ => json!({}),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object();
        // A request that needs nothing is shown with the first thing that it takes.
        let first = if required.is_empty() { 1 } else { 0 };
        let shown = properties.into_iter().flatten().enumerate().filter(|(place, (name, _))| {
            let is_required = required.contains(&name.as_str());
            is_required || (depth < MAX_DEPTH && (self.all || *place < first))
        });
        shown
            .map(|(_, (name, schema))| (name.clone(), self.make(schema, name, depth + 1)))
            .collect::<Map<String, Value>>()
            .into()
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().and_then(|text| text.strip_prefix("#/components"));
        match reference.and_then(|pointer| self.components.pointer(pointer)) {
            Some(found) => self.resolve(found),
            None => schema,
        }
    }
}

fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(one) => Some(one),
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).find(|name| *name != "null")
        }
        _ if schema.get("properties").is_some() => Some("object"),
        _ => None,
    }
}

fn integer(schema: &Value, name: &str) -> Value {
    if name.ends_with("_ms") || name == "timestamp" {
        return json!(1_795_298_303_071_u64);
    }
    match schema["minimum"].as_f64() {
        Some(least) if least > 1.0 => schema["minimum"].clone(),
        _ => json!(1),
    }
}

fn number(schema: &Value) -> Value {
    match schema["minimum"].as_f64() {
        Some(least) if least > 1.5 => schema["minimum"].clone(),
        _ => json!(1.5),
    }
}

fn text(schema: &Value, name: &str) -> String {
    let known = match (schema["format"].as_str(), name) {
        (Some("uuid"), _) | (_, "id" | "request_id") => "01938f1e-8c5a-7c3e-9d2b-5f0a6b1c2d3e",
        (Some("date-time"), _) => "2026-11-22T12:00:00Z",
        (Some("uri"), _) => "https://flyball.example.org/",
        (Some("email"), _) | (_, "email" | "actor" | "issuer") => "operator@example.org",
        (_, "password") => "correct horse battery staple",
        (_, "self" | "location") => "/api/v1/devices",
        (_, "name" | "display_name") => "r12-node-07",
        (_, "timezone") => "UTC",
        (_, "locale") => "en-US",
        (_, name) if name.ends_with("_at") || name == "timestamp" => "2026-11-22T12:00:00Z",
        (_, name) if name.ends_with("_id") => "01938f1e-8c5a-7c3e-9d2b-5f0a6b1c2d3e",
        _ => "text",
    };
    known.to_owned()
}

//! A document's schemas and operations as types of TypeScript.

use serde_json::Value;
use std::fmt::Write as _;

const HEAD: &str = "// Types of the Flyball API, v1, written by the code from its OpenAPI document.\n\
    // `Operations[\"devices_list\"][\"response\"]` is what that operation answers with.\n\n";

/// The types of `document`.
pub(super) fn print(document: &Value) -> String {
    let mut text = HEAD.to_owned();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        comment(&mut text, schema, "");
        // Writing into a string does not fail.
        let _ = writeln!(text, "export type {} = {};\n", identifier(name), of(schema, ""));
    }
    text.push_str("export interface Operations {\n");
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            print_operation(
                &mut text,
                document,
                &format!("{} {path}", method.to_uppercase()),
                operation,
            );
        }
    }
    text.push_str("}\n\nexport type OperationId = keyof Operations;\n");
    text
}

fn print_operation(text: &mut String, document: &Value, at: &str, operation: &Value) {
    let (Some(id), Some(summary)) =
        (operation["operationId"].as_str(), operation["summary"].as_str())
    else {
        return;
    };
    let _ = writeln!(text, "  /** {}. `{at}` */\n  {}: {{", plain(summary), property(id));
    for (place, name) in [("path", "path"), ("query", "query"), ("header", "headers")] {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| resolved(document, parameter));
        let fields: Vec<String> = parameters
            .filter(|parameter| parameter["in"] == place)
            .filter_map(|parameter| {
                let mark = if parameter["required"] == true { "" } else { "?" };
                let name = property(parameter["name"].as_str()?);
                Some(format!("{name}{mark}: {}", of(&parameter["schema"], "    ")))
            })
            .collect();
        if !fields.is_empty() {
            let _ = writeln!(text, "    {name}: {{ {} }};", fields.join("; "));
        }
    }
    let json = "/content/application~1json/schema";
    if let Some(body) = operation["requestBody"].pointer(json) {
        let _ = writeln!(text, "    body: {};", of(body, "    "));
    }
    let responses = operation["responses"].as_object().into_iter().flatten();
    let good = responses.filter(|(status, _)| status.starts_with('2'));
    let answers: Vec<String> =
        good.filter_map(|(_, response)| Some(of(response.pointer(json)?, "    "))).collect();
    let answer = if answers.is_empty() { "unknown".to_owned() } else { answers.join(" | ") };
    let _ = writeln!(text, "    response: {answer};\n  }};");
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// The type of a schema.
fn of(schema: &Value, indent: &str) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return identifier(reference.rsplit('/').next().unwrap_or_default());
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    for (key, joint) in [("allOf", " & "), ("oneOf", " | "), ("anyOf", " | ")] {
        if let Some(parts) = schema[key].as_array() {
            let parts: Vec<String> = parts.iter().map(|part| of(part, indent)).collect();
            return format!("({})", parts.join(joint));
        }
    }
    match &schema["type"] {
        Value::Array(several) => {
            let names = several.iter().filter_map(Value::as_str);
            let parts: Vec<String> = names.map(|name| named(schema, name, indent)).collect();
            format!("({})", parts.join(" | "))
        }
        Value::String(one) => named(schema, one, indent),
        _ if schema.get("properties").is_some() => named(schema, "object", indent),
        _ => "unknown".into(),
    }
}

fn named(schema: &Value, name: &str, indent: &str) -> String {
    match name {
        "string" => "string".into(),
        "integer" | "number" => "number".into(),
        "boolean" => "boolean".into(),
        "null" => "null".into(),
        "array" if schema.get("prefixItems").is_some() => {
            let parts = schema["prefixItems"].as_array().into_iter().flatten();
            let parts: Vec<String> = parts.map(|part| of(part, indent)).collect();
            format!("[{}]", parts.join(", "))
        }
        "array" => format!(
            "Array<{}>",
            schema.get("items").map_or_else(|| "unknown".into(), |items| of(items, indent))
        ),
        "object" => object(schema, indent),
        _ => "unknown".into(),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        let value = schema.get("additionalProperties").filter(|value| value.is_object());
        let value = value.map_or_else(|| "unknown".into(), |value| of(value, indent));
        return format!("Record<string, {value}>");
    };
    let required = schema["required"].as_array();
    let inner = format!("{indent}  ");
    let mut text = String::from("{\n");
    for (name, schema) in properties {
        comment(&mut text, schema, &inner);
        let is_required =
            required.is_some_and(|names| names.iter().any(|other| other == name.as_str()));
        let mark = if is_required { "" } else { "?" };
        let _ = writeln!(text, "{inner}{}{mark}: {};", property(name), of(schema, &inner));
    }
    text + indent + "}"
}

fn comment(text: &mut String, schema: &Value, indent: &str) {
    if let Some(said) = schema["description"].as_str() {
        let _ = writeln!(text, "{indent}/** {} */", plain(said));
    }
}

/// On one line, and not able to end a comment.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "* /")
}

fn identifier(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn property(name: &str) -> String {
    let is_plain = !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain { name.to_owned() } else { format!("{name:?}") }
}

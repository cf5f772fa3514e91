//! A document as a page that can be read: its areas, their operations, and the types they name.

use serde_json::Value;
use std::fmt::Write as _;

const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem}\
    table{border-collapse:collapse;width:100%;margin:.5rem 0}\
    th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #8884}\
    pre{overflow-x:auto;padding:.5rem;border:1px solid #8884;max-height:24rem}\
    code,pre{font:.875em ui-monospace,monospace}\
    details{border:1px solid #8884;border-radius:4px;margin:.5rem 0;padding:.25rem .75rem}\
    summary{cursor:pointer}.method{display:inline-block;min-width:4.5em;font-weight:600}\
    #search{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}\
    nav a{margin-right:.75rem}h4{margin:.75rem 0 0}[hidden]{display:none}";

/// The page of `document`, whose routes hang under `prefix`.
pub(super) fn page(document: &Value, prefix: &str) -> String {
    let title = text(&document["info"]["title"]);
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let about = escaped(about.split("\n\n").next().unwrap_or_default());
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><header><h1>{title}</h1><p>{about}</p>\
         <p>The document itself: <a href=\"{prefix}/openapi.json\">openapi.json</a>. \
         <input id=\"search\" type=\"search\" placeholder=\"Find an operation\" \
         aria-label=\"Find an operation\" hidden></p><nav aria-label=\"Areas\">"
    );
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    for tag in &tags {
        let name = text(&tag["name"]);
        let _ = write!(html, "<a href=\"#area-{name}\">{name}</a>");
    }
    html.push_str("<a href=\"#types\">types</a></nav></header><main>");
    for tag in tags {
        area(&mut html, document, tag);
    }
    types(&mut html, document);
    let _ = writeln!(
        html,
        "</main><script type=\"module\" src=\"{prefix}/docs/search.js\"></script></body></html>"
    );
    html
}

fn area(html: &mut String, document: &Value, tag: &Value) {
    let (name, about) = (text(&tag["name"]), text(&tag["description"]));
    let _ =
        write!(html, "<section class=\"area\" id=\"area-{name}\"><h2>{name}</h2><p>{about}</p>");
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["tags"][0] == tag["name"] {
                self::operation(html, document, &method.to_uppercase(), path, operation);
            }
        }
    }
    html.push_str("</section>");
}

fn operation(html: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    let _ = write!(
        html,
        "<details class=\"operation\" id=\"{id}\"><summary><span class=\"method\">{method}</span> \
         <code>{}</code> {}</summary>",
        escaped(path),
        text(&operation["summary"])
    );
    let security = operation["security"].as_array().into_iter().flatten();
    let schemes: Vec<String> = security
        .filter_map(|scheme| scheme.as_object())
        .flat_map(|scheme| scheme.keys().map(|name| format!("<code>{}</code>", escaped(name))))
        .collect();
    if schemes.is_empty() {
        html.push_str("<p>Open to everybody.");
    } else {
        let right = text(&operation["x-right"]);
        let _ =
            write!(html, "<p>Needs {} with the right <code>{right}</code>.", schemes.join(" or "));
    }
    let _ = write!(html, " <code>operationId</code> <a href=\"#{id}\"><code>{id}</code></a>");
    if let Some(name) = operation["x-ipc-method"].as_str() {
        let _ = write!(html, ", on the socket <code>{}</code>", escaped(name));
    }
    html.push_str(".</p>");
    parameters(html, document, operation);
    let json = &operation["requestBody"]["content"]["application/json"];
    if json.is_object() {
        let _ = write!(html, "<h4>Body</h4><p>{}</p>", type_of(&json["schema"]));
        example(html, json);
    }
    responses(html, operation);
    html.push_str("</details>");
}

fn parameters(html: &mut String, document: &Value, operation: &Value) {
    let Some(parameters) = operation["parameters"].as_array() else { return };
    html.push_str(
        "<h4>Parameters</h4><table><thead><tr><th>name<th>in<th>type<th>what</tr></thead><tbody>",
    );
    for parameter in parameters {
        let reference = parameter["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        let parameter =
            reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(parameter);
        let needed = if parameter["required"] == true { ", required" } else { "" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code><td>{}{needed}<td>{}<td>{}</tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            type_of(&parameter["schema"]),
            text(&parameter["description"]),
        );
    }
    html.push_str("</tbody></table>");
}

fn responses(html: &mut String, operation: &Value) {
    html.push_str("<h4>Answers</h4><table><tbody>");
    let responses = operation["responses"].as_object();
    for (status, response) in responses.into_iter().flatten() {
        let content = response["content"].as_object().into_iter().flatten();
        let kinds: Vec<String> = content
            .map(|(kind, media)| {
                let shape = type_of(&media["schema"]);
                format!("<code>{}</code> {shape}", escaped(kind))
            })
            .collect();
        let said = text(&response["description"]).replace("\n\n", "<br>");
        let _ =
            write!(html, "<tr><th>{}<td>{said}<td>{}</tr>", escaped(status), kinds.join("<br>"));
    }
    html.push_str("</tbody></table>");
    for (_, response) in responses.into_iter().flatten() {
        example(html, &response["content"]["application/json"]);
    }
}

fn example(html: &mut String, media: &Value) {
    if let Some(example) = media.get("example") {
        let shown = serde_json::to_string_pretty(example).unwrap_or_default();
        let _ = write!(html, "<pre>{}</pre>", escaped(&shown));
    }
}

fn types(html: &mut String, document: &Value) {
    html.push_str("<section id=\"types\"><h2>Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let name = escaped(name);
        let _ = write!(
            html,
            "<details id=\"type-{name}\"><summary><code>{name}</code></summary><p>{}</p>",
            text(&schema["description"])
        );
        match schema["properties"].as_object() {
            Some(properties) => fields(html, schema, properties),
            None => {
                let _ = write!(html, "<p>{}</p>", type_of(schema));
            }
        }
        html.push_str("</details>");
    }
    html.push_str("</section>");
}

fn fields(html: &mut String, schema: &Value, properties: &serde_json::Map<String, Value>) {
    html.push_str("<table><thead><tr><th>field<th>type<th>what</tr></thead><tbody>");
    let required = schema["required"].as_array();
    for (name, field) in properties {
        let is_required =
            required.is_some_and(|names| names.iter().any(|other| other == name.as_str()));
        let needed = if is_required { "" } else { ", may be absent" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code><td>{}{needed}<td>{}</tr>",
            escaped(name),
            type_of(field),
            text(&field["description"])
        );
    }
    html.push_str("</tbody></table>");
}

/// A schema in a few words, with its references as links.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    for (key, joint) in [("allOf", " and "), ("oneOf", " or "), ("anyOf", " or ")] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(type_of).collect::<Vec<_>>().join(joint);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .map(|value| format!("<code>{}</code>", escaped(&value.to_string())))
            .collect();
        return values.join(" or ");
    }
    let names = match &schema["type"] {
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).map(escaped).collect::<Vec<_>>().join(" or ")
        }
        other => other.as_str().map(escaped).unwrap_or_default(),
    };
    if let Some(items) = schema.get("items") {
        return format!("{names} of {}", type_of(items));
    }
    if let Some(data) = schema.pointer("/properties/data") {
        return format!("{names} with <code>data</code>: {}", type_of(data));
    }
    if let (Some(properties), true) = (schema["properties"].as_object(), names == "object") {
        let fields = properties
            .iter()
            .map(|(name, field)| format!("<code>{}</code>: {}", escaped(name), type_of(field)));
        return format!("object with {}", fields.collect::<Vec<_>>().join(", "));
    }
    let mut said = names;
    for (key, word) in [
        ("format", ""),
        ("minimum", "at least "),
        ("maximum", "at most "),
        ("minLength", "length from "),
        ("maxLength", "length to "),
        ("const", "always "),
    ] {
        if let Some(value) = schema.get(key) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(said, ", {word}{}", escaped(&value));
        }
    }
    said
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{dialects, document};

    #[test]
    fn a_page_shows_every_operation_and_its_links_lead_somewhere() {
        for (name, prefix) in dialects().into_iter().zip(["/api/v1", "/api"]) {
            let document = document(name).unwrap();
            let page = page(&document, prefix);
            for (path, item) in document["paths"].as_object().unwrap() {
                for operation in item.as_object().unwrap().values() {
                    let id = format!(" id=\"{}\"", operation["operationId"].as_str().unwrap());
                    assert_eq!(page.matches(&id).count(), 1, "{path} {id}");
                }
            }
            for link in page.split("href=\"#").skip(1) {
                let target = link.split('"').next().unwrap();
                assert!(page.contains(&format!(" id=\"{target}\"")), "{name}: #{target}");
            }
            assert!(!page.contains("http://") && !page.contains("src=\"https:"));
        }
    }

    #[test]
    fn what_a_document_says_is_text_and_never_markup() {
        assert_eq!(escaped("<b a=\"1\">&'"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
    }
}

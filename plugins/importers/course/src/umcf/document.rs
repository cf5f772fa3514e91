//! The document around its topics.

use super::json::object;
use super::{Node, NodeKind, VERSION};
use crate::about::About;
use crate::text::slug;
use serde_json::{Map, Value, json};

/// The document around its topics, which are JSON texts already: a course of a thousand
/// lectures is in memory once and not twice.
#[must_use]
pub fn document(
    about: &About,
    id: &str,
    original_format: &str,
    whole: Option<Node>,
    topics: Vec<String>,
    extensions: Map<String, Value>,
) -> Vec<u8> {
    let author = |name: &String| json!({ "name": name, "role": "author" });
    let mut contributors: Vec<Value> = about.instructors.iter().map(author).collect();
    if !about.publisher.is_empty() {
        contributors.push(json!({ "name": about.publisher, "role": "publisher" }));
    }
    let texts = |texts: &[String]| (!texts.is_empty()).then(|| json!(texts));
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let rights = about.licence.as_ref().map(|licence| {
        object([
            (
                "license",
                Some(object([
                    ("type", Some(json!(licence.name))),
                    ("url", licence.url.clone().map(Value::from)),
                ])),
            ),
            ("attributionRequirements", text(&about.attribution)),
            ("holder", text(&about.publisher)),
        ])
    });
    let source = object([
        ("title", Some(json!(about.title))),
        ("type", Some(json!("course"))),
        ("url", text(&about.source_url)),
        ("authors", texts(&about.instructors)),
        ("publisher", text(&about.publisher)),
        ("license", about.licence.as_ref().map(|licence| json!(licence.name))),
        ("citationText", text(&about.attribution)),
        ("relationshipToContent", Some(json!("primary_source"))),
    ]);
    let root = object([
        ("umcf", Some(json!(VERSION))),
        ("formatIdentifier", Some(json!("umcf"))),
        ("id", Some(json!({ "catalog": "flyball", "value": slug(id) }))),
        ("title", Some(json!(about.title))),
        ("description", text(&about.description)),
        ("version", Some(json!({ "number": "1.0.0" }))),
        ("lifecycle", (!contributors.is_empty()).then(|| json!({ "contributors": contributors }))),
        (
            "metadata",
            Some(object([
                ("language", text(&about.language)),
                ("keywords", texts(&about.keywords)),
                ("subject", text(&about.subject)),
                ("structure", Some(json!("hierarchical"))),
            ])),
        ),
        ("educational", educational(&about.level)),
        ("rights", rights),
        (
            "sourceProvenance",
            Some(json!({
                "originType": "imported",
                "primarySources": [source],
                "importMetadata": { "originalFormat": original_format },
            })),
        ),
        ("extensions", Some(Value::Object(extensions))),
    ]);
    let mut whole = whole.unwrap_or_else(|| Node::new("", "", NodeKind::Topic));
    whole.id = format!("{}-curriculum", slug(id));
    whole.title.clone_from(&about.title);
    let mut curriculum = whole.into_json(0);
    if let Value::Object(fields) = &mut curriculum {
        fields.insert("type".into(), json!("curriculum"));
        fields.shift_remove("children");
    }
    assembled(&root, &curriculum, topics)
}

/// A level in the words that the schema has for it; nothing for other words.
fn educational(level: &str) -> Option<Value> {
    const STAGES: [&str; 7] = [
        "elementary",
        "middle school",
        "high school",
        "undergraduate",
        "graduate",
        "professional",
        "continuing education",
    ];
    let level = level.to_lowercase();
    let difficulty = match level.as_str() {
        "introductory" | "beginner" | "easy" => Some("easy"),
        "intermediate" | "medium" => Some("medium"),
        "advanced" | "difficult" => Some("difficult"),
        _ => None,
    };
    let stage = STAGES.iter().find(|stage| level == **stage);
    let profile = stage.map(|stage| json!({ "educationLevel": stage }));
    let told = object([("difficulty", difficulty.map(Value::from)), ("audienceProfile", profile)]);
    (told != json!({})).then_some(told)
}

/// `{…root, "content": [{…curriculum, "children": [topics]}]}`
fn assembled(root: &Value, curriculum: &Value, topics: Vec<String>) -> Vec<u8> {
    let (root, curriculum) = (root.to_string(), curriculum.to_string());
    let length: usize = topics.iter().map(|topic| topic.len() + 1).sum();
    let mut text = Vec::with_capacity(root.len() + curriculum.len() + length + 64);
    // An object ends in one bracket; the content goes before it.
    text.extend_from_slice(&root.as_bytes()[..root.len() - 1]);
    text.extend_from_slice(b",\"content\":[");
    text.extend_from_slice(&curriculum.as_bytes()[..curriculum.len() - 1]);
    text.extend_from_slice(b",\"children\":[");
    for (index, topic) in topics.into_iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(topic.as_bytes());
    }
    text.extend_from_slice(b"]}]}");
    text
}

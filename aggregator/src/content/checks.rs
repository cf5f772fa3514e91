//! What a UMCF document does otherwise than its schema says. None of it stands against keeping the
//! document: most real ones break the schema somewhere.

use super::umcf::{duration_s, id};
use serde_json::Value;
use std::collections::HashSet;

const MAX_WARNINGS: usize = 100;
const MAX_DEPTH: usize = 32;
const NODES: [&str; 8] =
    ["curriculum", "unit", "module", "topic", "subtopic", "lesson", "section", "segment"];
const SEGMENTS: [&str; 8] = [
    "lecture",
    "explanation",
    "example",
    "checkpoint",
    "transition",
    "summary",
    "introduction",
    "conclusion",
];

/// Each with the JSON pointer of where it is; the first hundred.
#[must_use]
pub fn warnings(document: &Value) -> Vec<String> {
    let mut found = Found::default();
    if document["formatIdentifier"] != "umcf" {
        found.say("", "has no formatIdentifier `umcf`, an older spelling stands in its place");
    }
    if id(document).is_none() {
        found.say("/id", "is missing, the file's name stands in for it");
    }
    if document["version"]["number"].as_str().is_none() {
        found.say("/version/number", "is missing");
    }
    for (index, node) in document["content"].as_array().into_iter().flatten().enumerate() {
        found.node(node, &format!("/content/{index}"), 1);
    }
    found.warnings
}

#[derive(Default)]
struct Found {
    warnings: Vec<String>,
    ids: HashSet<String>,
}

impl Found {
    fn say(&mut self, at: &str, what: &str) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(format!("{}: {what}", if at.is_empty() { "/" } else { at }));
        }
    }

    fn node(&mut self, node: &Value, at: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return self.say(at, "is nested deeper than is looked at");
        }
        match id(node) {
            None => self.say(&format!("{at}/id"), "is missing, its place stands in for it"),
            Some(id) if !self.ids.insert(id.to_owned()) => {
                self.say(&format!("{at}/id"), &format!("`{id}` stands at another node too"));
            }
            Some(_) => {}
        }
        if node["title"].as_str().is_none_or(str::is_empty) {
            self.say(&format!("{at}/title"), "is missing");
        }
        match node["type"].as_str() {
            Some(kind) if NODES.contains(&kind) => {}
            Some(kind) => self.say(&format!("{at}/type"), &format!("`{kind}` is no type of node")),
            None => self.say(&format!("{at}/type"), "is missing"),
        }
        for (name, value) in node["timeEstimates"].as_object().into_iter().flatten() {
            if value.as_str().is_some_and(|text| duration_s(text).is_none()) {
                let at = format!("{at}/timeEstimates/{name}");
                self.say(&at, "is no ISO 8601 duration of days and less");
            }
        }
        self.segments(node, at);
        for (index, child) in node["children"].as_array().into_iter().flatten().enumerate() {
            self.node(child, &format!("{at}/children/{index}"), depth + 1);
        }
    }

    fn segments(&mut self, node: &Value, at: &str) {
        let segments = node["transcript"]["segments"].as_array().into_iter().flatten();
        for (index, segment) in segments.enumerate() {
            let at = format!("{at}/transcript/segments/{index}");
            match segment["type"].as_str() {
                Some(kind) if SEGMENTS.contains(&kind) => {}
                Some(kind) => {
                    self.say(&format!("{at}/type"), &format!("`{kind}` is no type of segment"));
                }
                None => self.say(&format!("{at}/type"), "is missing"),
            }
            if segment["content"].as_str().is_none_or(str::is_empty) {
                self.say(&format!("{at}/content"), "is missing, nothing is said there");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_by_the_schema_has_no_warnings() {
        let document = json!({
            "formatIdentifier": "umcf", "id": { "value": "c" }, "title": "C",
            "version": { "number": "1.0.0" },
            "content": [{
                "id": { "value": "t" }, "title": "T", "type": "topic",
                "timeEstimates": { "intermediate": "PT20M" },
                "transcript": { "segments": [{ "id": "s", "type": "lecture", "content": "x" }] },
            }],
        });
        assert_eq!(warnings(&document), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named_by_its_place() {
        let document = json!({
            "umcf": "1.0.0", "title": "C", "content": [
                { "id": { "value": "t" }, "title": "T", "type": "chapter",
                  "timeEstimates": { "intermediate": "soon" },
                  "transcript": { "segments": [{ "type": "talk" }] } },
                { "id": { "value": "t" }, "type": "topic" },
            ],
        });
        let warnings = warnings(&document);
        for wanted in [
            "/: has no formatIdentifier",
            "/id: is missing",
            "/version/number: is missing",
            "/content/0/type: `chapter`",
            "/content/0/timeEstimates/intermediate: ",
            "/content/0/transcript/segments/0/type: `talk`",
            "/content/0/transcript/segments/0/content: ",
            "/content/1/id: `t` stands",
            "/content/1/title: is missing",
        ] {
            assert!(warnings.iter().any(|w| w.starts_with(wanted)), "{wanted}: {warnings:#?}");
        }
        assert_eq!(warnings.len(), 9);
    }
}

//! One curriculum as lists and details show it, derived from its document.

use super::transcript::Transcript;
use super::umcf::{Document, duration_s, id};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const DEFAULT_DURATION_S: u64 = 30 * 60;
/// Nodes below nodes that are looked at, and references that are found.
const MAX_DEPTH: usize = 32;
const MAX_FOUND: usize = 10_000;

/// What lists show of a curriculum; kept beside the document, so that a list parses none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub id: String,
    pub title: String,
    pub description: String,
    pub author: String,
    pub language: String,
    pub status: String,
    pub topics: usize,
    pub difficulty: String,
    pub age_range: String,
    pub keywords: Vec<String>,
    /// Counts its changes.
    #[serde(default)]
    pub revision: u64,
    #[serde(default)]
    pub created_at_ms: u64,
    #[serde(default)]
    pub updated_at_ms: u64,
}

/// One stored curriculum with its document.
#[derive(Clone, Debug, PartialEq)]
pub struct Curriculum {
    pub summary: Summary,
    /// Where it came from: an import source.
    pub source: Option<String>,
    pub document: Value,
}

/// Something that the document has elsewhere, at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub id: String,
    pub url: String,
    pub title: String,
    pub topic: Option<String>,
}

/// A topic of the API: a child of the only root, or a root where there are several.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    pub id: String,
    pub title: String,
    pub description: String,
    pub duration_s: u64,
    pub order_index: i64,
    pub segments: usize,
    pub has_transcript: bool,
    pub assessments: usize,
    pub assets: Vec<TopicAsset>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicAsset {
    pub id: String,
    pub kind: String,
    pub format: Option<String>,
    pub url: Option<String>,
    pub description: String,
}

impl Summary {
    /// What a document says of itself, under the id that it is stored by.
    #[must_use]
    pub fn of(id: &str, document: &Document) -> Self {
        let value = document.value();
        Self {
            id: id.into(),
            title: document.title().into(),
            description: text(&value["description"]),
            author: author(value),
            language: value["metadata"]["language"].as_str().unwrap_or("en").into(),
            status: value["lifecycle"]["status"].as_str().unwrap_or("draft").into(),
            topics: topic_nodes(value).len(),
            difficulty: value["educational"]["difficulty"].as_str().unwrap_or("medium").into(),
            age_range: value["educational"]["typicalAgeRange"].as_str().unwrap_or("18+").into(),
            keywords: texts(&value["metadata"]["keywords"]),
            revision: 0,
            created_at_ms: 0,
            updated_at_ms: 0,
        }
    }
}

impl Curriculum {
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        topic_nodes(&self.document)
            .into_iter()
            .enumerate()
            .map(|(i, node)| topic(i, node))
            .collect()
    }

    /// What is said in a topic; `None` where there is no such topic, or nothing is said.
    #[must_use]
    pub fn transcript(&self, topic: &str) -> Option<Transcript> {
        let nodes = topic_nodes(&self.document).into_iter().enumerate();
        let mut found = nodes.filter(|(index, node)| topic_id(*index, node) == topic);
        found.next().and_then(|(_, node)| Transcript::of(node))
    }

    /// What the document refers to by an address of http or https, with the topic whose it is.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        collect(&self.document, None, 0, &mut found);
        for (index, node) in topic_nodes(&self.document).into_iter().enumerate() {
            collect(node, Some(&topic_id(index, node)), 0, &mut found);
        }
        // A topic's own comes after the whole document's, and says more.
        let mut kept: Vec<Reference> = Vec::new();
        for reference in found.into_iter().rev() {
            if !kept.iter().any(|one| one.id == reference.id) {
                kept.push(reference);
            }
        }
        kept.reverse();
        kept
    }

    /// Terms of the glossary, of the document and of its topics.
    #[must_use]
    pub fn glossary_terms(&self) -> Vec<Value> {
        let own = self.document["glossary"]["terms"].as_array().cloned().unwrap_or_default();
        let nodes = topic_nodes(&self.document).into_iter();
        own.into_iter().chain(nodes.flat_map(|node| list(&node["glossaryTerms"]))).collect()
    }

    #[must_use]
    pub fn learning_objectives(&self) -> Vec<Value> {
        let root = &self.document;
        [&root["learningObjectives"], &root["educational"]["learningObjectives"]]
            .into_iter()
            .chain(
                root["content"].as_array().into_iter().flatten().map(|n| &n["learningObjectives"]),
            )
            .flat_map(list)
            .collect()
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// `content[0].children`, or the root nodes where `content` is flat.
fn topic_nodes(document: &Value) -> Vec<&Value> {
    let roots = document["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    match roots {
        [only] => match only["children"].as_array().map(Vec::as_slice) {
            Some([]) | None => vec![only],
            Some(children) => children.iter().collect(),
        },
        roots => roots.iter().collect(),
    }
}

fn topic(index: usize, node: &Value) -> Topic {
    let estimates = &node["timeEstimates"];
    let duration =
        estimates["intermediate"].as_str().or_else(|| estimates["introductory"].as_str());
    let segments = node["transcript"]["segments"].as_array().map_or(0, Vec::len);
    let spoken = node["content"]["text"].as_str().or_else(|| node["content"].as_str());
    let fallback = i64::try_from(index).unwrap_or(0);
    Topic {
        id: topic_id(index, node),
        title: text(&node["title"]),
        description: text(&node["description"]),
        duration_s: duration.and_then(duration_s).unwrap_or(DEFAULT_DURATION_S),
        order_index: node["orderIndex"].as_i64().unwrap_or(fallback),
        segments,
        has_transcript: segments > 0 || spoken.is_some_and(|text| !text.is_empty()),
        assessments: node["assessments"].as_array().map_or(0, Vec::len),
        assets: assets(node),
    }
}

fn topic_id(index: usize, node: &Value) -> String {
    id(node).map_or_else(|| format!("topic-{index}"), str::to_owned)
}

/// References of the node and of all below it.
fn collect(node: &Value, topic: Option<&str>, depth: usize, found: &mut Vec<Reference>) {
    if depth > MAX_DEPTH || found.len() >= MAX_FOUND {
        return;
    }
    for place in ["reference", "embedded"] {
        for media in node["media"][place].as_array().into_iter().flatten() {
            let url = media["url"].as_str().filter(|url| url.starts_with("http"));
            if let (Some(id), Some(url)) = (id(media), url) {
                let title = super::authoring::title(media);
                let topic = topic.map(str::to_owned);
                found.push(Reference { id: id.into(), url: url.into(), title, topic });
            }
        }
    }
    for name in ["content", "children"] {
        for child in node[name].as_array().into_iter().flatten() {
            collect(child, topic, depth + 1, found);
        }
    }
}

fn assets(node: &Value) -> Vec<TopicAsset> {
    ["embedded", "reference"]
        .into_iter()
        .flat_map(|place| node["media"][place].as_array().into_iter().flatten())
        .filter_map(|media| {
            let url = media["url"].as_str().or_else(|| media["localPath"].as_str());
            let format = media["sourceCode"]["format"]
                .as_str()
                .or_else(|| media["mimeType"].as_str().and_then(|kind| kind.split('/').next_back()))
                .or_else(|| url.and_then(|url| url.rsplit_once('.')).map(|(_, ending)| ending));
            Some(TopicAsset {
                id: id(media)?.to_owned(),
                kind: media["type"].as_str().unwrap_or("image").into(),
                format: format.map(str::to_owned),
                url: url.map(str::to_owned),
                description: media["alt"]
                    .as_str()
                    .or_else(|| media["title"].as_str())
                    .unwrap_or_default()
                    .into(),
            })
        })
        .collect()
}

fn author(document: &Value) -> String {
    let contributors = document["lifecycle"]["contributors"].as_array();
    let contributors = contributors.map(Vec::as_slice).unwrap_or_default();
    let author = contributors.iter().find(|c| c["role"] == "author").or(contributors.first());
    author.and_then(|author| author["name"].as_str()).unwrap_or_default().into()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn curriculum(document: Value) -> Curriculum {
        let parsed = Document::parse(document.to_string(), 1 << 20).unwrap();
        Curriculum { summary: Summary::of("c", &parsed), source: None, document }
    }

    #[test]
    fn topics_are_the_children_of_the_only_root() {
        let one = curriculum(json!({
            "umcf": "1.0.0", "title": "a", "content": [{ "title": "root", "children": [
                { "id": { "value": "t1" }, "title": "One", "timeEstimates": { "intermediate": "PT20M" },
                  "transcript": { "segments": [{}, {}] }, "assessments": [{}] },
                { "title": "Two", "orderIndex": 7 },
            ]}],
        }));
        let topics = one.topics();
        assert_eq!(one.summary.topics, 2);
        assert_eq!(
            (topics[0].id.as_str(), topics[0].duration_s, topics[0].segments),
            ("t1", 1_200, 2)
        );
        assert_eq!((topics[1].id.as_str(), topics[1].duration_s), ("topic-1", 1_800));
        assert_eq!(topics[1].order_index, 7);
        assert!(topics[0].has_transcript && !topics[1].has_transcript);
    }

    #[test]
    fn several_roots_are_the_topics_themselves() {
        let flat = curriculum(json!({
            "umcf": "1.0.0", "title": "a", "content": [{ "title": "One" }, { "title": "Two" }],
        }));
        let titles: Vec<String> = flat.topics().into_iter().map(|topic| topic.title).collect();
        assert_eq!(titles, ["One", "Two"]);
    }

    #[test]
    fn what_a_document_lacks_has_a_default() {
        let bare = curriculum(json!({ "umcf": "1.0.0", "title": "a", "content": [{}] }));
        let Summary { language, difficulty, age_range, .. } = bare.summary;
        assert_eq!(
            (language.as_str(), difficulty.as_str(), age_range.as_str()),
            ("en", "medium", "18+")
        );
    }
}

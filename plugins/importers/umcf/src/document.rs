//! A UMCF document: kept as it is, read as far as an import has to.

use crate::gzip::{self, GzipFault};
use base64::Engine as _;
use flyball_plugin::Diagnostic;
use serde_json::{Map, Value};

pub(crate) const VERSION: &str = "1.1.0";

/// Why a file can't be stored. Everything lesser is a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Packed(GzipFault),
    Json { line: u32, column: u32, message: String },
    NotAnObject,
    NotUmcf,
    Empty,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packed(fault) => fault.fmt(f),
            Self::Json { message, .. } => write!(f, "the file is not JSON: {message}"),
            Self::NotAnObject => f.write_str("the document is not a JSON object"),
            Self::NotUmcf => f.write_str(
                "the document is not UMCF: it has neither a format marker nor `content`",
            ),
            Self::Empty => f.write_str("there is no text in it"),
        }
    }
}

impl Fault {
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Json { line, column, .. } => {
                Diagnostic::error("json", self.to_string()).at(*line, *column)
            }
            _ => Diagnostic::error("document", self.to_string()),
        }
    }
}

/// A part of the course that can be taken alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) id: String,
    pub(crate) title: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asset {
    pub(crate) id: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Document {
    root: Map<String, Value>,
    /// The file's stem, for a document that does not name itself.
    name: String,
    assets: Vec<Asset>,
    warnings: Vec<String>,
}

/// A document as it lies in a file, packed or plain, alone or with its assets.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Document, Fault> {
    let inflated;
    let text = if gzip::is_gzip(bytes) {
        inflated = gzip::inflate(bytes).map_err(Fault::Packed)?;
        &inflated
    } else {
        bytes
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value: Value = serde_json::from_slice(text).map_err(|error| Fault::Json {
        line: u32::try_from(error.line()).unwrap_or(0),
        column: u32::try_from(error.column()).unwrap_or(0),
        message: error.to_string(),
    })?;
    let Value::Object(root) = value else {
        return Err(Fault::NotAnObject);
    };
    let (root, assets, mut warnings) = unbundled(root);
    if !has_marker(&root) && !root.contains_key("content") {
        return Err(Fault::NotUmcf);
    }
    warnings.extend(complaints(&root));
    Ok(Document { root, name: crate::course::stem(path).to_owned(), assets, warnings })
}

impl Document {
    /// One that this importer made itself.
    pub(crate) fn made(name: &str, root: Map<String, Value>) -> Self {
        Self { root, name: name.to_owned(), assets: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn title(&self) -> String {
        text(&self.root, "title").unwrap_or(&self.name).to_owned()
    }

    pub(crate) fn description(&self) -> String {
        text(&self.root, "description").unwrap_or_default().to_owned()
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn into_assets(self) -> Vec<Asset> {
        self.assets
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // A map of strings and values always has a text.
        serde_json::to_vec(&self.root).unwrap_or_default()
    }

    /// The children of the only root node, or the root nodes where there are several or it has
    /// none.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        let topic = |(index, node): (usize, &Value)| Topic {
            id: topic_id(index, node),
            title: node.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        topics(&self.root).into_iter().flatten().enumerate().map(topic).collect()
    }

    /// Keeps these topics only; all of them where none is named.
    ///
    /// # Errors
    /// The first name that no topic has; nothing is changed then.
    pub(crate) fn select(&mut self, ids: &[String]) -> Result<(), String> {
        if ids.is_empty() {
            return Ok(());
        }
        let known = self.topics();
        if let Some(unknown) = ids.iter().find(|id| known.iter().all(|topic| topic.id != **id)) {
            return Err(unknown.clone());
        }
        if let Some(topics) = topics_mut(&mut self.root) {
            let mut known = known.iter();
            topics.retain(|_| known.next().is_some_and(|topic| ids.contains(&topic.id)));
        }
        Ok(())
    }

    /// Removes these keys from the document and every node of it.
    pub(crate) fn leave_out(&mut self, keys: &[&str]) {
        let mut left_out = false;
        for key in keys {
            left_out |= self.root.shift_remove(*key).is_some();
        }
        if let Some(Value::Array(nodes)) = self.root.get_mut("content") {
            nodes.iter_mut().for_each(|node| leave_out(node, keys));
        }
        if left_out || keys.contains(&"media") {
            self.assets.retain(|_| !keys.contains(&"media"));
        }
    }

    /// The licence, where it allows no derived work.
    pub(crate) fn no_derivatives(&self) -> Option<String> {
        let rights = self.root.get("rights")?;
        let licence = rights.get("license").or_else(|| rights.get("licence"))?;
        let named = |value: &Value| {
            let name = value.as_str()?;
            let forbids = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
                word.eq_ignore_ascii_case("nd")
                    || word.eq_ignore_ascii_case("noderivs")
                    || word.eq_ignore_ascii_case("noderivatives")
            });
            forbids.then(|| name.to_owned())
        };
        match licence {
            Value::Object(fields) => fields.values().find_map(named),
            other => named(other),
        }
    }
}

/// A bundle's document and assets; a plain document is its own.
fn unbundled(mut root: Map<String, Value>) -> (Map<String, Value>, Vec<Asset>, Vec<String>) {
    let is_bundle = !root.contains_key("content")
        && matches!(root.get("manifest"), Some(Value::Object(_)))
        && matches!(root.get("assets"), None | Some(Value::Object(_)));
    if !is_bundle {
        return (root, Vec::new(), Vec::new());
    }
    let mut warnings = Vec::new();
    let mut assets = Vec::new();
    if let Some(Value::Object(packed)) = root.remove("assets") {
        for (id, value) in packed {
            match value.as_str().and_then(decoded) {
                Some(bytes) => assets.push(Asset { media_type: media_type(&bytes), id, bytes }),
                None => warnings.push(format!("asset `{id}` is not base64 and was left out")),
            }
        }
    }
    match root.remove("manifest") {
        Some(Value::Object(document)) => (document, assets, warnings),
        _ => (root, assets, warnings),
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let body = match text.split_once(";base64,") {
        Some((scheme, body)) if scheme.starts_with("data:") => body,
        _ => text,
    };
    base64::engine::general_purpose::STANDARD.decode(body.trim()).ok()
}

/// What the first bytes say; an id says nothing.
fn media_type(bytes: &[u8]) -> &'static str {
    let known: [(&[u8], &str); 8] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"<svg", "image/svg+xml"),
    ];
    let found = known.iter().find(|(magic, _)| bytes.starts_with(magic));
    match (found, bytes) {
        (Some((_, media_type)), _) => media_type,
        (None, [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..]) => "audio/wav",
        (None, [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]) => "image/webp",
        _ => "application/octet-stream",
    }
}

fn has_marker(root: &Map<String, Value>) -> bool {
    text(root, "formatIdentifier").is_some_and(|id| id.eq_ignore_ascii_case("umcf"))
        || root.contains_key("umcf")
        || root.contains_key("umlcf")
}

/// Where the document leaves the schema in what an import reads.
fn complaints(root: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    if text(root, "formatIdentifier") != Some("umcf") {
        found.push("`formatIdentifier` is not `umcf`".to_owned());
    }
    if text(root, "title").is_none() {
        found.push("`title` is missing".to_owned());
    }
    if root.get("id").and_then(|id| id.get("value")).and_then(Value::as_str).is_none() {
        found.push("`id.value` is missing".to_owned());
    }
    if root.get("version").and_then(|version| version.get("number")).is_none() {
        found.push("`version.number` is missing".to_owned());
    }
    match root.get("content") {
        Some(Value::Array(nodes)) if !nodes.is_empty() => {}
        Some(Value::Array(_)) => found.push("`content` is empty".to_owned()),
        Some(_) => found.push("`content` is not a list".to_owned()),
        None => found.push("`content` is missing".to_owned()),
    }
    found
}

fn topics(root: &Map<String, Value>) -> Option<&Vec<Value>> {
    let content = root.get("content")?.as_array()?;
    match content.as_slice() {
        [only] => match only.get("children") {
            Some(Value::Array(children)) if !children.is_empty() => Some(children),
            _ => Some(content),
        },
        _ => Some(content),
    }
}

fn topics_mut(root: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    let nested = topics(root).is_some_and(|topics| {
        root.get("content")
            .and_then(Value::as_array)
            .is_some_and(|content| !std::ptr::eq(content, topics))
    });
    let content = root.get_mut("content")?.as_array_mut()?;
    if nested { content.first_mut()?.get_mut("children")?.as_array_mut() } else { Some(content) }
}

fn topic_id(index: usize, node: &Value) -> String {
    let id = node.get("id");
    let named = id.and_then(|id| id.get("value").unwrap_or(id).as_str());
    named.map_or_else(|| format!("topic-{index}"), str::to_owned)
}

fn leave_out(node: &mut Value, keys: &[&str]) {
    let Value::Object(fields) = node else {
        return;
    };
    for key in keys {
        fields.shift_remove(*key);
    }
    if let Some(Value::Array(children)) = fields.get_mut("children") {
        children.iter_mut().for_each(|child| leave_out(child, keys));
    }
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;

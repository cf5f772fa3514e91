//! A folder of Markdown to a UMCF document: headings become nodes, text becomes segments.
//!
//! ```text
//! file, or first heading of level 1   topic
//! level 2                             subtopic
//! level 3 and deeper                  section
//! paragraph, list item, quotation     transcript segment
//! fenced code                         segment of type example; a diagram's source as media
//! ```

use crate::course::{is_opening, stem};
use crate::document::{Document, Fault, VERSION};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde_json::{Map, Value, json};

/// Fence languages whose text is the source of a diagram.
const DIAGRAMS: [&str; 6] = ["dot", "graphviz", "mermaid", "plantuml", "d2", "latex"];

/// The document of one folder, its files in reading order.
///
/// # Errors
/// Where there is no text in any of them.
pub(crate) fn document(name: &str, files: &[(String, Vec<u8>)]) -> Result<Document, Fault> {
    let topics: Vec<Node> = files
        .iter()
        .map(|(path, bytes)| topic(path, &String::from_utf8_lossy(bytes)))
        .filter(|topic| !topic.is_empty())
        .collect();
    if topics.is_empty() {
        return Err(Fault::Empty);
    }
    let opening = files.first().filter(|(path, _)| is_opening(path));
    let title = match (opening, topics.first()) {
        (Some(_), Some(first)) => first.title.clone(),
        _ => name.to_owned(),
    };
    let children: Vec<Value> =
        topics.into_iter().enumerate().map(|(index, topic)| topic.into_json(index, "")).collect();
    let root = json!({
        "umcf": VERSION,
        "formatIdentifier": "umcf",
        "id": { "catalog": "flyball", "value": slug(name) },
        "title": title,
        "version": { "number": "1.0.0" },
        "content": [{
            "id": { "value": format!("{}-curriculum", slug(name)) },
            "title": title,
            "type": "curriculum",
            "children": children,
        }],
    });
    match root {
        Value::Object(root) => Ok(Document::made(name, root)),
        _ => Err(Fault::Empty),
    }
}

/// A heading and what stands below it.
#[derive(Debug)]
struct Node {
    title: String,
    level: u8,
    segments: Vec<Segment>,
    diagrams: Vec<(String, String)>,
    children: Vec<Node>,
}

#[derive(Debug)]
struct Segment {
    kind: &'static str,
    text: String,
}

impl Node {
    fn new(title: String, level: u8) -> Self {
        Self { title, level, segments: Vec::new(), diagrams: Vec::new(), children: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.segments.is_empty()
            && self.diagrams.is_empty()
            && self.children.iter().all(Node::is_empty)
    }

    fn into_json(self, index: usize, above: &str) -> Value {
        let id = match above {
            "" => format!("{}-{}", index + 1, slug(&self.title)),
            _ => format!("{above}.{}-{}", index + 1, slug(&self.title)),
        };
        let kind = match self.level {
            1 => "topic",
            2 => "subtopic",
            _ => "section",
        };
        let mut node = Map::new();
        node.insert("id".into(), json!({ "value": id }));
        node.insert("title".into(), json!(self.title));
        node.insert("type".into(), json!(kind));
        node.insert("orderIndex".into(), json!(index));
        if !self.segments.is_empty() {
            let segment = |(number, segment): (usize, Segment)| {
                let id = format!("segment-{}", number + 1);
                json!({ "id": id, "type": segment.kind, "content": segment.text })
            };
            let segments: Vec<Value> = self.segments.into_iter().enumerate().map(segment).collect();
            node.insert("transcript".into(), json!({ "segments": segments }));
        }
        if !self.diagrams.is_empty() {
            let diagram = |(number, (format, code)): (usize, (String, String))| {
                json!({
                    "id": format!("{id}-diagram-{}", number + 1),
                    "type": "diagram",
                    "alt": self.title,
                    "sourceCode": { "format": format, "code": code },
                })
            };
            let media: Vec<Value> = self.diagrams.into_iter().enumerate().map(diagram).collect();
            node.insert("media".into(), json!({ "embedded": media }));
        }
        if !self.children.is_empty() {
            let child = |(index, child): (usize, Node)| child.into_json(index, &id);
            let children: Vec<Value> = self.children.into_iter().enumerate().map(child).collect();
            node.insert("children".into(), Value::Array(children));
        }
        Value::Object(node)
    }
}

fn topic(path: &str, text: &str) -> Node {
    let mut walk = Walk {
        open: vec![Node::new(stem(path).replace(['-', '_'], " "), 1)],
        titled: false,
        text: String::new(),
        heading: None,
        fence: None,
    };
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        walk.handle(event);
    }
    walk.finish()
}

/// The headings that are open, outermost first, and the text that is being collected.
struct Walk {
    open: Vec<Node>,
    /// Has the topic had a heading of its own?
    titled: bool,
    text: String,
    heading: Option<u8>,
    /// The language of the fence that is open.
    fence: Option<String>,
}

impl Walk {
    fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.end_text("explanation");
                self.heading = Some(depth(level));
            }
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::Start(Tag::CodeBlock(kind)) => {
                self.end_text("explanation");
                self.fence = Some(match kind {
                    CodeBlockKind::Fenced(language) => {
                        language.split_whitespace().next().unwrap_or_default().to_lowercase()
                    }
                    CodeBlockKind::Indented => String::new(),
                });
            }
            Event::End(TagEnd::CodeBlock) => self.end_fence(),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => {
                self.end_text("explanation");
            }
            // An item's own text ends where a list inside it begins.
            Event::Start(Tag::List(_)) => self.end_text("explanation"),
            Event::End(TagEnd::TableCell) => self.text.push(' '),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            _ => {}
        }
    }

    fn finish(mut self) -> Node {
        self.end_text("explanation");
        while self.open.len() > 1 {
            self.close();
        }
        // There is always the topic itself.
        self.open.pop().unwrap_or_else(|| Node::new(String::new(), 1))
    }

    fn end_text(&mut self, kind: &'static str) {
        let text = std::mem::take(&mut self.text);
        let text = if kind == "example" { text.trim_end() } else { text.trim() };
        if let Some(node) = self.open.last_mut()
            && !text.is_empty()
        {
            let first = node.segments.is_empty() && kind == "explanation";
            let kind = if first { "lecture" } else { kind };
            node.segments.push(Segment { kind, text: text.to_owned() });
        }
    }

    fn end_heading(&mut self) {
        let title = std::mem::take(&mut self.text).trim().to_owned();
        let level = self.heading.take().unwrap_or(1);
        match self.open.first_mut() {
            Some(topic) if level == 1 && !self.titled => {
                topic.title = title;
                self.titled = true;
            }
            // A second heading of the first level is a part of this file's topic.
            _ => self.open_node(Node::new(title, level.max(2))),
        }
    }

    fn open_node(&mut self, node: Node) {
        while self.open.len() > 1 && self.open.last().is_some_and(|open| open.level >= node.level) {
            self.close();
        }
        self.open.push(node);
    }

    fn close(&mut self) {
        if let Some(done) = self.open.pop()
            && let Some(above) = self.open.last_mut()
        {
            above.children.push(done);
        }
    }

    fn end_fence(&mut self) {
        let language = self.fence.take().unwrap_or_default();
        if !DIAGRAMS.contains(&language.as_str()) {
            return self.end_text("example");
        }
        let code = std::mem::take(&mut self.text);
        if let Some(node) = self.open.last_mut() {
            let format = if language == "dot" { "graphviz".to_owned() } else { language };
            node.diagrams.push((format, code));
        }
    }
}

const fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        _ => 3,
    }
}

/// Letters and digits of any script, parted by `-`.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;

//! UMCF as an importer makes it: nodes with their texts, media, questions and words.

use crate::about::About;
use crate::html::{Block, Page};
use crate::text::{pieces, shortened, slug};
use serde_json::{Map, Value, json};

pub const VERSION: &str = "1.1.0";
pub const MEDIA_TYPE: &str = "application/umcf+json";
/// Headings nest no deeper in a document, whatever a page says.
const MAX_DEPTH: usize = 6;
const TITLE_CHARS: usize = 300;
/// Of a heading that is part of an id.
const ID_CHARS: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Unit,
    Topic,
    Lesson,
    Section,
}

impl NodeKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Topic => "topic",
            Self::Lesson => "lesson",
            Self::Section => "section",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    Lecture,
    Explanation,
    Example,
    Checkpoint,
}

impl SegmentKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Lecture => "lecture",
            Self::Explanation => "explanation",
            Self::Example => "example",
            Self::Checkpoint => "checkpoint",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub kind: SegmentKind,
    pub text: String,
    /// As it is said aloud, where that differs.
    pub spoken: Option<String>,
    pub checkpoint: Option<Checkpoint>,
}

impl Segment {
    #[must_use]
    pub const fn new(kind: SegmentKind, text: String) -> Self {
        Self { kind, text, spoken: None, checkpoint: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub prompt: String,
    /// Words that an answer should have.
    pub concepts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    Picture {
        id: String,
        alt: String,
        caption: Option<String>,
        path: String,
        kind: &'static str,
    },
    Formula {
        id: String,
        alt: String,
        latex: Option<String>,
        mathml: Option<String>,
        path: Option<String>,
        spoken: Option<String>,
    },
    Video {
        id: String,
        title: String,
        url: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub id: String,
    pub text: String,
    pub correct: bool,
    pub feedback: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssessmentKind {
    Choice,
    MultipleChoice,
    TextEntry,
    TrueFalse,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    pub id: String,
    pub kind: AssessmentKind,
    pub title: String,
    pub prompt: String,
    pub spoken: Option<String>,
    pub choices: Vec<Choice>,
    pub correct: Vec<String>,
    pub max_score: Option<f64>,
    /// What is said after a right and after a wrong answer.
    pub feedback: (Option<String>, Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub term: String,
    pub definition: String,
    pub spoken: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    pub statement: String,
    /// Bloom's word for what the verb asks.
    pub level: &'static str,
}

/// A file or an address that goes with a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub id: String,
    pub title: String,
    /// What it is to the course: transcript, notes, assignment, exam, link.
    pub role: &'static str,
    pub url: Option<String>,
    pub media_type: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub id: String,
    pub title: String,
    pub kind: NodeKind,
    pub description: Option<String>,
    pub segments: Vec<Segment>,
    pub media: Vec<Media>,
    pub assessments: Vec<Assessment>,
    pub terms: Vec<Term>,
    pub objectives: Vec<Objective>,
    pub resources: Vec<Resource>,
    pub minutes: Option<u32>,
    pub children: Vec<Node>,
    pub extensions: Map<String, Value>,
}

impl Node {
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, kind: NodeKind) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            kind,
            description: None,
            segments: Vec::new(),
            media: Vec::new(),
            assessments: Vec::new(),
            terms: Vec::new(),
            objectives: Vec::new(),
            resources: Vec::new(),
            minutes: None,
            children: Vec::new(),
            extensions: Map::new(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
            && self.media.is_empty()
            && self.assessments.is_empty()
            && self.resources.is_empty()
            && self.children.iter().all(Self::is_empty)
    }

    /// Spoken text, cut into pieces of which the first opens the lecture.
    pub fn speak<'a>(&mut self, paragraphs: impl Iterator<Item = &'a str>) {
        for text in pieces(paragraphs) {
            let kind = self.next_kind();
            self.segments.push(Segment::new(kind, text));
        }
    }

    fn next_kind(&self) -> SegmentKind {
        if self.segments.is_empty() { SegmentKind::Lecture } else { SegmentKind::Explanation }
    }

    /// A page's text under this node: a heading opens a section, a paragraph is a segment. The
    /// page's own title is not told again.
    pub fn tell(&mut self, page: &Page) {
        let mut open: Vec<(u8, Self)> = Vec::new();
        let mut count = self.children.len();
        for block in &page.blocks {
            if let Block::Heading { level, text } = block {
                if open.is_empty() && self.segments.is_empty() && is_same(text, &self.title) {
                    continue;
                }
                while open.len() >= MAX_DEPTH || open.last().is_some_and(|(own, _)| own >= level) {
                    close(self, &mut open);
                }
                count += 1;
                let title = shortened(text, TITLE_CHARS);
                let id = format!("{}.{count}-{}", self.id, slug(&shortened(text, ID_CHARS)));
                open.push((*level, Self::new(id, title, NodeKind::Section)));
                continue;
            }
            let node = open.last_mut().map_or(&mut *self, |(_, node)| node);
            match block {
                Block::Code(code) => {
                    node.segments.push(Segment::new(SegmentKind::Example, code.clone()));
                }
                other => {
                    for text in pieces(std::iter::once(other.text())) {
                        let kind = node.next_kind();
                        node.segments.push(Segment::new(kind, text));
                    }
                }
            }
        }
        while !open.is_empty() {
            close(self, &mut open);
        }
    }

    /// The terms that a page marks as defined.
    pub fn define(&mut self, page: &Page) {
        self.terms.extend(page.definitions.iter().map(|own| Term {
            term: own.term.clone(),
            definition: own.definition.clone(),
            spoken: None,
        }));
    }

    #[must_use]
    pub fn into_json(self, index: usize) -> Value {
        let Self { id, title, kind, .. } = self;
        let mut node = Map::new();
        node.insert("id".into(), json!({ "value": id }));
        node.insert("title".into(), json!(title));
        node.insert("type".into(), json!(kind.name()));
        node.insert("orderIndex".into(), json!(index));
        if let Some(description) = self.description {
            node.insert("description".into(), json!(description));
        }
        let objective = |(index, own): (usize, Objective)| {
            json!({
                "id": { "value": format!("{id}-objective-{}", index + 1) },
                "statement": own.statement,
                "bloomsLevel": own.level,
            })
        };
        insert(&mut node, "learningObjectives", numbered(self.objectives, objective));
        if let Some(minutes) = self.minutes {
            node.insert("timeEstimates".into(), json!({ "intermediate": format!("PT{minutes}M") }));
        }
        if !self.segments.is_empty() {
            node.insert(
                "transcript".into(),
                json!({ "segments": numbered(self.segments, segment) }),
            );
        }
        insert(&mut node, "assessments", numbered(self.assessments, |(_, own)| assessment(own)));
        insert(&mut node, "glossaryTerms", numbered(self.terms, |(_, own)| term(own)));
        insert(&mut node, "resources", numbered(self.resources, |(_, own)| resource(own)));
        if !self.media.is_empty() {
            node.insert(
                "media".into(),
                json!({ "embedded": numbered(self.media, |(_, own)| media(own)) }),
            );
        }
        let child = |(index, own): (usize, Self)| own.into_json(index);
        insert(&mut node, "children", numbered(self.children, child));
        if !self.extensions.is_empty() {
            node.insert("extensions".into(), Value::Object(self.extensions));
        }
        Value::Object(node)
    }
}

fn close(parent: &mut Node, open: &mut Vec<(u8, Node)>) {
    if let Some((_, done)) = open.pop() {
        let above = open.last_mut().map_or(parent, |(_, node)| node);
        if !done.is_empty() {
            above.children.push(done);
        }
    }
}

fn is_same(a: &str, b: &str) -> bool {
    slug(a) == slug(b)
}

fn numbered<T>(own: Vec<T>, to_json: impl FnMut((usize, T)) -> Value) -> Vec<Value> {
    own.into_iter().enumerate().map(to_json).collect()
}

fn insert(node: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        node.insert(key.to_owned(), Value::Array(values));
    }
}

/// An object of the pairs that have a value.
fn object<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Value {
    let told = pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(told.collect())
}

fn segment((index, own): (usize, Segment)) -> Value {
    let checkpoint = own.checkpoint.map(|checkpoint| {
        json!({
            "type": "comprehension_check",
            "prompt": checkpoint.prompt,
            "evaluationCriteria": { "requiredConcepts": checkpoint.concepts },
            "fallbackBehavior": "continue",
        })
    });
    object([
        ("id", Some(json!(format!("segment-{}", index + 1)))),
        ("type", Some(json!(own.kind.name()))),
        ("content", Some(json!(own.text))),
        ("spokenContent", own.spoken.map(Value::from)),
        ("checkpoint", checkpoint),
    ])
}

fn assessment(own: Assessment) -> Value {
    let kind = match own.kind {
        AssessmentKind::Choice => "choice",
        AssessmentKind::MultipleChoice => "multiple_choice",
        AssessmentKind::TextEntry => "text_entry",
        AssessmentKind::TrueFalse => "true_false",
    };
    let choice = |(_, choice): (usize, Choice)| {
        object([
            ("id", Some(json!(choice.id))),
            ("text", Some(json!(choice.text))),
            ("correct", Some(json!(choice.correct))),
            ("feedback", choice.feedback.map(Value::from)),
        ])
    };
    let choices = numbered(own.choices, choice);
    let (right, wrong) = own.feedback;
    let said = |text: Option<String>| text.map(|text| json!({ "text": text }));
    let has_feedback = right.is_some() || wrong.is_some();
    let feedback =
        has_feedback.then(|| object([("correct", said(right)), ("incorrect", said(wrong))]));
    object([
        ("id", Some(json!({ "value": own.id }))),
        ("type", Some(json!(kind))),
        ("title", Some(json!(own.title)).filter(|title| title != "")),
        ("prompt", Some(json!(own.prompt))),
        ("spokenPrompt", own.spoken.map(Value::from)),
        ("choices", (!choices.is_empty()).then_some(Value::Array(choices))),
        ("correctResponse", (!own.correct.is_empty()).then(|| json!(own.correct))),
        ("scoring", own.max_score.map(|score| json!({ "maxScore": score }))),
        ("feedback", feedback),
    ])
}

pub(crate) fn term(own: Term) -> Value {
    object([
        ("id", Some(json!(slug(&own.term)))),
        ("term", Some(json!(own.term))),
        ("definition", Some(json!(own.definition))),
        ("spokenDefinition", own.spoken.map(Value::from)),
    ])
}

fn resource(own: Resource) -> Value {
    object([
        ("type", Some(json!("references"))),
        ("identifier", Some(json!(own.id))),
        ("title", Some(json!(own.title))),
        ("description", Some(json!(own.role))),
        ("url", own.url.map(Value::from)),
        ("format", own.media_type.map(Value::from)),
    ])
}

fn media(own: Media) -> Value {
    match own {
        Media::Picture { id, alt, caption, path, kind } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("image"))),
            ("alt", Some(json!(alt))),
            ("caption", caption.map(Value::from)),
            ("localPath", Some(json!(path))),
            ("mimeType", Some(json!(kind))),
            ("generationSource", Some(json!("imported"))),
        ]),
        Media::Formula { id, alt, latex, mathml, path, spoken } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("formula"))),
            ("alt", Some(json!(alt))),
            ("latex", latex.map(Value::from)),
            ("mathml", mathml.map(Value::from)),
            ("localPath", path.map(Value::from)),
            ("semanticMeaning", spoken.map(|spoken| json!({ "spokenForm": spoken }))),
            ("generationSource", Some(json!("imported"))),
        ]),
        Media::Video { id, title, url } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("videoLecture"))),
            ("alt", Some(json!(title))),
            ("url", Some(json!(url))),
            ("generationSource", Some(json!("imported"))),
        ]),
    }
}

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

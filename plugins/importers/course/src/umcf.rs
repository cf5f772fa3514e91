//! UMCF as an importer makes it: nodes with their texts, media, questions and words.

mod document;
mod json;

use crate::html::{Block, Page};
use crate::text::{pieces, shortened, slug};
use serde_json::{Map, Value};

pub use document::document;

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

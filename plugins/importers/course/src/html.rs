//! A page of a course: its text in blocks, and what it shows and points at.

mod math;
mod walk;

use crate::fault::Fault;
use crate::guard::{Language, guarded};
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};
use walk::Walk;

/// What is told of one page; a longer one is a page of something else.
const MAX_BLOCKS: usize = 20_000;
const MAX_LINKS: usize = 5_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Heading { level: u8, text: String },
    Paragraph(String),
    Item(String),
    Code(String),
    Quote(String),
}

impl Block {
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Heading { text, .. }
            | Self::Paragraph(text)
            | Self::Item(text)
            | Self::Code(text)
            | Self::Quote(text) => text,
        }
    }
}

/// A formula, in the words that its author gave for those who can't see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// The block that it stands in.
    pub at: usize,
    pub alt: String,
    pub latex: Option<String>,
    pub mathml: Option<String>,
    /// Its picture, where it is one.
    pub image: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub at: usize,
    pub source: String,
    pub alt: String,
    pub caption: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub target: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub term: String,
    pub definition: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub title: Option<String>,
    pub language: Option<String>,
    /// `name` or `property`, and `content`.
    pub metas: Vec<(String, String)>,
    pub blocks: Vec<Block>,
    pub formulas: Vec<Formula>,
    pub pictures: Vec<Picture>,
    pub definitions: Vec<Definition>,
    pub links: Vec<Link>,
    /// Sources of films and of frames that show one.
    pub players: Vec<String>,
    /// Captions of films.
    pub tracks: Vec<String>,
    /// What stands beside a class name: `course-info-level` and its like.
    pub classed: Vec<(String, String)>,
}

impl Page {
    /// # Errors
    /// Where it is too deep or too much, or declares entities.
    pub fn parse(entry: &str, text: &str) -> Result<Self, Fault> {
        let start = text.get(..text.floor_char_boundary(1_000)).unwrap_or_default();
        let is_xhtml = start.trim_start().starts_with("<?xml")
            || start.contains("http://www.w3.org/1999/xhtml");
        let language = if is_xhtml { Language::Xhtml } else { Language::Html };
        let safe = guarded(entry, text, language)?;
        let html = Html::parse_document(&safe);
        drop(safe);
        let mut walk = Walk::new(&html);
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) => match node.value() {
                    Node::Element(_) => {
                        if let Some(element) = ElementRef::wrap(node) {
                            walk.open(element);
                        }
                    }
                    Node::Text(text) => walk.text(text),
                    _ => {}
                },
                Edge::Close(node) => {
                    if let Some(element) = ElementRef::wrap(node) {
                        walk.close(element);
                    }
                }
            }
        }
        Ok(walk.finish())
    }

    /// The first heading, or else what the page calls itself.
    #[must_use]
    pub fn heading(&self) -> Option<&str> {
        let heading = self.blocks.iter().find_map(|block| match block {
            Block::Heading { text, .. } => Some(text.as_str()),
            _ => None,
        });
        heading.or(self.title.as_deref())
    }

    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        let found = self.metas.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, content)| content.as_str()).filter(|content| !content.is_empty())
    }
}

#[cfg(test)]
mod tests;

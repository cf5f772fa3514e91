//! A label's value: text in which `{/pointer}` stands for a field of the element, `{#}` for the
//! element's number, and `{2}` for the second level of a topic.

use crate::path::{Path, PathFault};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Path),
    Index,
    /// From 1.
    Level(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateFault {
    Unclosed,
    Unknown(String),
    Path(PathFault),
    /// There is no topic, or no element, to take it from.
    NoTopic,
}

impl core::fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unclosed => f.write_str("a `{` has no `}`; a brace itself is written twice"),
            Self::Unknown(word) => {
                write!(f, "`{{{word}}}` is none of `{{/pointer}}`, `{{#}}` and `{{1}}`, `{{2}}` …")
            }
            Self::Path(fault) => fault.fmt(f),
            Self::NoTopic => {
                f.write_str("levels such as `{1}` are those of a topic, and none is here")
            }
        }
    }
}

impl Template {
    /// # Errors
    /// Where a brace holds none of the known words.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else {
                let inside = brace.strip_prefix('{').ok_or(TemplateFault::Unclosed)?;
                let (word, after) = inside.split_once('}').ok_or(TemplateFault::Unclosed)?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece(word)?);
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    #[must_use]
    pub fn names_levels(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Level(_)))
    }

    /// The value; what is not there is an empty text, as Prometheus has it.
    #[must_use]
    pub fn fill(&self, element: Option<&Value>, index: usize, levels: &[&str]) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(path) => {
                element.and_then(|it| path.first(it)).map(text).unwrap_or_default()
            }
            Piece::Index => index.to_string(),
            Piece::Level(level) => {
                let level = level.checked_sub(1).and_then(|at| levels.get(at));
                level.map(|&level| level.to_owned()).unwrap_or_default()
            }
        };
        self.0.iter().map(fill).collect()
    }
}

fn piece(word: &str) -> Result<Piece, TemplateFault> {
    if word == "#" {
        return Ok(Piece::Index);
    }
    if word.starts_with('/') {
        return Path::parse(word).map(Piece::Field).map_err(TemplateFault::Path);
    }
    match word.parse() {
        Ok(level) if level > 0 && !word.starts_with('+') => Ok(Piece::Level(level)),
        _ => Err(TemplateFault::Unknown(word.to_owned())),
    }
}

/// A field as a label has it: a text without its quotes.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

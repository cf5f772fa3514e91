//! What is wrong with a diagram, or worth knowing about it.

use drawing::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Error,
    Warning,
    Info,
    Hint,
}

/// One thing to say of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) weight: Weight,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) start: Option<Place>,
    pub(crate) end: Option<Place>,
}

/// Why there is no drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The source does not parse. Holds one remark at least.
    Source(Vec<Remark>),
    Theme(String),
    /// Mermaid knows it and this renderer does not.
    Unsupported(String),
    Limit(String),
    /// The source is right and the drawing went wrong.
    Drawing(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(remarks) => {
                f.write_str(remarks.first().map_or("the source is wrong", |first| &first.message))
            }
            Self::Theme(name) => write!(
                f,
                "there is no theme `{name}`; choose one of {}",
                crate::theme::names().join(", ")
            ),
            Self::Unsupported(message) | Self::Limit(message) | Self::Drawing(message) => {
                f.write_str(message)
            }
        }
    }
}

//! What is wrong with a diagram, or worth knowing about it.

use crate::diagram::{KINDS, MAX_SOURCE_BYTES};
use crate::theme;
use drawing::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Without a place where the line is not one of the source's own.
    Syntax {
        place: Option<Place>,
        message: String,
    },
    NoDiagram(Place),
    /// PlantUML knows it and this renderer does not.
    Kind {
        place: Option<Place>,
        name: String,
    },
    Theme(String),
    /// The diagram is drawn, but not in the theme of this name.
    Unthemed(String),
    /// They are drawn in another shape.
    UseCases,
    Length(usize),
    Drawing(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { message, .. } | Self::Drawing(message) => f.write_str(message),
            Self::NoDiagram(_) => f.write_str(
                "there is no diagram; put `@startuml` before it and `@enduml` behind it",
            ),
            Self::Kind { name, .. } => write!(
                f,
                "diagrams of the kind `@start{name}` are not drawn here; those that are begin \
                 with @start and one of {}",
                KINDS.join(", ")
            ),
            Self::Theme(name) => {
                let known = theme::names().join(", ");
                write!(f, "there is no theme `{name}`; choose one of {known}")
            }
            Self::Unthemed(name) => {
                write!(f, "this kind of diagram does not take the theme `{name}`")
            }
            Self::UseCases => f.write_str("use cases are drawn as boxes here"),
            Self::Length(bytes) => write!(
                f,
                "the diagram has {bytes} bytes and at most {MAX_SOURCE_BYTES} are drawn; split it up"
            ),
        }
    }
}

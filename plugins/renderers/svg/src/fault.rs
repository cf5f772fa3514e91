//! What is wrong with a picture.

use crate::picture::{MAX_DEPTH, MAX_SOURCE_BYTES};
use drawing::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Xml {
        place: Place,
        message: String,
    },
    Unclosed {
        place: Place,
        element: String,
    },
    /// There is no one root element `svg`.
    Root {
        place: Place,
    },
    DocumentType {
        place: Place,
    },
    Entity {
        place: Place,
        name: String,
    },
    Depth {
        place: Place,
    },
    /// The root says neither width and height nor a view.
    Size {
        place: Place,
    },
    Bytes(usize),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Xml { message, .. } => f.write_str(message),
            Self::Unclosed { element, .. } => {
                write!(f, "`<{element}>` is never closed; put `</{element}>` behind what it holds")
            }
            Self::Root { .. } => f.write_str("there has to be one root element, and it is `svg`"),
            Self::DocumentType { .. } => {
                f.write_str("a document type is not taken; leave the line `<!DOCTYPE …>` out")
            }
            Self::Entity { name, .. } => {
                write!(f, "SVG has no entity `&{name};`; write the character itself or its number")
            }
            Self::Depth { .. } => write!(f, "elements are nested deeper than {MAX_DEPTH}"),
            Self::Size { .. } => f.write_str(
                "the picture has no size; give its root `width` and `height`, or a `viewBox`",
            ),
            Self::Bytes(bytes) => {
                write!(f, "the picture has {bytes} bytes and at most {MAX_SOURCE_BYTES} are taken")
            }
        }
    }
}

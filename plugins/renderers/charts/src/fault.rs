//! What is wrong with a chart.

use crate::{chart, kinds};
use drawing::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Json {
        place: Place,
        message: String,
    },
    /// There is no `type`, or none that is known.
    Kind {
        place: Place,
        name: Option<String>,
    },
    /// A field that is unknown or has a value that it can't have.
    Field {
        place: Option<Place>,
        message: String,
    },
    Theme(String),
    Bound {
        what: &'static str,
        count: usize,
        most: usize,
    },
    Drawing(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json { message, .. } | Self::Field { message, .. } | Self::Drawing(message) => {
                f.write_str(message)
            }
            Self::Kind { name: Some(name), .. } => {
                let known = kinds::names().join(", ");
                write!(f, "there is no chart of the type `{name}`; choose one of {known}")
            }
            Self::Kind { name: None, .. } => write!(
                f,
                "a chart is an object with a `type`, which is one of {}",
                kinds::names().join(", ")
            ),
            Self::Theme(name) => write!(
                f,
                "there is no theme `{name}`; choose one of {}",
                chart::themes().join(", ")
            ),
            Self::Bound { what, count, most } => {
                write!(f, "the chart has {count} {what} and at most {most} are drawn")
            }
        }
    }
}

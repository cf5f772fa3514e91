//! What is wrong with a source, or worth knowing about it.

use drawing::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Syntax {
        place: Place,
        message: String,
    },
    /// D2 has it and the subset has not; the picture would be another one.
    Unsupported {
        place: Place,
        what: String,
    },
    /// As above, and the picture is the same but for its looks.
    Ignored {
        place: Place,
        what: String,
    },
    Option {
        name: &'static str,
        value: String,
        allowed: &'static str,
    },
    Bound {
        what: &'static str,
        most: usize,
    },
    Layout(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { message, .. } => f.write_str(message),
            Self::Unsupported { what, .. } => {
                write!(f, "{what} is not in the subset of D2 that is drawn here")
            }
            Self::Ignored { what, .. } => write!(f, "{what} is passed over"),
            Self::Option { name, value, allowed } => {
                write!(f, "`{value}` is no value of `{name}`; it takes {allowed}")
            }
            Self::Bound { what, most } => {
                write!(f, "the diagram has more than {most} {what}; split it up")
            }
            Self::Layout(message) => write!(f, "the diagram can't be laid out: {message}"),
        }
    }
}

/// One at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.first() {
            Some(first) => first.fmt(f),
            None => f.write_str("the source is wrong"),
        }
    }
}

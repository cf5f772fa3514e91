//! What is wrong with a map, or worth knowing of it, and where in the source that is.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    pub(crate) fn pass(&mut self, c: char) {
        if c == '\n' {
            *self = Self { line: self.line + 1, column: 1 };
        } else {
            self.column += 1;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// No picture.
    Error,
    /// A picture, but not the one that was asked for.
    Warning,
    /// Something that the picture cannot show.
    Note,
}

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) weight: Weight,
    /// A short stable word for machines.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
}

impl Fault {
    pub(crate) fn error(code: &'static str, message: impl Into<String>, place: Place) -> Self {
        Self { weight: Weight::Error, code, message: message.into(), place: Some(place) }
    }

    pub(crate) fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, code, message: message.into(), place: None }
    }

    pub(crate) fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self { weight: Weight::Note, ..Self::warning(code, message) }
    }
}

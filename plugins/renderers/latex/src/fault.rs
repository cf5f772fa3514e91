//! What is wrong with a formula, or worth knowing about it.

use drawing::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Without a place where the parser has none.
    Syntax {
        place: Option<Place>,
        message: String,
    },
    Option {
        name: &'static str,
        value: String,
        allowed: &'static str,
    },
    /// The source has more bytes than a formula may.
    Length {
        bytes: usize,
        most: usize,
    },
    /// Drawing it would cost more than a formula may.
    Work(String),
    /// No font that is carried along has this character.
    MissingGlyph(char),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { message, .. } => f.write_str(message),
            Self::Option { name, value, allowed } => {
                write!(f, "`{value}` is no value of `{name}`; it takes {allowed}")
            }
            Self::Length { bytes, most } => {
                write!(f, "the formula has {bytes} bytes and at most {most} are drawn; split it up")
            }
            Self::Work(what) => write!(f, "the formula is too large to draw: {what}"),
            Self::MissingGlyph(character) => write!(
                f,
                "there is no glyph for `{character}` (U+{:04X}); an empty box stands in its place",
                u32::from(*character)
            ),
        }
    }
}

//! What became of one source.

use serde::{Deserialize, Serialize};

/// How a renderer of ours ended. Its letter stands in the kept results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Drawn,
    /// Refused, with the line at fault.
    Placed,
    /// Refused, without one.
    Unplaced,
    /// Stopped at a limit other than time.
    Limit,
    Slow,
    /// It trapped: a panic, an overflow of its own.
    Broke,
}

impl Outcome {
    pub(crate) const ALL: [Self; 6] =
        [Self::Drawn, Self::Placed, Self::Unplaced, Self::Limit, Self::Slow, Self::Broke];

    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Drawn => 'd',
            Self::Placed => 'p',
            Self::Unplaced => 'u',
            Self::Limit => 'l',
            Self::Slow => 's',
            Self::Broke => 'b',
        }
    }

    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Placed => "refused with its line",
            Self::Unplaced => "refused without a line",
            Self::Limit => "stopped at a limit",
            Self::Slow => "too slow",
            Self::Broke => "broke",
        }
    }
}

/// What a renderer of ours did with a source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ours {
    pub(crate) outcome: Outcome,
    /// Why, where it drew nothing.
    pub(crate) reason: String,
    pub(crate) ms: f64,
}

/// What the reference did with it: `None` where it was not asked or gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Theirs {
    pub(crate) name: String,
    pub(crate) drawn: Option<bool>,
    #[serde(default)]
    pub(crate) reason: String,
}

impl Theirs {
    pub(crate) const fn letter(&self) -> char {
        match self.drawn {
            Some(true) => 'd',
            Some(false) => 'r',
            None => '?',
        }
    }
}

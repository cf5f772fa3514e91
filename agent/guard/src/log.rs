//! Lines on stderr: `level message key=value`. Never from the loop, whose words go through the
//! journal's thread: a full pipe must not hold it.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

pub(crate) fn info(message: impl fmt::Display) {
    line(Level::Info, message);
}

pub(crate) fn warn(message: impl fmt::Display) {
    line(Level::Warn, message);
}

pub(crate) fn error(message: impl fmt::Display) {
    line(Level::Error, message);
}

fn line(level: Level, message: impl fmt::Display) {
    eprintln!("{level} {message}");
}

/// An error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

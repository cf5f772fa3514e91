//! Lines on stderr, which is the guard's: `level message key=value`. Never a secret.

use std::fmt;

pub(crate) fn warn(message: impl fmt::Display) {
    eprintln!("warn {message}");
}

pub(crate) fn error(message: impl fmt::Display) {
    eprintln!("error {message}");
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

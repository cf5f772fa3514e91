//! Short ways to say what the world's records hold.

use crate::bindings::flyball::plugin::log as host_log;
use crate::{Attribute, Diagnostic, Error, ErrorKind, Level, Manifest, Position, Severity};

/// A line for the operator. A call that writes more than 64 KiB is stopped.
pub fn log(level: Level, message: &str) {
    host_log::write(level, message);
}

/// The value of `key`, where it is there.
#[must_use]
pub fn attribute<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a str> {
    attributes.iter().find(|a| a.key == key).map(|a| a.value.as_str())
}

impl Attribute {
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

impl Manifest {
    /// Something outside that the plugin is to reach, for an operator to grant: `http:host`,
    /// `http:host:port`, `mqtt:host:port`, or `http:*` and `mqtt:*` where the operator chooses.
    #[must_use]
    pub fn wanting(self, grant: impl Into<String>) -> Self {
        self.with("wants", grant)
    }

    /// What can be set, as a JSON Schema. A property with `"writeOnly": true` is a secret.
    #[must_use]
    pub fn with_settings(self, schema: impl Into<String>) -> Self {
        self.with("settings-schema", schema)
    }

    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute::new(key, value));
        self
    }
}

impl Diagnostic {
    /// A fault of the source.
    #[must_use]
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Something that the author of the source should know.
    #[must_use]
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Where it is: line and column from 1.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        self.start = Some(Position { line, column });
        self
    }

    fn new(severity: Severity, code: &str, message: impl Into<String>) -> Self {
        Self { severity, code: code.into(), message: message.into(), start: None, end: None }
    }
}

impl Error {
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), diagnostics: Vec::new(), retry_after_ms: None }
    }

    /// The input is wrong; the diagnostics say where.
    #[must_use]
    pub fn invalid(message: impl Into<String>, diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, ..Self::new(ErrorKind::InvalidInput, message) }
    }
}

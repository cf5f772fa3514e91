//! What applications log. An entry is kept once by its sender, its client and its id; past the
//! bound on all of them the one that came first goes first. Pure: time is an argument, and the
//! store and HTTP are elsewhere.

use crate::access::UserId;
use crate::applications::report::{MAX_AHEAD_MS, MAX_TEXT, is_name};
use crate::listing::Listing;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Entries of one request.
pub const MAX_ENTRIES: usize = 1_000;
/// What the flat dialect shows: of all that is kept, so many that came last.
pub const IN_VIEW: u64 = 10_000;
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// Of a label, a file or a function, in characters.
pub const MAX_WORD: usize = 256;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// Entries; past it the one that came first goes first.
    pub keep_entries: u32,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { keep_entries: 100_000 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word of the API and of the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// In either case; `WARN` and `FATAL` are other programs' words for two of them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "WARN" => Some(Self::Warning),
            "FATAL" => Some(Self::Critical),
            name => Self::ALL.into_iter().find(|level| level.name() == name),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// The application's own: the same id of the same client is the same entry again.
    pub id: String,
    pub client_id: String,
    pub client_name: Option<String>,
    pub at_ms: u64,
    pub level: Level,
    pub label: Option<String>,
    pub message: String,
    pub file: Option<String>,
    pub function: Option<String>,
    pub line: Option<u32>,
    pub metadata: Option<Map<String, Value>>,
}

/// An entry with its place: later ones have greater numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptEntry {
    pub seq: u64,
    pub sender: UserId,
    pub entry: LogEntry,
}

/// Which entries, those that came last first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogQuery {
    pub listing: Listing,
    /// Only what this account sent.
    pub sender: Option<UserId>,
    pub client_id: Option<String>,
    pub level: Option<Level>,
    pub label: Option<String>,
    pub since_ms: Option<u64>,
    /// Words of the message, in either case.
    pub text: Option<String>,
    /// Only of the so many that came last of all.
    pub in_view: Option<u64>,
    /// Only what came before this one.
    pub before: Option<u64>,
    /// The caller has bounded it.
    pub limit: u32,
}

/// What is wrong with an entry, and what to send instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("has to be 1 to {MAX_TEXT} characters, none of them a control character")]
    Text { field: &'static str },
    #[error("has to be at most {MAX_WORD} characters without NUL")]
    Word { field: &'static str },
    #[error(
        "has to be at most {MAX_MESSAGE_BYTES} bytes without NUL; cut it, or send the rest apart"
    )]
    Message,
    #[error(
        "takes {0} bytes as JSON, at most {MAX_METADATA_BYTES} are taken; leave some of it out"
    )]
    Metadata(usize),
    #[error(
        "is {} s ahead of this server's clock, at most {} s are taken; \
         set the application's clock, or leave timestamp out",
        .ahead_ms.div_ceil(1_000), MAX_AHEAD_MS / 1_000
    )]
    Ahead { ahead_ms: u64 },
}

impl Fault {
    /// The field that it is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Text { field } | Self::Word { field } => field,
            Self::Message => "message",
            Self::Metadata(_) => "metadata",
            Self::Ahead { .. } => "timestamp",
        }
    }
}

impl LogEntry {
    /// Everything that is wrong with it, at once.
    #[must_use]
    pub fn faults(&self, now_ms: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        let names = [
            ("id", Some(&self.id)),
            ("client_id", Some(&self.client_id)),
            ("client_name", self.client_name.as_ref()),
        ];
        let wrong = names.iter().filter(|(_, text)| text.is_some_and(|text| !is_name(text)));
        faults.extend(wrong.map(|(field, _)| Fault::Text { field }));
        let words = [("label", &self.label), ("file", &self.file), ("function", &self.function)];
        let is_word = |text: &String| text.chars().count() <= MAX_WORD && !text.contains('\0');
        let wrong = words.iter().filter(|(_, text)| text.as_ref().is_some_and(|t| !is_word(t)));
        faults.extend(wrong.map(|(field, _)| Fault::Word { field }));
        if self.message.len() > MAX_MESSAGE_BYTES || self.message.contains('\0') {
            faults.push(Fault::Message);
        }
        let bytes =
            self.metadata.as_ref().map_or(0, |map| Value::from(map.clone()).to_string().len());
        if bytes > MAX_METADATA_BYTES {
            faults.push(Fault::Metadata(bytes));
        }
        let ahead_ms = self.at_ms.saturating_sub(now_ms);
        if ahead_ms > MAX_AHEAD_MS {
            faults.push(Fault::Ahead { ahead_ms });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_298_300_000;

    fn faults(change: impl FnOnce(&mut LogEntry)) -> Vec<Fault> {
        let mut entry = LogEntry {
            id: "entry-1".into(),
            client_id: "tab".into(),
            client_name: None,
            at_ms: NOW_MS,
            level: Level::Info,
            label: Some("SessionManager".into()),
            message: "Session started\nand more".into(),
            file: None,
            function: None,
            line: Some(3),
            metadata: None,
        };
        change(&mut entry);
        entry.faults(NOW_MS)
    }

    #[test]
    fn each_bound_is_held_and_names_its_field() {
        assert_eq!(faults(|it| it.message = "x".repeat(MAX_MESSAGE_BYTES)), []);
        assert_eq!(faults(|it| it.message = "x".repeat(MAX_MESSAGE_BYTES + 1)), [Fault::Message]);
        assert_eq!(faults(|it| it.message = "a\0b".into()), [Fault::Message]);
        assert_eq!(faults(|it| it.id = String::new()), [Fault::Text { field: "id" }]);
        let label = faults(|it| it.label = Some("x".repeat(MAX_WORD + 1)));
        assert_eq!(label, [Fault::Word { field: "label" }]);
        let large = Map::from_iter([("a".to_owned(), "x".repeat(MAX_METADATA_BYTES).into())]);
        let large = faults(|it| it.metadata = Some(large));
        assert_eq!(large, [Fault::Metadata(MAX_METADATA_BYTES + 8)]);
        let ahead = faults(|it| it.at_ms = NOW_MS + MAX_AHEAD_MS + 1);
        assert_eq!(ahead[0].field(), "timestamp");
    }

    #[test]
    fn a_level_is_known_by_each_of_its_words() {
        for (word, level) in [
            ("info", Some(Level::Info)),
            ("WARN", Some(Level::Warning)),
            ("Warning", Some(Level::Warning)),
            ("fatal", Some(Level::Critical)),
            ("loud", None),
        ] {
            assert_eq!(Level::from_name(word), level, "{word}");
        }
    }
}

//! The BMC's event log, as far as reading it is cheap: what is new in it becomes notices.
//!
//! What stood there before the driver connected is not told again. A log that is too long for one
//! answer, or that refuses, is left alone from then on.

use super::http::{Client, Trouble};
use super::reading::text;
use flyball_driver_messages::{Fault, FaultKind, MAX_NOTICES, Notice};
use flyball_guard_messages::Severity;
use serde_json::Value;
use std::collections::BTreeSet;

/// A log is dear to read and seldom grows.
const ROUNDS_PER_READ: u32 = 6;
/// Entries that are remembered; a longer log is left alone.
const MAX_ENTRIES: usize = 4096;

#[derive(Debug)]
pub(super) struct LogEntries {
    path: Option<String>,
    /// The ids of the entries that are known; `None` before the first read.
    known: Option<BTreeSet<String>>,
}

impl LogEntries {
    pub(super) fn new(path: String) -> Self {
        Self { path: Some(path), known: None }
    }

    /// What is new, where it is the log's turn.
    ///
    /// # Errors
    /// Where the BMC does not answer at all.
    pub(super) fn read(&mut self, client: &Client, rounds: u32) -> Result<Vec<Notice>, Fault> {
        let Some(path) = self.path.as_deref().filter(|_| rounds.is_multiple_of(ROUNDS_PER_READ))
        else {
            return Ok(Vec::new());
        };
        match client.get(path) {
            Ok(answer) => Ok(self.compare(&answer.body)),
            Err(Trouble::Broken(Fault { kind: FaultKind::Nonsense, .. }))
            | Err(Trouble::Status { .. }) => {
                self.path = None;
                Ok(Vec::new())
            }
            Err(Trouble::Broken(fault)) => Err(fault),
        }
    }

    fn compare(&mut self, body: &Value) -> Vec<Notice> {
        let entries = body.get("Members").and_then(Value::as_array);
        let entries: Vec<&Value> = entries.into_iter().flatten().take(MAX_ENTRIES).collect();
        let id = |entry: &Value| text(entry, "Id");
        let ids: BTreeSet<String> = entries.iter().filter_map(|entry| id(entry)).collect();
        let Some(known) = self.known.replace(ids) else {
            return Vec::new();
        };
        let new = entries.iter().filter(|e| id(e).is_some_and(|id| !known.contains(&id)));
        let mut notices: Vec<Notice> = new.clone().take(MAX_NOTICES).map(|e| notice(e)).collect();
        let left_out = new.count().saturating_sub(MAX_NOTICES);
        if let Some(last) = notices.last_mut().filter(|_| left_out > 0) {
            last.message = format!("{} (and {left_out} more entries)", last.message);
        }
        notices
    }
}

fn notice(entry: &Value) -> Notice {
    let severity = match text(entry, "Severity").as_deref() {
        Some("Critical") => Severity::Critical,
        Some("Warning") => Severity::Warning,
        _ => Severity::Info,
    };
    let subject = text(entry, "SensorType").or_else(|| text(entry, "Name"));
    let message = text(entry, "Message").or_else(|| text(entry, "EntryCode"));
    Notice {
        severity,
        subject: subject.unwrap_or_default(),
        message: message.unwrap_or_else(|| "an entry without words".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_new_is_told() {
        let mut log = LogEntries::new("/log".into());
        let entry = |id: u32| json!({ "Id": id.to_string(), "Severity": "Critical", "Message": format!("event {id}") });
        assert_eq!(log.compare(&json!({ "Members": [entry(1)] })), []);
        let told = log.compare(&json!({ "Members": [entry(2), entry(1)] }));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].severity, told[0].message.as_str()), (Severity::Critical, "event 2"));
        let many: Vec<Value> = (2..60).map(entry).collect();
        let told = log.compare(&json!({ "Members": many }));
        assert_eq!(told.len(), MAX_NOTICES);
        assert!(told.last().unwrap().message.ends_with("(and 25 more entries)"));
    }
}

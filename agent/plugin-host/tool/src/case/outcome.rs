//! What came out of a call, as the cases speak of it.

use super::expectation::{Expectation, Finding, Read};
use flyball_plugin_messages::{
    Absence, Diagnostic, Event, FailureKind, Image, LogLevel, Reading, ReadingKind, Severity,
};

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) log: Vec<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) image: Option<Image>,
    pub(crate) items: Vec<String>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) failure: Option<(FailureKind, String)>,
}

impl Seen {
    pub(crate) fn of(events: Vec<Event>) -> Self {
        let mut seen = Self::default();
        for event in events {
            match event {
                Event::Log { level, line } => seen.log.push(format!("{}: {line}", word(level))),
                Event::Diagnostics(found) => seen.diagnostics.extend(found),
                Event::Image(image) => seen.image = Some(image),
                Event::Item(item) => seen.items.push(item.id),
                Event::Readings(readings) => seen.readings = readings,
                Event::Failed(failure) => {
                    seen.diagnostics.extend(failure.diagnostics);
                    seen.failure = Some((failure.kind, failure.message));
                }
                Event::Catalog { .. }
                | Event::Detail { .. }
                | Event::Progress { .. }
                | Event::Done => {}
            }
        }
        seen
    }

    /// Those that make a source unfit.
    pub(crate) fn errors(&self) -> Vec<Finding> {
        let errors = self.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        errors.map(finding).collect()
    }

    /// What it would be expected to be.
    pub(crate) fn as_expected(&self) -> Expectation {
        Expectation {
            ok: self.failure.is_none(),
            kind: self.failure.as_ref().map(|(kind, _)| kind_word(*kind).to_owned()),
            message: None,
            media_type: None,
            width: self.image.as_ref().map(|image| image.width),
            height: self.image.as_ref().map(|image| image.height),
            contains: Vec::new(),
            diagnostics: self.diagnostics.iter().map(finding).collect(),
            items: self.items.clone(),
            readings: self.readings.iter().map(read).collect(),
        }
    }
}

fn read(reading: &Reading) -> Read {
    let label = |it: &flyball_plugin_messages::Attribute| (it.key.clone(), it.value.clone());
    Read {
        name: reading.name.clone(),
        unit: reading.unit.clone(),
        kind: match reading.kind {
            ReadingKind::Gauge => "gauge",
            ReadingKind::Counter => "counter",
        }
        .to_owned(),
        labels: reading.labels.iter().map(label).collect(),
        // What is no number can't be written in JSON.
        value: reading.value.ok().filter(|value| value.is_finite()),
        absent: reading.value.err().map(|why| absence(why).to_owned()),
    }
}

const fn absence(why: Absence) -> &'static str {
    match why {
        Absence::NotReady => "not-ready",
        Absence::Unreachable => "unreachable",
        Absence::Unauthorised => "unauthorised",
        Absence::Unsupported => "unsupported",
        Absence::OutOfRange => "out-of-range",
        Absence::Malformed => "malformed",
    }
}

fn finding(diagnostic: &Diagnostic) -> Finding {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
        Severity::Hint => "hint",
    };
    Finding {
        severity: severity.to_owned(),
        code: diagnostic.code.clone(),
        line: diagnostic.line,
        column: diagnostic.column,
    }
}

pub(super) const fn kind_word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidInput => "invalid-input",
        FailureKind::Unsupported => "unsupported",
        FailureKind::Denied => "denied",
        FailureKind::Cancelled => "cancelled",
        FailureKind::Limit => "limit",
        FailureKind::Trapped => "trapped",
        FailureKind::Upstream => "upstream",
        FailureKind::Internal => "internal",
        FailureKind::Unavailable => "unavailable",
    }
}

const fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

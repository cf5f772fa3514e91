//! What the caller wants left out.

use crate::document::Document;

/// A switch and the keys of a node or a document that it rules.
const INCLUDES: [(&str, &[&str]); 7] = [
    ("includeTranscripts", &["transcript"]),
    ("includeAssessments", &["assessments"]),
    ("includeAssignments", &["assessments"]),
    ("includeMedia", &["media"]),
    ("includeExamples", &["examples"]),
    ("includeMisconceptions", &["misconceptions"]),
    ("includeGlossary", &["glossary", "glossaryTerms"]),
];

pub(crate) const KNOWN: [&str; 7] = [
    INCLUDES[0].0,
    INCLUDES[1].0,
    INCLUDES[2].0,
    INCLUDES[3].0,
    INCLUDES[4].0,
    INCLUDES[5].0,
    INCLUDES[6].0,
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    left_out: Vec<&'static str>,
    ignored: Vec<String>,
}

impl Switches {
    pub(crate) fn parse<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut switches = Self::default();
        for (name, value) in pairs {
            let off = matches!(value.to_lowercase().as_str(), "false" | "0" | "no" | "off");
            match INCLUDES.iter().find(|(known, _)| *known == name) {
                Some((_, keys)) if off => switches.left_out.extend(*keys),
                Some(_) => {}
                // One that is off asks for nothing that is missing.
                None if off => {}
                None => switches.ignored.push(name.to_owned()),
            }
        }
        switches
    }

    /// Asked for, and not done here.
    pub(crate) fn ignored(&self) -> Option<String> {
        (!self.ignored.is_empty()).then(|| self.ignored.join(", "))
    }

    pub(crate) fn apply(&self, document: &mut Document) {
        if !self.left_out.is_empty() {
            document.leave_out(&self.left_out);
        }
    }
}

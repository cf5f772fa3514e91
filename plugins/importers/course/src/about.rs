//! What a package says of its course as a whole.

use crate::licence::Licence;
use flyball_plugin::Attribute;

/// Empty where the package says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub title: String,
    pub description: String,
    /// A BCP 47 tag.
    pub language: String,
    pub subject: String,
    pub level: String,
    pub instructors: Vec<String>,
    pub publisher: String,
    pub keywords: Vec<String>,
    pub licence: Option<Licence>,
    /// The line that has to stand with every copy.
    pub attribution: String,
    pub source_url: String,
    /// What the course has: transcripts, lecture_notes, assignments, exams, videos.
    pub features: Vec<&'static str>,
    /// How many of each: assignments, exams, reading_materials.
    pub resources: Vec<(&'static str, usize)>,
    /// What could not be read.
    pub warnings: Vec<String>,
}

impl About {
    /// As a catalogue tells it; what is not known is not told.
    #[must_use]
    pub fn attributes(&self, source: &str, topics: usize) -> Vec<Attribute> {
        let licence = self.licence.as_ref();
        let may_import = licence.is_none_or(Licence::allows_derivatives);
        let mut attributes = vec![
            Attribute::new("source", source),
            Attribute::new("topic_count", topics.to_string()),
            Attribute::new("warnings", self.warnings.len().to_string()),
            Attribute::new("can_import", may_import.to_string()),
        ];
        let texts = [
            ("subject", self.subject.clone()),
            ("level", self.level.clone()),
            ("language", self.language.clone()),
            ("instructor", self.instructors.join(", ")),
            ("licence", licence.map_or_else(String::new, |licence| licence.name.clone())),
            ("attribution", self.attribution.clone()),
            ("features", self.features.join(" ")),
            ("keywords", self.keywords.join(", ")),
            ("url", self.source_url.clone()),
        ];
        attributes.extend(
            texts
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(key, text)| Attribute::new(key, text)),
        );
        let counts = self.resources.iter().filter(|(_, count)| *count > 0);
        attributes.extend(
            counts
                .map(|(key, count)| Attribute::new(format!("resources.{key}"), count.to_string())),
        );
        attributes
    }
}

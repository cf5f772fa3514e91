//! Reading UMCF: what has to be there, and where things stand in its several spellings.

use serde_json::Value;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum DocumentError {
    #[error("it is no JSON")]
    Json(#[source] serde_json::Error),
    #[error("it is no UMCF document: {0}")]
    NoUmcf(&'static str),
    #[error("it has more than {max} bytes")]
    Size { max: usize },
}

/// A UMCF document: its text as it came, and the same as a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    text: String,
    value: Value,
}

impl Document {
    /// Takes `text` where it can be kept; what else the schema says is not asked here.
    ///
    /// # Errors
    /// Where it is no JSON object with UMCF's mark, a title and content.
    pub fn parse(text: String, max_bytes: usize) -> Result<Self, DocumentError> {
        if text.len() > max_bytes {
            return Err(DocumentError::Size { max: max_bytes });
        }
        let value: Value = serde_json::from_str(&text).map_err(DocumentError::Json)?;
        if !value.is_object() {
            return Err(DocumentError::NoUmcf("it is no object"));
        }
        let marked = value["formatIdentifier"] == "umcf"
            || value.get("umcf").is_some()
            || value.get("umlcf").is_some();
        if !marked {
            return Err(DocumentError::NoUmcf("formatIdentifier is not umcf"));
        }
        if value["title"].as_str().is_none_or(str::is_empty) {
            return Err(DocumentError::NoUmcf("it has no title"));
        }
        if value["content"].as_array().is_none_or(Vec::is_empty) {
            return Err(DocumentError::NoUmcf("it has no content"));
        }
        Ok(Self { text, value })
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    #[must_use]
    pub fn title(&self) -> &str {
        self.value["title"].as_str().unwrap_or_default()
    }

    /// The licence's identifier where the document names one.
    #[must_use]
    pub fn licence(&self) -> Option<&str> {
        licence(&self.value)
    }
}

/// `id.value`, or an `id` that is text itself.
#[must_use]
pub fn id(node: &Value) -> Option<&str> {
    let id = &node["id"];
    id["value"].as_str().or_else(|| id.as_str()).filter(|id| !id.is_empty())
}

/// The licence's identifier where the document names one.
#[must_use]
pub fn licence(document: &Value) -> Option<&str> {
    let licence = &document["rights"]["license"];
    licence["type"].as_str().or_else(|| licence.as_str())
}

/// May a work under this licence be changed, as an import does?
#[must_use]
pub fn allows_derivatives(licence: &str) -> bool {
    let words = licence.to_ascii_lowercase();
    let no_derivatives = words.split(['-', '_', ' ', '/']).any(|word| word == "nd");
    !no_derivatives && !words.contains("noderiv") && !words.contains("no derivative")
}

/// An ISO 8601 duration in seconds; `None` where it is none.
#[must_use]
pub fn duration_s(text: &str) -> Option<u64> {
    let mut rest = text.strip_prefix('P')?;
    let mut in_time = false;
    let mut total_s = 0.0;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            in_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_s = match (rest.as_bytes()[end], in_time) {
            (b'W', false) => 604_800.0,
            (b'D', false) => 86_400.0,
            (b'H', true) => 3_600.0,
            (b'M', true) => 60.0,
            (b'S', true) => 1.0,
            _ => return None,
        };
        total_s += number * unit_s;
        any = true;
        rest = &rest[end + 1..];
    }
    (any && total_s < 1e12).then_some(total_s as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_mark_is_taken_and_nothing_else() {
        for (text, taken) in [
            (r#"{"formatIdentifier":"umcf","title":"a","content":[{}]}"#, true),
            (r#"{"umcf":"1.0.0","title":"a","content":[{}]}"#, true),
            (r#"{"umlcf":"1.0.0","title":"a","content":[{}]}"#, true),
            (r#"{"title":"a","content":[{}]}"#, false),
            (r#"{"umcf":"1.0.0","content":[{}]}"#, false),
            (r#"{"umcf":"1.0.0","title":"a","content":[]}"#, false),
            ("[]", false),
            ("{", false),
        ] {
            assert_eq!(Document::parse(text.into(), 1 << 20).is_ok(), taken, "{text}");
        }
    }

    #[test]
    fn a_document_is_kept_byte_for_byte() {
        let text = r#"{ "umcf":"1.0.0",  "title":"a","x-own":1.50,"content":[{}] }"#;
        assert_eq!(Document::parse(text.into(), 1 << 20).unwrap().text(), text);
    }

    #[test]
    fn a_licence_without_derivatives_is_seen() {
        for (licence, allowed) in [
            ("CC-BY-4.0", true),
            ("CC-BY-NC-SA-4.0", true),
            ("CC-BY-ND-4.0", false),
            ("cc-by-nc-nd", false),
            ("Attribution-NoDerivatives", false),
        ] {
            assert_eq!(allows_derivatives(licence), allowed, "{licence}");
        }
    }

    #[test]
    fn a_duration_is_read_in_seconds() {
        for (text, seconds) in [
            ("PT30M", Some(1_800)),
            ("PT1H5M10S", Some(3_910)),
            ("P1DT2H", Some(93_600)),
            ("P1M", None),
            ("30", None),
            ("P", None),
            ("PT", None),
        ] {
            assert_eq!(duration_s(text), seconds, "{text}");
        }
    }
}

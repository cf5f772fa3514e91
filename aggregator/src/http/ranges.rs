//! Which bytes of a file a request wants: RFC 9110, section 14.

use super::error::Problem;
use super::reply::Schemas;
use super::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::request::Parts;
use serde_json::json;

/// What the request says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    range: Option<String>,
    if_range: Option<String>,
    known: Option<String>,
}

/// What is to be sent of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Whole,
    /// From the first byte to the last, which counts.
    Part(u64, u64),
    /// Nothing of it lies within the file.
    Outside,
    /// The client has it.
    Known,
}

impl Wanted {
    /// Of a file of `size` bytes with this entity tag. More than one range at once is answered
    /// with the whole, as the RFC allows.
    pub(crate) fn of(&self, size: u64, tag: &str) -> Cut {
        let tags = self.known.as_deref().unwrap_or_default().split(',');
        if tags.map(|own| own.trim().trim_start_matches("W/")).any(|own| own == tag || own == "*") {
            return Cut::Known;
        }
        let Some(range) = &self.range else { return Cut::Whole };
        // A date is never taken for a strong validator here.
        if self.if_range.as_ref().is_some_and(|own| own.trim() != tag) {
            return Cut::Whole;
        }
        parse(range, size)
    }
}

fn parse(range: &str, size: u64) -> Cut {
    let Some(("bytes", set)) = range.split_once('=').map(|(unit, set)| (unit.trim(), set)) else {
        return Cut::Whole;
    };
    let Some((first, last)) = set.split_once('-').filter(|_| !set.contains(',')) else {
        return Cut::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that no file reaches is as good as the largest.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => match suffix.min(size) {
            0 => Cut::Outside,
            suffix => Cut::Part(size - suffix, size - 1),
        },
        (Some(first), last) if last.is_some() || set.trim().ends_with('-') => {
            let last = last.unwrap_or(u64::MAX);
            match (first <= last, first < size) {
                (true, true) => Cut::Part(first, last.min(size - 1)),
                (true, false) => Cut::Outside,
                (false, _) => Cut::Whole,
            }
        }
        _ => Cut::Whole,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |name| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        Ok(Self { range: text(RANGE), if_range: text(IF_RANGE), known: text(IF_NONE_MATCH) })
    }
}

impl Input for Wanted {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        for (name, text) in [
            ("Range", "Some of its bytes: `bytes=0-1023`."),
            ("If-Range", "The ETag that the range is meant for; the whole where it is another."),
            ("If-None-Match", "The ETag of what is known; 304 where it still is that."),
        ] {
            operation.parameters.push(json!({
                "name": name, "in": "header", "required": false, "description": text,
                "schema": { "type": "string" },
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_as_the_rfc_says() {
        for (range, cut) in [
            ("bytes=0-0", Cut::Part(0, 0)),
            ("bytes=0-499", Cut::Part(0, 499)),
            ("bytes=500-", Cut::Part(500, 999)),
            ("bytes=990-5000", Cut::Part(990, 999)),
            ("bytes=-1", Cut::Part(999, 999)),
            ("bytes=-5000", Cut::Part(0, 999)),
            ("bytes=0-99999999999999999999999", Cut::Part(0, 999)),
            ("bytes=1000-", Cut::Outside),
            ("bytes=-0", Cut::Outside),
            ("bytes=5-1", Cut::Whole),
            ("bytes=0-1,5-6", Cut::Whole),
            ("bytes=a-b", Cut::Whole),
            ("bytes=-", Cut::Whole),
            ("bytes=", Cut::Whole),
            ("lines=0-1", Cut::Whole),
        ] {
            assert_eq!(parse(range, 1_000), cut, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Cut::Outside);
    }

    #[test]
    fn a_range_of_another_version_is_the_whole_and_a_known_version_is_not_sent() {
        let wanted = |range: &str, if_range: Option<&str>, known: Option<&str>| Wanted {
            range: Some(range.into()),
            if_range: if_range.map(str::to_owned),
            known: known.map(str::to_owned),
        };
        let part = "bytes=0-9";
        assert_eq!(wanted(part, Some("\"a\""), None).of(100, "\"a\""), Cut::Part(0, 9));
        assert_eq!(wanted(part, Some("\"b\""), None).of(100, "\"a\""), Cut::Whole);
        assert_eq!(wanted(part, None, Some("\"b\", W/\"a\"")).of(100, "\"a\""), Cut::Known);
    }
}

//! `outside.json`: what a case's agent answers, one ask after another.

use anyhow::{Context as _, Result, ensure};
use flyball_plugin_messages::{Answer, Ask, Failure, FailureKind, Fetched, Message};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const FILE: &str = "outside.json";
const MOST: usize = 1_000;

/// What is answered to the ask that is next, if it is about this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) about: About,
    pub(crate) answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum About {
    Url(String),
    Broker(String),
    Messages,
}

/// A line as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    url: Option<String>,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// The body is a file of the case.
    file: Option<String>,
    broker: Option<String>,
    messages: Option<Vec<WrittenMessage>>,
    refused: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMessage {
    topic: String,
    payload: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Refusal {
    Denied,
    Limit,
    Upstream,
}

impl Refusal {
    fn answer(self) -> Answer {
        let (kind, why) = match self {
            Self::Denied => (FailureKind::Denied, "it is not granted"),
            Self::Limit => (FailureKind::Limit, "its answer is too large"),
            Self::Upstream => (FailureKind::Upstream, "it does not answer"),
        };
        Answer::Refused(Failure::new(kind, why))
    }
}

/// Every line of the case's script; none where it has none.
pub(super) fn read(folder: &Path) -> Result<Vec<Line>> {
    let written: Vec<Written> = super::json(&folder.join(FILE))?.unwrap_or_default();
    ensure!(written.len() <= MOST, "{}/{FILE} has more than {MOST} lines", folder.display());
    let line = |(number, written)| {
        line(written, folder).with_context(|| format!("{}/{FILE}: line {number}", folder.display()))
    };
    (1..).zip(written).map(line).collect()
}

fn line(written: Written, folder: &Path) -> Result<Line> {
    let about = match (&written.url, &written.broker, &written.messages) {
        (Some(url), None, None) => About::Url(url.clone()),
        (None, Some(broker), None) => About::Broker(broker.clone()),
        (None, None, Some(_)) => About::Messages,
        _ => anyhow::bail!("it needs one of url, broker and messages"),
    };
    if let Some(refusal) = written.refused {
        return Ok(Line { about, answer: refusal.answer() });
    }
    let answer = match &about {
        About::Url(_) => Answer::Fetched(Fetched {
            status: written.status.unwrap_or(200),
            headers: written.headers.into_iter().collect(),
            body: match (written.body, written.file) {
                (Some(_), Some(_)) => anyhow::bail!("it has a body and a file, keep one"),
                (Some(body), None) => body.into_bytes(),
                (None, Some(file)) => super::bounded(&folder.join(file))?,
                (None, None) => Vec::new(),
            },
        }),
        About::Broker(_) => Answer::Subscribed,
        About::Messages => {
            let message =
                |it: WrittenMessage| Message { topic: it.topic, payload: it.payload.into_bytes() };
            Answer::Taken(written.messages.into_iter().flatten().map(message).collect())
        }
    };
    Ok(Line { about, answer })
}

/// What becomes of an ask, and how it is shown.
pub(crate) fn answer(lines: &mut impl Iterator<Item = Line>, ask: &Ask) -> (Answer, String) {
    let (shown, asked) = match ask {
        Ask::Fetch(fetch) => {
            (format!("{} {}", fetch.method, fetch.url), About::Url(fetch.url.clone()))
        }
        Ask::Subscribe { broker, filters } => {
            (format!("subscribe {} at {broker}", filters.join(", ")), About::Broker(broker.clone()))
        }
        Ask::Take { most } => (format!("take {most} messages"), About::Messages),
        Ask::Progress { done, total, note } => {
            let total = total.map_or_else(|| "?".into(), |total| total.to_string());
            return (
                Answer::Progress { go_on: true },
                format!("progress {done} of {total}: {note}"),
            );
        }
    };
    match lines.next() {
        Some(line) if line.about == asked => (line.answer, shown),
        other => {
            let next = match other.map(|line| line.about) {
                Some(About::Url(url)) => format!("{FILE} has {url} next"),
                Some(About::Broker(broker)) => format!("{FILE} has the broker {broker} next"),
                Some(About::Messages) => format!("{FILE} has messages next"),
                None => format!("{FILE} has nothing more"),
            };
            let why = format!("it asked for {shown}, and {next}");
            (Answer::Refused(Failure::new(FailureKind::Denied, why.clone())), why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(text: &str) -> Result<Vec<Line>> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join(FILE), text)?;
        std::fs::write(folder.path().join("page"), "whole")?;
        read(folder.path())
    }

    #[test]
    fn lines_answer_what_they_are_about_in_their_order() {
        let lines = read_from(
            r#"[{ "url": "http://h/", "status": 404, "headers": { "a": "b" }, "file": "page" },
                { "url": "http://h/", "refused": "denied" },
                { "broker": "mqtt://b:1883" },
                { "messages": [{ "topic": "t", "payload": "p" }] }]"#,
        );
        let mut lines = lines.unwrap().into_iter();
        let take = Ask::Take { most: 5 };
        let subscribe = Ask::Subscribe { broker: "mqtt://b:1883".into(), filters: Vec::new() };
        let fetch = Ask::Fetch(flyball_plugin_messages::Fetch {
            method: "GET".into(),
            url: "http://h/".into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: 1,
        });
        let Answer::Fetched(fetched) = answer(&mut lines, &fetch).0 else { panic!() };
        assert_eq!((fetched.status, &fetched.body[..]), (404, &b"whole"[..]));
        assert!(matches!(answer(&mut lines, &fetch).0, Answer::Refused(_)));
        assert_eq!(answer(&mut lines, &subscribe).0, Answer::Subscribed);
        assert!(matches!(answer(&mut lines, &take).0, Answer::Taken(taken) if taken.len() == 1));
        let (refused, why) = answer(&mut lines, &take);
        assert!(matches!(refused, Answer::Refused(_)));
        assert_eq!(why, "it asked for take 5 messages, and outside.json has nothing more");
    }

    #[test]
    fn a_line_that_is_about_nothing_or_too_much_is_named() {
        for (text, why) in [
            ("[{}]", "line 1"),
            (r#"[{ "url": "a", "broker": "b" }]"#, "one of url, broker and messages"),
            (r#"[{ "url": "a", "body": "b", "file": "c" }]"#, "keep one"),
            (r#"[{ "url": "a", "file": "none" }]"#, "none"),
            (r#"[{ "uri": "a" }]"#, "uri"),
        ] {
            let said = format!("{:#}", read_from(text).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}

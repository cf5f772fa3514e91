//! `expect.json`, and how what came out differs from it.

use super::outcome::{Seen, kind_word};
use crate::project;
use anyhow::{Context as _, Result};
use flyball_plugin_messages::Image;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) const FILE: &str = "expect.json";
/// As much of a text as a difference shows.
const SHOWN_CHARACTERS: usize = 120;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    pub(crate) ok: bool,
    /// Of the error, such as `invalid-input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// What the error's message contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<u32>,
    /// What the picture contains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) contains: Vec<String>,
    /// Every diagnostic, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) diagnostics: Vec<Finding>,
    /// The ids of what an import gives, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) items: Vec<String>,
    /// What the last poll gives, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) readings: Vec<Read>,
}

/// A reading: its value, or the word for why it is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<String>,
}

impl std::fmt::Display for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} `{}`", self.kind, self.name, self.unit)?;
        for (key, value) in &self.labels {
            write!(f, " {key}={value:?}")?;
        }
        match (&self.value, &self.absent) {
            (Some(value), _) => write!(f, " = {value}"),
            (None, Some(why)) => write!(f, " is absent: {why}"),
            (None, None) => f.write_str(" is no number"),
        }
    }
}

/// A diagnostic without its words, which may be improved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) severity: String,
    pub(crate) code: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}` at {}:{}", self.severity, self.code, self.line, self.column)
    }
}

impl Expectation {
    /// One line for every difference; empty where there is none.
    pub(crate) fn differences(&self, seen: &Seen, folder: &Path) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        self.compare_end(seen, &mut lines);
        let found = seen.as_expected();
        compare("the width", self.width, found.width, &mut lines);
        compare("the height", self.height, found.height, &mut lines);
        for number in 0..self.diagnostics.len().max(found.diagnostics.len()) {
            let (wanted, got) = (self.diagnostics.get(number), found.diagnostics.get(number));
            if wanted != got {
                let shown = |one: Option<&Finding>| one.map_or("none".into(), Finding::to_string);
                let (wanted, got) = (shown(wanted), shown(got));
                lines.push(format!("diagnostic {}: expected {wanted}, got {got}", number + 1));
            }
        }
        if self.items != found.items {
            lines.push(format!("items: expected {:?}, got {:?}", self.items, found.items));
        }
        for number in 0..self.readings.len().max(found.readings.len()) {
            let (wanted, got) = (self.readings.get(number), found.readings.get(number));
            if wanted != got {
                let shown = |one: Option<&Read>| one.map_or("none".into(), Read::to_string);
                let (wanted, got) = (shown(wanted), shown(got));
                lines.push(format!("reading {}: expected {wanted}, got {got}", number + 1));
            }
        }
        if let Some(image) = &seen.image {
            self.compare_picture(image, folder, &mut lines)?;
        }
        Ok(lines)
    }

    fn compare_end(&self, seen: &Seen, lines: &mut Vec<String>) {
        match (&seen.failure, self.ok) {
            (None, true) => {}
            (None, false) => lines.push("expected an error, it went well".into()),
            (Some((kind, message)), true) => {
                lines.push(format!("expected it to go well, got {}: {message}", kind_word(*kind)));
            }
            (Some((kind, message)), false) => {
                compare("the kind", self.kind.as_deref(), Some(kind_word(*kind)), lines);
                if self.message.as_ref().is_some_and(|wanted| !message.contains(wanted)) {
                    let wanted = self.message.as_deref().unwrap_or_default();
                    lines.push(format!("the message: expected {wanted:?} in it, got {message:?}"));
                }
            }
        }
    }

    fn compare_picture(&self, image: &Image, folder: &Path, lines: &mut Vec<String>) -> Result<()> {
        compare("the media type", self.media_type.as_deref(), Some(&image.media_type), lines);
        let text = String::from_utf8_lossy(&image.data);
        for wanted in self.contains.iter().filter(|wanted| !text.contains(*wanted)) {
            lines.push(format!("the picture does not contain {wanted:?}; {}", shown(&text)));
        }
        let whole = picture_file(folder, image);
        if whole.is_file() {
            let wanted = project::read(&whole)?;
            if wanted != image.data {
                lines.push(format!(
                    "the picture is not {}: {}",
                    whole.display(),
                    first_difference(&wanted, &image.data)
                ));
            }
        }
        Ok(())
    }

    /// Records what came out. What the picture is to contain stays where it still does.
    pub(crate) fn bless(seen: &Seen, before: Option<&Self>, folder: &Path) -> Result<()> {
        let mut new = seen.as_expected();
        if let Some(image) = &seen.image {
            let text = String::from_utf8_lossy(&image.data);
            let contains = before.map(|before| before.contains.clone()).unwrap_or_default();
            new.contains = contains.into_iter().filter(|one| text.contains(one)).collect();
            project::write(&picture_file(folder, image), &image.data)?;
        }
        let mut text = serde_json::to_string_pretty(&new).context("no expectation")?;
        text.push('\n');
        project::write(&folder.join(FILE), text.as_bytes())
    }
}

/// A member that the expectation does not name is not compared.
fn compare<T: PartialEq + std::fmt::Debug>(
    what: &str,
    wanted: Option<T>,
    got: Option<T>,
    lines: &mut Vec<String>,
) {
    if let Some(wanted) = wanted
        && got.as_ref() != Some(&wanted)
    {
        let got = got.map_or("none".into(), |got| format!("{got:?}"));
        lines.push(format!("{what}: expected {wanted:?}, got {got}"));
    }
}

fn picture_file(folder: &Path, image: &Image) -> PathBuf {
    let ending = match image.media_type.as_str() {
        "image/svg+xml" => "svg",
        "image/png" => "png",
        _ => "bin",
    };
    folder.join("picture").with_extension(ending)
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
    format!("it is {} bytes and begins {start:?}", text.len())
}

/// Where two pictures part, with what stands there in each.
fn first_difference(wanted: &[u8], got: &[u8]) -> String {
    let at = wanted.iter().zip(got).take_while(|(a, b)| a == b).count();
    let part = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 60)]).into_owned();
        format!("{text:?}")
    };
    format!("from byte {at} on expected {}, got {}", part(wanted), part(got))
}

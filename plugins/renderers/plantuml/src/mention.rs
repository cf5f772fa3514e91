//! Things that a description diagram has by being mentioned: `[A] --> (B)` makes a component
//! and a use case. The library makes circles of them, so that they are declared beforehand.

use std::collections::BTreeSet;

/// Opener, closer, and the word that declares such a thing.
const FORMS: [(char, char, &str); 3] =
    [('[', ']', "component"), ('(', ')', "usecase"), (':', ':', "actor")];

/// `text` with a declaration before the line that first mentions something. `None` where
/// nothing is mentioned only.
#[must_use]
pub(crate) fn declared(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 256);
    let mut seen = BTreeSet::new();
    for line in text.split_inclusive('\n') {
        let indent: String = line.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
        for (word, name) in mentions(line) {
            if seen.insert((word, name.clone())) {
                out.push_str(&format!("{indent}{word} \"{name}\" as {}\n", form(word, &name)));
            }
        }
        out.push_str(line);
    }
    (!seen.is_empty()).then_some(out)
}

/// Does `text` have use cases? The library draws them as boxes.
#[must_use]
pub(crate) fn has_use_cases(text: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start().to_ascii_lowercase().starts_with("usecase")
            || mentions(line).iter().any(|(word, _)| *word == "usecase")
    })
}

fn form(word: &str, name: &str) -> String {
    let (open, close) = FORMS
        .iter()
        .find(|(_, _, known)| *known == word)
        .map_or(('[', ']'), |(open, close, _)| (*open, *close));
    format!("{open}{name}{close}")
}

/// What a line has at its two ends, where it is a link, or alone.
fn mentions(line: &str) -> Vec<(&'static str, String)> {
    let link = before_label(line.trim());
    let first = first_thing(link);
    let rest = first.as_ref().map_or(link, |(_, _, rest)| rest.trim());
    let is_link =
        ["--", "..", "->", "<-", "~~", "==", ".>", "<."].iter().any(|arrow| link.contains(arrow));
    let mut found = Vec::new();
    if let Some((word, name, _)) = &first
        && (is_link || rest.is_empty())
    {
        found.push((*word, name.clone()));
    }
    if let (true, Some(last)) = (is_link, last_thing(rest)) {
        found.push(last);
    }
    found
}

/// A label begins with ` : `; a name between colons has no such space.
fn before_label(line: &str) -> &str {
    line.find(" : ").map_or(line, |label| &line[..label]).trim_end()
}

fn first_thing(line: &str) -> Option<(&'static str, String, &str)> {
    let (_, close, word) = FORMS.iter().find(|(open, _, _)| line.starts_with(*open))?;
    let inside = &line[1..];
    let end = inside.find(*close)?;
    Some((*word, named(&inside[..end])?, &inside[end + 1..]))
}

/// Only behind an arrow and a space: brackets may be the style of an arrow.
fn last_thing(rest: &str) -> Option<(&'static str, String)> {
    let (open, _, word) = FORMS.iter().find(|(_, close, _)| rest.ends_with(*close))?;
    let inside = &rest[..rest.len() - 1];
    let start = inside.rfind(&format!(" {open}"))? + 2;
    Some((*word, named(inside.get(start..)?)?))
}

fn named(name: &str) -> Option<String> {
    let name = name.trim();
    let plain =
        !name.is_empty() && !name.contains(['"', '\\', '[', ']', '(', ')', ':', '<', '>', '*']);
    plain.then(|| name.to_owned())
}

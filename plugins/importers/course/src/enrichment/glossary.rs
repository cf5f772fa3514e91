//! Words from sentences that define them.

use crate::text::sentences;
use crate::umcf::{Node, SegmentKind, Term};

const MAX_TERM_WORDS: usize = 5;
const MAX_TERMS: usize = 50;

/// `a governor is defined as …`: the word stands before the mark.
const BEFORE: [&str; 4] =
    [" is defined as ", " are defined as ", " is defined to be ", " refers to "];
/// `… is called a governor`: the word stands behind it.
const BEHIND: [&str; 4] = [" is called ", " are called ", " is known as ", " are known as "];

/// Adds what the node's own text defines; says how many.
pub(super) fn add(node: &mut Node) -> usize {
    let before = node.terms.len();
    for segment in &node.segments {
        if segment.kind == SegmentKind::Checkpoint || segment.kind == SegmentKind::Example {
            continue;
        }
        for sentence in sentences(&segment.text) {
            if let Some(term) = defined(&sentence)
                && node.terms.len() < MAX_TERMS
                && node.terms.iter().all(|own| !own.term.eq_ignore_ascii_case(&term))
            {
                node.terms.push(Term { term, definition: sentence, spoken: None });
            }
        }
    }
    node.terms.len() - before
}

fn defined(sentence: &str) -> Option<String> {
    let before = BEFORE.iter().find_map(|mark| sentence.split_once(mark).map(|(term, _)| term));
    let behind = || BEHIND.iter().find_map(|mark| sentence.split_once(mark).map(|(_, term)| term));
    term(before.or_else(behind)?)
}

/// Without its article and what follows it; `None` where it is no word of a subject.
fn term(text: &str) -> Option<String> {
    let end = text.find([',', ';', '.', ':', '(', '—']).unwrap_or(text.len());
    let lead = match text.rfind(", ") {
        // `In steam, a governor` is about the governor.
        Some(at) if text[at + 2..].split_whitespace().count() <= MAX_TERM_WORDS => &text[at + 2..],
        _ => &text[..end],
    };
    let lead = lead.trim().trim_matches(['"', '“', '”', '\'']);
    let bare = ["a ", "an ", "the ", "A ", "An ", "The "]
        .iter()
        .find_map(|article| lead.strip_prefix(article))
        .unwrap_or(lead)
        .trim_end_matches(['.', '!', '?']);
    let words = bare.split_whitespace().count();
    let first = bare.split_whitespace().next().unwrap_or_default().to_lowercase();
    let stands_for_another = matches!(
        first.as_str(),
        "it" | "this"
            | "that"
            | "these"
            | "they"
            | "which"
            | "what"
            | "he"
            | "she"
            | "we"
            | "as"
            | "by"
    );
    ((1..=MAX_TERM_WORDS).contains(&words) && !stands_for_another && bare.chars().count() > 2)
        .then(|| bare.to_owned())
}

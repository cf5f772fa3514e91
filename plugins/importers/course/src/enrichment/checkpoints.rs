//! A question after every three segments.

use crate::umcf::{Checkpoint, Node, Segment, SegmentKind, Term};
use std::collections::BTreeMap;

const EVERY: usize = 3;
const CONCEPTS: usize = 3;
/// Shorter words carry little.
const WORD_CHARS: usize = 5;

/// Common words that say nothing of a subject.
const COMMON: [&str; 60] = [
    "about",
    "above",
    "after",
    "again",
    "along",
    "already",
    "although",
    "always",
    "another",
    "because",
    "before",
    "being",
    "below",
    "between",
    "cannot",
    "could",
    "different",
    "doing",
    "during",
    "either",
    "every",
    "example",
    "first",
    "going",
    "gonna",
    "happens",
    "having",
    "here's",
    "however",
    "itself",
    "later",
    "let's",
    "likely",
    "little",
    "makes",
    "maybe",
    "might",
    "never",
    "often",
    "okay",
    "other",
    "people",
    "really",
    "right",
    "second",
    "should",
    "since",
    "something",
    "still",
    "that's",
    "their",
    "there",
    "these",
    "thing",
    "things",
    "think",
    "those",
    "through",
    "where",
    "which",
];
const COMMON_TOO: [&str; 12] = [
    "would", "while", "without", "within", "under", "until", "third", "three", "today", "using",
    "very", "will",
];

/// Puts them in; says how many.
pub(super) fn insert(node: &mut Node) -> usize {
    let mut with = Vec::with_capacity(node.segments.len() + node.segments.len() / EVERY);
    let mut count = 0;
    let segments = std::mem::take(&mut node.segments);
    for (index, segment) in segments.into_iter().enumerate() {
        with.push(segment);
        if (index + 1) % EVERY == 0 {
            let from = with.len() - EVERY;
            if let Some(checkpoint) = checkpoint(&with[from..], &node.terms) {
                with.push(checkpoint);
                count += 1;
            }
        }
    }
    node.segments = with;
    count
}

fn checkpoint(segments: &[Segment], terms: &[Term]) -> Option<Segment> {
    let text = segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ");
    let lower = text.to_lowercase();
    let term = terms.iter().find(|term| lower.contains(&term.term.to_lowercase()));
    let concepts = concepts(&lower);
    let prompt = match (term, concepts.as_slice()) {
        (Some(term), _) => format!("In your own words: what is meant by “{}”?", term.term),
        (None, [first, second, ..]) => {
            format!("In your own words: what did this part say about {first} and {second}?")
        }
        (None, [only]) => format!("In your own words: what did this part say about {only}?"),
        (None, []) => return None,
    };
    let mut segment = Segment::new(SegmentKind::Checkpoint, prompt.clone());
    segment.checkpoint = Some(Checkpoint { prompt, concepts });
    Some(segment)
}

/// The words that come most often, in the order of their first use where they come equally.
fn concepts(lower: &str) -> Vec<String> {
    let mut counted: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (index, word) in lower.split_whitespace().enumerate() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_word = word.chars().count() >= WORD_CHARS
            && word.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '-')
            && !COMMON.contains(&word)
            && !COMMON_TOO.contains(&word);
        if is_word {
            counted.entry(word).or_insert((0, index)).0 += 1;
        }
    }
    let mut words: Vec<(&str, (usize, usize))> = counted.into_iter().collect();
    words.sort_by_key(|(_, (count, first))| (std::cmp::Reverse(*count), *first));
    words.into_iter().take(CONCEPTS).map(|(word, _)| word.to_owned()).collect()
}

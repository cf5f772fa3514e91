//! Objectives: those that the author lists, those in the verbs of an abstract, and those that
//! the headings stand for.

use crate::text::{sentences, shortened};
use crate::umcf::{Node, Objective};

const MAX_OBJECTIVES: usize = 8;
const MAX_CHARS: usize = 200;

/// A verb of an abstract, the verb of its objective, and Bloom's word for it.
const VERBS: [(&str, &str, &str); 34] = [
    ("define", "Define", "remember"),
    ("list", "List", "remember"),
    ("identify", "Identify", "remember"),
    ("recall", "Recall", "remember"),
    ("introduce", "Describe", "understand"),
    ("describe", "Describe", "understand"),
    ("explain", "Explain", "understand"),
    ("discuss", "Discuss", "understand"),
    ("cover", "Explain", "understand"),
    ("present", "Describe", "understand"),
    ("review", "Summarize", "understand"),
    ("summarize", "Summarize", "understand"),
    ("illustrate", "Illustrate", "understand"),
    ("understand", "Explain", "understand"),
    ("apply", "Apply", "apply"),
    ("use", "Use", "apply"),
    ("solve", "Solve", "apply"),
    ("compute", "Compute", "apply"),
    ("calculate", "Calculate", "apply"),
    ("implement", "Implement", "apply"),
    ("demonstrate", "Demonstrate", "apply"),
    ("derive", "Derive", "analyze"),
    ("prove", "Prove", "analyze"),
    ("analyze", "Analyze", "analyze"),
    ("analyse", "Analyse", "analyze"),
    ("compare", "Compare", "analyze"),
    ("examine", "Examine", "analyze"),
    ("explore", "Examine", "analyze"),
    ("distinguish", "Distinguish", "analyze"),
    ("evaluate", "Evaluate", "evaluate"),
    ("assess", "Assess", "evaluate"),
    ("design", "Design", "create"),
    ("build", "Build", "create"),
    ("construct", "Construct", "create"),
];

/// Headings that say nothing of their subject.
const GENERIC: [&str; 22] = [
    "introduction",
    "summary",
    "overview",
    "conclusion",
    "conclusions",
    "exercises",
    "exercise",
    "problems",
    "practice",
    "review",
    "review questions",
    "references",
    "further reading",
    "vocabulary",
    "lecture notes",
    "notes",
    "transcript",
    "readings",
    "resources",
    "contents",
    "examples",
    "points to consider",
];

pub(super) fn add(topic: &mut Node) {
    let mut found = Vec::new();
    for child in &topic.children {
        if is_list_of_objectives(&child.title) {
            let texts = child.segments.iter().flat_map(|segment| sentences(&segment.text));
            found.extend(texts.filter_map(|text| stated(&text)));
        }
    }
    found.extend(of_abstract(topic.description.as_deref().unwrap_or_default()));
    for segment in topic.segments.iter().take(4) {
        found.extend(of_abstract(&segment.text));
    }
    let headings = std::iter::once(&topic.title).chain(topic.children.iter().map(|c| &c.title));
    found.extend(headings.filter_map(|heading| of_heading(heading)));
    keep(topic, found);
}

pub(super) fn add_from_abstract(whole: &mut Node, text: &str) {
    keep(whole, of_abstract(text));
}

fn keep(node: &mut Node, found: Vec<Objective>) {
    for objective in found {
        let is_new = node
            .objectives
            .iter()
            .all(|own| !own.statement.eq_ignore_ascii_case(&objective.statement));
        if is_new && node.objectives.len() < MAX_OBJECTIVES {
            node.objectives.push(objective);
        }
    }
}

fn is_list_of_objectives(title: &str) -> bool {
    let lower = title.to_lowercase();
    ["objective", "outcomes", "you will learn", "be able to", "learning goals"]
        .iter()
        .any(|mark| lower.contains(mark))
}

/// An objective as its author states it.
fn stated(text: &str) -> Option<Objective> {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches(['.', ';']);
    let verb = text.split_whitespace().next()?.to_lowercase();
    let level =
        VERBS.iter().find(|(own, ..)| *own == verb).map_or("understand", |(.., level)| level);
    (text.split_whitespace().count() > 1)
        .then(|| Objective { statement: shortened(text, MAX_CHARS), level })
}

/// `This lecture derives the heat equation, and …`: derive the heat equation. Only sentences
/// that speak of the course, or of who takes it.
fn of_abstract(text: &str) -> Vec<Objective> {
    sentences(text).iter().filter_map(|sentence| of_sentence(sentence)).collect()
}

fn of_sentence(sentence: &str) -> Option<Objective> {
    let lower = sentence.to_lowercase();
    let speaks_of_itself = [
        "this course",
        "this lecture",
        "this class",
        "this chapter",
        "this lesson",
        "this section",
        "this unit",
        "the course",
        "the lecture",
        "students",
        "you will",
        "we will",
        "learners",
        "today we",
    ];
    if !speaks_of_itself.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let (at, verb) = words.iter().enumerate().find_map(|(at, word)| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        VERBS.iter().find(|(verb, ..)| is_form(&word, verb)).map(|verb| (at, verb))
    })?;
    let object = words.get(at + 1..)?.join(" ");
    let end = [", and ", "; ", ", which ", " (", ". "].iter().filter_map(|mark| object.find(mark));
    let object = &object[..end.min().unwrap_or(object.len())];
    let object = object.trim_end_matches(['.', ',', ';', ':', '!']);
    // One word alone is rarely a subject, and a long one is a story.
    let (_, imperative, level) = verb;
    (object.split_whitespace().count() > 0).then(|| Objective {
        statement: shortened(&format!("{imperative} {object}"), MAX_CHARS),
        level,
    })
}

/// The verb itself, or its third person.
fn is_form(word: &str, verb: &str) -> bool {
    let third = match verb {
        verb if verb.ends_with(['s']) => format!("{verb}es"),
        verb if verb.ends_with('y') && !verb.ends_with("ay") => {
            format!("{}ies", verb.trim_end_matches('y'))
        }
        verb => format!("{verb}s"),
    };
    word == verb || word == third
}

fn of_heading(heading: &str) -> Option<Objective> {
    let title = bare(heading);
    let lower = title.to_lowercase();
    if lower.chars().count() < 4
        || GENERIC.contains(&lower.as_str())
        || is_list_of_objectives(&lower)
    {
        return None;
    }
    let after = |starts: &[&str]| {
        starts
            .iter()
            .find(|start| lower.starts_with(**start))
            .and_then(|start| title.get(start.len()..))
    };
    let (statement, level) = if let Some(rest) = after(&["introduction to ", "intro to "]) {
        (format!("Describe {rest}"), "understand")
    } else if let Some(rest) = after(&["definition of ", "definitions of "]) {
        (format!("Define {rest}"), "remember")
    } else if let Some(rest) = after(&["proof of ", "derivation of "]) {
        (
            format!(
                "Follow the {} of {rest}",
                if lower.starts_with('p') { "proof" } else { "derivation" }
            ),
            "analyze",
        )
    } else if let Some(rest) = after(&["application of ", "applications of ", "using "]) {
        (format!("Apply {rest}"), "apply")
    } else if let Some(rest) = after(&["example of ", "examples of "]) {
        (format!("Give examples of {rest}"), "understand")
    } else if lower.contains(" vs. ") || lower.contains(" vs ") || lower.contains(" versus ") {
        (
            format!(
                "Compare {}",
                title
                    .replace(" vs. ", " with ")
                    .replace(" vs ", " with ")
                    .replace(" versus ", " with ")
            ),
            "analyze",
        )
    } else if ["how ", "why ", "what ", "when "].iter().any(|start| lower.starts_with(start)) {
        let question = title.trim_end_matches('?');
        let first = question.chars().next().map(|c| c.to_lowercase().to_string());
        let rest: String = question.chars().skip(1).collect();
        (format!("Explain {}{rest}", first.unwrap_or_default()), "understand")
    } else {
        (format!("Explain {title}"), "understand")
    };
    Some(Objective { statement: shortened(&statement, MAX_CHARS), level })
}

/// Without `Lecture 3:` or `1.2` before it.
fn bare(heading: &str) -> &str {
    let heading = heading.trim();
    let lower = heading.to_lowercase();
    let counted = ["lecture", "lesson", "chapter", "session", "unit", "week", "part", "section"]
        .iter()
        .find(|word| lower.starts_with(**word))
        .and_then(|word| heading.get(word.len()..))
        .filter(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    let rest = counted.unwrap_or(heading).trim_start();
    let name = rest.trim_start_matches(|c: char| c.is_ascii_digit() || ".:-–— ".contains(c));
    if name.is_empty() { heading } else { name }
}

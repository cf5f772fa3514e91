//! One chapter: its opening page and its lessons.

use course::html::Page;
use course::switches::Switch;
use course::text::{sentences, slug};
use course::umcf::{Assessment, AssessmentKind, Node, NodeKind, Term};
use course::{Extract, Fault, Package, Switches, pages};

/// A page of the spine under its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) entry: String,
    /// `None` where it goes on with the page before it.
    pub(crate) title: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chapter {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) leaves: Vec<Leaf>,
}

pub(crate) fn extract(
    package: &Package,
    chapter: &Chapter,
    switches: &Switches,
) -> Result<Extract, Fault> {
    let mut extract = Extract::default();
    let mut topic = Node::new(chapter.id.clone(), chapter.title.clone(), NodeKind::Topic);
    for (index, leaf) in chapter.leaves.iter().enumerate() {
        let page = match package.text(&leaf.entry).and_then(|text| Page::parse(&leaf.entry, &text))
        {
            Ok(page) => page,
            Err(fault @ (Fault::Hostile { .. } | Fault::Read { .. })) => return Err(fault),
            Err(fault) => {
                extract.warnings.push(fault.to_string());
                continue;
            }
        };
        if let Some(title) = leaf.title.as_ref().filter(|_| index > 0) {
            let id = format!("{}.{index}-{}", chapter.id, slug(title));
            topic.children.push(Node::new(id, title.clone(), NodeKind::Lesson));
        }
        let is_lesson = |node: &&mut Node| node.kind == NodeKind::Lesson;
        let node = match topic.children.last_mut().filter(is_lesson) {
            Some(lesson) => lesson,
            None => &mut topic,
        };
        read(package, &leaf.entry, &page, node, switches, &mut extract);
    }
    extract.found |= !topic.is_empty();
    if !switches.has(Switch::IncludeTranscripts) {
        silence(&mut topic, 0);
    }
    extract.node = Some(topic).filter(|_| extract.found);
    Ok(extract)
}

fn read(
    package: &Package,
    entry: &str,
    page: &Page,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) {
    node.tell(page);
    extract.found |= !node.is_empty();
    node.define(page);
    words_and_questions(node, switches);
    if !switches.has(Switch::IncludeGlossary) {
        node.terms.clear();
    }
    if switches.has(Switch::IncludeMedia) {
        pages::show(package, entry, page, node, extract);
    }
}

/// Sections of vocabulary and of review become what they are.
fn words_and_questions(node: &mut Node, switches: &Switches) {
    let sections = std::mem::take(&mut node.children);
    for section in sections {
        let title = section.title.to_lowercase();
        let has = |marks: &[&str]| marks.iter().any(|mark| title.contains(mark));
        if has(&["vocabulary", "key terms", "glossary"]) {
            node.terms.extend(section.segments.iter().filter_map(|own| term(&own.text)));
        } else if has(&["review", "practice", "exercise", "problem", "questions"])
            && !section.segments.is_empty()
        {
            if switches.has(Switch::IncludeAssignments) {
                ask(node, &section);
            }
        } else {
            node.children.push(section);
        }
    }
}

/// `afflux: a flow towards something`
fn term(text: &str) -> Option<Term> {
    let (term, definition) =
        [": ", " – ", " — ", " - "].iter().find_map(|mark| text.split_once(mark))?;
    let is_word = term.split_whitespace().count() <= 5 && !definition.is_empty();
    is_word.then(|| Term { term: term.to_owned(), definition: definition.to_owned(), spoken: None })
}

fn ask(node: &mut Node, section: &Node) {
    for segment in &section.segments {
        let is_question = sentences(&segment.text).len() < 12;
        if is_question {
            let number = node.assessments.len() + 1;
            node.assessments.push(Assessment {
                id: format!("{}-question-{number}", node.id),
                kind: AssessmentKind::TextEntry,
                title: section.title.clone(),
                prompt: segment.text.clone(),
                spoken: None,
                choices: Vec::new(),
                correct: Vec::new(),
                max_score: None,
                feedback: (None, None),
            });
        }
    }
}

fn silence(node: &mut Node, depth: usize) {
    const MAX_DEPTH: usize = 16;
    node.segments.clear();
    if depth < MAX_DEPTH {
        node.children.iter_mut().for_each(|child| silence(child, depth + 1));
    }
}

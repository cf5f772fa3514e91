//! Assessments as QTI 1.2 has them, and what both versions share.

use course::html::{Block, Page};
use course::umcf::{Assessment, AssessmentKind, Choice};
use course::xml::{self, roxmltree::Node};
use course::{Fault, Package};

pub(crate) const MAX_QUESTIONS: usize = 2_000;
/// Answers of one question, given or right.
const MAX_CHOICES: usize = 200;
/// Conditions nest a little: `and`, `or`, `not`.
const MAX_CONDITION_DEPTH: usize = 16;

/// Questions of one file, and what could not be read of it.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    pub(crate) asked: Vec<Assessment>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn read(package: &Package, entry: &str) -> Result<Questions, Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let mut questions = Questions::default();
    for item in xml::all(document.root_element(), "item") {
        if questions.asked.len() >= MAX_QUESTIONS {
            questions.warnings.push(format!("{entry}: only {MAX_QUESTIONS} questions were taken"));
            break;
        }
        match question(entry, item) {
            Some(question) => questions.asked.push(question),
            None => {
                let id = item.attribute("ident").unwrap_or_default();
                questions.warnings.push(format!("{entry}: question `{id}` has no text"));
            }
        }
    }
    Ok(questions)
}

fn question(entry: &str, item: Node<'_, '_>) -> Option<Assessment> {
    let presentation = xml::child(item, "presentation")?;
    let prompt = prompt(entry, presentation);
    if prompt.is_empty() {
        return None;
    }
    let field = |label: &str| {
        xml::all(item, "qtimetadatafield")
            .find(|own| xml::child(*own, "fieldlabel").is_some_and(|l| xml::text(l) == label))
            .and_then(|own| xml::child(own, "fieldentry"))
            .map(xml::text)
    };
    let profile = field("cc_profile").or_else(|| field("question_type")).unwrap_or_default();
    let correct = correct(item);
    let feedback = Feedback::read(entry, item);
    let choices: Vec<Choice> = xml::all(presentation, "response_label")
        .take(MAX_CHOICES)
        .map(|label| {
            let id = label.attribute("ident").unwrap_or_default().to_owned();
            Choice {
                text: material(entry, label),
                correct: correct.contains(&id),
                feedback: feedback.of_choice(item, &id),
                id,
            }
        })
        .collect();
    let is_multiple = xml::all(presentation, "response_lid").any(|own| {
        own.attribute("rcardinality").is_some_and(|c| c.eq_ignore_ascii_case("multiple"))
    });
    let kind = if choices.is_empty() {
        AssessmentKind::TextEntry
    } else if profile.contains("true_false") || is_truth(&choices) {
        AssessmentKind::TrueFalse
    } else if is_multiple || profile.contains("multiple_response") {
        AssessmentKind::MultipleChoice
    } else {
        AssessmentKind::Choice
    };
    let title = item.attribute("title").unwrap_or_default().to_owned();
    Some(Assessment {
        id: item.attribute("ident").unwrap_or_default().to_owned(),
        kind,
        title,
        prompt,
        spoken: None,
        choices,
        correct,
        max_score: field("cc_weighting").and_then(|text| text.parse().ok()),
        feedback: (feedback.right, feedback.wrong),
    })
}

pub(crate) fn is_truth(choices: &[Choice]) -> bool {
    matches!(choices, [a, b] if [a, b].iter().all(|choice| {
        matches!(choice.text.to_lowercase().as_str(), "true" | "false")
    }))
}

/// The material that stands before the answers.
fn prompt(entry: &str, presentation: Node<'_, '_>) -> String {
    let is_answer = |node: &Node<'_, '_>| {
        node.ancestors().any(|above| {
            matches!(above.tag_name().name(), "response_label" | "render_choice" | "render_fib")
        })
    };
    let texts = xml::all(presentation, "mattext").filter(|own| !is_answer(own));
    texts
        .map(|own| mattext(entry, own))
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn material(entry: &str, node: Node<'_, '_>) -> String {
    let texts = xml::all(node, "mattext").map(|own| mattext(entry, own));
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Its plain text; what is HTML says so, or looks like it.
fn mattext(entry: &str, node: Node<'_, '_>) -> String {
    let raw: String =
        node.descendants().filter(Node::is_text).filter_map(|inner| inner.text()).collect();
    let is_html = node.attribute("texttype").is_some_and(|kind| kind.contains("html"));
    if is_html || raw.contains("</") { plain(entry, &raw) } else { course::text::squeezed(&raw) }
}

/// The text of a piece of HTML.
pub(crate) fn plain(entry: &str, html: &str) -> String {
    match Page::parse(entry, html) {
        Ok(page) => page.blocks.iter().map(Block::text).collect::<Vec<_>>().join(" "),
        Err(_) => course::text::squeezed(html),
    }
}

/// Answers that a condition with a score asks for.
fn correct(item: Node<'_, '_>) -> Vec<String> {
    let mut correct: Vec<String> = Vec::new();
    for condition in xml::all(item, "respcondition").filter(|own| scores(*own)) {
        let Some(variables) = xml::child(condition, "conditionvar") else { continue };
        for equal in xml::all(variables, "varequal").filter(|own| !is_negated(*own)) {
            let answer = xml::text(equal);
            if correct.len() < MAX_CHOICES && !answer.is_empty() && !correct.contains(&answer) {
                correct.push(answer);
            }
        }
    }
    correct
}

fn scores(condition: Node<'_, '_>) -> bool {
    xml::children(condition, "setvar").any(|own| {
        let score: f64 = xml::text(own).parse().unwrap_or(0.0);
        score > 0.0 && !own.attribute("action").is_some_and(|a| a.eq_ignore_ascii_case("subtract"))
    })
}

fn is_negated(equal: Node<'_, '_>) -> bool {
    let above = equal.ancestors().take(MAX_CONDITION_DEPTH);
    above.filter(|own| own.tag_name().name() == "not").count() % 2 == 1
}

struct Feedback {
    right: Option<String>,
    wrong: Option<String>,
    by_id: Vec<(String, String)>,
}

impl Feedback {
    fn read(entry: &str, item: Node<'_, '_>) -> Self {
        let by_id: Vec<(String, String)> = xml::children(item, "itemfeedback")
            .filter_map(|own| Some((own.attribute("ident")?.to_owned(), material(entry, own))))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let named = |names: &[&str]| {
            let found = by_id.iter().find(|(id, _)| names.contains(&id.as_str()));
            found.map(|(_, text)| text.clone())
        };
        Self {
            right: named(&["correct_fb", "general_correct_fb", "general_fb"]),
            wrong: named(&["general_incorrect_fb", "incorrect_fb"]),
            by_id,
        }
    }

    /// What is said to who chooses it, where that is not said to everybody.
    fn of_choice(&self, item: Node<'_, '_>, choice: &str) -> Option<String> {
        let condition = xml::all(item, "respcondition")
            .filter(|own| !scores(*own))
            .find(|own| xml::all(*own, "varequal").any(|equal| xml::text(equal) == choice))?;
        let link = xml::child(condition, "displayfeedback")?.attribute("linkrefid")?;
        self.by_id.iter().find(|(id, _)| id == link).map(|(_, text)| text.clone())
    }
}

//! Questions as QTI 2.1 has them: one file each, or a test that names them.

use crate::qti::{MAX_QUESTIONS, Questions, is_truth};
use course::package::resolved;
use course::umcf::{Assessment, AssessmentKind, Choice};
use course::xml::{self, roxmltree::Node};
use course::{Fault, Package};

pub(crate) fn read(package: &Package, entry: &str) -> Result<Questions, Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let root = document.root_element();
    let mut questions = Questions::default();
    if root.tag_name().name() != "assessmentTest" {
        add(entry, root, &mut questions);
        return Ok(questions);
    }
    for item in xml::all(root, "assessmentItemRef").take(MAX_QUESTIONS) {
        let Some(path) = item.attribute("href").and_then(|href| resolved(entry, href)) else {
            continue;
        };
        if !package.has(&path) {
            questions.warnings.push(format!("{entry}: its question {path} is missing"));
            continue;
        }
        let text = xml::guarded_text(&path, &package.text(&path)?)?;
        add(&path, xml::parsed(&path, &text)?.root_element(), &mut questions);
    }
    Ok(questions)
}

fn add(entry: &str, item: Node<'_, '_>, questions: &mut Questions) {
    match question(item) {
        Some(question) => questions.asked.push(question),
        None => {
            let warning =
                format!("{entry}: it asks in a way that is not read (choice and text are)");
            questions.warnings.push(warning);
        }
    }
}

fn question(item: Node<'_, '_>) -> Option<Assessment> {
    let body = xml::child(item, "itemBody")?;
    let interaction = body.descendants().find(|own| {
        matches!(
            own.tag_name().name(),
            "choiceInteraction" | "textEntryInteraction" | "extendedTextInteraction"
        )
    })?;
    let declaration = xml::children(item, "responseDeclaration")
        .find(|own| own.attribute("identifier") == interaction.attribute("responseIdentifier"));
    let correct: Vec<String> = declaration
        .and_then(|own| xml::child(own, "correctResponse"))
        .into_iter()
        .flat_map(|own| xml::children(own, "value"))
        .map(xml::text)
        .collect();
    let choices: Vec<Choice> = xml::all(interaction, "simpleChoice")
        .map(|own| {
            let id = own.attribute("identifier").unwrap_or_default().to_owned();
            let feedback = xml::child(own, "feedbackInline").map(xml::text);
            Choice { text: xml::text(own), correct: correct.contains(&id), feedback, id }
        })
        .collect();
    let is_multiple = declaration.and_then(|own| own.attribute("cardinality")) == Some("multiple");
    let kind = match (choices.is_empty(), is_multiple) {
        (true, _) => AssessmentKind::TextEntry,
        (false, _) if is_truth(&choices) => AssessmentKind::TrueFalse,
        (false, true) => AssessmentKind::MultipleChoice,
        (false, false) => AssessmentKind::Choice,
    };
    let prompt = asked(body);
    (!prompt.is_empty()).then(|| Assessment {
        id: item.attribute("identifier").unwrap_or_default().to_owned(),
        kind,
        title: item.attribute("title").unwrap_or_default().to_owned(),
        prompt,
        spoken: None,
        choices,
        correct,
        max_score: None,
        feedback: (None, None),
    })
}

/// All text of the body but that of the choices.
fn asked(body: Node<'_, '_>) -> String {
    let mut text = String::new();
    for inner in body.descendants().filter(Node::is_text) {
        let is_choice = inner.ancestors().any(|above| above.tag_name().name() == "simpleChoice");
        if !is_choice {
            text.push_str(inner.text().unwrap_or_default());
            text.push(' ');
        }
    }
    course::text::squeezed(&text)
}

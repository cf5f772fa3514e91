//! What follows from a course by fixed rules, without a language model.
//!
//! Each rule runs only where its switch is on, gives the same for the same text, and is named
//! in the document's extensions, so that nobody takes its work for the author's.

mod checkpoints;
mod formulas;
mod glossary;
mod objectives;
mod speech;

use crate::about::About;
use crate::switches::{Switch, Switches};
use crate::umcf::{Media, Node, Segment, SegmentKind};
use serde_json::{Map, Value, json};

/// Nodes nest no deeper in what an importer makes.
const MAX_DEPTH: usize = 16;
/// Nobody says more than that at a stretch.
const MAX_SPOKEN_BYTES: usize = 20_000;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    objectives: usize,
    checkpoints: usize,
    spoken: usize,
    terms: usize,
}

#[derive(Debug)]
pub struct Enricher {
    makes_objectives: bool,
    makes_checkpoints: bool,
    makes_speech: bool,
    makes_glossary: bool,
    counts: Counts,
}

impl Enricher {
    #[must_use]
    pub fn new(switches: &Switches) -> Self {
        Self {
            makes_objectives: switches.has(Switch::GenerateObjectives),
            makes_checkpoints: switches.has(Switch::CreateCheckpoints),
            makes_speech: switches.has(Switch::GenerateSpokenText),
            makes_glossary: switches.has(Switch::GenerateGlossary),
            counts: Counts::default(),
        }
    }

    /// One topic with everything below it.
    pub fn enrich(&mut self, topic: &mut Node) {
        if self.makes_objectives {
            objectives::add(topic);
            self.counts.objectives += topic.objectives.len();
        }
        self.descend(topic, 0);
    }

    /// What belongs to the course: objectives of its abstract, and its own questions and words.
    pub fn enrich_whole(&mut self, whole: &mut Node, about: &About) {
        if self.makes_objectives {
            objectives::add_from_abstract(whole, &about.description);
            self.counts.objectives += whole.objectives.len();
        }
        self.descend(whole, 0);
    }

    fn descend(&mut self, node: &mut Node, depth: usize) {
        if self.makes_glossary {
            self.counts.terms += glossary::add(node);
        }
        if self.makes_speech {
            self.speak(node);
        }
        if self.makes_checkpoints {
            self.counts.checkpoints += checkpoints::insert(node);
        }
        if depth < MAX_DEPTH {
            node.children.iter_mut().for_each(|child| self.descend(child, depth + 1));
        }
    }

    fn speak(&mut self, node: &mut Node) {
        let mut count = 0;
        let mut said = |text: &str| {
            let spoken = (text.len() <= MAX_SPOKEN_BYTES).then(|| speech::spoken(text)).flatten();
            count += usize::from(spoken.is_some());
            spoken
        };
        // Code is shown, not said.
        let said_aloud = |own: &&mut Segment| own.kind != SegmentKind::Example;
        for segment in node.segments.iter_mut().filter(said_aloud) {
            segment.spoken = said(&segment.text);
        }
        for assessment in &mut node.assessments {
            assessment.spoken = said(&assessment.prompt);
        }
        for term in &mut node.terms {
            term.spoken = said(&term.definition);
        }
        for media in &mut node.media {
            if let Media::Formula { alt, latex, spoken, .. } = media {
                *spoken = Some(formulas::spoken(latex.as_deref().unwrap_or(alt)));
                count += 1;
            }
        }
        self.counts.spoken += count;
    }

    /// What was done, for the document's extensions; nothing where nothing was asked for.
    #[must_use]
    pub fn told(&self) -> Option<Value> {
        let Counts { objectives, checkpoints, spoken, terms } = self.counts;
        let applied = [
            (Switch::GenerateObjectives, self.makes_objectives, objectives),
            (Switch::CreateCheckpoints, self.makes_checkpoints, checkpoints),
            (Switch::GenerateSpokenText, self.makes_speech, spoken),
            (Switch::GenerateGlossary, self.makes_glossary, terms),
        ];
        let applied: Map<String, Value> = applied
            .into_iter()
            .filter(|(_, is_on, _)| *is_on)
            .map(|(switch, _, count)| (switch.name().to_owned(), json!({ "count": count })))
            .collect();
        (!applied.is_empty()).then(|| {
            json!({
                "derivation": "fixed rules on the text of the package, without a language model",
                "model": null,
                "applied": applied,
            })
        })
    }
}

#[cfg(test)]
mod tests;

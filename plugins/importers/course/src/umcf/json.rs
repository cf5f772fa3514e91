//! Nodes as the schema writes them.

use super::{Assessment, AssessmentKind, Choice, Media, Node, Objective, Resource, Segment, Term};
use crate::text::slug;
use serde_json::{Map, Value, json};

impl Node {
    #[must_use]
    pub fn into_json(self, index: usize) -> Value {
        let Self { id, title, kind, .. } = self;
        let mut node = Map::new();
        node.insert("id".into(), json!({ "value": id }));
        node.insert("title".into(), json!(title));
        node.insert("type".into(), json!(kind.name()));
        node.insert("orderIndex".into(), json!(index));
        if let Some(description) = self.description {
            node.insert("description".into(), json!(description));
        }
        let objective = |(index, own): (usize, Objective)| {
            json!({
                "id": { "value": format!("{id}-objective-{}", index + 1) },
                "statement": own.statement,
                "bloomsLevel": own.level,
            })
        };
        insert(&mut node, "learningObjectives", numbered(self.objectives, objective));
        if let Some(minutes) = self.minutes {
            node.insert("timeEstimates".into(), json!({ "intermediate": format!("PT{minutes}M") }));
        }
        if !self.segments.is_empty() {
            node.insert(
                "transcript".into(),
                json!({ "segments": numbered(self.segments, segment) }),
            );
        }
        insert(&mut node, "assessments", numbered(self.assessments, |(_, own)| assessment(own)));
        insert(&mut node, "glossaryTerms", numbered(self.terms, |(_, own)| term(own)));
        insert(&mut node, "resources", numbered(self.resources, |(_, own)| resource(own)));
        if !self.media.is_empty() {
            node.insert(
                "media".into(),
                json!({ "embedded": numbered(self.media, |(_, own)| media(own)) }),
            );
        }
        let child = |(index, own): (usize, Self)| own.into_json(index);
        insert(&mut node, "children", numbered(self.children, child));
        if !self.extensions.is_empty() {
            node.insert("extensions".into(), Value::Object(self.extensions));
        }
        Value::Object(node)
    }
}

fn numbered<T>(own: Vec<T>, to_json: impl FnMut((usize, T)) -> Value) -> Vec<Value> {
    own.into_iter().enumerate().map(to_json).collect()
}

fn insert(node: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        node.insert(key.to_owned(), Value::Array(values));
    }
}

/// An object of the pairs that have a value.
pub(super) fn object<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Value {
    let told = pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(told.collect())
}

fn segment((index, own): (usize, Segment)) -> Value {
    let checkpoint = own.checkpoint.map(|checkpoint| {
        json!({
            "type": "comprehension_check",
            "prompt": checkpoint.prompt,
            "evaluationCriteria": { "requiredConcepts": checkpoint.concepts },
            "fallbackBehavior": "continue",
        })
    });
    object([
        ("id", Some(json!(format!("segment-{}", index + 1)))),
        ("type", Some(json!(own.kind.name()))),
        ("content", Some(json!(own.text))),
        ("spokenContent", own.spoken.map(Value::from)),
        ("checkpoint", checkpoint),
    ])
}

fn assessment(own: Assessment) -> Value {
    let kind = match own.kind {
        AssessmentKind::Choice => "choice",
        AssessmentKind::MultipleChoice => "multiple_choice",
        AssessmentKind::TextEntry => "text_entry",
        AssessmentKind::TrueFalse => "true_false",
    };
    let choice = |(_, choice): (usize, Choice)| {
        object([
            ("id", Some(json!(choice.id))),
            ("text", Some(json!(choice.text))),
            ("correct", Some(json!(choice.correct))),
            ("feedback", choice.feedback.map(Value::from)),
        ])
    };
    let choices = numbered(own.choices, choice);
    let (right, wrong) = own.feedback;
    let said = |text: Option<String>| text.map(|text| json!({ "text": text }));
    let has_feedback = right.is_some() || wrong.is_some();
    let feedback =
        has_feedback.then(|| object([("correct", said(right)), ("incorrect", said(wrong))]));
    object([
        ("id", Some(json!({ "value": own.id }))),
        ("type", Some(json!(kind))),
        ("title", Some(json!(own.title)).filter(|title| title != "")),
        ("prompt", Some(json!(own.prompt))),
        ("spokenPrompt", own.spoken.map(Value::from)),
        ("choices", (!choices.is_empty()).then_some(Value::Array(choices))),
        ("correctResponse", (!own.correct.is_empty()).then(|| json!(own.correct))),
        ("scoring", own.max_score.map(|score| json!({ "maxScore": score }))),
        ("feedback", feedback),
    ])
}

fn term(own: Term) -> Value {
    object([
        ("id", Some(json!(slug(&own.term)))),
        ("term", Some(json!(own.term))),
        ("definition", Some(json!(own.definition))),
        ("spokenDefinition", own.spoken.map(Value::from)),
    ])
}

fn resource(own: Resource) -> Value {
    object([
        ("type", Some(json!("references"))),
        ("identifier", Some(json!(own.id))),
        ("title", Some(json!(own.title))),
        ("description", Some(json!(own.role))),
        ("url", own.url.map(Value::from)),
        ("format", own.media_type.map(Value::from)),
    ])
}

fn media(own: Media) -> Value {
    match own {
        Media::Picture { id, alt, caption, path, kind } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("image"))),
            ("alt", Some(json!(alt))),
            ("caption", caption.map(Value::from)),
            ("localPath", Some(json!(path))),
            ("mimeType", Some(json!(kind))),
            ("generationSource", Some(json!("imported"))),
        ]),
        Media::Formula { id, alt, latex, mathml, path, spoken } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("formula"))),
            ("alt", Some(json!(alt))),
            ("latex", latex.map(Value::from)),
            ("mathml", mathml.map(Value::from)),
            ("localPath", path.map(Value::from)),
            ("semanticMeaning", spoken.map(|spoken| json!({ "spokenForm": spoken }))),
            ("generationSource", Some(json!("imported"))),
        ]),
        Media::Video { id, title, url } => object([
            ("id", Some(json!(id))),
            ("type", Some(json!("videoLecture"))),
            ("alt", Some(json!(title))),
            ("url", Some(json!(url))),
            ("generationSource", Some(json!("imported"))),
        ]),
    }
}

//! Labels renamed, set or left out.

use readings::{Label, Settings};
use serde_json::Value;

const MAX_RULES: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Rename { label: String, to: String },
    Set { label: String, value: String },
    Drop { label: String },
}

impl Rule {
    pub(crate) fn all(settings: &mut Settings<'_>) -> Vec<Self> {
        let listed = settings.list("relabel").unwrap_or_default();
        if listed.len() > MAX_RULES {
            settings.faults.push("relabel", format!("has at most {MAX_RULES} rules"));
        }
        let mut rules = Vec::new();
        for (at, value) in listed.iter().enumerate().take(MAX_RULES) {
            match Self::parse(value) {
                Some(rule) => rules.push(rule),
                None => settings.faults.push(
                    &format!("relabel[{at}]"),
                    "is `label` and one of `to` (a text), `value` (a text) and `drop` (true)",
                ),
            }
        }
        rules
    }

    fn parse(value: &Value) -> Option<Self> {
        let members = value.as_object().filter(|members| members.len() == 2)?;
        let label = members.get("label")?.as_str()?.to_owned();
        let text = |key| members.get(key).and_then(Value::as_str).map(str::to_owned);
        match (text("to"), text("value"), members.get("drop")) {
            (Some(to), None, None) if !to.is_empty() => Some(Self::Rename { label, to }),
            (None, Some(value), None) => Some(Self::Set { label, value }),
            (None, None, Some(Value::Bool(true))) => Some(Self::Drop { label }),
            _ => None,
        }
    }

    /// A label that is there under the new name already gives way.
    pub(crate) fn apply(&self, labels: &mut Vec<Label>) {
        match self {
            Self::Rename { label, to } => {
                if labels.iter().any(|(name, _)| name == label) && label != to {
                    labels.retain(|(name, _)| name != to);
                    for (name, _) in labels.iter_mut().filter(|(name, _)| name == label) {
                        name.clone_from(to);
                    }
                }
            }
            Self::Set { label, value } => {
                labels.retain(|(name, _)| name != label);
                labels.push((label.clone(), value.clone()));
            }
            Self::Drop { label } => labels.retain(|(name, _)| name != label),
        }
    }
}

//! What a whole run found, as it is kept beside this crate: one letter for each sample, so that
//! a later run can be held against it source by source.

use crate::samples::{Corpus, Sample, digest};
use crate::verdict::{Ours, Outcome, Theirs};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Of a reason that is kept.
const REASON_CHARACTERS: usize = 90;
/// Reasons of one corpus and one side that are kept; the rest are summed up.
const REASONS: usize = 12;

/// By a corpus' name.
pub(crate) type Counts = BTreeMap<String, Count>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Of the sources.
    pub(crate) digest: String,
    /// A letter of [`Outcome`] for each sample.
    pub(crate) ours: String,
    /// `d` drawn, `r` refused, `?` no answer.
    pub(crate) theirs: String,
    pub(crate) median_ms: f64,
    pub(crate) slowest_ms: f64,
    /// Theirs draws it, ours does not, and why not.
    pub(crate) only_theirs: Vec<Reason>,
    /// Ours draws it, theirs does not, and why not.
    pub(crate) only_ours: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) reason: String,
    pub(crate) sources: usize,
    /// The first source of this reason.
    pub(crate) example: String,
}

impl Count {
    pub(crate) fn new(samples: &[Sample], ours: &[Ours], theirs: &[Theirs]) -> Self {
        let mut times: Vec<f64> = ours.iter().map(|one| one.ms).collect();
        times.sort_by(f64::total_cmp);
        let both = || samples.iter().zip(ours.iter().zip(theirs));
        let only_theirs = both()
            .filter(|(_, (ours, theirs))| {
                ours.outcome != Outcome::Drawn && theirs.drawn == Some(true)
            })
            .map(|(sample, (ours, _))| (ours.reason.as_str(), sample.name.as_str()));
        let only_ours = both()
            .filter(|(_, (ours, theirs))| {
                ours.outcome == Outcome::Drawn && theirs.drawn == Some(false)
            })
            .map(|(sample, (_, theirs))| (theirs.reason.as_str(), sample.name.as_str()));
        Self {
            digest: digest(samples),
            ours: ours.iter().map(|one| one.outcome.letter()).collect(),
            theirs: theirs.iter().map(Theirs::letter).collect(),
            median_ms: rounded(times.get(times.len() / 2).copied().unwrap_or(0.0)),
            slowest_ms: rounded(times.last().copied().unwrap_or(0.0)),
            only_theirs: reasons(only_theirs),
            only_ours: reasons(only_ours),
        }
    }

    pub(crate) fn samples(&self) -> usize {
        self.ours.len()
    }

    pub(crate) fn of(&self, outcome: Outcome) -> usize {
        self.ours.chars().filter(|letter| *letter == outcome.letter()).count()
    }

    /// How many sources ours drew or not and theirs drew or not.
    pub(crate) fn both(&self, ours: bool, theirs: bool) -> usize {
        let theirs = if theirs { 'd' } else { 'r' };
        let drawn = |letter| letter == Outcome::Drawn.letter();
        let pairs = self.ours.chars().zip(self.theirs.chars());
        pairs.filter(|(own, other)| drawn(*own) == ours && *other == theirs).count()
    }

    pub(crate) fn unanswered(&self) -> usize {
        self.theirs.chars().filter(|letter| *letter == '?').count()
    }
}

fn rounded(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

/// The frequent ones first; what differs only in a name or a number is one reason.
fn reasons<'a>(found: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Reason> {
    let mut by_reason: BTreeMap<String, Reason> = BTreeMap::new();
    for (reason, name) in found {
        let first = Reason { reason: shown(reason), sources: 0, example: name.to_owned() };
        by_reason.entry(alike(reason)).or_insert(first).sources += 1;
    }
    let mut reasons: Vec<Reason> = by_reason.into_values().collect();
    reasons.sort_by(|one, other| {
        other.sources.cmp(&one.sources).then_with(|| one.reason.cmp(&other.reason))
    });
    let rest = reasons.split_off(reasons.len().min(REASONS));
    if let Some(first) = rest.first() {
        reasons.push(Reason {
            reason: format!("{} other reasons", rest.len()),
            sources: rest.iter().map(|reason| reason.sources).sum(),
            example: first.example.clone(),
        });
    }
    reasons
}

/// On one line and without what a table would take for its own.
fn shown(reason: &str) -> String {
    let line: Vec<&str> = reason.split_whitespace().collect();
    let line = line.join(" ").replace('|', "/").replace('`', "'");
    match line.char_indices().nth(REASON_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The reason without names in quotes and numbers.
fn alike(reason: &str) -> String {
    let mut kept = String::new();
    let mut quoted = false;
    for letter in reason.chars() {
        match letter {
            '\'' | '`' | '"' | '“' | '”' => quoted = !quoted,
            _ if quoted || letter.is_numeric() => {}
            _ => kept.push(letter),
        }
    }
    kept.chars().take(48).collect()
}

pub(crate) fn read(path: &Path) -> Result<Counts> {
    let text = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

pub(crate) fn write(path: &Path, counts: &Counts) -> Result<()> {
    let mut text = serde_json::to_string_pretty(counts)?;
    text.push('\n');
    fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))
}

/// What a run over every `step`th sample found otherwise than the kept run did.
pub(crate) fn differences(
    corpus: &Corpus,
    kept: &Count,
    samples: &[Sample],
    step: usize,
    judge: impl Fn(&Sample) -> Ours,
) -> Vec<String> {
    if digest(samples) != kept.digest || samples.len() != kept.samples() {
        return vec![format!("{}: the sources are not those of the kept run", corpus.title)];
    }
    let pairs = samples.iter().zip(kept.ours.chars());
    let differs = |(sample, then): (&Sample, char)| {
        let now = judge(sample);
        (now.outcome.letter() != then).then(|| {
            let was = Outcome::ALL.into_iter().find(|outcome| outcome.letter() == then);
            let was = was.map_or("unknown", Outcome::heading);
            let (title, name) = (corpus.title, &sample.name);
            format!("{title}: {name}: was {was}, is {}: {}", now.outcome.heading(), now.reason)
        })
    };
    pairs.step_by(step.max(1)).filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Sample {
        Sample { name: name.into(), source: format!("source of {name}") }
    }

    fn ours(outcome: Outcome, reason: &str, ms: f64) -> Ours {
        Ours { outcome, reason: reason.into(), ms }
    }

    fn theirs(drawn: Option<bool>) -> Theirs {
        Theirs { name: String::new(), drawn, reason: "Parse error".into() }
    }

    #[test]
    fn sources_are_counted_by_who_draws_them() {
        let samples = ["a", "b", "c", "d", "e"].map(sample);
        let (drawn, placed) = (Outcome::Drawn, Outcome::Placed);
        let own = [
            ours(drawn, "", 1.0),
            ours(placed, "no `x` at 3", 2.0),
            ours(placed, "no `y` at 14", 3.0),
            ours(drawn, "", 9.04),
            ours(Outcome::Broke, "overflow", 1.0),
        ];
        let other = [Some(true), Some(true), Some(true), Some(false), None].map(theirs);
        let count = Count::new(&samples, &own, &other);
        assert_eq!((count.ours.as_str(), count.theirs.as_str()), ("dppdb", "dddr?"));
        assert_eq!((count.both(true, true), count.both(false, true)), (1, 2));
        assert_eq!((count.both(true, false), count.unanswered()), (1, 1));
        assert_eq!((count.median_ms, count.slowest_ms), (2.0, 9.0));
        let reason = &count.only_theirs[0];
        assert_eq!((reason.reason.as_str(), reason.sources), ("no 'x' at 3", 2));
        assert_eq!(count.only_ours[0].example, "d");
    }

    #[test]
    fn a_later_run_that_ends_otherwise_is_told_source_by_source() {
        let samples = ["a", "b", "c"].map(sample);
        let own = [Outcome::Drawn; 3].map(|outcome| ours(outcome, "", 1.0));
        let count = Count::new(&samples, &own, &[Some(true); 3].map(theirs));
        let corpus = &crate::samples::CORPORA[0];
        let told = differences(corpus, &count, &samples, 2, |sample| match sample.name.as_str() {
            "c" => ours(Outcome::Placed, "no more", 1.0),
            _ => ours(Outcome::Drawn, "", 1.0),
        });
        assert_eq!(told, ["Graphviz DOT: c: was drawn, is refused with its line: no more"]);
        let other = ["a", "b", "x"].map(sample);
        let told = differences(corpus, &count, &other, 1, |_| ours(Outcome::Drawn, "", 1.0));
        assert!(told[0].contains("not those of the kept run"), "{told:?}");
    }
}

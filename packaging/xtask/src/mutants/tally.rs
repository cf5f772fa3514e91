//! What came of each change, and the table of it.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// By the name that cargo-mutants gives a change, which begins with its file.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, End>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum End {
    #[serde(rename = "CaughtMutant")]
    Caught,
    #[serde(rename = "Timeout")]
    TimedOut,
    #[serde(rename = "Unviable")]
    DoesNotBuild,
    #[serde(rename = "MissedMutant")]
    Survived,
    /// Of the unchanged code.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Report {
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: End,
}

#[derive(Deserialize)]
enum Scenario {
    Baseline,
    Mutant { name: String },
}

impl Tally {
    /// Reads what cargo-mutants left in its folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("outcomes.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing", path.display()))?;
        Self::of(&text).with_context(|| format!("{} is not understood", path.display()))
    }

    fn of(report: &str) -> Result<Self> {
        let report: Report = serde_json::from_str(report)?;
        let ends = report.outcomes.into_iter().filter_map(|outcome| match outcome.scenario {
            Scenario::Mutant { name } => Some((name, outcome.summary)),
            Scenario::Baseline => None,
        });
        Ok(Self(ends.collect()))
    }

    /// What was tried again counts as it ended then.
    pub(super) fn take(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    pub(super) fn survivors(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, end)| **end == End::Survived).map(|(name, _)| name.as_str())
    }

    fn by_file(&self) -> BTreeMap<&str, Vec<End>> {
        let mut files = BTreeMap::<&str, Vec<End>>::new();
        for (name, end) in &self.0 {
            let file = name.split(':').next().unwrap_or(name);
            let file = file.strip_prefix(super::copy::SOURCE).unwrap_or(file);
            files.entry(file.trim_start_matches('/')).or_default().push(*end);
        }
        files
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| file | changes | caught | timed out | do not build | survived |")?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|")?;
        let mut row = |name: &str, ends: &[End]| {
            let count = |wanted: End| ends.iter().filter(|end| **end == wanted).count();
            writeln!(
                f,
                "| {name} | {} | {} | {} | {} | {} |",
                ends.len(),
                count(End::Caught),
                count(End::TimedOut),
                count(End::DoesNotBuild),
                count(End::Survived),
            )
        };
        for (file, ends) in self.by_file() {
            row(&format!("`{file}`"), &ends)?;
        }
        row("together", &self.0.values().copied().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(place: &str, summary: &str) -> String {
        let name = format!("agent/safety/src/{place}: replace < with > in it");
        format!(r#"{{"scenario": {{"Mutant": {{"name": "{name}"}}}}, "summary": "{summary}"}}"#)
    }

    fn report(outcomes: &[String]) -> Tally {
        let baseline = r#"{"scenario": "Baseline", "summary": "Success"}"#.to_owned();
        let all = [&[baseline], outcomes].concat().join(",");
        Tally::of(&format!(r#"{{"outcomes": [{all}]}}"#)).unwrap()
    }

    #[test]
    fn each_file_has_a_row_and_what_is_caught_later_is_caught() {
        let mut tally = report(&[
            outcome("host.rs:1:2", "CaughtMutant"),
            outcome("host.rs:2:2", "MissedMutant"),
            outcome("host.rs:3:2", "Unviable"),
            outcome("limit/need.rs:1:1", "Timeout"),
        ]);
        assert_eq!(tally.survivors().count(), 1);
        let rows: Vec<String> = tally.to_string().lines().map(str::to_owned).collect();
        assert_eq!(rows[2], "| `host.rs` | 3 | 1 | 0 | 1 | 1 |");
        assert_eq!(rows[3], "| `limit/need.rs` | 1 | 0 | 1 | 0 | 0 |");
        tally.take(report(&[outcome("host.rs:2:2", "CaughtMutant")]));
        assert_eq!(tally.survivors().count(), 0);
        assert!(tally.to_string().ends_with("| together | 4 | 2 | 1 | 1 | 0 |\n"));
    }
}

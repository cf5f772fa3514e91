//! One run of the tester: a document, as one account.

use super::records::Account;
use super::server::{PASSWORD, Server};
use super::{Document, Role};
use crate::python;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HOOKS: &str = include_str!("hooks.py");
const CHECKS: &str = include_str!("checks.toml");

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// What a run of all tests has time for.
    Short,
    Long,
}

pub(crate) struct Tester<'a> {
    pub(crate) server: &'a Server,
    pub(crate) account: &'a Account,
    pub(crate) form: Form,
    pub(crate) seed: u32,
    /// Where what it says is kept.
    pub(crate) logs: &'a Path,
}

/// What a run came to.
pub(crate) struct Findings {
    role: Role,
    document: Document,
    counts: Counts,
    failures: u64,
    /// Did the tester itself end well?
    ended_well: bool,
    log: PathBuf,
}

/// What the hooks have counted.
#[derive(Deserialize)]
struct Counts {
    /// Answers by their status.
    statuses: BTreeMap<u16, u64>,
    /// Answers of 503 where the document says when they come.
    away: u64,
}

impl Form {
    const fn phases(self) -> &'static str {
        match self {
            // The boundaries of every parameter alone take minutes.
            Self::Short => "examples,fuzzing,stateful",
            Self::Long => "examples,coverage,fuzzing,stateful",
        }
    }

    /// Generated requests of each operation, and walks along the links.
    const fn examples(self) -> u32 {
        match self {
            Self::Short => 2,
            Self::Long => 2,
        }
    }
}

impl Tester<'_> {
    pub(crate) fn run(&self, role: Role, document: Document) -> Result<Findings> {
        let folder = self.server.folder.path();
        let (settings, hooks) = (folder.join("schemathesis.toml"), folder.join("hooks.py"));
        let counts = folder.join(format!("{}.json", document.name()));
        fs::write(&settings, self.settings())?;
        fs::write(&hooks, HOOKS)?;
        let log = self.logs.join(format!("{}-{}-{}.log", role.name(), document.name(), self.seed));
        let words = File::create(&log)?;
        let status = Command::new(python::folder().join("bin").join("schemathesis"))
            .arg("--config-file")
            .arg(&settings)
            .arg("run")
            .arg(format!("{}{}", self.server.base, document.path()))
            .args(["--no-color", "--phases", self.form.phases()])
            .args(["--max-examples", &self.form.examples().to_string()])
            .current_dir(folder)
            .env("SCHEMATHESIS_HOOKS", &hooks)
            .env("FLYBALL_CONTRACT_OWN_ID", &self.account.id)
            .env("FLYBALL_CONTRACT_OWN_EMAIL", &self.account.email)
            .env("FLYBALL_CONTRACT_SPARE_TOKEN", &self.account.spare)
            .env("FLYBALL_CONTRACT_COUNTS", &counts)
            .stdin(Stdio::null())
            .stdout(words.try_clone()?)
            .stderr(words)
            .status()
            .context("schemathesis cannot be started")?;
        let said = fs::read_to_string(&log)?;
        let counted = fs::read(&counts).with_context(|| {
            format!("the tester counted nothing; what it said is in {}", log.display())
        })?;
        Ok(Findings {
            role,
            document,
            counts: serde_json::from_slice(&counted)?,
            failures: failures(&said),
            ended_well: status.success(),
            log,
        })
    }

    fn settings(&self) -> String {
        let Self { server, account, seed, .. } = self;
        format!(
            "base-url = \"{}\"\nseed = {seed}\nworkers = 1\ncontinue-on-failure = true\n\
             warnings = false\n\n{CHECKS}\n\
             [auth.dynamic.openapi.bearer]\n\
             path = \"/api/v1/auth/token\"\n\
             payload_content_type = \"application/x-www-form-urlencoded\"\n\
             payload = {{ grant_type = \"password\", username = \"{}\", password = \"{PASSWORD}\" }}\n\
             extract_selector = \"/access_token\"\n\
             retry_on = [401]\n",
            server.base, account.email,
        )
    }
}

impl Findings {
    pub(crate) fn requests(&self) -> u64 {
        self.counts.statuses.values().sum()
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Answers of 5xx that the document says nothing of.
    pub(crate) fn server_errors(&self) -> u64 {
        let all: u64 = self.counts.statuses.range(500..).map(|(_, count)| count).sum();
        all.saturating_sub(self.counts.away)
    }

    pub(crate) fn is_good(&self) -> bool {
        self.ended_well && self.failures == 0 && self.server_errors() == 0
    }

    pub(crate) fn line(&self) -> String {
        let Self { role, document, failures, .. } = self;
        let (requests, broken) = (self.requests(), self.server_errors());
        let (role, document) = (role.name(), document.name());
        let counts = format!(
            "{role}, {document}: {requests} requests, {failures} failures, {broken} of 5xx"
        );
        if self.is_good() { counts } else { format!("{counts}; see {}", self.log.display()) }
    }
}

/// From the tester's summary: `326 generated, 4 found 4 unique failures, 11 errored`.
fn failures(said: &str) -> u64 {
    let line = said.lines().rev().find(|line| line.contains(" generated,"));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    let unique = words.iter().position(|word| *word == "unique");
    let count = unique.and_then(|place| words.get(place.checked_sub(1)?));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_off_the_summary() {
        let bad = "Test cases:\n  326 generated, 4 found 7 unique failures, 11 errored\n\nSeed: 1";
        assert_eq!(failures(bad), 7);
        assert_eq!(failures("Test cases:\n  326 generated, 326 passed\n"), 0);
    }

    #[test]
    fn no_check_is_off_but_one_where_it_is_said_why() {
        let checks: toml::Table = toml::from_str(CHECKS).unwrap();
        assert!(checks.contains_key("checks"));
        for line in CHECKS.lines().filter(|line| line.contains("enabled = false")) {
            assert_eq!(line, "checks.positive_data_acceptance.enabled = false");
        }
    }
}

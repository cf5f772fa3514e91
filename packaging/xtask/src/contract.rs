//! `test --contract`: the API's documents against the API, by an outside tester, as every role.
//!
//! Each role has an aggregator of its own with the same records in it, since a role that may
//! delete them would leave nothing to the next. The tester is Schemathesis; every check is on,
//! and what is loosened stands with its reason in `contract/checks.toml`.

mod machine;
mod records;
mod server;
mod tester;

use crate::test::count::Count;
use crate::{binaries, python, say, workspace};
use anyhow::{Result, bail};
use server::Server;
use std::path::Path;
use tester::{Findings, Form, Tester};

/// An account's role in the tests; the records are its organization's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Viewer,
    Operator,
    OrgAdmin,
    Superuser,
}

/// One of the documents.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Document {
    V1,
    Flat,
}

/// More rounds than this don't make a number of requests that was mistyped.
const MOST_ROUNDS: u32 = 20;

impl Role {
    const ALL: [Self; 5] =
        [Self::User, Self::Viewer, Self::Operator, Self::OrgAdmin, Self::Superuser];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::OrgAdmin => "org_admin",
            Self::Superuser => "superuser",
        }
    }
}

impl Document {
    const ALL: [Self; 2] = [Self::V1, Self::Flat];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Flat => "flat",
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::V1 => "/api/v1/openapi.json",
            Self::Flat => "/api/openapi.json",
        }
    }
}

/// The short form, a step of every `test`.
pub(crate) fn short(root: &Path) -> Result<Count> {
    judge(&round(root, Form::Short, 1)?)
}

/// Rounds of the long form until so many requests were made.
pub(crate) fn run(root: &Path, requests: u64) -> Result<Count> {
    let mut findings = Vec::new();
    for seed in 1..=MOST_ROUNDS {
        findings.extend(round(root, Form::Long, seed)?);
        if findings.iter().map(Findings::requests).sum::<u64>() >= requests {
            break;
        }
    }
    judge(&findings)
}

fn round(root: &Path, form: Form, seed: u32) -> Result<Vec<Findings>> {
    python::provide()?;
    let aggregator = binaries::build_aggregator(root)?;
    let agent = binaries::build_agent(root)?;
    let logs = workspace::target_dir(root).join("contract");
    std::fs::create_dir_all(&logs)?;
    let mut all = Vec::new();
    for role in Role::ALL {
        let server = Server::start(&aggregator)?;
        let account = records::make(&server, &agent, role)?;
        for document in Document::ALL {
            let tester = Tester { server: &server, account: &account, form, seed, logs: &logs };
            let findings = tester.run(role, document)?;
            say::detail(&findings.line());
            all.push(findings);
        }
    }
    Ok(all)
}

fn judge(all: &[Findings]) -> Result<Count> {
    let sum = |part: fn(&Findings) -> u64| all.iter().map(part).sum::<u64>();
    let (requests, failures) = (sum(Findings::requests), sum(Findings::failures));
    let broken = sum(Findings::server_errors);
    say::detail(&format!("{requests} requests, {failures} failures, {broken} answers of 5xx"));
    if requests == 0 {
        bail!("the contract tester made no request");
    }
    let failed = all.iter().filter(|findings| !findings.is_good()).count();
    let failed = u32::try_from(failed)?;
    Ok(Count { passed: u32::try_from(all.len())? - failed, failed })
}

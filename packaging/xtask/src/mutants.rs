//! `mutants`: changes the safety engine in one small place after the other and sees whether a
//! test fails for it. What survives is a line that no test stands for.
//!
//! The changes are made by cargo-mutants, in a copy in the target folder. Each is first tried
//! with the tests that are over at once, and what survives them with all of them. It takes long
//! and is no part of `test`.

mod copy;
mod tally;

use crate::{say, workspace};
use anyhow::{Context, Result, bail, ensure};
use copy::Tests;
use std::path::Path;
use std::process::{Command, Stdio};
use tally::Tally;

const TOOL: &str = "27.1.0";
/// A change may make a test collect for ever.
const MOST_MEMORY: u64 = 8 << 30;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these files of agent/safety/src, by their path in there
    files: Vec<String>,
    /// So many changes are tried at the same time
    #[arg(long, default_value_t = 1)]
    jobs: u8,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    provide()?;
    let place = workspace::target_dir(root).join("mutants");
    let copy = place.join("copy");
    let bound = rustix::process::Rlimit { current: Some(MOST_MEMORY), maximum: Some(MOST_MEMORY) };
    rustix::process::setrlimit(rustix::process::Resource::As, bound)?;
    say::step(&format!("copying the engine to {}", copy.display()));
    copy::make(root, &copy, Tests::Quick)?;
    say::step("each change, with the tests that are over at once");
    let found = place.join("mutants.out");
    if found.exists() {
        std::fs::remove_dir_all(&found)?;
    }
    attempt(&copy, &place, options, false)?;
    let mut tally = Tally::read(&found)?;
    if tally.survivors().next().is_some() {
        copy::make(root, &copy, Tests::All)?;
        say::step("what survived, with all tests");
        attempt(&copy, &place, options, true)?;
        tally.take(Tally::read(&found)?);
    }
    say::tell(&tally.to_string());
    let survivors: Vec<&str> = tally.survivors().collect();
    for survivor in &survivors {
        say::detail(survivor);
    }
    ensure!(survivors.is_empty(), "{} changes were noticed by no test", survivors.len());
    Ok(())
}

fn provide() -> Result<()> {
    let mut tool = Command::new(workspace::cargo());
    tool.args(["mutants", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if tool.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    say::step(&format!("installing cargo-mutants {TOOL}"));
    let arguments = ["install", "--quiet", "--locked", "cargo-mutants", "--version", TOOL];
    let status = Command::new(workspace::cargo()).args(arguments).status()?;
    ensure!(status.success(), "`cargo {}` failed, see above", arguments.join(" "));
    Ok(())
}

/// `again` tries only what has not been caught in `place` yet.
fn attempt(copy: &Path, place: &Path, options: &Options, again: bool) -> Result<()> {
    let mut mutants = Command::new(workspace::cargo());
    mutants
        .current_dir(copy)
        .args(["mutants", "--package", "flyball-safety", "--no-shuffle", "--cap-lints=true"])
        // The one test program is all that is built.
        .args(["--cargo-arg=--lib", "--output"])
        .arg(place)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_INCREMENTAL");
    if options.jobs > 1 {
        mutants.args(["--jobs", &options.jobs.to_string()]);
    } else {
        // It is a copy already, and what it is built on stays compiled.
        mutants.arg("--in-place");
    }
    for file in &options.files {
        mutants.arg("--file").arg(format!("{}/{file}", copy::SOURCE));
    }
    if again {
        mutants.arg("--iterate");
    }
    let status = mutants.status().context("cargo-mutants can't be started")?;
    match status.code() {
        // Something survived, or ran into its time: counted by who calls.
        Some(0 | 2 | 3) => Ok(()),
        _ => bail!("cargo-mutants ended with {status}: see above"),
    }
}

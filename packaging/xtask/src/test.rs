//! `test`: everything that CI runs, step by step, and one closing line.

use crate::rig::Form;
use crate::{
    binaries, clock, console, contract, faults, packages, plugins, preflight, rig, say, workspace,
};
use anyhow::{Result, bail};
use flyball_harness::counterparts::Postgres;
use std::path::Path;
use std::process::Command;

pub(crate) mod count;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the steps whose name contains this word
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// Every scenario on real kernel drivers, in virtual machines; without it only the short ones
    #[arg(long)]
    rig: bool,
    /// Nothing but a fleet under so many faults, and the ledger of its samples
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "500", conflicts_with_all = ["only", "rig"])]
    faults: Option<u32>,
    /// Nothing but the API against its documents: every role, so many requests at least
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20000", conflicts_with_all = ["only", "rig", "faults"])]
    contract: Option<u64>,
    /// The ledger as JSON: a line for every device and one for the faults
    #[arg(long, requires = "faults")]
    json: bool,
}

/// One step: its name, and the tests that it counts where it counts any.
struct Step {
    name: &'static str,
    run: fn(&Path) -> Result<count::Count>,
}

const RIG: &str = "rig";

const STEPS: [Step; 13] = [
    Step { name: "formatting", run: formatting },
    Step { name: "plugins", run: build_plugins },
    Step { name: "console", run: console_checks },
    Step { name: "clippy", run: clippy },
    Step { name: "guests' tests", run: guest_tests },
    Step { name: "tests", run: tests },
    Step { name: "tests on PostgreSQL", run: tests_on_postgresql },
    Step { name: "documentation", run: documentation },
    Step { name: "release builds", run: release_builds },
    Step { name: "contract", run: contract::short },
    Step { name: "system", run: system },
    Step { name: "faults", run: faults::short },
    Step { name: RIG, run: short_rig },
];

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    if let Some(number) = options.faults {
        return faults::run(root, number, options.json).map(|_| ());
    }
    if let Some(requests) = options.contract {
        let count = contract::run(root, requests)?;
        return if count.failed == 0 { Ok(()) } else { bail!("documents and answers differ") };
    }
    preflight::for_testing()?;
    let mut total = count::Count::default();
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    for step in &STEPS {
        if options.only.as_ref().is_some_and(|word| !step.name.contains(word.as_str())) {
            continue;
        }
        let long = step.name == RIG && options.rig;
        say::step(step.name);
        let began = clock::now();
        match if long { long_rig(root) } else { (step.run)(root) } {
            Ok(count) => {
                if count.failed > 0 {
                    failed.push(step.name);
                }
                total.add(count);
            }
            // Who asked for it by name is told that it failed.
            Err(error) if error.is::<rig::Skip>() && !long => {
                skipped.push(format!("SKIPPED: {}: {error:#}", step.name));
            }
            Err(error) => {
                say::detail(&format!("{error:#}"));
                total.failed += 1;
                failed.push(step.name);
            }
        }
        say::detail(&format!("{}: {} s", step.name, (clock::now() - began).as_secs()));
    }
    for name in &failed {
        say::detail(&format!("failed: {name}"));
    }
    for line in &skipped {
        println!("{line}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if failed.is_empty() { Ok(()) } else { bail!("{} of the steps failed", failed.len()) }
}

/// A step that passes or fails as a whole.
fn whole(mut command: Command) -> Result<count::Count> {
    let status = command.status()?;
    if status.success() { Ok(count::Count::one_passed()) } else { bail!("{command:?}: {status}") }
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(root).args(arguments);
    command
}

fn formatting(root: &Path) -> Result<count::Count> {
    let mut count = whole(cargo(root, &["fmt", "--all", "--check"]))?;
    let guests = root.join("plugins");
    count.add(whole(cargo(&guests, &["fmt", "--all", "--check"]))?);
    Ok(count)
}

fn build_plugins(root: &Path) -> Result<count::Count> {
    plugins::build(root, &workspace::plugins_dir(root))?;
    plugins::build_core(root, &workspace::core_plugins_dir(root))?;
    plugins::build_core(root, &workspace::test_plugins_dir(root))?;
    plugins::build_for_tests(root, &workspace::test_plugins_dir(root))?;
    packages::make(root)?;
    Ok(count::Count::one_passed())
}

fn console_checks(root: &Path) -> Result<count::Count> {
    if !console::build(root)? {
        bail!("the console needs Node to be checked");
    }
    console::check(root)?;
    Ok(count::Count::one_passed())
}

fn clippy(root: &Path) -> Result<count::Count> {
    let strict = ["--quiet", "--all-targets", "--", "-D", "warnings"];
    let mut count = whole({
        let mut command = cargo(root, &["clippy", "--workspace"]);
        command.args(strict);
        command
    })?;
    // What a feature brings can be left out.
    let mut without = cargo(root, &["clippy", "--package", "flyball-aggregator"]);
    without.arg("--no-default-features").args(strict);
    count.add(whole(without)?);
    for guest in plugins::checked() {
        let mut command = cargo(&root.join("plugins"), &["clippy", "--package", guest]);
        command.args(strict).env("CARGO_TARGET_DIR", guest_target(root));
        count.add(whole(command)?);
    }
    Ok(count)
}

/// The guests' own logic, tested natively.
fn guest_tests(root: &Path) -> Result<count::Count> {
    let mut total = count::Count::default();
    for guest in plugins::tested() {
        // One at a time: together their features would be unified.
        let mut command = cargo(&root.join("plugins"), &["test", "--quiet", "--package", guest]);
        command.env("CARGO_TARGET_DIR", guest_target(root));
        total.add(count::run(command)?);
    }
    Ok(total)
}

fn guest_target(root: &Path) -> std::path::PathBuf {
    workspace::target_dir(root).join("guests-native")
}

fn tests(root: &Path) -> Result<count::Count> {
    let mut command = test_runner(root);
    command.args(["--workspace", "--exclude", "flyball-system-tests"]);
    command.args(["--exclude", "flyball-rig"]);
    command.env("FLYBALL_GUESTS", workspace::test_plugins_dir(root));
    // One server for all of them; it ends with this step.
    let postgres = Postgres::start()?;
    command.env("FLYBALL_POSTGRES", postgres.socket());
    count::run(command)
}

/// The aggregator's own tests once more, on its other engine. Those from outside ran on both.
fn tests_on_postgresql(root: &Path) -> Result<count::Count> {
    let mut command = test_runner(root);
    command.args(["--package", "flyball-aggregator", "--lib"]);
    let postgres = Postgres::start()?;
    command.env("FLYBALL_STORE", "postgresql").env("FLYBALL_POSTGRES", postgres.socket());
    count::run(command)
}

/// Are PostgreSQL's server and its tools installed?
pub(crate) fn postgres_is_there() -> bool {
    Postgres::is_installed()
}

fn documentation(root: &Path) -> Result<count::Count> {
    let mut command = cargo(root, &["doc", "--quiet", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    whole(command)
}

fn release_builds(root: &Path) -> Result<count::Count> {
    binaries::build(root)?;
    Ok(count::Count::one_passed())
}

/// Scenarios over the built programs, real sockets and a real browser.
fn system(root: &Path) -> Result<count::Count> {
    let mut command = test_runner(root);
    command.args(["--package", "flyball-system-tests"]);
    command.env("FLYBALL_XTASK", std::env::current_exe()?);
    command.env("FLYBALL_TARGET_DIR", workspace::target_dir(root));
    count::run(command)
}

/// The guard on real kernel drivers: it runs in virtual machines, the plant out here.
fn short_rig(root: &Path) -> Result<count::Count> {
    let kit = rig::prepare(root, Form::Short)?;
    let mut command = test_runner(root);
    command.args(["--package", "flyball-rig", "short::"]);
    command.env("FLYBALL_RIG", kit);
    count::run(command)
}

/// Every scenario of the rig: fleets among them, which run this clone's programs.
fn long_rig(root: &Path) -> Result<count::Count> {
    let kit = rig::prepare(root, Form::Long)?;
    binaries::build(root)?;
    let mut command = test_runner(root);
    command.args(["--package", "flyball-rig"]);
    command.env("FLYBALL_RIG", kit);
    command.env("FLYBALL_XTASK", std::env::current_exe()?);
    command.env("FLYBALL_TARGET_DIR", workspace::target_dir(root));
    count::run(command)
}

/// nextest where it is installed, cargo's own runner where it is not.
fn test_runner(root: &Path) -> Command {
    if preflight::runs("cargo-nextest", "--version") {
        cargo(root, &["nextest", "run", "--no-fail-fast"])
    } else {
        cargo(root, &["test", "--no-fail-fast"])
    }
}

//! The release builds of every program.
//!
//! They are built one by one: a workspace build would unify features and put the compiler into
//! the runner. The guard is linked statically, so that no page of it is a file of somebody else's
//! and few pages are enough.

use crate::{say, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, its package and the profile that it is shipped in.
struct Program {
    name: &'static str,
    package: &'static str,
    profile: &'static str,
}

/// In which the guard is shipped: what it takes of memory is locked there.
const GUARD_PROFILE: &str = "guard";

const PROGRAMS: [Program; 8] = [
    Program { name: "flyball-guard", package: "flyball-guard", profile: GUARD_PROFILE },
    Program { name: "flyball-driver", package: "flyball-drivers", profile: "edge" },
    Program { name: "flyball-agent", package: "flyball-agent", profile: "edge" },
    Program { name: "flyball-runner", package: "flyball-runner", profile: "edge" },
    Program { name: "flyball-compiler", package: "flyball-compiler", profile: "edge" },
    Program { name: "flyball-aggregator", package: "flyball-aggregator", profile: "release" },
    Program { name: "flyball-plant", package: "flyball-harness", profile: "release" },
    Program { name: "flyball", package: "flyball-tool", profile: "edge" },
];

/// The built programs by their path.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) guard: PathBuf,
    pub(crate) agent: PathBuf,
    pub(crate) runner: PathBuf,
    pub(crate) compiler: PathBuf,
    pub(crate) aggregator: PathBuf,
    pub(crate) plant: PathBuf,
}

/// Where the programs lie once they are built.
pub(crate) fn locate(root: &Path) -> Binaries {
    // The guard finds its driver beside itself, so it lies where the others of the edge do.
    let folder = |program: &Program| match program.profile {
        GUARD_PROFILE => "edge",
        profile => profile,
    };
    let path =
        |program: &Program| workspace::target_dir(root).join(folder(program)).join(program.name);
    let [guard, _, agent, runner, compiler, aggregator, plant, _] = PROGRAMS.each_ref().map(path);
    Binaries { guard, agent, runner, compiler, aggregator, plant }
}

/// Builds every program, saying which.
pub(crate) fn build(root: &Path) -> Result<Binaries> {
    for program in &PROGRAMS {
        if program.profile == GUARD_PROFILE {
            let built = build_static(root, program.name, program.package, program.profile)?;
            let place = locate(root).guard;
            fs::create_dir_all(place.parent().unwrap_or(root))?;
            // Beside and moved: the one that runs from there goes on with what it has mapped.
            let beside = place.with_extension("new");
            fs::copy(&built, &beside)?;
            fs::rename(&beside, &place)?;
            continue;
        }
        build_plain(root, program)?;
    }
    Ok(locate(root))
}

/// Builds the aggregator alone and gives back where it lies.
pub(crate) fn build_aggregator(root: &Path) -> Result<PathBuf> {
    let [.., aggregator, _, _] = &PROGRAMS;
    build_plain(root, aggregator)?;
    Ok(locate(root).aggregator)
}

/// Builds the agent alone and gives back where it lies.
pub(crate) fn build_agent(root: &Path) -> Result<PathBuf> {
    let [_, _, agent, ..] = &PROGRAMS;
    build_plain(root, agent)?;
    Ok(locate(root).agent)
}

fn build_plain(root: &Path, program: &Program) -> Result<()> {
    say::step(&format!("build {} ({} profile)", program.name, program.profile));
    let status = Command::new(workspace::cargo())
        .current_dir(root)
        .args(["build", "--quiet", "--profile", program.profile])
        .args(["--package", program.package, "--bin", program.name])
        .status()
        .context("cargo could not be started")?;
    if status.success() { Ok(()) } else { bail!("{} does not build, see above", program.name) }
}

/// Builds a program of the edge without libraries, as the guests of `test --rig` need it too.
/// Gives back where it lies.
pub(crate) fn build_edge_static(root: &Path, name: &str) -> Result<PathBuf> {
    let known = PROGRAMS.iter().find(|program| program.name == name);
    let program = known.with_context(|| format!("{name} is no program of this project"))?;
    build_static(root, program.name, program.package, program.profile)
}

/// A target of its own: the compiler's own plugins can't be linked so.
fn build_static(root: &Path, name: &str, package: &str, profile: &str) -> Result<PathBuf> {
    say::step(&format!("build {name} ({profile} profile, linked statically)"));
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = workspace::target_dir(root).join("static");
    let status = Command::new(workspace::cargo())
        .current_dir(root)
        .args(["build", "--quiet", "--profile", profile, "--target", &triple])
        .args(["--package", package, "--bin", name])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()
        .context("cargo could not be started")?;
    if !status.success() {
        bail!("{name} does not build, see above");
    }
    Ok(target.join(triple).join(profile).join(name))
}

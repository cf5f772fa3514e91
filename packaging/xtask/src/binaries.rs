//! The release builds of every program.
//!
//! They are built one by one: a workspace build would unify features and put the compiler into
//! the runner.

use crate::{say, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, its package and the profile that it is shipped in.
struct Program {
    name: &'static str,
    package: &'static str,
    profile: &'static str,
}

const PROGRAMS: [Program; 7] = [
    Program { name: "flyball-guard", package: "flyball-guard", profile: "edge" },
    Program { name: "flyball-driver", package: "flyball-drivers", profile: "edge" },
    Program { name: "flyball-agent", package: "flyball-agent", profile: "edge" },
    Program { name: "flyball-runner", package: "flyball-runner", profile: "edge" },
    Program { name: "flyball-compiler", package: "flyball-compiler", profile: "edge" },
    Program { name: "flyball-aggregator", package: "flyball-aggregator", profile: "release" },
    Program { name: "flyball-plant", package: "flyball-harness", profile: "release" },
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
    let path =
        |program: &Program| workspace::target_dir(root).join(program.profile).join(program.name);
    // The guard finds its driver beside itself.
    let [guard, _, agent, runner, compiler, aggregator, plant] = PROGRAMS.each_ref().map(path);
    Binaries { guard, agent, runner, compiler, aggregator, plant }
}

/// Builds every program, saying which.
pub(crate) fn build(root: &Path) -> Result<Binaries> {
    for program in &PROGRAMS {
        say::step(&format!("build {} ({} profile)", program.name, program.profile));
        let status = Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["build", "--quiet", "--profile", program.profile])
            .args(["--package", program.package, "--bin", program.name])
            .status()
            .context("cargo could not be started")?;
        if !status.success() {
            bail!("{} does not build, see above", program.name);
        }
    }
    Ok(locate(root))
}

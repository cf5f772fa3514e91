//! `test --faults`: a fleet under a sequence of faults, and the ledger of its samples.
//!
//! The program that does it runs in namespaces of its own: its links, mounts and processes are
//! nobody else's and end with it. Making them takes root.

use crate::rig::Skip;
use crate::test::count::Count;
use crate::{binaries, preflight, say, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One of every kind, about: what a run of all tests has time for.
const SHORT: u32 = 16;
const NAMESPACES: [&str; 8] = [
    "--net",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

/// The short form, a step of every `test`.
pub(crate) fn short(root: &Path) -> Result<Count> {
    on(root, SHORT, false, &["--engine", "sqlite"])
}

/// As many faults as are asked for.
pub(crate) fn run(root: &Path, faults: u32, json: bool) -> Result<Count> {
    on(root, faults, json, &[])
}

fn on(root: &Path, faults: u32, json: bool, words: &[&str]) -> Result<Count> {
    let allowed = Command::new("unshare")
        .args(NAMESPACES)
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed || !rustix::process::geteuid().is_root() {
        bail!(Skip("faults need root: network namespaces, mounts, loop devices".into()));
    }
    preflight::for_faults()?;
    binaries::build(root)?;
    say::step("build flyball-faults");
    let target = workspace::target_dir(root);
    build(root, &["--release", "--package", "flyball-faults"])?;
    let mut command = Command::new("unshare");
    command.args(NAMESPACES).arg(target.join("release/flyball-faults"));
    command.args(["--faults", &faults.to_string()]).args(words);
    command.env("FLYBALL_TARGET_DIR", &target);
    if let Some(library) = clock_library() {
        // A library is put under the programs to set their clock; the guard that ships has no
        // room for one, so here it is linked as the others are.
        build(root, &["--package", "flyball-guard", "--bin", "flyball-guard"])?;
        command.env("FLYBALL_FAKETIME", library);
        command.env("FLYBALL_GUARD", target.join("debug/flyball-guard"));
    }
    if let Some(folder) = postgres() {
        command.env("FLYBALL_POSTGRES", folder);
    }
    if json {
        command.arg("--json");
    }
    let status = command.status().context("unshare can't be started")?;
    if status.success() {
        Ok(Count::one_passed())
    } else {
        bail!("samples are missing or doubled, or the faults could not be made: {status}")
    }
}

/// What is put under a program to set its clock.
pub(crate) fn clock_library() -> Option<PathBuf> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let library = Path::new("/usr/lib").join(triple).join("faketime/libfaketimeMT.so.1");
    library.exists().then_some(library)
}

/// Where Debian puts a server of PostgreSQL; the newest.
fn postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max()
}

fn build(root: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(workspace::cargo())
        .current_dir(root)
        .args(["build", "--quiet"])
        .args(arguments)
        .status()
        .context("cargo could not be started")?;
    if status.success() { Ok(()) } else { bail!("it does not build, see above") }
}

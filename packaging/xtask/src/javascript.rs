//! Packages from npm that are installed with all that they need: what makes components of plugins
//! in JavaScript, for the tests, and what `bench` compares with.
//!
//! They lie in the user's cache folder, outside the clone, so that every clone shares them. The
//! pinned list stands beside them once everything is installed.

use crate::{say, workspace};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PINNED: [&str; 1] = ["componentize-qjs@0.4.5"];
const MARK: &str = "installed.txt";

/// The tests of the author's tool look there.
fn folder() -> PathBuf {
    workspace::cache_dir().join("javascript")
}

/// Installs the tests' packages where they are missing or others than the pinned ones.
pub(crate) fn provide() -> Result<()> {
    install(&folder(), &PINNED)
}

/// Installs `pinned` into `folder` unless just that is there. No script of a package is run.
pub(crate) fn install(folder: &Path, pinned: &[&str]) -> Result<()> {
    let mark = folder.join(MARK);
    let list = pinned.join("\n");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    say::step(&format!("installing {} into {}", pinned.join(" and "), folder.display()));
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let status = Command::new("npm")
        // Warnings of versions that others want say nothing here; errors do.
        .args(["install", "--loglevel=error", "--no-save", "--ignore-scripts", "--no-audit"])
        .args(["--no-fund", "--prefix"])
        .arg(folder)
        .args(pinned)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("npm cannot be started")?;
    ensure!(status.success(), "npm cannot install {}, see above", pinned.join(" and "));
    fs::write(&mark, list).with_context(|| format!("{} cannot be written", mark.display()))
}

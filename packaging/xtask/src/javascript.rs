//! The JavaScript packages of the tests: what makes components of plugins in JavaScript.
//!
//! They lie in the user's cache folder, outside the clone, so that every clone shares them. The
//! pinned list stands beside them once everything is installed.

use crate::{say, workspace};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const PINNED: [&str; 1] = ["componentize-qjs@0.4.5"];
const MARK: &str = "installed.txt";

/// The tests of the author's tool look there.
fn folder() -> PathBuf {
    workspace::cache_dir().join("javascript")
}

/// Installs them where they are missing or others than the pinned ones.
pub(crate) fn provide() -> Result<()> {
    let folder = folder();
    let mark = folder.join(MARK);
    let pinned = PINNED.join("\n");
    if fs::read_to_string(&mark).is_ok_and(|list| list == pinned) {
        return Ok(());
    }
    say::step(&format!("installing the tests' JavaScript packages into {}", folder.display()));
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let status = Command::new("npm")
        .args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(&folder)
        .args(PINNED)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("npm cannot be started")?;
    ensure!(status.success(), "npm cannot install {pinned}, see above");
    fs::write(&mark, pinned).with_context(|| format!("{} cannot be written", mark.display()))
}

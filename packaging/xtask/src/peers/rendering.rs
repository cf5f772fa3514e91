//! The peers of rendering that come from npm. What can't be had is left out of the run, by name:
//! a machine without npm or Chromium measures the rest.

use crate::{corpora, javascript, say, workspace};
use anyhow::Result;
use std::path::PathBuf;

/// How the figures begin that need them.
pub(crate) const FIGURES: &str = "render.";
/// mmdc brings no browser of its own: puppeteer's scripts, which download one, are not run.
const MMDC: [&str; 2] = ["@mermaid-js/mermaid-cli@12.2.0", "puppeteer@25.16.0"];

/// A peer by the variable that tells the bench where it lies.
type Peer = (&'static str, fn() -> Result<PathBuf>);

const PEERS: [Peer; 2] = [("FLYBALL_KATEX", || corpora::package("katex")), ("FLYBALL_MMDC", mmdc)];

/// Variables and folders of those that are there now.
pub(crate) fn prepare() -> Vec<(&'static str, PathBuf)> {
    let mut prepared = Vec::new();
    for (variable, provide) in PEERS {
        match provide() {
            Ok(folder) => prepared.push((variable, folder)),
            Err(error) => say::step(&format!("{variable} is left out: {error:#}")),
        }
    }
    prepared
}

fn mmdc() -> Result<PathBuf> {
    let folder = workspace::cache_dir().join("mmdc");
    javascript::install(&folder, &MMDC)?;
    Ok(folder)
}

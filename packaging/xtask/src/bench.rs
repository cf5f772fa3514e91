//! `bench`: builds the programs and the benchmarks, and runs those that were named.

use crate::{binaries, clock, packages, peers, plugins, workspace};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which figures: whole names or their beginnings; all where none is named
    names: Vec<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    plugins::build(root, &workspace::plugins_dir(root))?;
    packages::make_for_bench(root)?;
    binaries::build(root)?;
    let peers = peers::prepare(root)?;
    let started = clock::now();
    let mut command = Command::new(workspace::cargo());
    command
        .current_dir(root)
        .args(["run", "--quiet", "--release", "--package", "flyball-bench", "--"])
        .args(&options.names)
        .env("FLYBALL_XTASK", std::env::current_exe()?)
        .env("FLYBALL_TARGET_DIR", workspace::target_dir(root));
    if let Some(peers) = peers {
        command.env("FLYBALL_PEERS", peers);
    }
    if options.json {
        command.arg("--json");
    }
    let status = command.status()?;
    if !status.success() {
        bail!("the benchmarks ended with {status} after {} s", started.elapsed().as_secs());
    }
    Ok(())
}

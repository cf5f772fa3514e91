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

impl Options {
    /// Is a figure wanted whose name begins so?
    fn wants(&self, start: &str) -> bool {
        let named = |name: &String| name.starts_with(start) || start.starts_with(name.as_str());
        self.names.is_empty() || self.names.iter().any(named)
    }
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
    if options.wants(peers::OF_RENDERING) {
        command.envs(peers::prepare_for_rendering());
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

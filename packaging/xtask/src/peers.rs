//! The peers that `bench` measures Flyball against, by their Debian packages: downloaded and
//! unpacked beside the build, not installed, so that no service of theirs is ever started.

mod rendering;

pub(crate) use rendering::{FIGURES as OF_RENDERING, prepare as prepare_for_rendering};

use crate::{say, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PACKAGES: [&str; 8] = [
    "prometheus-node-exporter",
    "netdata-core",
    "collectd-core",
    "rt-tests",
    "victoria-metrics",
    "graphviz",
    // Has what `dot` loads; named, because a machine that has it would not fetch it.
    "libgvc6",
    "plantuml",
];

/// The folder with the unpacked peers; `None` where Debian's packages can't be had here.
pub(crate) fn prepare(root: &Path) -> Result<Option<PathBuf>> {
    let peers = workspace::target_dir(root).join("peers");
    // Says which, so that a longer list is fetched anew.
    let whole = peers.join("unpacked");
    let named = PACKAGES.join(" ");
    if fs::read_to_string(&whole).is_ok_and(|text| text == named) {
        return Ok(Some(peers));
    }
    let debian = Path::new("/etc/debian_version").exists();
    if !debian || !rustix::process::geteuid().is_root() {
        say::step("the peers are left out: they are Debian packages, fetched as root");
        return Ok(None);
    }
    let archives = peers.join("archives");
    fs::create_dir_all(archives.join("partial"))?;
    say::step(&format!("downloading {} to measure against", PACKAGES.join(", ")));
    // With what they depend on and this machine lacks, and without anything else; themselves even
    // where the machine has them.
    let mut download = Command::new("apt-get");
    download
        .args(["install", "--download-only", "--yes", "--quiet", "--no-install-recommends"])
        .args(["--reinstall", "-o"])
        .arg(format!("Dir::Cache::archives={}", archives.display()))
        .args(PACKAGES);
    finish(download)?;
    for package in fs::read_dir(&archives)?.flatten().map(|entry| entry.path()) {
        if package.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = Command::new("dpkg");
            unpack.arg("-x").arg(package).arg(&peers);
            finish(unpack)?;
        }
    }
    fs::remove_dir_all(archives)?;
    register_layouts(&peers)?;
    fs::write(whole, named)?;
    Ok(Some(peers))
}

/// What Graphviz' own package does when it is installed: `dot` draws nothing before.
fn register_layouts(peers: &Path) -> Result<()> {
    let libraries = peers.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    let mut dot = Command::new(peers.join("usr/bin/dot"));
    dot.arg("-c").env("GVBINDIR", libraries.join("graphviz")).env("LD_LIBRARY_PATH", &libraries);
    finish(dot)
}

fn finish(mut command: Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{command:?} can't be started"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}

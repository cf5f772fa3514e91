//! The kit of the virtual machines that the `rig` step of `test` boots: QEMU, an unmodified Debian
//! kernel, the plant's firmware table, and this project's programs linked statically.
//!
//! What comes from Debian is shared by every clone and lies in the user's cache folder; what is
//! built from this clone lies in its target folder.

mod debian;
mod skip;

use crate::{binaries, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use skip::Skip;

const GUARD: &str = "flyball-guard";
const AGENT: &str = "flyball-agent";
const DRIVER: &str = "flyball-driver";

/// How much of the rig is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The guard alone in the guest: a few minutes.
    Short,
    /// Every scenario, whole fleets among them.
    Long,
}

impl Form {
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Short => &[GUARD],
            Self::Long => &[GUARD, AGENT, DRIVER],
        }
    }
}

/// Makes what is missing of the kit and gives back its folder.
///
/// # Errors
/// [`Skip`] where this machine can't have one, and whatever fails besides.
pub(crate) fn prepare(root: &Path, form: Form) -> Result<PathBuf> {
    let parts = workspace::cache_dir().join("rig");
    debian::provide(&parts)?;
    let kit = workspace::target_dir(root).join("rig");
    fs::create_dir_all(&kit).with_context(|| format!("{} can't be made", kit.display()))?;
    for part in debian::FOLDERS {
        link(&parts.join(part), &kit.join(part))?;
    }
    let table = root.join("tests/rig/guest/plant.asl");
    let mut iasl = Command::new(parts.join("tools/usr/bin/iasl"));
    iasl.arg("-p").arg(kit.join("plant")).arg(table).stdout(Stdio::null());
    finish(iasl)?;
    build(root, &kit, form)?;
    Ok(kit)
}

/// Lets `to` stand for `from`, whatever it stood for.
fn link(from: &Path, to: &Path) -> Result<()> {
    if fs::read_link(to).is_ok_and(|there| there == from) {
        return Ok(());
    }
    if to.is_symlink() {
        fs::remove_file(to)?;
    } else if to.exists() {
        fs::remove_dir_all(to)?;
    }
    symlink(from, to).with_context(|| format!("{} can't be linked", to.display()))
}

/// The programs as the guests run them, which have no libraries.
fn build(root: &Path, kit: &Path, form: Form) -> Result<()> {
    let programs = kit.join("programs");
    fs::create_dir_all(&programs)?;
    for program in form.programs() {
        let built = binaries::build_edge_static(root, program)?;
        fs::copy(&built, programs.join(program))
            .with_context(|| format!("{} can't be copied", built.display()))?;
    }
    Ok(())
}

fn finish(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}

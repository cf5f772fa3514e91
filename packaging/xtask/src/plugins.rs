//! Guests to components. Every guest shares one target folder outside the clone, because the
//! standard library may have to be built for it.

use anyhow::{Context as _, ensure};
use flyball_guest_toolchain::{RustToolchain, TARGET};
use std::path::{Path, PathBuf};

/// What the product ships.
pub(crate) const GUESTS: [&str; 13] = [
    "graphviz",
    "latex",
    "charts",
    "svg",
    "maps",
    "d2",
    "umcf",
    "ocw",
    "epub",
    "cartridge",
    "prometheus",
    "http-json",
    "mqtt-json",
];
/// What every fleet of the tests has: few, because each compiles them anew.
const CORE: [&str; 2] = ["graphviz", "umcf"];
/// What the product ships besides, and what takes minutes to compile: built once, at a profile that
/// balances building and running, and never waited for.
pub(crate) const HEAVY: [&str; 2] = ["mermaid", "plantuml"];
/// What the tests of the plugin host run besides; the last two ship as well.
const TEST_GUESTS: [&str; 8] = [
    "misbehaving",
    "hoarding",
    "prying",
    "v0-1-importer",
    "v0-1-renderer",
    "v0-2-importer",
    "prometheus",
    "mqtt-json",
];

/// What guests share; no guest itself.
const SHARED: [&str; 3] = ["drawing", "course", "readings"];

/// Whose own logic has tests.
pub(crate) fn tested() -> impl Iterator<Item = &'static str> {
    SHARED.into_iter().chain(GUESTS)
}

/// What clippy looks at; the heavy ones take it minutes.
pub(crate) fn checked() -> impl Iterator<Item = &'static str> {
    tested().chain(TEST_GUESTS.into_iter().filter(|guest| !GUESTS.contains(guest)))
}

/// Builds the guests into `out`, and gives back their files.
pub(crate) fn build(root: &Path, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    build_guests(root, out, &GUESTS, Profile::Release)
}

/// Builds the few that every fleet of the tests has into `out`.
pub(crate) fn build_core(root: &Path, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    build_guests(root, out, &CORE, Profile::Release)
}

/// Builds those that take long into `out`, one after another: what is there can be used.
pub(crate) fn build_heavy(root: &Path, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    build_guests(root, out, &HEAVY, Profile::Heavy)
}

/// The profiles of the guests' own workspace.
#[derive(Clone, Copy, Debug)]
enum Profile {
    Release,
    Heavy,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Heavy => "heavy",
        }
    }
}

/// Is there a tool chain that makes components?
pub(crate) fn toolchain_is_there() -> bool {
    RustToolchain::find().is_ok()
}

/// Builds the guests that the tests need beside those of [`build`].
pub(crate) fn build_for_tests(root: &Path, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    build_guests(root, out, &TEST_GUESTS, Profile::Release)
}

fn build_guests(
    root: &Path,
    out: &Path,
    guests: &[&str],
    profile: Profile,
) -> anyhow::Result<Vec<PathBuf>> {
    let toolchain = RustToolchain::find()?;
    let target = target_folder()?;
    std::fs::create_dir_all(out).with_context(|| format!("{} can't be made", out.display()))?;
    let build = |guest: &&str| {
        crate::say::step(&format!("build the plugin {guest} to a component"));
        build_guest(&toolchain, &root.join("plugins"), &target, guest, profile)?;
        // A library's file has no `-` in its name.
        let built = format!("{}.wasm", guest.replace('-', "_"));
        let kept = out.join(format!("{guest}.wasm"));
        keep(&target.join(TARGET).join(profile.name()).join(built), &kept)
    };
    guests.iter().map(build).collect()
}

/// Shared by every clone on this machine.
fn target_folder() -> anyhow::Result<PathBuf> {
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        return Ok(PathBuf::from(target).join("guests"));
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join("flyball").join("guests"))
}

/// Leaves an equal file alone, so that nobody takes it for a new one.
fn keep(built: &Path, kept: &Path) -> anyhow::Result<PathBuf> {
    let bytes = std::fs::read(built).with_context(|| format!("{} is missing", built.display()))?;
    if std::fs::read(kept).ok().as_ref() != Some(&bytes) {
        // Renamed into place: an agent that looks now sees the old component or the new one.
        let beside = kept.with_extension("wasm.new");
        std::fs::write(&beside, bytes)
            .and_then(|()| std::fs::rename(&beside, kept))
            .with_context(|| format!("{} can't be written", kept.display()))?;
    }
    Ok(kept.to_path_buf())
}

/// One guest at a time: together their features would be unified, and a guest that links two
/// worlds is no component of either.
fn build_guest(
    toolchain: &RustToolchain,
    workspace: &Path,
    target: &Path,
    guest: &str,
    profile: Profile,
) -> anyhow::Result<()> {
    let status = toolchain
        .cargo_build()?
        .current_dir(workspace)
        .args(["--profile", profile.name(), "--locked", "--quiet", "-p", guest])
        .env("CARGO_TARGET_DIR", target)
        .status()
        .context("cargo can't be started")?;
    ensure!(status.success(), "the plugin `{guest}` does not build");
    Ok(())
}

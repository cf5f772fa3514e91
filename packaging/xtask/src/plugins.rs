//! Guests to components, with one tool chain or the other.
//!
//! rustup's `wasm32-unknown-unknown` where it is installed. Elsewhere Debian's `rustc-web` with
//! its own standard library from source, linked by the tools that rustup's tool chain carries.
//! Every guest shares one target folder outside the clone, and the flags stay fixed: changed
//! ones rebuild the standard library.

use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's second compiler, and where its package puts the standard library's source.
const WEB_RUSTC: &str = "/usr/bin/rustc";
const WEB_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

/// What the product ships.
pub(crate) const GUESTS: [&str; 10] =
    ["graphviz", "latex", "charts", "svg", "maps", "d2", "umcf", "ocw", "epub", "cartridge"];
/// What every fleet of the tests has: few, because each compiles them anew.
const CORE: [&str; 2] = ["graphviz", "umcf"];
/// What the product ships besides, and what takes minutes to compile: built once, at a profile that
/// balances building and running, and never waited for.
pub(crate) const HEAVY: [&str; 2] = ["mermaid", "plantuml"];
/// What only the tests of the plugin host run.
const TEST_GUESTS: [&str; 1] = ["misbehaving"];

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
    Toolchain::find().is_ok()
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
    let toolchain = Toolchain::find()?;
    let target = target_folder()?;
    std::fs::create_dir_all(out).with_context(|| format!("{} can't be made", out.display()))?;
    let build = |guest: &&str| {
        crate::say::step(&format!("build the plugin {guest} to a component"));
        toolchain.build(&root.join("plugins"), &target, guest, profile)?;
        let file = format!("{guest}.wasm");
        keep(&target.join(TARGET).join(profile.name()).join(&file), &out.join(&file))
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

#[derive(Debug)]
struct Toolchain {
    /// rustup's linkers, first in the path.
    linkers: Vec<PathBuf>,
    standard_library: StandardLibrary,
}

#[derive(Debug, PartialEq, Eq)]
enum StandardLibrary {
    Installed,
    FromDebiansSource,
}

impl Toolchain {
    fn find() -> anyhow::Result<Self> {
        let tools = PathBuf::from(rustc(&["--print", "target-libdir"])?)
            .parent()
            .context("rustc names no library folder")?
            .join("bin");
        let linkers = vec![tools.join("gcc-ld"), tools];
        ensure!(
            linkers.iter().any(|folder| folder.join("wasm-component-ld").exists()),
            "this Rust tool chain has no wasm-component-ld; install Rust through rustup"
        );
        let installed = PathBuf::from(rustc(&["--print", "target-libdir", "--target", TARGET])?);
        let standard_library = if installed.is_dir() {
            StandardLibrary::Installed
        } else if Path::new(WEB_RUSTC).exists() && Path::new(WEB_SOURCE).exists() {
            StandardLibrary::FromDebiansSource
        } else {
            bail!(
                "plugins need the target {TARGET}: run `rustup target add {TARGET}`, or on \
                 Debian `apt-get install rustc-web rust-web-src`"
            );
        };
        Ok(Self { linkers, standard_library })
    }

    /// One guest at a time: together their features would be unified, and a guest that links
    /// two worlds is no component of either.
    fn build(
        &self,
        workspace: &Path,
        target: &Path,
        guest: &str,
        profile: Profile,
    ) -> anyhow::Result<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.linkers.iter().cloned().chain(std::env::split_paths(&path));
        let mut cargo = Command::new("cargo");
        cargo
            .current_dir(workspace)
            .args(["build", "--profile", profile.name(), "--locked", "--quiet", "--target", TARGET])
            .args(["-p", guest])
            .env("PATH", std::env::join_paths(folders).context("PATH can't be extended")?)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-component-ld")
            .env("CARGO_TARGET_DIR", target);
        // What the caller set for its own build would change the guests.
        for flags in
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
        {
            cargo.env_remove(flags);
        }
        if self.standard_library == StandardLibrary::FromDebiansSource {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", WEB_RUSTC);
        }
        let status = cargo.status().context("cargo can't be started")?;
        ensure!(status.success(), "the plugin `{guest}` does not build");
        Ok(())
    }
}

fn rustc(arguments: &[&str]) -> anyhow::Result<String> {
    let output =
        Command::new("rustc").args(arguments).output().context("rustc can't be started")?;
    ensure!(output.status.success(), "rustc {} failed", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

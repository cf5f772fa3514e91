//! Which tools on this machine make components.
//!
//! rustup's `wasm32-unknown-unknown` where it is installed. Elsewhere Debian's `rustc-web` with
//! its own standard library from source, linked by the tools that rustup's tool chain carries.
//! The flags stay fixed: changed ones rebuild the standard library.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const TARGET: &str = "wasm32-unknown-unknown";
/// What makes a component of object files.
pub const COMPONENT_LINKER: &str = "wasm-component-ld";

/// Debian's second compiler, and where its package puts the standard library's source.
const WEB_RUSTC: &str = "/usr/bin/rustc";
const WEB_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    #[error("rustc can't be started; install Rust through rustup")]
    Rustc(#[source] io::Error),
    #[error("`rustc {0}` failed")]
    Answer(String),
    #[error("this Rust tool chain has no {COMPONENT_LINKER}; install Rust through rustup")]
    NoLinker,
    #[error(
        "plugins need the target {TARGET}: run `rustup target add {TARGET}`, or on Debian \
         `apt-get install rustc-web rust-web-src`"
    )]
    NoTarget,
    #[error("PATH can't be extended")]
    Path(#[source] std::env::JoinPathsError),
}

/// The component linker and the linker below it: folders that go first in the path.
#[derive(Clone, Debug)]
pub struct Linkers(Vec<PathBuf>);

impl Linkers {
    /// rustup's tool chain carries both.
    ///
    /// # Errors
    /// Where there is no such tool chain.
    pub fn find() -> Result<Self, ToolchainError> {
        let libraries = PathBuf::from(rustc(&["--print", "target-libdir"])?);
        let tools = libraries.parent().map(|folder| folder.join("bin"));
        let tools = tools.ok_or(ToolchainError::NoLinker)?;
        if !tools.join(COMPONENT_LINKER).exists() {
            return Err(ToolchainError::NoLinker);
        }
        Ok(Self(vec![tools.join("gcc-ld"), tools]))
    }

    /// `PATH` with these tools first.
    ///
    /// # Errors
    /// Where a folder's name can't stand in it.
    pub fn path(&self) -> Result<OsString, ToolchainError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.0.iter().cloned().chain(std::env::split_paths(&path));
        std::env::join_paths(folders).map_err(ToolchainError::Path)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StandardLibrary {
    Installed,
    FromDebiansSource,
}

/// What makes a component of a crate.
#[derive(Clone, Debug)]
pub struct RustToolchain {
    linkers: Linkers,
    standard_library: StandardLibrary,
}

impl RustToolchain {
    /// # Errors
    /// What is missing, and how it is installed.
    pub fn find() -> Result<Self, ToolchainError> {
        let linkers = Linkers::find()?;
        let installed = PathBuf::from(rustc(&["--print", "target-libdir", "--target", TARGET])?);
        let standard_library = if installed.is_dir() {
            StandardLibrary::Installed
        } else if Path::new(WEB_RUSTC).exists() && Path::new(WEB_SOURCE).exists() {
            StandardLibrary::FromDebiansSource
        } else {
            return Err(ToolchainError::NoTarget);
        };
        Ok(Self { linkers, standard_library })
    }

    /// `cargo build` for components; the caller names the rest.
    ///
    /// # Errors
    /// Where the path can't be set.
    pub fn cargo_build(&self) -> Result<Command, ToolchainError> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--target", TARGET])
            .env("PATH", self.linkers.path()?)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", COMPONENT_LINKER);
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
        Ok(cargo)
    }
}

fn rustc(arguments: &[&str]) -> Result<String, ToolchainError> {
    let output = Command::new("rustc").args(arguments).output().map_err(ToolchainError::Rustc)?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(ToolchainError::Answer(arguments.join(" ")))
    }
}

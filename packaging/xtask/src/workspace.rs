//! Where things lie: the clone, and the target folder that cargo was told to use.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The clone's top folder. Cargo says at run time where this package lies: clones that share a
/// target folder share this program, and what was compiled into it is another clone's place.
pub(crate) fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    Path::new(&package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .context("packaging/xtask has no grandparent folder")
}

/// The cargo that runs this.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Cargo's target folder: `CARGO_TARGET_DIR`, or `target` in the clone.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => root.join("target"),
    }
}

/// Where the built components lie.
pub(crate) fn plugins_dir(root: &Path) -> PathBuf {
    target_dir(root).join("plugins")
}

/// Where the components lie that every fleet of the tests has.
pub(crate) fn core_plugins_dir(root: &Path) -> PathBuf {
    target_dir(root).join("plugins-core")
}

/// Where the packages lie that tests import.
pub(crate) fn packages_dir(root: &Path) -> PathBuf {
    target_dir(root).join("packages-for-tests")
}

/// Where the components lie that only tests run.
pub(crate) fn test_plugins_dir(root: &Path) -> PathBuf {
    target_dir(root).join("plugins-for-tests")
}

/// Where what every clone shares is kept: below the user's cache folder.
pub(crate) fn cache_dir() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.filter(|dir| dir.is_absolute()).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        home.join(".cache")
    });
    cache.join("flyball")
}

/// Where `--state` points when nobody says.
pub(crate) fn default_state() -> PathBuf {
    if let Some(state) = std::env::var_os("XDG_STATE_HOME") {
        return PathBuf::from(state).join("flyball");
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    home.join(".local/state/flyball")
}

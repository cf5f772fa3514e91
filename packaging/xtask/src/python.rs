//! The Python environment of the tests: the emulators that PyPI has and Debian has not.
//!
//! It lies in the user's cache folder (`FLYBALL_PYTHON` names another), outside the clone, so
//! that every clone shares it. The pinned list stands in it once everything is installed, which
//! is how the next run sees that nothing is to do.

use crate::{say, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PINNED: &str = include_str!("../python-requirements.txt");
/// The list's copy in the environment.
const MARK: &str = "installed.txt";

/// Where it lies; the harness of the tests looks in the same places.
pub(crate) fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("FLYBALL_PYTHON") {
        return PathBuf::from(folder);
    }
    workspace::cache_dir().join("python")
}

/// Makes the environment where it is missing or holds something else than the pinned list.
pub(crate) fn provide() -> Result<()> {
    let folder = folder();
    if is_there(&folder) {
        return Ok(());
    }
    say::step(&format!("installing the tests' Python packages into {}", folder.display()));
    // Half an environment, or one of another list or interpreter, is made anew.
    if folder.exists() {
        if !folder.join("pyvenv.cfg").exists() {
            bail!("{} is no Python environment; take it away", folder.display());
        }
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be replaced", folder.display()))?;
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("{} cannot be made", parent.display()))?;
    }
    quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let list = folder.join("wanted.txt");
    fs::write(&list, PINNED).with_context(|| format!("{} cannot be written", list.display()))?;
    quiet(
        Command::new(folder.join("bin").join("python"))
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(&list),
    )?;
    fs::rename(&list, folder.join(MARK)).context("the environment cannot be marked as whole")
}

fn is_there(folder: &Path) -> bool {
    fs::read_to_string(folder.join(MARK)).is_ok_and(|list| list == PINNED)
        && folder.join("bin").join("python").exists()
}

fn quiet(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{command:?} could not be started"))?;
    if !status.success() {
        bail!("{command:?} failed, see above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_python_package_is_pinned() {
        let packages = PINNED.lines().filter(|line| !line.starts_with('#'));
        assert!(packages.clone().count() > 3);
        for package in packages {
            assert!(package.split_once("==").is_some_and(|(_, version)| !version.is_empty()));
        }
    }

    #[test]
    fn an_environment_of_another_list_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::write(folder.path().join("bin/python"), "").unwrap();
        fs::write(folder.path().join(MARK), PINNED).unwrap();
        assert!(is_there(folder.path()));
        fs::write(folder.path().join(MARK), "pymodbus==3.0.0\n").unwrap();
        assert!(!is_there(folder.path()));
    }
}

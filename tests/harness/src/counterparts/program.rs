//! Where a counterpart's program lies, and which package brings it.

use super::CounterpartError;
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Before all others: Debian's `upsd` in the path is a script that asks /etc first.
const NUT: &str = "/lib/nut";
/// Folders of Debian's packages that need not be in the path.
const SYSTEM: [&str; 2] = ["/usr/bin", "/usr/sbin"];

/// Debian keeps PostgreSQL's programs apart by its major version; 12 has 15.
const POSTGRES: RangeInclusive<u32> = 13..=18;

/// A program by its name, and what brings it.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// Of this Debian package.
    Debian { name: &'static str, package: &'static str },
    /// Of this package of the Python environment that `cargo xtask test` makes.
    Python { name: &'static str, package: &'static str },
}

impl Program {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian { name, .. } | Self::Python { name, .. } => name,
        }
    }

    /// Its file.
    ///
    /// # Errors
    /// [`CounterpartError::Missing`], which says how to get it.
    pub fn file(self) -> Result<PathBuf, CounterpartError> {
        match self {
            Self::Debian { name, package } => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                std::iter::once(PathBuf::from(NUT))
                    .chain(std::env::split_paths(&path))
                    .chain(SYSTEM.map(PathBuf::from))
                    .chain(POSTGRES.rev().map(postgres))
                    .map(|folder| folder.join(name))
                    .find(|file| file.is_file())
                    .ok_or_else(|| CounterpartError::Missing {
                        program: name,
                        remedy: format!("`apt-get install {package}`, or `cargo xtask test`"),
                    })
            }
            Self::Python { name, package } => {
                let file = python_programs().join(name);
                if file.is_file() {
                    return Ok(file);
                }
                let place = file.display();
                Err(CounterpartError::Missing {
                    program: name,
                    remedy: format!("`cargo xtask test` puts PyPI's {package} at {place}"),
                })
            }
        }
    }
}

fn postgres(version: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))
}

/// The `bin` folder of the Python environment: below `FLYBALL_PYTHON` where that is set, or
/// below the user's cache folder.
#[must_use]
pub fn python_programs() -> PathBuf {
    let named = std::env::var_os("FLYBALL_PYTHON").map(PathBuf::from);
    named.unwrap_or_else(|| cache().join("flyball").join("python")).join("bin")
}

fn cache() -> PathBuf {
    let given = std::env::var_os("XDG_CACHE_HOME").filter(|dir| Path::new(dir).is_absolute());
    given.map_or_else(
        || {
            let home = std::env::var_os("HOME");
            Path::new(home.as_deref().unwrap_or_else(|| OsStr::new("/"))).join(".cache")
        },
        PathBuf::from,
    )
}

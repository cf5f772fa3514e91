//! The languages that a plugin can be written in here, and how a project shows its own.

use anyhow::{Result, bail};
use clap::ValueEnum;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Javascript,
    Python,
    C,
}

impl Language {
    /// The file that shows it.
    const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Javascript => "plugin.js",
            Self::Python => "plugin.py",
            Self::C => "plugin.c",
        }
    }

    /// The language of the project in `folder`.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let all = Self::value_variants();
        let found: Vec<Self> =
            all.iter().copied().filter(|one| folder.join(one.mark()).is_file()).collect();
        match found[..] {
            [one] => Ok(one),
            [] => bail!(
                "{} holds none of {}; `flyball plugin new` begins a project",
                folder.display(),
                all.iter().map(|one| one.mark()).collect::<Vec<_>>().join(", ")
            ),
            [one, other, ..] => {
                bail!("{} holds {} and {}, keep one", folder.display(), one.mark(), other.mark())
            }
        }
    }
}

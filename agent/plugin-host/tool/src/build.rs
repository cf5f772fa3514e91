//! `build`: the project's sources to one component, with the tools of its language.

mod c;
mod javascript;
mod python;
mod rust;
mod tool;

use crate::language::Language;
use crate::project::{self, BUILT};
use crate::{anatomy, say};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = &options.folder;
    let language = Language::of(folder)?;
    let out = folder.join(BUILT);
    project::make_folder(out.parent().unwrap_or(folder))?;
    match language {
        Language::Rust => rust::build(folder)?,
        Language::Javascript => javascript::build(folder)?,
        Language::Python => python::build(folder)?,
        Language::C => c::build(folder)?,
    }
    let bytes = project::read(&out)?;
    let anatomy = anatomy::Anatomy::of(&bytes)
        .with_context(|| format!("{} is no plugin of ours", out.display()))?;
    println!(
        "{}: {} of {}, {}",
        out.display(),
        anatomy.world_name(),
        anatomy.wit,
        say::size(bytes.len() as u64)
    );
    Ok(())
}

/// Relative to the folder in which the tools run.
fn built() -> &'static Path {
    Path::new(BUILT)
}

//! `pack`: the component as it is handed on, and what it is, beside it.

use crate::anatomy::Anatomy;
use crate::inspect::Description;
use crate::project::{self, Component};
use crate::sandbox::{Meter, compile};
use crate::stripping::stripped;
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    component: Component,
    /// Where the two files go
    #[arg(long, value_name = "DIR", default_value = "build")]
    out: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let built = project::read(&options.component.file)?;
    // A file that is no component is named as what it is, before anything else is said of it.
    Anatomy::of(&built)?;
    let bytes = stripped(&built)?;
    let anatomy = Anatomy::of(&bytes)?;
    let compiled = compile(&bytes, Meter::Off)?;
    let description = Description::of(&bytes, &anatomy, &compiled.manifest)?;
    check_version(&description.version)?;
    project::make_folder(&options.out)?;
    let file = options.out.join(format!("{}-{}.wasm", description.id, description.version));
    project::write(&file, &bytes)?;
    let mut text = serde_json::to_string_pretty(&description).context("no description")?;
    text.push('\n');
    project::write(&file.with_extension("json"), text.as_bytes())?;
    println!(
        "{}: {} bytes ({} taken out), sha256 {}",
        file.display(),
        bytes.len(),
        built.len() - bytes.len(),
        description.sha256
    );
    Ok(())
}

/// It becomes a part of a file's name.
fn check_version(version: &str) -> Result<()> {
    let sound = version.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && version.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b));
    ensure!(sound, "the version {version:?} can't stand in a file's name: use one like 1.2.3");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_would_leave_the_folder_is_refused() {
        for sound in ["0.1.0", "2", "1.2.3-rc.1+build.5"] {
            assert!(check_version(sound).is_ok(), "{sound}");
        }
        for wrong in ["", "../0.1.0", "1/2", ".1", "1 2", "1\n"] {
            assert!(check_version(wrong).is_err(), "{wrong:?}");
        }
    }
}

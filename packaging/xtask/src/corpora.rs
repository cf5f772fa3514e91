//! How much of what others have written our renderers draw, and the contact sheets.
//!
//! The counting is `flyball-corpora`'s; here are what it needs: packages with the sources and the
//! reference programs, and the built components.

mod packages;

use crate::{binaries, plugins, preflight, say, workspace};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "flyball-corpora";
/// The edge's own profile: the sandbox is built in it already.
const PROFILE: &str = "edge";
/// Folders of fonts as the product looks for them.
const FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/truetype/liberation2",
    "/usr/share/fonts/truetype/dejavu",
];

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    word: Option<Word>,
    /// Components that are built already, instead of building them
    #[arg(long, value_name = "FOLDER", global = true)]
    components: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Word {
    /// Render every source, ask the reference programs, write the counts (the default)
    Count {
        /// Only this corpus: dot, mermaid, plantuml, latex or d2
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Render a few sources of each corpus again and hold them against the kept counts
    Check,
    /// Draw the contact sheets
    Sheet {
        /// An aggregator that is built already
        #[arg(long, value_name = "PROGRAM")]
        aggregator: Option<PathBuf>,
    },
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let cache = cache();
    let mut arguments: Vec<PathBuf> = Vec::new();
    match &options.word {
        None => arguments.push("count".into()),
        Some(Word::Count { only }) => {
            arguments.push("count".into());
            arguments.extend(only.iter().flat_map(|name| ["--only".into(), name.into()]));
        }
        Some(Word::Check) => arguments.push("check".into()),
        Some(Word::Sheet { aggregator }) => {
            arguments.extend(["sheet".into(), "--aggregator".into()]);
            arguments.push(match aggregator {
                Some(aggregator) => aggregator.clone(),
                None => binaries::build_aggregator(root)?,
            });
            for folder in FONTS.into_iter().filter(|folder| Path::new(folder).is_dir()) {
                arguments.extend(["--fonts".into(), folder.into()]);
            }
        }
    }
    if !matches!(options.word, Some(Word::Sheet { .. })) {
        preflight::for_corpora()?;
        packages::provide(&cache)?;
    }
    let components = match &options.components {
        Some(components) => components.clone(),
        None => build_components(root, matches!(options.word, Some(Word::Check)))?,
    };
    let program = build(root)?;
    let status = Command::new(&program)
        .current_dir(root)
        .args(arguments)
        .arg("--packages")
        .arg(packages::below(&cache))
        .arg("--components")
        .arg(components)
        .arg("--work")
        .arg(cache.join("work"))
        .status()
        .with_context(|| format!("{} could not be started", program.display()))?;
    if status.success() { Ok(()) } else { bail!("{PROGRAM}: {status}") }
}

/// One of the packages, by its folder; `bench` compares with it too.
pub(crate) fn package(folder: &str) -> Result<PathBuf> {
    packages::provide_one(&cache(), folder)
}

fn cache() -> PathBuf {
    workspace::cache_dir().join("corpora")
}

/// All of them, or those that are quick to build: a check leaves the others out where they are
/// not there.
fn build_components(root: &Path, quick: bool) -> Result<PathBuf> {
    let folder = workspace::plugins_dir(root);
    plugins::build(root, &folder)?;
    if !quick {
        plugins::build_heavy(root, &folder)?;
    }
    Ok(folder)
}

fn build(root: &Path) -> Result<PathBuf> {
    say::step(&format!("build {PROGRAM} ({PROFILE} profile)"));
    let status = Command::new(workspace::cargo())
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--profile", PROFILE, "--package", PROGRAM])
        .status()
        .context("cargo could not be started")?;
    if !status.success() {
        bail!("{PROGRAM} does not build, see above");
    }
    Ok(workspace::target_dir(root).join(PROFILE).join(PROGRAM))
}

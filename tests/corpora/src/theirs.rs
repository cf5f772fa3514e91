//! The reference programs, asked through Node: `oracles/*.mjs` beside this crate's sources.

use crate::samples::{Corpus, Sample};
use crate::verdict::Theirs;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NODE: &str = include_str!("../oracles/node.mjs");
const BROWSER: &str = include_str!("../oracles/browser.mjs");

/// The programs of the machine that the references run in.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    pub(crate) node: PathBuf,
    pub(crate) chromium: PathBuf,
}

/// What the reference of `corpus` says to each sample, in their order.
pub(crate) fn ask(
    corpus: &Corpus,
    samples: &[Sample],
    packages: &Path,
    hosts: &Hosts,
    work: &Path,
) -> Result<Vec<Theirs>> {
    let (script, text) = match corpus.name {
        "mermaid" | "plantuml" => (work.join("browser.mjs"), BROWSER),
        _ => (work.join("node.mjs"), NODE),
    };
    let list = work.join(format!("{}.json", corpus.name));
    fs::write(&script, text).with_context(|| format!("{} can't be written", script.display()))?;
    fs::write(&list, serde_json::to_vec(samples)?)
        .with_context(|| format!("{} can't be written", list.display()))?;
    let output = Command::new(&hosts.node)
        .arg(&script)
        .arg(corpus.name)
        .args([packages, &list, &hosts.chromium])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} can't be started", hosts.node.display()))?;
    ensure!(output.status.success(), "the reference for {}: {}", corpus.title, output.status);
    let answers: Vec<Theirs> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("the reference for {} says something else", corpus.title))?;
    ensure!(
        answers.len() == samples.len()
            && answers.iter().zip(samples).all(|(answer, sample)| answer.name == sample.name),
        "the reference for {} answered {} of {} sources",
        corpus.title,
        answers.len(),
        samples.len()
    );
    Ok(answers)
}

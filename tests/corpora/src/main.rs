//! `flyball-corpora`: how much of what others have written our renderers draw, and what it looks
//! like. `cargo xtask corpora` provides the packages and components, and runs it.

mod clock;
mod counts;
mod ours;
mod page;
mod samples;
mod sheet;
mod theirs;
mod verdict;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use counts::{Count, Counts};
use ours::Renderer;
use samples::{CORPORA, Corpus};
use sheet::Studio;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use theirs::Hosts;
use verdict::Outcome;

/// Samples of each corpus that `check` renders again.
const CHECKED: usize = 20;

#[derive(Parser)]
#[command(name = "flyball-corpora", version, about = "Count what our renderers draw")]
struct Arguments {
    #[command(subcommand)]
    word: Word,
    #[command(flatten)]
    places: Places,
}

#[derive(Subcommand)]
enum Word {
    /// Render every source, ask the references, and write the counts to their file and the page
    Count {
        #[command(flatten)]
        places: References,
        /// Only this corpus; the others keep their counts
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Draw the contact sheets
    Sheet {
        /// The built aggregator, which makes pixels
        #[arg(long, value_name = "PROGRAM")]
        aggregator: PathBuf,
        /// Where its fonts lie
        #[arg(long, required = true, value_name = "FOLDER")]
        fonts: Vec<PathBuf>,
        /// Where the sheets go
        #[arg(long, value_name = "FOLDER", default_value = "docs/pictures")]
        pictures: PathBuf,
    },
    /// Render a few sources of each corpus again and hold them against the kept counts
    Check,
}

#[derive(Args)]
struct Places {
    /// The unpacked packages
    #[arg(long, global = true, value_name = "FOLDER", default_value = "packages")]
    packages: PathBuf,
    /// The built components
    #[arg(long, global = true, value_name = "FOLDER", default_value = "plugins")]
    components: PathBuf,
    /// Where compiled components and lists are kept
    #[arg(long, global = true, value_name = "FOLDER", default_value = "work")]
    work: PathBuf,
    /// The kept counts
    #[arg(long, global = true, value_name = "FILE", default_value = "tests/corpora/counts.json")]
    counts: PathBuf,
    /// The page that shows them
    #[arg(long, global = true, value_name = "FILE", default_value = "docs/renderers.md")]
    page: PathBuf,
}

#[derive(Args)]
struct References {
    /// Node, for the references
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: PathBuf,
    /// Chromium, for those that need a page
    #[arg(long, value_name = "PROGRAM", default_value = "/usr/bin/chromium")]
    chromium: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let places = &arguments.places;
    let done = match &arguments.word {
        Word::Count { places: References { node, chromium }, only } => {
            count(places, &Hosts { node: node.clone(), chromium: chromium.clone() }, only)
        }
        Word::Sheet { aggregator, fonts, pictures } => {
            let studio = Studio {
                aggregator: aggregator.clone(),
                fonts: fonts.clone(),
                components: places.components.clone(),
                code: places.work.join("code"),
            };
            sheet::draw(&studio, pictures)
        }
        Word::Check => check(places),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Places {
    fn renderer(&self, corpus: &Corpus) -> Result<Renderer> {
        Renderer::load(&self.components, &self.work.join("code"), corpus.guest, corpus.name)
    }
}

fn count(places: &Places, hosts: &Hosts, only: &[String]) -> Result<()> {
    if let Some(stray) = only.iter().find(|name| CORPORA.iter().all(|one| one.name != **name)) {
        let known: Vec<&str> = CORPORA.iter().map(|corpus| corpus.name).collect();
        bail!("there is no corpus {stray:?}, but {}", known.join(", "));
    }
    fs::create_dir_all(&places.work)
        .with_context(|| format!("{} can't be made", places.work.display()))?;
    let mut counts =
        if places.counts.exists() { counts::read(&places.counts)? } else { Counts::new() };
    let wanted = |corpus: &&Corpus| only.is_empty() || only.iter().any(|name| name == corpus.name);
    for corpus in CORPORA.iter().filter(wanted) {
        let count = count_one(places, hosts, corpus)?;
        counts.insert(corpus.name.to_owned(), count);
        counts::write(&places.counts, &counts)?;
    }
    page::write(&places.page, &counts)
}

fn count_one(places: &Places, hosts: &Hosts, corpus: &Corpus) -> Result<Count> {
    let samples = corpus.samples(&places.packages)?;
    println!("{}: {} sources", corpus.title, samples.len());
    let renderer = places.renderer(corpus)?;
    let own: Vec<_> = samples.iter().map(|sample| renderer.judge(sample)).collect();
    let other = theirs::ask(corpus, &samples, &places.packages, hosts, &places.work)?;
    let mut told = String::new();
    for (sample, (ours, theirs)) in samples.iter().zip(own.iter().zip(&other)) {
        let (outcome, letter) = (ours.outcome.letter(), theirs.letter());
        let line =
            format!("{outcome}{letter} {:?} {:?} {:?}\n", sample.name, ours.reason, theirs.reason);
        told.push_str(&line);
    }
    let list = places.work.join(format!("{}.outcomes.txt", corpus.name));
    fs::write(&list, told).with_context(|| format!("{} can't be written", list.display()))?;
    let count = Count::new(&samples, &own, &other);
    let drawn = count.of(Outcome::Drawn);
    println!(
        "  drawn {drawn}, broke {}, each of them: {}",
        count.of(Outcome::Broke),
        list.display()
    );
    Ok(count)
}

fn check(places: &Places) -> Result<()> {
    let kept = counts::read(&places.counts)?;
    let page = fs::read_to_string(&places.page)
        .with_context(|| format!("{} can't be read", places.page.display()))?;
    ensure!(page::holds(&page, &kept), "{} shows other counts", places.page.display());
    let mut told = Vec::new();
    for corpus in &CORPORA {
        let Some(count) = kept.get(corpus.name) else {
            bail!("{} has no counts yet", corpus.title);
        };
        if !places.components.join(format!("{}.wasm", corpus.guest)).exists() {
            println!("{}: left out, its component is not built", corpus.title);
            continue;
        }
        let samples = corpus.samples(&places.packages)?;
        let renderer = places.renderer(corpus)?;
        let step = samples.len().div_ceil(CHECKED);
        told.extend(counts::differences(corpus, count, &samples, step, |one| renderer.judge(one)));
        println!("{}: every {step}th of {} rendered again", corpus.title, samples.len());
    }
    ensure!(told.is_empty(), "other outcomes than those kept:\n{}", told.join("\n"));
    Ok(())
}

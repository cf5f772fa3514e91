//! The developer's one entry point: `cargo xtask` and one of its words.
//!
//! Every check that CI runs and every set-up that a fresh clone needs is a word here, so that a
//! person and the CI say the same words. It builds, starts and watches programs; it holds no
//! logic of the product.

mod bench;
mod binaries;
mod child;
mod clock;
mod console;
mod contract;
mod corpora;
mod down;
mod faults;
mod fleet;
mod javascript;
mod mutants;
mod packages;
mod peers;
mod plugins;
mod port;
mod preflight;
mod process;
mod python;
mod ready;
mod rig;
mod say;
mod supervisor;
mod test;
mod up;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Flyball", version)]
struct Arguments {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Build what is missing, then run an aggregator and the edge programs of this machine
    Up(up::Options),
    /// End what `up --detach` started
    Down(down::Options),
    /// Run everything that CI runs
    Test(test::Options),
    /// Measure, and print a table or JSON lines
    Bench(bench::Options),
    /// Change the safety engine line by line and list what no test notices
    Mutants(mutants::Options),
    /// Count how much of what others have written our renderers draw, and draw contact sheets
    Corpora(corpora::Options),
    /// Build the plugins to components
    Plugins {
        /// Those that take many minutes, instead of the others
        #[arg(long)]
        heavy: bool,
    },
    /// Build the console
    Console,
}

fn main() -> ExitCode {
    match run(Arguments::parse().word) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(word: Word) -> anyhow::Result<()> {
    let root = workspace::root()?;
    match word {
        Word::Up(options) => up::run(&root, &options),
        Word::Down(options) => down::run(&options),
        Word::Test(options) => test::run(&root, &options),
        Word::Bench(options) => bench::run(&root, &options),
        Word::Mutants(options) => mutants::run(&root, &options),
        Word::Corpora(options) => corpora::run(&root, &options),
        Word::Plugins { heavy } => {
            let out = workspace::plugins_dir(&root);
            let build = if heavy { plugins::build_heavy } else { plugins::build };
            build(&root, &out).map(|_| ())
        }
        Word::Console => console::build(&root).map(|_| ()),
    }
}

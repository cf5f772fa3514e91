//! `flyball`: what the author of a plugin works with.
//!
//! It makes a project from a template, builds it with the tools of its language, runs it under
//! the limits of production, and packs and signs it. Foreign code is compiled and run in
//! children of this program, which are confined as the agent's own are.

mod anatomy;
mod bench;
mod build;
mod case;
mod clock;
mod inspect;
mod key;
mod language;
mod package;
mod project;
mod sandbox;
mod say;
mod signature;
mod stripping;
mod template;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "flyball", about = "Make, try, pack and sign plugins", version)]
struct Arguments {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Make, try, pack and sign a plugin
    #[command(subcommand)]
    Plugin(Plugin),
    /// A confined process of this program; started by itself.
    #[command(subcommand, hide = true)]
    Child(sandbox::child::Word),
}

#[derive(Subcommand)]
enum Plugin {
    /// Begin a plugin in a new folder
    New(template::Options),
    /// Build the project in this folder to build/plugin.wasm
    Build(build::Options),
    /// Run the cases in tests/ under the limits of production
    Test(test::Options),
    /// Measure what the cases in tests/ cost
    Bench(bench::Options),
    /// Check the component, take debugging sections out, name it by id and version
    Pack(package::Options),
    /// Make a key pair to sign with
    Keygen(key::Options),
    /// Sign a packed plugin
    Sign(signature::SignOptions),
    /// Check the signature of a packed plugin
    Verify(signature::VerifyOptions),
    /// Say what a component is, takes and gives
    Inspect(inspect::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().word) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", say::plain(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(word: Word) -> anyhow::Result<ExitCode> {
    let done = match word {
        Word::Child(word) => sandbox::child::run(&word),
        Word::Plugin(Plugin::New(options)) => template::run(&options),
        Word::Plugin(Plugin::Build(options)) => build::run(&options),
        Word::Plugin(Plugin::Test(options)) => return test::run(&options),
        Word::Plugin(Plugin::Bench(options)) => bench::run(&options),
        Word::Plugin(Plugin::Pack(options)) => package::run(&options),
        Word::Plugin(Plugin::Keygen(options)) => key::run(&options),
        Word::Plugin(Plugin::Sign(options)) => signature::sign(&options),
        Word::Plugin(Plugin::Verify(options)) => signature::verify(&options),
        Word::Plugin(Plugin::Inspect(options)) => inspect::run(&options),
    };
    done.map(|()| ExitCode::SUCCESS)
}

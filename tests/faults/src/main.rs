//! A real fleet under a seeded sequence of faults, and the exact ledger of what came through.
//!
//! `cargo xtask test --faults` builds the programs and starts this one in namespaces of its own
//! (network, mounts, processes), so that nothing of it outlives it. It is a program and not a
//! test because it takes arguments, runs as long as it is told, and its answer is the ledger. It
//! knows the product only from outside: command lines, signals, disks, packets, the API.

mod arguments;
mod book;
mod campaign;
mod clock;
mod dice;
mod disk;
mod fault;
mod fleet;
mod ledger;
mod report;
mod wire;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match campaign::run(&arguments::Arguments::parse()) {
        Ok(sound) if sound => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

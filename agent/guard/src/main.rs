//! `flyball-guard`: reads the machine's sensors, keeps its limits and holds its actuators.
//!
//! It owns every decision about heat and power on this machine. It has no network, links no
//! async runtime, and goes on deciding when agent, plugins and aggregator are gone.

mod args;
mod assembly;
mod bus;
mod catalog;
mod cell;
mod claimants;
mod clock;
mod command;
mod cycle;
mod desk;
mod drivers;
mod durable;
mod evidence;
mod fleet;
mod grip;
mod hands;
mod histogram;
mod host;
mod hotplug;
mod journal;
mod latches;
mod link;
mod locks;
mod log;
mod order;
mod originals;
mod owed;
mod plan;
mod policy;
mod poller;
mod process;
mod ring;
mod self_tests;
mod shared;
mod slots;
mod sources;
mod status;
mod utc;
mod watchdog;
mod words;

use args::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(args) => assembly::run(args),
        Command::Status(args) => status::print(&args),
        Command::Check(args) => assembly::check(&args),
        Command::Credential(args) => drivers::credential(&args),
        Command::Journal(args) => assembly::journal(&args),
        Command::Order(args) => order::run(&args),
        Command::SelfTest(args) => order::self_test(&args),
        Command::Release(args) => assembly::release(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

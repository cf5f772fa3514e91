//! `flyball-runner`: runs compiled plugins for the agent, each in a process of its own.

mod clock;
mod event_loop;
mod link;
mod plugin_process;
mod process;
mod supervisor;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Runs compiled plugins for the agent, each in a confined process of its own.
#[derive(Parser)]
#[command(name = "flyball-runner", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve one agent at a time on a Unix socket.
    Run {
        /// Where to listen. A socket that is left over there is replaced.
        #[arg(long, value_name = "PATH")]
        socket: PathBuf,
    },
    /// One plugin's process; started by the runner itself.
    #[command(hide = true)]
    Plugin,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Run { socket } => event_loop::run(&socket)
            .with_context(|| format!("the runner ends, socket={}", socket.display())),
        Command::Plugin => plugin_process::run().context("the plugin's process ends"),
    }
}

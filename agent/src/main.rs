//! `flyball-agent`: the program around the library.

use clap::Parser;
use flyball_agent::config::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    flyball_agent::logging::start();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // One thread carries sockets and timers; what blocks on disks has a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Enrol(enrolment) => {
                flyball_agent::enrol(enrolment).await?;
            }
            Command::Run(arguments) => {
                let config = arguments.into_config()?;
                let shutdown = flyball_agent::terminated()?;
                flyball_agent::run(config, shutdown).await?;
            }
        }
        Ok(())
    })
}

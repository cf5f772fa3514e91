//! The aggregator's process: arguments in, exit code out. Everything else is in the library.

use clap::Parser;
use flyball_aggregator::cli::{self, Arguments};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(code) = arguments.child() {
        return code;
    }
    match cli::execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = cli::exit_code(&error);
            eprintln!("flyball-aggregator: {:#}", anyhow::Error::from(error));
            code
        }
    }
}

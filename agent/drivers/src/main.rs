//! `flyball-driver`: reaches one piece of equipment for the guard, and nothing else.
//!
//! It is told what and where over its standard input, answers over its standard output, and ends
//! with its input. It decides nothing: what it may do is asked of it, what it saw it says. It
//! takes no arguments and no environment, so that no credential can stand there.

mod clock;
mod driver;
mod drivers;
mod gathering;
mod limits;
mod log;
mod naming;
mod pace;
mod points;
mod reader;
mod session;
mod trust;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some() {
        log::error(
            "flyball-driver takes no arguments: the guard starts it and tells it everything",
        );
        return ExitCode::FAILURE;
    }
    match session::run(std::io::stdin(), std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error(format_args!("the driver ends: {}", log::chain(&error)));
            ExitCode::FAILURE
        }
    }
}

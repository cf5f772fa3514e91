//! The child that makes pixels of one drawing: SVG in, PNG out.

use crate::media::raster::REFUSED;
use crate::media::raster::drawing::{fonts, png};
use clap::Args;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const MAX_SVG_BYTES: u64 = 32 * 1024 * 1024;
const MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
const CPU_S: u64 = 12;
const FILES: u64 = 64;

#[derive(Clone, Debug, Args)]
pub(super) struct Rasterise {
    /// Where fonts lie.
    fonts: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Rasterise) -> ExitCode {
    for (resource, bound) in [
        (Resource::As, MEMORY_BYTES),
        (Resource::Cpu, CPU_S),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        if let Err(error) =
            setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })
        {
            return refuse(&format!("a bound can't be set: {error}"), 1);
        }
    }
    let mut svg = Vec::new();
    if let Err(error) = std::io::stdin().take(MAX_SVG_BYTES).read_to_end(&mut svg) {
        return refuse(&error.to_string(), 1);
    }
    match png(&svg, fonts(&arguments.fonts)) {
        Ok(picture) => match std::io::stdout().write_all(&picture) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error.to_string(), 1),
        },
        Err(error) => refuse(&error.to_string(), REFUSED),
    }
}

fn refuse(why: &str, code: u8) -> ExitCode {
    // Nobody else would hear it.
    let _ = writeln!(std::io::stderr(), "{why}");
    ExitCode::from(code)
}

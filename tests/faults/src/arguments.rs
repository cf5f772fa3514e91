//! The command line, and where the built programs lie.

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Inject faults into a fleet and print the ledger of its samples.
#[derive(Debug, Parser)]
#[command(name = "flyball-faults")]
pub(crate) struct Arguments {
    /// How many faults.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) faults: u32,
    /// How many machines.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) machines: u32,
    /// Has the same faults again in the same order; a new one where none is given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Only faults whose name contains this word.
    #[arg(long, value_name = "WORD")]
    pub(crate) only: Option<String>,
    /// On which databases the aggregator runs, one after the other; each gets its share of the
    /// faults. All that are there where none is named.
    #[arg(long, value_enum)]
    pub(crate) engine: Vec<Engine>,
    /// One JSON object a device and a last one with the faults by kind.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A database of the aggregator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Sqlite,
    Postgresql,
}

impl Engine {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
        }
    }
}

/// The programs of the fleet.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) aggregator: PathBuf,
    pub(crate) agent: PathBuf,
    pub(crate) guard: PathBuf,
    pub(crate) plant: PathBuf,
    /// The folder of `postgres` and `initdb`, where it is installed.
    pub(crate) postgres: Option<PathBuf>,
    /// libfaketime, where clocks can be set.
    pub(crate) set_clock: Option<PathBuf>,
}

impl Programs {
    /// # Errors
    /// Where the environment does not name the target folder.
    pub(crate) fn locate() -> Result<Self> {
        let target = std::env::var_os("FLYBALL_TARGET_DIR").context(
            "FLYBALL_TARGET_DIR is not set: call it through `cargo xtask test --faults`",
        )?;
        let target = PathBuf::from(target);
        Ok(Self {
            aggregator: target.join("release/flyball-aggregator"),
            agent: target.join("edge/flyball-agent"),
            guard: std::env::var_os("FLYBALL_GUARD")
                .map_or_else(|| target.join("edge/flyball-guard"), PathBuf::from),
            plant: target.join("release/flyball-plant"),
            postgres: std::env::var_os("FLYBALL_POSTGRES").map(PathBuf::from),
            set_clock: std::env::var_os("FLYBALL_FAKETIME").map(PathBuf::from),
        })
    }
}

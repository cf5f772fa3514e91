//! The figures of the documentation, measured on the built programs.
//!
//! `cargo xtask bench` builds everything first and names it in the environment. A figure is a
//! ratio to a peer or to a stated limit where there is one, because machines differ.

mod agents;
mod api;
mod block;
mod clock;
mod disk;
mod figure;
mod footprint;
mod fresh;
mod imports;
mod ingest;
mod keys;
mod mix;
mod month;
mod peer;
mod process;
mod query;
mod reaction;
mod render;
mod soak;
mod start;
mod streams;

use clap::Parser;
use figure::{Bench, Figure};

#[derive(Parser)]
#[command(about = "Measure Flyball")]
struct Arguments {
    /// Which figures: whole names or their beginnings; all where none is named
    names: Vec<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// Each bench measures several figures in one run, since they share a fleet.
const BENCHES: [Bench; 17] = [
    block::BENCH,
    disk::BENCH,
    footprint::BENCH,
    ingest::BENCH,
    query::BENCH,
    month::SQLITE,
    month::POSTGRESQL,
    agents::BENCH,
    api::BENCH,
    reaction::BENCH,
    render::BENCH,
    fresh::BENCH,
    imports::BENCH,
    start::BENCH,
    streams::BENCH,
    soak::BENCH,
    keys::BENCH,
];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    figure::known(&BENCHES, &arguments.names)?;
    let wanted = |name: &str| {
        arguments.names.is_empty()
            || arguments.names.iter().any(|start| name.starts_with(start.as_str()))
    };
    let mut figures: Vec<Figure> = Vec::new();
    for bench in BENCHES {
        if bench.names.iter().any(|name| wanted(name)) {
            figures.extend((bench.measure)()?.into_iter().filter(|figure| wanted(figure.name)));
        }
    }
    if arguments.json { figure::print_json(&figures) } else { figure::print_table(&figures) }
}

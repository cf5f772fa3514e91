//! `bench`: what the cases cost. Times depend on the machine, the fuel does not.

use crate::case::{self, Case};
use crate::project::Component;
use crate::sandbox::{Meter, Session, compile};
use crate::{clock, project, say};
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::time::Duration;

const MOST_CALLS: usize = 100_000;
/// A case that is slow is called less often than was asked.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    component: Component,
    /// The folder of the cases
    #[arg(long, value_name = "DIR", default_value = "tests")]
    cases: PathBuf,
    /// Calls of each case, for at most a minute
    #[arg(long, value_name = "N", default_value_t = 100)]
    calls: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        (1..=MOST_CALLS).contains(&options.calls),
        "--calls is {}, 1 to {MOST_CALLS} are allowed",
        options.calls
    );
    let bytes = project::read(&options.component.file)?;
    let plain = compile(&bytes, Meter::Off)?;
    let counting = compile(&bytes, Meter::Fuel)?;
    let cases = case::all(&options.cases, &plain.manifest, plain.world)?;
    println!(
        "{:<24} {:>7} {:>12} {:>12} {:>10} {:>16}",
        "case", "calls", "median", "worst", "memory", "fuel a call"
    );
    let mut plain = Session::start(&plain)?;
    let mut counting = Session::start(&counting)?;
    for case in &cases {
        let figures = measure(&mut plain, case, options.calls)?;
        let fuel = counting.run(case)?.fuel;
        println!(
            "{:<24} {:>7} {:>12} {:>12} {:>10} {:>16}",
            case.name,
            figures.calls,
            say::milliseconds(figures.median),
            say::milliseconds(figures.worst),
            say::size(figures.memory_bytes),
            fuel.map_or_else(|| "-".into(), say::grouped)
        );
    }
    Ok(())
}

struct Figures {
    calls: usize,
    median: Duration,
    worst: Duration,
    memory_bytes: u64,
}

fn measure(session: &mut Session, case: &Case, calls: usize) -> Result<Figures> {
    let began = clock::now();
    let mut times = Vec::new();
    let mut memory_bytes = 0;
    while times.len() < calls && clock::now().duration_since(began) < LONGEST {
        let outcome = session.run(case)?;
        memory_bytes = memory_bytes.max(outcome.memory_bytes);
        times.push(outcome.time);
    }
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    Ok(Figures {
        calls: times.len(),
        median: at(times.len() / 2),
        worst: at(times.len().saturating_sub(1)),
        memory_bytes,
    })
}

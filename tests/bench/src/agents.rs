//! How many agents one aggregator carries: thousands of enrolled connections that each send a
//! block every ten seconds, what they cost it, how soon they are acknowledged, and how all of
//! them come back after it was killed.
//!
//! `FLYBALL_AGENTS`, `FLYBALL_AGENT_SERIES` and `FLYBALL_AGENTS_S` change how many, with how much,
//! and for how long.

mod crowd;

use crate::figure::{Bench, Figure, quantile};
use crate::ingest::{identity, runtime};
use crate::{clock, process};
use anyhow::{Context, Result, bail};
use crowd::{Crowd, Told};
use flyball_harness::fleet::Fleet;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::time::Duration;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "agents.connected",
        "agents.kib_each",
        "agents.cpu_percent",
        "agents.storm_s",
        "commit_ack.p50_ms",
        "commit_ack.p99_ms",
    ],
    measure,
};

const AGENTS: u32 = 5000;
const SERIES: u32 = 50;
const SPAN_S: u32 = 60;
/// What a crowd may take to come back.
const STORM_LIMIT_S: f64 = 120.0;
const FRESHNESS_LIMIT_MS: f64 = 1000.0;

fn measure() -> Result<Vec<Figure>> {
    let agents = setting("FLYBALL_AGENTS", AGENTS)?;
    let series = setting("FLYBALL_AGENT_SERIES", SERIES)?;
    let span = Duration::from_secs(u64::from(setting("FLYBALL_AGENTS_S", SPAN_S)?));
    raise_files()?;
    let fleet = Fleet::up(1)?;
    runtime()?.block_on(measured(&fleet, agents, series, span))
}

async fn measured(fleet: &Fleet, agents: u32, series: u32, span: Duration) -> Result<Vec<Figure>> {
    let identities = identity::mint(fleet, agents).await?;
    let aggregator = fleet.pid("aggregator")?;
    let rss_before = process::rss_mib(aggregator)?;
    let server = fleet.ready()?.ingest.parse()?;
    let mut crowd = Crowd::gather(server, identities, series as usize).await?;
    let rss_idle = process::rss_mib(aggregator)?;
    // The first blocks bring every series with them.
    crowd.listen(Duration::from_secs(15)).await?;
    let (cpu_before, began) = (process::cpu_s(aggregator)?, clock::now());
    let mut told = crowd.listen(span).await?;
    let cpu_s = process::cpu_s(aggregator)? - cpu_before;
    let percent = cpu_s / began.elapsed().as_secs_f64() * 100.0;
    let rss = process::rss_mib(aggregator)?;
    let starved = told.starved();
    if starved > 0 {
        bail!("{starved} of {agents} agents had a block that nobody acknowledged in time");
    }
    fleet.signal("aggregator", Signal::KILL)?;
    let storm = crowd.storm(Duration::from_secs_f64(STORM_LIMIT_S)).await?;
    let how = format!(
        "{agents} agents over QUIC with a certificate each, {series} series at 1 Hz, a block every \
         10 s, {} s",
        span.as_secs()
    );
    let each = |mib: f64| (mib - rss_before) * 1024.0 / f64::from(agents);
    let memory = format!(
        "{how}; resident {rss:.0} MiB of {rss_before:.0} before they came; connected and idle they \
         were {:.0} KiB each",
        each(rss_idle)
    );
    let acknowledged = format!("{how}; {} blocks, every one acknowledged", told.latencies.len());
    let back = format!(
        "{how}; from `kill -9` of the aggregator until the last of them is welcomed again, {} calls \
         in vain while it was away, {} afterwards",
        storm.in_vain, storm.failed
    );
    let Told { latencies, .. } = &mut told;
    Ok(vec![
        Figure::new("agents.connected", f64::from(agents), "agents", acknowledged.clone())
            .against("wanted", f64::from(AGENTS)),
        Figure::new("agents.kib_each", each(rss), "KiB", memory),
        Figure::new("agents.cpu_percent", percent, "%", how),
        Figure::new("agents.storm_s", storm.took.as_secs_f64(), "s", back)
            .against("limit", STORM_LIMIT_S),
        Figure::new("commit_ack.p50_ms", quantile(latencies, 0.5), "ms", acknowledged.clone()),
        Figure::new("commit_ack.p99_ms", quantile(latencies, 0.99), "ms", acknowledged)
            .against("limit", FRESHNESS_LIMIT_MS),
    ])
}

fn setting(name: &str, otherwise: u32) -> Result<u32> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is a number, not {text}")),
        Err(_) => Ok(otherwise),
    }
}

/// As many open files as this user may have.
fn raise_files() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

//! What a sample costs the aggregator and the wire: sealed blocks over QUIC to their durable
//! commit, and the same samples by remote write to a peer in the same run.

pub(crate) mod frames;
pub(crate) mod identity;
pub(crate) mod load;
mod remote_write;
pub(crate) mod victoria;
pub(crate) mod workload;

use crate::figure::{Bench, Figure};
use crate::mix::SERIES;
use crate::{clock, process};
use anyhow::Result;
use flyball_harness::fleet::Fleet;
use flyball_protocol::entry::Entry;
use identity::Identity;
use load::{Session, Wire};
use quinn::Endpoint;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use victoria::Victoria;
use workload::Batch;

pub(crate) const BENCH: Bench = Bench {
    names: &["ingest.samples_per_cpu_s", "ingest.samples_per_cpu_s_1s", "wire.bytes_per_sample"],
    measure,
};

const AGENTS: u32 = 20;
const WINDOW: u64 = 32;
/// Seconds of each agent's load.
const SPAN_S: u32 = 1500;
const SPAN_1S_S: u32 = 300;
/// Blocks of the paced agent, each sent when the one before it is acknowledged and at rest.
const PACED: u32 = 60;
/// Longer than any acknowledgement is delayed.
const REST: Duration = Duration::from_millis(60);

fn measure() -> Result<Vec<Figure>> {
    let runtime = runtime()?;
    let mut figures = Vec::new();
    for (name, ticks, span_s) in
        [("ingest.samples_per_cpu_s", 10, SPAN_S), ("ingest.samples_per_cpu_s_1s", 1, SPAN_1S_S)]
    {
        let fleet = Fleet::up(1)?;
        let batches = recent(span_s / ticks, ticks);
        let samples = f64::from(AGENTS) * f64::from(span_s) * SERIES as f64;
        let (cpu_s, wall_s) = runtime.block_on(ours(&fleet, &batches))?;
        let how = format!(
            "{AGENTS} agents, {} blocks each of {SERIES} series over {ticks} s, committed and \
             acknowledged; {cpu_s:.2} s of CPU in {wall_s:.1} s",
            batches.len()
        );
        let mut figure = Figure::new(name, samples / cpu_s, "samples/s", how);
        if let Some(victoria) = Victoria::start()? {
            let before = victoria.cpu_s()?;
            victoria.write(&batches, AGENTS as usize)?;
            victoria.flush()?;
            figure = figure.against(victoria::NAME, samples / (victoria.cpu_s()? - before));
        }
        figures.push(figure);
        if ticks == 10 {
            figures.extend(wire(&runtime, &fleet)?);
        }
    }
    Ok(figures)
}

/// What one agent's block costs on the wire at its own pace.
fn wire(runtime: &tokio::runtime::Runtime, fleet: &Fleet) -> Result<Vec<Figure>> {
    let batches = recent(PACED, 10);
    let samples = f64::from(PACED) * 10.0 * SERIES as f64;
    let Wire { up_bytes, down_bytes } = runtime.block_on(async {
        let identities = identity::mint(fleet, 1).await?;
        let server = fleet.ready()?.ingest.parse()?;
        let entries = entries(&batches, SERIES)?;
        let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let next_seq = entries.len() as u64 + 1;
        let mut session =
            Session::open(&endpoint, server, &identities[0], next_seq, SERIES).await?;
        tokio::time::sleep(REST).await;
        let wire = session.send_all(&entries, 1, REST).await?;
        session.close();
        anyhow::Ok(wire)
    })?;
    let (up, down) = (up_bytes as f64 / samples, down_bytes as f64 / samples);
    let how = format!(
        "{PACED} blocks of {SERIES} series over 10 s, each alone: {up:.3} up, {down:.3} down, with \
         QUIC, UDP and IP; the peer's are the bodies of its requests alone"
    );
    let figure = Figure::new("wire.bytes_per_sample", up + down, "B", how);
    let Some(victoria) = Victoria::start()? else { return Ok(vec![figure]) };
    let bytes = victoria.write(&batches, 1)?;
    Ok(vec![figure.against("remote write", bytes as f64 / samples)])
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Batches that end now.
pub(crate) fn recent(batches: u32, ticks: u32) -> Vec<Batch> {
    let span_ms = u64::from(batches * ticks) * 1000;
    let start_ms = clock::unix_ms() / 10_000 * 10_000 - span_ms;
    workload::batches(start_ms, batches, ticks).collect()
}

pub(crate) fn entries(batches: &[Batch], series: usize) -> Result<Vec<Entry>> {
    (1..).zip(batches).map(|(seq, batch)| workload::entry(batch, seq, series)).collect()
}

/// CPU and wall seconds that the aggregator takes for every agent's batches.
async fn ours(fleet: &Fleet, batches: &[Batch]) -> Result<(f64, f64)> {
    let identities = identity::mint(fleet, AGENTS).await?;
    let server: SocketAddr = fleet.ready()?.ingest.parse()?;
    let entries = Arc::new(entries(batches, SERIES)?);
    let aggregator = fleet.pid("aggregator")?;
    let before = process::cpu_s(aggregator)?;
    let started = clock::now();
    let mut agents = JoinSet::new();
    for identity in identities {
        agents.spawn(send(server, identity, Arc::clone(&entries)));
    }
    while let Some(ended) = agents.join_next().await {
        ended??;
    }
    Ok((process::cpu_s(aggregator)? - before, started.elapsed().as_secs_f64()))
}

async fn send(server: SocketAddr, identity: Identity, entries: Arc<Vec<Entry>>) -> Result<()> {
    let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let next_seq = entries.len() as u64 + 1;
    let mut session = Session::open(&endpoint, server, &identity, next_seq, SERIES).await?;
    session.send_all(&entries, WINDOW, Duration::ZERO).await?;
    session.close();
    endpoint.wait_idle().await;
    Ok(())
}

//! What a sample costs the aggregator: sealed blocks over QUIC to their durable commit.

mod load;
mod workload;

use crate::figure::{Bench, Figure};
use crate::{clock, process};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::Fleet;
use load::Agent;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const BENCH: Bench = Bench { names: &["ingest.samples_per_cpu_s"], measure };

const AGENTS: u32 = 20;
const BLOCKS: u32 = 150;
/// `VictoriaMetrics` 1.150 by remote write in batches of 10 s, as `docs/measured.md` tells.
const VICTORIA_METRICS: f64 = 1_270_000.0;

fn measure() -> Result<Vec<Figure>> {
    let fleet = Fleet::up(1)?;
    let home = TempDir::with_prefix("flyball-load-")?;
    let identities =
        (0..AGENTS).map(|number| enrol(&fleet, home.path(), number)).collect::<Result<Vec<_>>>()?;
    let ingest = fleet.ready()?.ingest.parse()?;
    let start_ms = (clock::unix_ms() / 10_000 - u64::from(BLOCKS) - 1) * 10_000;
    let entries = Arc::new(workload::entries(start_ms, BLOCKS)?);
    let samples = f64::from(AGENTS * BLOCKS * workload::SERIES * workload::TICKS);

    let aggregator = fleet.pid("aggregator")?;
    let before = process::cpu_s(aggregator)?;
    let started = clock::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut agents = tokio::task::JoinSet::new();
        for identity in identities {
            let agent = Agent::new(ingest, &identity)?;
            agents.spawn(agent.send_all(Arc::clone(&entries)));
        }
        while let Some(ended) = agents.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    })?;
    let wall_s = started.elapsed().as_secs_f64();
    let cpu_s = process::cpu_s(aggregator)? - before;
    let bytes: usize = entries.iter().map(|entry| entry.body.len()).sum();
    let per_sample = bytes as f64 / f64::from(BLOCKS * workload::SERIES * workload::TICKS);
    let how = format!(
        "{AGENTS} agents, {BLOCKS} blocks each of {} series over 10 s ({per_sample:.2} B/sample), \
         committed and acknowledged; {cpu_s:.2} s of CPU in {wall_s:.1} s",
        workload::SERIES
    );
    Ok(vec![
        Figure::new("ingest.samples_per_cpu_s", samples / cpu_s, "samples/s", how)
            .against("VictoriaMetrics 1.150, 10 s batches, earlier measured", VICTORIA_METRICS),
    ])
}

/// Enrols one more agent with the shipped program, and gives back its identity file's text.
fn enrol(fleet: &Fleet, home: &Path, number: u32) -> Result<String> {
    let state = home.join(number.to_string());
    let name = format!("load-{number}");
    let answer = fleet
        .api()?
        .post("/api/v1/enrolment-tokens", &json!({"name": name, "ttl_seconds": 600}))?;
    let token = answer.body["data"]["token"].as_str().context("no token")?;
    let agent = std::fs::read_link(format!("/proc/{}/exe", fleet.pid("agent")?))?;
    let output = Command::new(agent)
        .args(["enrol", "--server", &fleet.ready()?.ingest, "--token", token, "--name", &name])
        .arg("--state")
        .arg(&state)
        .output()?;
    if !output.status.success() {
        bail!("enrolment failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::read_to_string(state.join("identity.pem")).context("no identity")
}

//! What the edge costs its host: CPU and memory at 1 Hz, and the guard's own pace.

use crate::clock;
use crate::figure::{Bench, Figure};
use crate::peer;
use crate::process;
use anyhow::{Context, Result};
use flyball_harness::fleet::Fleet;
use serde_json::Value;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "agent.cpu_percent",
        "agent.rss_mib",
        "guard.rss_mib",
        "guard.cycle_p50_ms",
        "guard.cycle_p999_ms",
    ],
    measure,
};

const WARM_UP: Duration = Duration::from_secs(25);
const SPAN: Duration = Duration::from_secs(60);
const ROLES: [&str; 3] = ["guard", "agent", "runner"];

fn measure() -> Result<Vec<Figure>> {
    let fleet = Fleet::up(1)?;
    sleep(WARM_UP);
    let pids: Vec<u32> = ROLES
        .iter()
        .map(|role| fleet.pid(role))
        .collect::<Result<Vec<u32>>>()?
        .into_iter()
        .flat_map(process::family)
        .collect();
    let before = total(&pids, process::cpu_s)?;
    let started = clock::now();
    sleep(SPAN);
    let used = total(&pids, process::cpu_s)? - before;
    let percent = used / started.elapsed().as_secs_f64() * 100.0;
    let rss = total(&pids, process::rss_mib)?;
    let guard_rss = process::rss_mib(fleet.pid("guard")?)?;
    let series = series(&fleet)?;
    let status = guard_status(&fleet)?;
    let how = format!("guard, agent, runner and its plugins idle, {series} series at 1 Hz, 60 s");
    let cycles = format!("{} cycles at 4 Hz on this machine", status["cycles"]);
    let cycle = |key: &str| status[key].as_f64().with_context(|| format!("no {key} in the status"));
    drop(fleet);
    let mut figures = vec![
        Figure::new("agent.cpu_percent", percent, "%", how.clone()).against("limit", 0.3),
        Figure::new("agent.rss_mib", rss, "MiB", how.clone()).against("limit", 25.0),
        Figure::new("guard.rss_mib", guard_rss, "MiB", how.clone()).against("limit", 4.0),
        Figure::new("guard.cycle_p50_ms", cycle("cycle_p50_ms")?, "ms", cycles.clone()),
        Figure::new("guard.cycle_p999_ms", cycle("cycle_p999_ms")?, "ms", cycles)
            .against("limit", 5.0),
    ];
    for peer in peer::footprints(SPAN)? {
        let beside = format!("{how}; the peer reads {} values at 1 Hz", peer.values);
        figures.extend([
            Figure::new("agent.cpu_percent", percent, "%", beside.clone())
                .against(peer.name, peer.cpu_percent),
            Figure::new("agent.rss_mib", rss, "MiB", beside).against(peer.name, peer.rss_mib),
        ]);
    }
    Ok(figures)
}

fn total(pids: &[u32], of: fn(u32) -> Result<f64>) -> Result<f64> {
    pids.iter().map(|&pid| of(pid)).sum()
}

fn series(fleet: &Fleet) -> Result<usize> {
    let device = &fleet.ready()?.devices[0].id;
    let answer = fleet.api()?.get(&format!("/api/v1/devices/{device}"))?;
    Ok(answer.body["data"]["series"].as_array().map_or(0, Vec::len))
}

fn guard_status(fleet: &Fleet) -> Result<Value> {
    let guard = std::fs::read_link(format!("/proc/{}/exe", fleet.pid("guard")?))?;
    let output = Command::new(guard)
        .args(["status", "--json", "--socket"])
        .arg(fleet.state().join("run/guard-1.sock"))
        .output()?;
    serde_json::from_slice(&output.stdout).context("the guard's status is no JSON")
}

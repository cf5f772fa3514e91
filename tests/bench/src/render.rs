//! Source text to picture, through API, agent and sandbox.

use crate::clock;
use crate::figure::{Bench, Figure, quantile};
use anyhow::{Result, bail};
use flyball_harness::fleet::{Api, Fleet};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::thread::sleep;
use std::time::Duration;

pub(crate) const BENCH: Bench =
    Bench { names: &["render.dot_cold_ms", "render.dot_warm_ms"], measure };

const NODES: u32 = 20;
const COLD: u32 = 5;
const WARM: u32 = 100;

fn measure() -> Result<Vec<Figure>> {
    let fleet = Fleet::up(1)?;
    let api = fleet.api()?;
    ready(&api)?;
    let mut cold = Vec::new();
    for run in 0..COLD {
        fleet.signal("runner", Signal::KILL)?;
        sleep(Duration::from_secs(2));
        ready(&api)?;
        cold.push(render(&api, run)?);
    }
    let mut warm = Vec::new();
    for run in COLD..COLD + WARM {
        warm.push(render(&api, run)?);
    }
    let how = |runs, what| format!("{NODES} nodes, a new source each, median of {runs}, {what}");
    Ok(vec![
        Figure::new(
            "render.dot_cold_ms",
            quantile(&mut cold, 0.5),
            "ms",
            how(COLD, "the first after the runner was killed"),
        ),
        Figure::new(
            "render.dot_warm_ms",
            quantile(&mut warm, 0.5),
            "ms",
            how(WARM, "over the API, no cache hit"),
        ),
    ])
}

fn ready(api: &Api) -> Result<()> {
    for _ in 0..600 {
        let body = api.get("/api/media/capabilities")?.body;
        if body["capabilities"]["diagrams"]["renderers"]["graphviz"] == Value::Bool(true) {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    bail!("no agent has the Graphviz plugin after a minute")
}

fn render(api: &Api, run: u32) -> Result<f64> {
    let mut source = format!("digraph run{run} {{\n");
    for node in 1..NODES {
        writeln!(source, "  n{} -> n{node};", node / 2)?;
    }
    source.push('}');
    let started = clock::now();
    let answer = api.post(
        "/api/media/diagrams/render",
        &json!({"format": "graphviz", "code": source, "outputFormat": "svg"}),
    )?;
    if answer.status != 200 {
        bail!("a render answered {}: {}", answer.status, answer.body);
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

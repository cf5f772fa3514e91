//! Source text to picture, through API, agent and sandbox, and beside the programs that others
//! draw with.

mod kinds;
mod peers;
mod program;
mod throughput;

use crate::figure::{Bench, Figure, quantile};
use crate::{clock, process};
use anyhow::{Context as _, Result, bail};
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use kinds::{KINDS, Kind};
use peers::{Beside, PEERS};
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "render.dot_cold_ms",
        "render.dot_warm_ms",
        "render.dot_rss_mib",
        "render.dot_warm_vs_dot",
        "render.latex_cold_ms",
        "render.latex_warm_ms",
        "render.latex_rss_mib",
        "render.latex_cold_vs_katex",
        "render.latex_warm_vs_katex",
        "render.latex_rss_vs_katex",
        "render.chart_cold_ms",
        "render.chart_warm_ms",
        "render.chart_rss_mib",
        "render.map_cold_ms",
        "render.map_warm_ms",
        "render.map_rss_mib",
        "render.mermaid_cold_ms",
        "render.mermaid_warm_ms",
        "render.mermaid_rss_mib",
        "render.mermaid_cold_vs_mmdc",
        "render.mermaid_warm_vs_page",
        "render.mermaid_rss_vs_page",
        "render.plantuml_cold_ms",
        "render.plantuml_warm_ms",
        "render.plantuml_rss_mib",
        "render.plantuml_cold_vs_jar",
        "render.plantuml_warm_vs_jar",
        "render.plantuml_rss_vs_jar",
        "render.png_ms",
        "render.cache_hit_ms",
        "render.dot_per_s",
        "render.two_kinds_per_s",
    ],
    measure,
};

/// More pictures are asked for than one user may have.
const SETTINGS: &str = "[limits]\nenabled = false\n";
const COLD: u32 = 5;
const WARM: u32 = 100;
/// Until the agent has seen that the runner is gone.
const AFTER_KILL: Duration = Duration::from_secs(2);

fn measure() -> Result<Vec<Figure>> {
    let built = std::env::var_os("FLYBALL_TARGET_DIR").context("call it through `cargo xtask`")?;
    let plugins = PathBuf::from(built).join("plugins");
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| is_built(&plugins, kind)).collect();
    let options = FleetOptions {
        plugins: Some(plugins),
        settings: Some(SETTINGS.into()),
        ..FleetOptions::default()
    };
    let fleet = Fleet::with(1, options)?;
    let api = fleet.api()?;
    for kind in &kinds {
        ready(&api, kind)?;
    }
    let mut figures = Vec::new();
    for kind in kinds {
        figures.extend(measure_kind(&fleet, &api, kind)?);
    }
    let [dot, latex, ..] = &KINDS;
    figures.extend(kept_pictures(&api, dot)?);
    let (clients, seconds) = (throughput::CLIENTS, throughput::SPAN.as_secs());
    for (name, kinds, workers) in [
        ("render.dot_per_s", &[dot][..], "one plugin, so one process"),
        ("render.two_kinds_per_s", &[dot, latex], "DOT and LaTeX, so two processes"),
    ] {
        let how =
            format!("one agent, {clients} clients, a new source each time, {seconds} s; {workers}");
        // Beyond the numbers of the figure before: nothing is to come from the cache.
        let first = 1 + clients * u32::try_from(kinds.len())?;
        figures.push(Figure::new(name, throughput::per_s(&api, kinds, first)?, "1/s", how));
    }
    Ok(figures)
}

/// Those that take minutes to build need not be there.
fn is_built(plugins: &Path, kind: &Kind) -> bool {
    let component = plugins.join(format!("{}.wasm", kind.plugin));
    let there = component.exists();
    if !there {
        eprintln!(
            "left out: {} and what it is compared with: {} is not built",
            kind.warm,
            component.display()
        );
    }
    there
}

fn measure_kind(fleet: &Fleet, api: &Api, kind: &Kind) -> Result<Vec<Figure>> {
    let mut cold = Vec::new();
    for run in 0..COLD {
        fleet.signal("runner", Signal::KILL)?;
        sleep(AFTER_KILL);
        ready(api, kind)?;
        cold.push(render(api, kind, &kind.order(run))?);
    }
    let mut warm = Vec::new();
    for run in COLD..COLD + WARM {
        warm.push(render(api, kind, &kind.order(run))?);
    }
    let peak_mib = process::peak_rss_mib(plugin_process(fleet, kind)?)?;
    let (cold_ms, warm_ms) = (quantile(&mut cold, 0.5), quantile(&mut warm, 0.5));
    let how = |runs, what| format!("{}, a new source each, median of {runs}, {what}", kind.what);
    let cold_how = how(COLD, "the first after the runner was killed");
    let warm_how = how(WARM, "over the API, no cache hit");
    let memory_how = format!("{}, the plugin's process at its highest after {WARM}", kind.what);
    let warm_figure = Figure::new(kind.warm, warm_ms, "ms", warm_how.clone());
    let mut figures = vec![
        Figure::new(kind.cold, cold_ms, "ms", cold_how.clone()),
        match kind.limit_ms {
            Some(limit) => warm_figure.against("limit", limit),
            None => warm_figure,
        },
        Figure::new(kind.memory, peak_mib, "MiB", memory_how.clone()),
    ];
    for peer in PEERS.iter().filter(|peer| peer.kind == kind.name) {
        let (ours_ms, runs, how) = match peer.beside {
            Beside::Cold => (cold_ms, 0..COLD, &cold_how),
            Beside::Warm => (warm_ms, COLD..COLD + WARM, &warm_how),
        };
        let sources: Vec<String> = runs.map(kind.source).collect();
        let theirs = match peer.draw(&sources) {
            Ok(theirs) => theirs,
            Err(error) => {
                eprintln!("left out: {}: {}: {error:#}", peer.figure, peer.name);
                continue;
            }
        };
        figures.push(
            Figure::new(peer.figure, ours_ms, "ms", format!("{how}; {}", peer.how()))
                .against(peer.name, theirs.median_ms),
        );
        if let Some((name, mib)) = theirs.memory {
            let how = format!("{memory_how}; the peer after the same, with its processes");
            figures.push(Figure::new(name, peak_mib, "MiB", how).against(peer.name, mib));
        }
    }
    Ok(figures)
}

/// The same picture in another format, and again.
fn kept_pictures(api: &Api, dot: &Kind) -> Result<Vec<Figure>> {
    let (mut pixels, mut hits) = (Vec::new(), Vec::new());
    for run in 0..WARM / 5 {
        let mut order = dot.order(10_000 + run);
        render(api, dot, &order)?;
        order["outputFormat"] = "png".into();
        pixels.push(render(api, dot, &order)?);
        hits.push(render(api, dot, &order)?);
    }
    let how = format!("of a graph of 20 nodes that is drawn already, median of {}", WARM / 5);
    Ok(vec![
        Figure::new("render.png_ms", quantile(&mut pixels, 0.5), "ms", how.clone()),
        Figure::new("render.cache_hit_ms", quantile(&mut hits, 0.5), "ms", how),
    ])
}

fn ready(api: &Api, kind: &Kind) -> Result<()> {
    for _ in 0..1_800 {
        let body = api.get("/api/media/capabilities")?.body;
        if body.pointer(kind.pointer) == Some(&Value::Bool(true)) {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    bail!("no agent draws {} after three minutes", kind.name)
}

/// The runner names a plugin's process by its plugin.
fn plugin_process(fleet: &Fleet, kind: &Kind) -> Result<u32> {
    let name = format!("flyball-runner: {}", kind.plugin);
    process::family(fleet.pid("runner")?)
        .into_iter()
        .find(|&pid| process::name(pid).is_ok_and(|own| own == name))
        .with_context(|| format!("no process is named {name}"))
}

fn render(api: &Api, kind: &Kind, order: &Value) -> Result<f64> {
    let started = clock::now();
    let answer = api.post(kind.path, order)?;
    if answer.status != 200 {
        bail!("{} answered {}: {}", kind.name, answer.status, answer.body);
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_can_be_asked_for() {
        for name in KINDS.iter().flat_map(|kind| [kind.cold, kind.warm, kind.memory]) {
            assert!(BENCH.names.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_number_has_a_source_of_its_own() {
        for kind in &KINDS {
            let orders: BTreeSet<String> =
                (0..COLD + WARM).map(|run| kind.order(run).to_string()).collect();
            assert_eq!(orders.len(), (COLD + WARM) as usize, "{}", kind.name);
        }
    }
}

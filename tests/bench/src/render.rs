//! Source text to picture, through API, agent and sandbox.

use crate::clock;
use crate::figure::{Bench, Figure, quantile};
use anyhow::{Context as _, Result, bail};
use flyball_harness::fleet::{Api, Fleet};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "render.dot_cold_ms",
        "render.dot_warm_ms",
        "render.latex_cold_ms",
        "render.latex_warm_ms",
        "render.chart_cold_ms",
        "render.chart_warm_ms",
        "render.map_cold_ms",
        "render.map_warm_ms",
        "render.png_ms",
        "render.cache_hit_ms",
    ],
    measure,
};

const COLD: u32 = 5;
const WARM: u32 = 100;
/// What a small drawing may take once its plugin runs.
const SMALL_WARM_MS: f64 = 5.0;

/// A kind of picture.
struct Kind {
    name: &'static str,
    cold: &'static str,
    warm: &'static str,
    /// What of the capabilities says that it is drawn.
    pointer: &'static str,
    path: &'static str,
    /// What is asked; a new source for each number.
    order: fn(u32) -> Value,
    what: &'static str,
    limit_ms: Option<f64>,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "dot",
        cold: "render.dot_cold_ms",
        warm: "render.dot_warm_ms",
        pointer: "/capabilities/diagrams/renderers/graphviz",
        path: "/api/media/diagrams/render",
        order: dot,
        what: "20 nodes",
        limit_ms: Some(SMALL_WARM_MS),
    },
    Kind {
        name: "latex",
        cold: "render.latex_cold_ms",
        warm: "render.latex_warm_ms",
        pointer: "/capabilities/formulas/renderers/latex",
        path: "/api/media/formulas/render",
        order: latex,
        what: "the solution of a quadratic equation",
        limit_ms: Some(SMALL_WARM_MS),
    },
    Kind {
        name: "chart",
        cold: "render.chart_cold_ms",
        warm: "render.chart_warm_ms",
        pointer: "/capabilities/diagrams/renderers/chart",
        path: "/api/media/diagrams/render",
        order: chart,
        what: "twelve bars",
        limit_ms: None,
    },
    Kind {
        name: "map",
        cold: "render.map_cold_ms",
        warm: "render.map_warm_ms",
        pointer: "/capabilities/maps/renderers/map",
        path: "/api/media/maps/render",
        order: map,
        what: "Italy at zoom 6, 800 x 600, a marker",
        limit_ms: None,
    },
];

fn dot(run: u32) -> Value {
    let mut source = format!("digraph run{run} {{\n");
    for node in 1..20 {
        // Writing to a string does not fail.
        let _ = writeln!(source, "  n{} -> n{node};", node / 2);
    }
    source.push('}');
    json!({ "format": "graphviz", "code": source, "outputFormat": "svg" })
}

fn latex(run: u32) -> Value {
    json!({ "latex": format!("x_{{{run}}} = \\frac{{-b \\pm \\sqrt{{b^2-4ac}}}}{{2a}}") })
}

fn chart(run: u32) -> Value {
    let data: Vec<f64> = (0..12).map(|month| f64::from(month * 7 % 11 + run % 5)).collect();
    let names: Vec<String> = (0..12).map(|month| format!("m{month}")).collect();
    let source = json!({
        "type": "bar", "title_text": format!("run {run}"),
        "series_list": [{ "name": "a", "data": data }], "x_axis_data": names,
    });
    json!({ "format": "chart", "code": source.to_string() })
}

fn map(run: u32) -> Value {
    json!({
        "title": format!("Run {run}"), "center": { "latitude": 43.0, "longitude": 12.0 },
        "zoom": 6, "outputFormat": "svg",
        "markers": [{ "latitude": 41.9, "longitude": 12.5, "label": "Rome" }],
    })
}

fn measure() -> Result<Vec<Figure>> {
    let built = std::env::var_os("FLYBALL_TARGET_DIR").context("call it through `cargo xtask`")?;
    let fleet = Fleet::with_plugins(1, Some(PathBuf::from(built).join("plugins")))?;
    let api = fleet.api()?;
    for kind in &KINDS {
        ready(&api, kind)?;
    }
    let mut figures = Vec::new();
    for kind in &KINDS {
        let mut cold = Vec::new();
        for run in 0..COLD {
            fleet.signal("runner", Signal::KILL)?;
            sleep(Duration::from_secs(2));
            ready(&api, kind)?;
            cold.push(render(&api, kind, &(kind.order)(run))?);
        }
        let mut warm = Vec::new();
        for run in COLD..COLD + WARM {
            warm.push(render(&api, kind, &(kind.order)(run))?);
        }
        let how =
            |runs, what| format!("{}, a new source each, median of {runs}, {what}", kind.what);
        let cold_how = how(COLD, "the first after the runner was killed");
        figures.push(Figure::new(kind.cold, quantile(&mut cold, 0.5), "ms", cold_how));
        let warm_how = how(WARM, "over the API, no cache hit");
        let figure = Figure::new(kind.warm, quantile(&mut warm, 0.5), "ms", warm_how);
        figures.push(match kind.limit_ms {
            Some(limit) => figure.against("limit", limit),
            None => figure,
        });
    }
    let [graph, ..] = &KINDS;
    let (mut pixels, mut hits) = (Vec::new(), Vec::new());
    for run in 0..WARM / 5 {
        let mut order = dot(10_000 + run);
        render(&api, graph, &order)?;
        order["outputFormat"] = "png".into();
        pixels.push(render(&api, graph, &order)?);
        hits.push(render(&api, graph, &order)?);
    }
    let how = format!("of a graph of 20 nodes that is drawn already, median of {}", WARM / 5);
    figures.push(Figure::new("render.png_ms", quantile(&mut pixels, 0.5), "ms", how.clone()));
    figures.push(Figure::new("render.cache_hit_ms", quantile(&mut hits, 0.5), "ms", how));
    Ok(figures)
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

fn render(api: &Api, kind: &Kind, order: &Value) -> Result<f64> {
    let started = clock::now();
    let answer = api.post(kind.path, order)?;
    if answer.status != 200 {
        bail!("{} answered {}: {}", kind.name, answer.status, answer.body);
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

//! The kinds of pictures that are measured: a small source of each, new for every number.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a small drawing may take once its plugin runs.
const SMALL_WARM_MS: f64 = 5.0;

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The plugin that draws it.
    pub(super) plugin: &'static str,
    pub(super) cold: &'static str,
    pub(super) warm: &'static str,
    pub(super) memory: &'static str,
    /// What of the capabilities says that it is drawn.
    pub(super) pointer: &'static str,
    pub(super) path: &'static str,
    /// A new source for each number.
    pub(super) source: fn(u32) -> String,
    /// What is asked of the API for a source.
    pub(super) order: fn(&str) -> Value,
    pub(super) what: &'static str,
    pub(super) limit_ms: Option<f64>,
}

impl Kind {
    pub(super) fn order(&self, run: u32) -> Value {
        (self.order)(&(self.source)(run))
    }
}

pub(super) const KINDS: [Kind; 6] = [
    Kind {
        name: "dot",
        plugin: "graphviz",
        cold: "render.dot_cold_ms",
        warm: "render.dot_warm_ms",
        memory: "render.dot_rss_mib",
        pointer: "/capabilities/diagrams/renderers/graphviz",
        path: "/api/media/diagrams/render",
        source: dot,
        order: |code| json!({ "format": "graphviz", "code": code, "outputFormat": "svg" }),
        what: "20 nodes",
        limit_ms: Some(SMALL_WARM_MS),
    },
    Kind {
        name: "latex",
        plugin: "latex",
        cold: "render.latex_cold_ms",
        warm: "render.latex_warm_ms",
        memory: "render.latex_rss_mib",
        pointer: "/capabilities/formulas/renderers/latex",
        path: "/api/media/formulas/render",
        source: latex,
        order: |code| json!({ "latex": code }),
        what: "the solution of a quadratic equation",
        limit_ms: Some(SMALL_WARM_MS),
    },
    Kind {
        name: "chart",
        plugin: "charts",
        cold: "render.chart_cold_ms",
        warm: "render.chart_warm_ms",
        memory: "render.chart_rss_mib",
        pointer: "/capabilities/diagrams/renderers/chart",
        path: "/api/media/diagrams/render",
        source: chart,
        order: |code| json!({ "format": "chart", "code": code }),
        what: "twelve bars",
        limit_ms: None,
    },
    Kind {
        name: "map",
        plugin: "maps",
        cold: "render.map_cold_ms",
        warm: "render.map_warm_ms",
        memory: "render.map_rss_mib",
        pointer: "/capabilities/maps/renderers/map",
        path: "/api/media/maps/render",
        source: |run| format!("Run {run}"),
        order: map,
        what: "Italy at zoom 6, 800 x 600, a marker",
        limit_ms: None,
    },
    Kind {
        name: "mermaid",
        plugin: "mermaid",
        cold: "render.mermaid_cold_ms",
        warm: "render.mermaid_warm_ms",
        memory: "render.mermaid_rss_mib",
        pointer: "/capabilities/diagrams/renderers/mermaid",
        path: "/api/media/diagrams/render",
        source: mermaid,
        order: |code| json!({ "format": "mermaid", "code": code, "outputFormat": "svg" }),
        what: "a flowchart of 12 nodes",
        limit_ms: None,
    },
    Kind {
        name: "plantuml",
        plugin: "plantuml",
        cold: "render.plantuml_cold_ms",
        warm: "render.plantuml_warm_ms",
        memory: "render.plantuml_rss_mib",
        pointer: "/capabilities/diagrams/renderers/plantuml",
        path: "/api/media/diagrams/render",
        source: plantuml,
        order: |code| json!({ "format": "plantuml", "code": code, "outputFormat": "svg" }),
        what: "a sequence of 10 messages",
        limit_ms: None,
    },
];

// Writing to a string does not fail, hence the results that are let go below.

fn dot(run: u32) -> String {
    let mut source = format!("digraph run{run} {{\n");
    for node in 1..20 {
        let _ = writeln!(source, "  n{} -> n{node};", node / 2);
    }
    source.push('}');
    source
}

fn latex(run: u32) -> String {
    format!("x_{{{run}}} = \\frac{{-b \\pm \\sqrt{{b^2-4ac}}}}{{2a}}")
}

fn chart(run: u32) -> String {
    let data: Vec<f64> = (0..12).map(|month| f64::from(month * 7 % 11 + run % 5)).collect();
    let names: Vec<String> = (0..12).map(|month| format!("m{month}")).collect();
    let source = json!({
        "type": "bar", "title_text": format!("run {run}"),
        "series_list": [{ "name": "a", "data": data }], "x_axis_data": names,
    });
    source.to_string()
}

fn map(title: &str) -> Value {
    json!({
        "title": title, "center": { "latitude": 43.0, "longitude": 12.0 },
        "zoom": 6, "outputFormat": "svg",
        "markers": [{ "latitude": 41.9, "longitude": 12.5, "label": "Rome" }],
    })
}

fn mermaid(run: u32) -> String {
    let mut source = format!("flowchart TD\n  n0[Run {run}]\n");
    for node in 1..12 {
        let _ = writeln!(source, "  n{} --> n{node}[Step {node}]", node / 2);
    }
    source
}

fn plantuml(run: u32) -> String {
    let mut source = format!("@startuml\ntitle Run {run}\n");
    for message in 0..5 {
        let _ =
            writeln!(source, "Alice -> Bob: request {message}\nBob --> Alice: answer {message}");
    }
    source.push_str("@enduml\n");
    source
}

//! Source text to picture through the sandbox, and plugins that misbehave in it.

use crate::{clock, ledger, until::until};
use base64::Engine as _;
use flyball_harness::fleet::{Api, Fleet};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

fn graph(nodes: u32) -> String {
    let mut source = "digraph g {\n".to_owned();
    for node in 1..nodes {
        writeln!(source, "  n{} -> n{node};", node / 2).unwrap();
    }
    source + "}\n"
}

fn wait_for(api: &Api, format: &str) {
    until("the renderer is ready", 300, || {
        let body = api.get("/api/media/capabilities").unwrap().body;
        let ready = body["capabilities"]["diagrams"]["renderers"][format] == Value::Bool(true);
        if ready { Ok(()) } else { Err(body.to_string()) }
    });
}

#[test]
fn dot_of_200_nodes_renders_and_a_fault_at_line_3_names_line_3() {
    let fleet = Fleet::up(1).unwrap();
    let api = fleet.api().unwrap();
    wait_for(&api, "graphviz");
    let rendered = api
        .post(
            "/api/media/diagrams/render",
            &json!({"format": "graphviz", "code": graph(200), "outputFormat": "svg"}),
        )
        .unwrap();
    assert_eq!(rendered.status, 200, "{}", rendered.body);
    assert_eq!(rendered.body["mimeType"], "image/svg+xml");
    assert!(rendered.body["data"].as_str().unwrap().len() > 10_000);
    assert_eq!(rendered.body["renderMethod"], "graphviz");

    let faulty = json!({"format": "graphviz", "code": "digraph g {\n  a -> b;\n  c -> ;\n}\n"});
    let refused = api.post("/api/media/diagrams/render", &faulty).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.body["validationErrors"][0]["line"], 3, "{}", refused.body);
    let validated = api.post("/api/media/diagrams/validate", &faulty).unwrap();
    assert_eq!(validated.body["valid"], Value::Bool(false));
    assert_eq!(validated.body["errors"][0]["line"], 3, "{}", validated.body);
}

/// The picture's bytes.
fn picture(api: &Api, path: &str, order: &Value) -> (Value, Vec<u8>) {
    let answer = api.post(path, order).unwrap();
    assert_eq!(answer.status, 200, "{order}: {}", answer.body);
    let data = answer.body["data"].as_str().unwrap();
    (answer.body.clone(), base64::engine::general_purpose::STANDARD.decode(data).unwrap())
}

#[test]
fn formulas_maps_and_charts_are_drawn_in_the_sandbox_and_made_pixels_of() {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let fleet = Fleet::with_plugins(1, Some(built.join("plugins"))).unwrap();
    let api = fleet.api().unwrap();
    until("every renderer is ready", 300, || {
        let body = api.get("/api/media/capabilities").unwrap().body;
        let all = &body["capabilities"];
        let ready = [
            &all["formulas"]["renderers"]["latex"],
            &all["maps"]["renderers"]["map"],
            &all["diagrams"]["renderers"]["chart"],
            &all["diagrams"]["renderers"]["svg"],
        ];
        if ready.iter().all(|one| **one == Value::Bool(true)) { Ok(()) } else { Err(body) }
    });
    let formula = json!({
        "latex": "x = \\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}", "outputFormat": "svg",
        "displayMode": true, "fontSize": 18, "color": "#123456",
    });
    let (answer, svg) = picture(&api, "/api/media/formulas/render", &formula);
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.contains("<path") && svg.to_lowercase().contains("#123456"), "{answer}");
    let wrong = json!({ "latex": "\\frac{a" });
    let refused = api.post("/api/media/formulas/render", &wrong).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.body["validationErrors"][0]["line"], 1, "{}", refused.body);

    let map = json!({
        "title": "Italian City-States", "center": { "latitude": 43.0, "longitude": 12.0 },
        "zoom": 6, "style": "educational", "width": 800, "height": 600, "outputFormat": "png",
        "markers": [{ "latitude": 41.9, "longitude": 12.5, "label": "Rome", "color": "#E74C3C" }],
        "routes": [{ "points": [[41.9, 12.5], [43.7, 11.2]], "label": "Trade Route" }],
        "regions": [{ "points": [[42.0, 11.0], [42.5, 13.0], [41.5, 13.0]], "label": "Papal States" }],
    });
    let (answer, png) = picture(&api, "/api/media/maps/render", &map);
    assert_eq!((&answer["width"], &answer["height"]), (&json!(800), &json!(600)));
    assert_eq!(png[..4], *b"\x89PNG");
    assert!(png.len() > 20_000, "{} bytes", png.len());

    let bars = json!({
        "type": "bar", "series_list": [{ "name": "a", "data": [1.0, 2.0] }],
        "x_axis_data": ["one", "two"],
    });
    let chart = json!({ "format": "chart", "code": bars.to_string(), "outputFormat": "png" });
    let (_, png) = picture(&api, "/api/media/diagrams/render", &chart);
    assert_eq!(png[..4], *b"\x89PNG");
}

#[test]
fn plugins_that_spin_eat_or_panic_are_stopped_and_the_samples_go_on() {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let fleet = Fleet::with_plugins(1, Some(built.join("plugins-for-tests"))).unwrap();
    let device = fleet.ready().unwrap().devices[0].id.clone();
    let api = fleet.api().unwrap();
    wait_for(&api, "misbehave");
    sleep(Duration::from_secs(5));
    let from_ms = clock::unix_ms();
    for source in ["spin", "eat", "panic", "spin", "recurse", "log", "large-output"] {
        let order = json!({"format": "misbehave", "code": source, "outputFormat": "svg"});
        let answer = api.post("/api/media/diagrams/render", &order).unwrap();
        assert!((400..=599).contains(&answer.status), "{source}: {}", answer.body);
        println!("{source}: {} {}", answer.status, answer.body["message"]);
    }
    let to_ms = clock::unix_ms();
    let accounts = until("the samples of that time are committed", 60, || {
        let accounts = ledger::read(&api, &device, from_ms, to_ms);
        let missing: usize =
            accounts.values().map(|account| account.missing(from_ms, to_ms).len()).sum();
        if missing == 0 { Ok(accounts) } else { Err(missing) }
    });
    let lost = accounts.values().map(|account| account.lost_to(&["not_running"], from_ms, to_ms));
    assert_eq!(lost.sum::<usize>(), 0, "the agent ran all the time");
    assert_eq!(api.get("/health").unwrap().status, 200);
}

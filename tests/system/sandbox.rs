//! Source text to picture through the sandbox, and plugins that misbehave in it.

use crate::{clock, ledger, until::until};
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

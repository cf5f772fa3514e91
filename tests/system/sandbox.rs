//! Source text to picture through the sandbox, and plugins that misbehave in it.

use crate::until::until;
use flyball_harness::fleet::Fleet;
use serde_json::{Value, json};
use std::fmt::Write as _;

fn graph(nodes: u32) -> String {
    let mut source = "digraph g {\n".to_owned();
    for node in 1..nodes {
        writeln!(source, "  n{} -> n{node};", node / 2).unwrap();
    }
    source + "}\n"
}

#[test]
fn dot_of_200_nodes_renders_and_a_fault_at_line_3_names_line_3() {
    let fleet = Fleet::up(1).unwrap();
    let api = fleet.api().unwrap();
    until("the renderer is ready", 120, || {
        let body = api.get("/api/media/capabilities").unwrap().body;
        let ready = body["capabilities"]["diagrams"]["renderers"]["graphviz"] == Value::Bool(true);
        if ready { Ok(()) } else { Err(body.to_string()) }
    });
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

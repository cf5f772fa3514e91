//! The Graphviz plugin, as it is shipped.

use crate::guests::{failure, graphviz};
use flyball_plugin_messages::{Event, FailureKind, Request, Severity};

const DEADLINE_MS: u32 = 10_000;

fn svg(events: Vec<Event>) -> String {
    match &events[..] {
        [Event::Image(image), Event::Done] => {
            assert_eq!(image.media_type, "image/svg+xml");
            String::from_utf8(image.data.clone()).unwrap()
        }
        _ => panic!("{events:?}"),
    }
}

#[test]
fn it_says_what_it_is() {
    let manifest = &graphviz().manifest;
    assert_eq!((manifest.id.as_str(), manifest.licence.as_str()), ("graphviz", "EPL-2.0"));
    assert_eq!(manifest.handles, ["graphviz", "dot"]);
}

#[test]
fn a_graph_of_200_nodes_is_drawn() {
    let edges: String = (1..200).map(|n| format!("n{} -> n{n};\n", n / 3)).collect();
    let svg = svg(graphviz().render(&format!("digraph {{\n{edges}}}"), DEADLINE_MS));
    assert_eq!(svg.matches("class=\"node\"").count(), 200);
}

#[test]
fn the_same_source_gives_the_same_picture() {
    let source = "graph { layout=neato; a -- b -- c -- d -- a; a -- c }";
    assert_eq!(
        svg(graphviz().render(source, DEADLINE_MS)),
        svg(graphviz().render(source, DEADLINE_MS))
    );
}

#[test]
fn a_fault_at_line_3_is_at_line_3_whether_drawn_or_validated() {
    let source = "digraph {\n  a -> b;\n  c -> [;\n}\n";
    let refused = failure(graphviz().render(source, DEADLINE_MS));
    assert_eq!(refused.kind, FailureKind::InvalidInput);
    assert_eq!(refused.diagnostics[0].line, 3);
    let validate = Request::Validate { format: "dot".into(), source: source.into() };
    let events = graphviz().call(validate, DEADLINE_MS);
    let [Event::Diagnostics(found), Event::Done] = &events[..] else { panic!("{events:?}") };
    assert_eq!((found[0].severity, found[0].line), (Severity::Error, 3));
    assert!(found[0].column > 1, "{found:?}");
}

#[test]
fn a_source_that_needs_too_long_is_stopped() {
    let edges: String =
        (0..400).flat_map(|a| (0..400).step_by(7).map(move |b| format!("n{a} -> n{b};"))).collect();
    let stopped = failure(graphviz().render(&format!("digraph {{{edges}}}"), 300));
    assert_eq!(stopped.kind, FailureKind::Limit, "{}", stopped.message);
}

//! DOT in, drawings and faults out.

use crate::dot::{Drawing, ENGINES, Fault, Options, check, draw};

fn plain() -> Options<'static> {
    Options { engine: "dot", dark: false, width: None, height: None }
}

fn drawn(source: &str, options: Options<'_>) -> Drawing {
    draw(source, &options).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_graph_is_drawn_with_its_labels() {
    let drawing = drawn("digraph { fan -> rotor [label=\"spins\"] }", plain());
    assert!(drawing.svg.contains("<svg") && drawing.svg.contains(">spins</text>"));
    assert!(drawing.width > 0 && drawing.height > 0);
    assert_eq!(drawing.warnings, []);
}

#[test]
fn two_hundred_nodes_are_drawn() {
    let edges: String = (1..200).map(|n| format!("n{} -> n{n};\n", n / 2)).collect();
    let drawing = drawn(&format!("digraph {{\n{edges}}}"), plain());
    assert_eq!(drawing.svg.matches("class=\"node\"").count(), 200);
}

#[test]
fn a_fault_names_its_line_and_column() {
    let source = "digraph {\n  a -> b;\n  c -> [;\n}\n";
    let faults = check(source);
    assert!(
        matches!(&faults[..], [Fault::Syntax { line: 3, column, .. }] if *column > 1),
        "{faults:?}"
    );
    assert!(matches!(draw(source, &plain()), Err(Fault::Syntax { line: 3, .. })));
}

#[test]
fn an_empty_source_is_a_fault() {
    for source in ["", "\n\n", "// nothing\n"] {
        assert!(matches!(&check(source)[..], [Fault::Syntax { .. }]), "{source:?}");
        assert!(matches!(draw(source, &plain()), Err(Fault::Syntax { .. })), "{source:?}");
    }
}

#[test]
fn comments_ports_html_labels_and_unicode_are_valid() {
    for source in [
        "/* a */ strict graph G { // b\n a -- b }",
        "digraph { a [shape=record, label=\"<l> left|<r> right\"]; a:l -> a:r }",
        "digraph { a [label=<<B>fett</B> ü 日本>] }",
        "digraph { subgraph cluster_0 { x; y } x -> y [color=\"red:blue\"] }",
    ] {
        assert_eq!(check(source), [], "{source}");
        drawn(source, plain());
    }
}

#[test]
fn every_engine_draws_and_an_unknown_one_is_refused_by_name() {
    for engine in ENGINES {
        drawn("graph { a -- b -- c -- a }", Options { engine, ..plain() });
    }
    let refused = draw("graph { a }", &Options { engine: "spiral", ..plain() });
    assert!(matches!(refused, Err(Fault::Engine(name)) if name == "spiral"));
}

#[test]
fn the_drawing_fits_the_page_that_was_asked_for() {
    let wide = Options { width: Some(400), ..plain() };
    assert_eq!(drawn("digraph { a -> b }", wide).width, 400);
    let boxed = Options { width: Some(400), height: Some(100), ..plain() };
    let drawing = drawn("digraph { a -> b }", boxed);
    assert_eq!(drawing.height, 100);
    assert!(drawing.width < 400);
    assert!(drawing.svg.contains("height=\"100px\""));
}

#[test]
fn a_dark_page_keeps_the_colours_that_the_author_chose() {
    let dark = Options { dark: true, ..plain() };
    let drawing = drawn("digraph { a [color=crimson]; a -> b }", dark);
    assert!(drawing.svg.contains("crimson") && !drawing.svg.contains("stroke=\"black\""));
}

#[test]
fn a_second_graph_is_said_not_to_be_drawn() {
    let faults = check("graph { a }\ngraph { b }\n");
    assert!(matches!(&faults[..], [Fault::Warning(text)] if text.contains("first of 2")));
}

//! D2 in, drawings and faults out.

use crate::drawn::{Drawing, Options, check, draw};
use crate::fault::Fault;
use crate::{model, shapes};
use drawing::{Bounds, Place};

fn drawn(source: &str, options: &Options<'_>) -> Drawing {
    draw(source, options).unwrap_or_else(|faults| panic!("{source}: {faults}"))
}

fn plain(source: &str) -> String {
    let drawing = drawn(source, &Options::default());
    assert_eq!(drawing.warnings, [], "{source}");
    drawing.svg
}

fn shapes_in(svg: &str) -> usize {
    svg.matches("data-shape").count()
}

fn unsupported(source: &str) -> Vec<(u32, u32)> {
    check(source)
        .into_iter()
        .map(|fault| match fault {
            Fault::Unsupported { place: Place { line, column }, .. } => (line, column),
            other => panic!("{source}: {other:?}"),
        })
        .collect()
}

fn syntax(source: &str) -> (u32, u32) {
    match &check(source)[..] {
        [Fault::Syntax { place: Place { line, column }, .. }] => (*line, *column),
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn shapes_and_connections_are_drawn_with_their_labels() {
    let svg = plain("# first\nx -> y -> z: hello\nx: The start {shape: oval}\ny <-> \"a.b -> c\"");
    assert_eq!(shapes_in(&svg), 4);
    assert_eq!(svg.matches(">hello</text>").count(), 2);
    assert!(svg.contains(">The start</text>") && svg.contains("<ellipse"));
    assert!(svg.contains(">a.b -&gt; c</text>"));
}

#[test]
fn every_way_to_write_an_arrow_is_known() {
    for (source, heads) in
        [("a -> b", 1), ("a <- b", 1), ("a <-> b", 2), ("a -- b", 0), ("a --> b", 1), ("a-->b", 1)]
    {
        let svg = plain(source);
        assert_eq!(shapes_in(&svg), 2, "{source}");
        assert_eq!(svg.matches("Z\"/>").count(), heads, "{source}");
    }
    assert_eq!(shapes_in(&plain("well-known")), 1, "a hyphen is no arrow");
}

#[test]
fn containers_hold_what_is_named_in_them() {
    for source in [
        "a: Agent {\n  b -> c\n}\nd -> a.b: in",
        "a.b -> a.c\nd -> a.b: in\na: Agent",
        "a: Agent { b -> c }; d -> A.b: in",
    ] {
        let svg = plain(source);
        assert_eq!(shapes_in(&svg), 4, "{source}");
        assert!(svg.contains("font-weight=\"bold\">Agent</text>"), "{source}");
    }
    let across = plain("a: {b}\nc: {d}\na -> c: between\na.b -> c.d");
    assert!(across.contains(">between</text>"));
}

#[test]
fn styles_go_into_the_picture() {
    let svg = plain(
        "x: {\n style.fill: \"#f90\"\n style: {\n stroke: crimson; stroke-width: 4\n }\n}\n\
         x -> y: { style.stroke-dash: 3; style.font-color: teal; label: hi }\nx.style.opacity: 0.5",
    );
    for part in [
        "fill=\"#f90\"",
        "stroke=\"crimson\" stroke-width=\"4\"",
        "stroke-dasharray",
        "\"teal\"",
        "opacity=\"0.5\"",
    ] {
        assert!(svg.contains(part), "{part} in {svg}");
    }
}

#[test]
fn every_shape_that_is_named_is_drawn() {
    for kind in shapes::names() {
        let svg = plain(&format!("x: {{shape: {kind}}}\nx -> y\nz -> x"));
        assert_eq!(shapes_in(&svg), 3, "{kind}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{kind}: {svg}");
    }
}

#[test]
fn what_the_subset_has_not_is_said_with_its_line() {
    assert_eq!(
        unsupported("a -> b\nvars: {\n x: 1\n}\na.shape: sql_table\n  layers: {\n y: {z}\n}"),
        [(2, 1), (5, 1), (6, 3)]
    );
    for source in [
        "x\n...@other",
        "x\n(a -> b)[0].style.fill: red",
        "x\n*.style.fill: red",
        "x\na: ${b}",
        "x\na: |md hi|",
        "x\na.class: c",
        "x\nx.y -> x",
    ] {
        assert_eq!(unsupported(source)[0].0, 2, "{source}");
    }
    for kind in shapes::NOT_DRAWN {
        assert_eq!(unsupported(&format!("x: {{\n shape: {kind}\n}}")), [(2, 2)]);
    }
}

#[test]
fn what_only_changes_the_looks_is_passed_over_with_a_warning() {
    let drawing = drawn("x: {\n tooltip: more\n style.shadow: true\n}", &Options::default());
    let lines: Vec<u32> = drawing
        .warnings
        .iter()
        .map(|fault| match fault {
            Fault::Ignored { place, .. } => place.line,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lines, [2, 3]);
    assert!(!drawing.svg.contains("more"));
}

#[test]
fn faults_name_their_line_and_column() {
    assert_eq!(syntax("a -> b {\n  style.fil: red\n}"), (2, 3));
    assert_eq!(syntax("ü {\n  a: {\n"), (2, 6));
    assert_eq!(syntax("a\n}"), (2, 1));
    assert_eq!(syntax("a\n  \"b"), (2, 3));
    assert_eq!(syntax("a ->"), (1, 1));
    assert_eq!(syntax("a\nb: {shape: spiral}"), (2, 5));
    assert_eq!(syntax("a.style.fill: \"url(http://x)\""), (1, 1));
    assert_eq!(syntax(""), (1, 1));
    assert_eq!(syntax("# only a comment"), (1, 1));
}

#[test]
fn the_direction_is_the_sources_or_the_requests() {
    let wide = |source, direction| {
        let options = Options { direction, ..Options::default() };
        let pixels = drawn(source, &options).pixels;
        pixels.width > pixels.height
    };
    assert!(!wide("a -> b -> c -> d", None));
    assert!(wide("direction: right\na -> b -> c -> d", None));
    assert!(wide("a -> b -> c -> d", Some("left")));
    let refused = draw("a", &Options { direction: Some("in"), ..Options::default() });
    assert!(matches!(refused.unwrap_err().0[..], [Fault::Option { name: "direction", .. }]));
}

#[test]
fn a_dark_page_and_a_small_page() {
    let bounds = Bounds { width: Some(100), height: Some(50) };
    let drawing = drawn("a -> b", &Options { dark: true, bounds, ..Options::default() });
    assert_eq!(drawing.pixels.height, 50);
    assert!(drawing.svg.contains("fill=\"#14171c\""));
}

#[test]
fn labels_have_lines_and_no_markup() {
    let svg = plain("a: \"one\\ntwo <b>&\"");
    assert!(svg.contains(">one</text>") && svg.contains(">two &lt;b&gt;&amp;</text>"));
}

#[test]
fn there_are_bounds() {
    let many: String = (0..=model::MAX_SHAPES).map(|n| format!("n{n}\n")).collect();
    let deep = vec!["a"; model::MAX_DEPTH + 2].join(".");
    let blocks = "a: {".repeat(5_000) + &"}".repeat(5_000);
    let lines = "a -> b\n".repeat(model::MAX_CONNECTIONS + 1);
    for source in [many, deep, blocks, lines] {
        assert!(matches!(check(&source)[..], [Fault::Bound { .. }, ..]), "{}", &source[..20]);
    }
}

#[test]
fn a_large_diagram_is_laid_out_on_a_guests_stack() {
    let source: String = (1..300).map(|n| format!("n{} -> n{n}\n", n / 3)).collect();
    let drawing = move || drawn(&source, &Options::default());
    // Frames that are not optimised take four times as much as those in the host's 512 KiB.
    let worker = std::thread::Builder::new().stack_size(4 * 512 * 1024).spawn(drawing).unwrap();
    assert_eq!(shapes_in(&worker.join().unwrap().svg), 300);
}

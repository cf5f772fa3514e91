//! Mermaid in, drawings and faults out.

use crate::diagram::{Drawing, MAX_SOURCE_BYTES, Options, check, draw};
use crate::fault::{Fault, Remark, Weight};
use drawing::{Bounds, Place};

fn drawn(source: &str, options: &Options<'_>) -> Drawing {
    draw(source, options).unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

fn plain(source: &str) -> Drawing {
    drawn(source, &Options::default())
}

fn first_error(source: &str) -> Remark {
    let checked = check(source).into_iter().find(|remark| remark.weight == Weight::Error);
    match draw(source, &Options::default()) {
        Err(Fault::Source(remarks)) => {
            assert_eq!(checked.as_ref(), remarks.first(), "checking and drawing say the same");
            remarks.into_iter().next().unwrap()
        }
        other => panic!("{source}: {other:?}"),
    }
}

/// As every program reads it, attributes that stand twice included.
fn assert_well_formed(svg: &str) {
    let mut reader = quick_xml::Reader::from_str(svg);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {svg}")) {
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                let sound = tag.attributes().all(|attribute| attribute.is_ok());
                assert!(sound, "{tag:?}");
            }
            quick_xml::events::Event::Eof => return,
            _ => {}
        }
    }
}

const DIAGRAMS: [(&str, &str); 20] = [
    (
        "flowchart LR\n A[Start] --> B{on?}\n B -->|yes| C\n subgraph rack\n C --> D[(Store)]\n end",
        "Start",
    ),
    ("graph LR\n  A --> B", "A"),
    ("sequenceDiagram\n A->>+B: enrol\n B-->>-A: done\n Note over A,B: over TLS", "enrol"),
    ("classDiagram\n class Animal {\n +String name\n }\n Animal <|-- Duck", "Duck"),
    ("stateDiagram-v2\n [*] --> Idle\n Idle --> Busy : start", "Idle"),
    ("erDiagram\n CUSTOMER ||--o{ ORDER : places", "places"),
    ("gantt\n dateFormat YYYY-MM-DD\n section One\n Design :a1, 2026-01-01, 10d", "Design"),
    ("pie showData\n \"Dogs\" : 386\n \"Cats\" : 85", "Dogs"),
    ("mindmap\n root((Course))\n  Part one\n  Part two", "Course"),
    ("journey\n title Day\n section Work\n  Tea: 5: Me", "Tea"),
    ("gitGraph\n commit\n branch develop\n commit", "develop"),
    ("timeline\n title History\n 2002 : LinkedIn", "LinkedIn"),
    ("quadrantChart\n x-axis Low --> High\n A: [0.3, 0.6]", "High"),
    ("xychart-beta\n x-axis [jan, feb]\n bar [30, 60]", "feb"),
    ("sankey-beta\n\nA,B,10\nA,C,5", "C"),
    ("block-beta\n columns 2\n a b", "a"),
    ("C4Context\n Person(a, \"User\")\n System(b, \"Shop\")\n Rel(a, b, \"uses\")", "Shop"),
    ("requirementDiagram\n requirement r {\n id: 1\n text: fast\n }", "fast"),
    ("packet-beta\n 0-15: \"Source Port\"", "Port"),
    ("kanban\n  todo[Todo]\n    a[Write]", "Write"),
];

#[test]
fn the_kinds_of_diagrams_are_drawn_without_a_page_inside_them() {
    for (source, word) in DIAGRAMS {
        let svg = plain(source).svg;
        assert!(svg.contains(word), "{source}\n{svg}");
        assert!(!svg.to_ascii_lowercase().contains("<foreignobject"), "{source}");
        for outside in ["http://www.w3.org/1999/xhtml", "@import", "url(http", "<script", "\\"] {
            assert!(!svg.contains(outside), "{outside} in {source}");
        }
        assert_well_formed(&svg);
        assert_eq!(check(source), [], "{source}");
    }
}

#[test]
fn comments_front_matter_and_directives_come_before_a_diagram() {
    for source in [
        "%% a comment\n%% and another\nflowchart TD\n a --> b",
        "---\ntitle: Pets\n---\nflowchart TD\n a --> b",
        "---\nconfig:\n  theme: forest\n---\nflowchart TD\n a --> b",
        "%%{init: {\"theme\":\"forest\"}}%%\nflowchart TD\n a --> b",
        "\n\n  flowchart TD\n a --> b",
    ] {
        assert!(plain(source).svg.contains(">a</tspan>"), "{source}");
    }
    assert!(plain("---\ntitle: Pets\n---\nflowchart TD\n a --> b").svg.contains("Pets"));
}

#[test]
fn a_fault_names_its_line_and_column() {
    let remark = first_error("flowchart LR\n  A --> B\n  D[unclosed\n");
    assert_eq!(remark.start, Some(Place { line: 3, column: 4 }));
    assert!(remark.message.contains("missing `]`"), "{}", remark.message);
    let remark = first_error("%% first\nsequenceDiagram\n  A->>B: fine\n  nonsense here now\n");
    assert_eq!(remark.start.map(|place| place.line), Some(4));
    let remark = first_error("pie\n  \"ä\" : x\n");
    assert_eq!(remark.start, Some(Place { line: 2, column: 3 }));
    assert_eq!(remark.end, Some(Place { line: 2, column: 10 }));
}

#[test]
fn what_is_no_diagram_is_a_fault() {
    for source in ["", "\n\n", "hello world", "%% only a comment"] {
        assert_eq!(first_error(source).code, "no-diagram", "{source:?}");
    }
}

#[test]
fn themes_change_the_colours_and_an_unknown_one_is_refused_by_name() {
    let source = "flowchart TD\n a --> b";
    let themed = |theme| drawn(source, &Options { theme: Some(theme), ..Options::default() }).svg;
    let pictures = ["default", "dark", "forest", "neutral", "base"].map(themed);
    for (n, picture) in pictures.iter().enumerate() {
        assert!(pictures[n + 1..].iter().all(|other| other != picture), "{n}");
    }
    assert!(pictures[1].contains("fill=\"#14171c\""), "a dark theme has a dark ground");
    let refused = draw(source, &Options { theme: Some("spiral"), ..Options::default() });
    assert_eq!(refused.err(), Some(Fault::Theme("spiral".into())));
}

#[test]
fn the_drawing_fits_the_page_that_was_asked_for() {
    let bounds = Bounds { width: Some(800), height: Some(100) };
    let options = Options { bounds, ..Options::default() };
    let drawing = drawn("flowchart TD\n a --> b --> c", &options);
    assert_eq!(drawing.pixels.height, 100);
    assert!(drawing.pixels.width < 800);
    assert!(drawing.svg.contains("height=\"100\"") && drawing.svg.contains("viewBox="));
    let root = drawing.svg.split('>').next().unwrap();
    assert!(!root.contains("max-width"), "{root}");
}

#[test]
fn the_words_of_a_label_keep_their_spaces() {
    let svg = plain("flowchart TD\n a[one two]").svg;
    let texts = svg.matches("<text").count();
    assert_eq!(svg.matches("<text xml:space=\"preserve\"").count(), texts);
}

#[test]
fn a_states_label_stands_in_the_middle_of_its_box() {
    let svg = plain("stateDiagram-v2\n Idle --> Busy").svg;
    assert_eq!(svg.matches("<text text-anchor=\"middle\"").count(), 2, "{svg}");
}

#[test]
fn what_is_too_large_is_refused() {
    let long = format!("flowchart TD\n{}", " a --> b\n".repeat(MAX_SOURCE_BYTES / 8));
    assert!(matches!(draw(&long, &Options::default()), Err(Fault::Limit(_))));
    assert!(check(&long).iter().any(|remark| remark.code == "size"));
}

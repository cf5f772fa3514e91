//! PlantUML in, drawings and faults out.

use crate::diagram::{Drawing, MAX_SOURCE_BYTES, MISSING_KINDS, Options, check, draw};
use crate::fault::Fault;
use drawing::{Bounds, Place};

fn plain() -> Options<'static> {
    Options { theme: "default", bounds: Bounds::default() }
}

fn drawn(source: &str, options: Options<'_>) -> Drawing {
    draw(source, &options).unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

/// Line and column of the fault that checking and drawing both find.
fn place(source: &str) -> Option<(u32, u32)> {
    let faults = check(source);
    assert_eq!(draw(source, &plain()).err().as_ref(), faults.first(), "{source}");
    match &faults[..] {
        [Fault::Syntax { place, .. } | Fault::Kind { place, .. }] => {
            place.map(|Place { line, column }| (line, column))
        }
        other => panic!("{source}: {other:?}"),
    }
}

const DIAGRAMS: [(&str, &str); 14] = [
    (
        "@startuml\nactor User\nUser -> Agent : start\nalt good\nAgent --> User : fine\nend\n@enduml",
        "fine",
    ),
    ("@startuml\nclass Animal {\n +eat()\n}\nAnimal <|-- Duck\n@enduml", "Duck"),
    ("@startuml\nstart\n:read;\nif (hot?) then (yes)\n:cool;\nendif\nstop\n@enduml", "cool"),
    ("@startuml\n[*] --> Idle\nIdle --> Busy : start\n@enduml", "Busy"),
    ("@startuml\npackage Rack {\n[Agent] --> [Driver]\n}\n@enduml", "Driver"),
    ("@startuml\nobject Thing {\n size = 3\n}\n@enduml", "Thing"),
    ("@startuml\nrobust \"Web\" as W\n@0\nW is Idle\n@100\nW is Busy\n@enduml", "Busy"),
    ("@startjson\n{\"fruit\":\"Apple\"}\n@endjson", "Apple"),
    ("@startyaml\nfruit: Apple\n@endyaml", "Apple"),
    ("@startmindmap\n* Course\n** Lesson\n@endmindmap", "Lesson"),
    ("@startwbs\n* Work\n** Part\n@endwbs", "Part"),
    ("@startgantt\n[Design] lasts 10 days\n@endgantt", "Design"),
    ("@startsalt\n{\n [OK]\n}\n@endsalt", "OK"),
    ("@startuml\n!include <C4/C4_Container>\nPerson(p, \"Reader\")\n@enduml", "Reader"),
];

#[test]
fn a_delay_without_participants_is_refused_where_it_stands() {
    assert_eq!(place("@startuml\n...waiting...\n...\n@enduml"), Some((2, 1)));
    assert_eq!(place("title A wait\n\n...5 minutes...\n"), Some((3, 1)));
    drawn("@startuml\nA -> B\n...waiting...\nB -> A\n@enduml", plain());
}

#[test]
fn the_kinds_of_diagrams_are_drawn() {
    for (source, word) in DIAGRAMS {
        let drawing = drawn(source, plain());
        assert!(drawing.svg.contains(word), "{source}");
        for outside in ["foreignObject", "<script", "href=\"http", "url(http"] {
            assert!(!drawing.svg.contains(outside), "{outside} in {source}");
        }
        assert_eq!(drawing.warnings, [], "{source}");
        assert_eq!(check(source), [], "{source}");
    }
}

#[test]
fn a_fault_names_its_own_line_whatever_stands_before_it() {
    for (source, line, column) in [
        ("@startuml\nA -> B : ok\n   this is nonsense !!\nC -> D\n@enduml", 3, 4),
        (
            "' one\n/' two\nthree '/\n\n@startuml\n' six\nclass A {\n}\nclass B\nA <<>> no B ((\n@enduml",
            10,
            1,
        ),
        ("@startuml\n!$x = 5\nA -> B : $x\nnonsense $x\n@enduml", 4, 1),
        ("@startuml\nA -> B\n!theme nosuch\n@enduml", 3, 1),
        ("@startmindmap\n* a\n** b\nfoo\n@endmindmap", 4, 1),
        ("@startgantt\n[Design] lasts ten days\n@endgantt", 2, 1),
        ("@startuml\n!include <C4/C4_Container>\nPerson(p, \"x\")\n  nonsense here\n@enduml", 4, 3),
        ("A -> B\nnonsense at all", 2, 1),
        ("@startjson\n{ \"a\": 1,\n  ,}\n@endjson", 3, 3),
    ] {
        assert_eq!(place(source), Some((line, column)), "{source}");
    }
}

#[test]
fn nothing_is_fetched_for_a_source() {
    for address in ["http://127.0.0.1/x.puml", "/etc/passwd", "x.puml"] {
        let source = format!("@startuml\n!include {address}\nA -> B\n@enduml");
        assert_eq!(place(&source), Some((2, 1)), "{address}");
    }
}

#[test]
fn kinds_that_are_not_drawn_are_said_to_be_unsupported() {
    for kind in MISSING_KINDS {
        let source = format!("@start{kind}\nx\n@end{kind}");
        let fault = draw(&source, &plain()).err();
        assert!(matches!(&fault, Some(Fault::Kind { name, .. }) if name == kind), "{fault:?}");
    }
    let inside = "@startuml\nnwdiag {\n network a { }\n}\n@enduml";
    assert!(matches!(draw(inside, &plain()), Err(Fault::Kind { name, .. }) if name == "nwdiag"));
    assert_eq!(place(inside), Some((2, 1)));
}

#[test]
fn a_source_without_a_start_is_taken_as_uml_and_one_without_an_end_is_not() {
    assert!(drawn("A -> B : hi", plain()).svg.contains("hi"));
    for source in ["", "\n", "@startuml\nA -> B"] {
        assert!(matches!(&check(source)[..], [Fault::NoDiagram(_)]), "{source:?}");
    }
}

#[test]
fn a_dark_page_has_a_dark_ground_and_light_letters() {
    let dark = drawn(DIAGRAMS[0].0, Options { theme: "dark", ..plain() });
    assert!(dark.svg.contains("fill=\"#14171c\"") && dark.svg.to_lowercase().contains("#c9d1d9"));
    assert_eq!(dark.warnings, []);
    let sketch = drawn("@startsalt\n{\n [OK]\n}\n@endsalt", Options { theme: "dark", ..plain() });
    assert_eq!(sketch.warnings, [Fault::Unthemed("dark".into())]);
}

#[test]
fn plantumls_own_themes_are_known_and_others_are_refused_by_name() {
    let themed = drawn(DIAGRAMS[0].0, Options { theme: "amiga", ..plain() });
    assert_ne!(themed.svg, drawn(DIAGRAMS[0].0, plain()).svg);
    let refused = draw("A -> B", &Options { theme: "spiral", ..plain() });
    assert_eq!(refused.err(), Some(Fault::Theme("spiral".into())));
}

#[test]
fn the_drawing_fits_the_page_that_was_asked_for() {
    let bounds = Bounds { width: Some(400), height: Some(100) };
    let drawing = drawn(DIAGRAMS[0].0, Options { bounds, ..plain() });
    assert_eq!(drawing.pixels.height, 100);
    assert!(drawing.svg.contains("height=\"100\""));
}

#[test]
fn what_a_link_mentions_is_drawn_as_what_it_is() {
    let boxes = |source: &str| drawn(source, plain()).svg.matches("<rect").count();
    let mentioned = boxes("@startuml\n[A] -[#red]-> [B] : to\n@enduml");
    assert_eq!(mentioned, boxes("@startuml\ncomponent A\ncomponent B\nA --> B : to\n@enduml"));
    let warned = drawn("@startuml\nactor Guest\nGuest --> (Buy)\n@enduml", plain());
    assert_eq!(warned.warnings, [Fault::UseCases]);
}

#[test]
fn what_is_too_large_is_refused() {
    let long = "A -> B\n".repeat(MAX_SOURCE_BYTES / 6);
    assert!(matches!(&check(&long)[..], [Fault::Length(_)]));
}

#[test]
fn a_procedure_that_calls_itself_without_an_end_is_a_fault() {
    let procedure = "@startuml\n!procedure $f()\n$f()\n!endprocedure\n$f()\n@enduml";
    assert_eq!(place(procedure), Some((3, 1)));
    let function =
        "@startuml\n!function $f($x)\n  !return $f($x)\n!endfunction\nA -> B : $f(1)\n@enduml";
    assert_eq!(place(function), Some((3, 1)));
    let sound = "@startuml\n!function $f($x)\n!if ($x > 3)\n!return $x\n!endif\n!return $f($x + 1)\n!endfunction\nA -> B : $f(1)\n@enduml";
    assert!(drawn(sound, plain()).svg.contains(">4</text>"));
}

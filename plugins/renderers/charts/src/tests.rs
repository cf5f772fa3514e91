//! JSON in, charts and faults out.

use crate::chart::{Drawing, MAX_SERIES, MAX_VALUES, Options, check, draw, themes};
use crate::fault::Fault;
use crate::kinds;
use drawing::{Bounds, Pixels, Place};

const BAR: &str = r#"{"type":"bar","title_text":"Visits","x_axis_data":["Mon","Tue"],
  "series_list":[{"name":"Email","data":[120,132]},{"name":"Web","data":[220,182]}]}"#;

const CHARTS: [(&str, &str); 11] = [
    (BAR, "Visits"),
    (
        r#"{"type":"horizontal_bar","x_axis_data":["World"],"series_list":[{"name":"2011","data":[18203]}]}"#,
        "World",
    ),
    (
        r#"{"type":"line","x_axis_data":["a","b","c"],"series_list":[{"name":"l","data":[1,null,3]}]}"#,
        "c",
    ),
    (
        r#"{"type":"pie","series_list":[{"name":"rose 1","data":[40]},{"name":"rose 2","data":[38]}]}"#,
        "rose 2",
    ),
    (
        r#"{"type":"radar","indicators":[{"name":"Sales","max":6500},{"name":"Admin","max":16000},{"name":"IT","max":30000}],"series_list":[{"name":"Budget","data":[4200,3000,20000]}]}"#,
        "Admin",
    ),
    (
        r#"{"type":"scatter","series_list":[{"name":"Female","data":[161.2,51.6,167.5,59.0]}]}"#,
        "Female",
    ),
    (
        r#"{"type":"candlestick","x_axis_data":["one","two"],"series_list":[{"name":"s","data":[20,34,10,38,40,35,30,50]}]}"#,
        "two",
    ),
    (
        r#"{"type":"heatmap","x_axis_data":["12a","1a"],"y_axis_data":["Sat","Fri"],"series":{"data":[[0,9],[1,3],[2,7]]}}"#,
        "Fri",
    ),
    (r#"{"type":"table","data":[["Name","Price"],["Coffee","3"],["Tea","2"]]}"#, "Coffee"),
    (
        r#"{"type":"funnel","series_list":[{"name":"Show","data":[100]},{"name":"Click","data":[40]}]}"#,
        "Click",
    ),
    (r#"{"type":"gauge","series_list":[{"name":"Speed","data":[40]}]}"#, "Speed"),
];

fn drawn(source: &str, options: &Options<'_>) -> Drawing {
    draw(source, options).unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

fn field(source: &str) -> (Option<Place>, String) {
    match check(source) {
        Some(Fault::Field { place, message }) => (place, message),
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_kinds_of_charts_are_drawn() {
    for (source, word) in CHARTS {
        let svg = drawn(source, &Options::default()).svg;
        assert!(svg.contains(word) && svg.starts_with("<svg"), "{source}\n{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("href") && !svg.contains("inf"), "{svg}");
        assert_eq!(check(source), None, "{source}");
    }
}

#[test]
fn the_size_that_was_asked_for_goes_to_the_library() {
    let bounds = Bounds { width: Some(640), height: Some(200) };
    let drawing = drawn(BAR, &Options { bounds, ..Options::default() });
    assert_eq!(drawing.pixels, Pixels { width: 640, height: 200 });
    let own =
        drawn(&BAR.replace("\"bar\"", "\"bar\",\"width\":300,\"height\":150"), &Options::default());
    assert_eq!(own.pixels, Pixels { width: 300, height: 150 });
}

#[test]
fn themes_change_the_colours_but_an_authors_own_stays() {
    let themed = |theme| drawn(BAR, &Options { theme: Some(theme), ..Options::default() }).svg;
    assert_eq!(themed("default"), themed("light"));
    assert_ne!(themed("dark"), themed("light"));
    let own = BAR.replace("\"bar\"", "\"bar\",\"theme\":\"ant\"");
    let over = drawn(&own, &Options { theme: Some("dark"), ..Options::default() }).svg;
    assert_eq!(over, themed("ant"));
    let refused = draw(BAR, &Options { theme: Some("spiral"), ..Options::default() });
    assert_eq!(refused.err(), Some(Fault::Theme("spiral".into())));
    assert!(themes().len() > 8);
}

#[test]
fn what_is_no_json_is_said_with_its_place() {
    for (source, line, column) in [
        ("{\"type\":\"bar\",\n  \"ä\": [1, 2,, 3]}", 2, 14),
        ("{\"type\":\"bar\"", 1, 13),
        ("", 1, 1),
        ("graph LR", 1, 1),
        ("{\"type\":\"bar\"} x", 1, 16),
    ] {
        let Some(Fault::Json { place, .. }) = check(source) else { panic!("{source}") };
        assert_eq!(place, Place { line, column }, "{source}");
    }
    assert!(matches!(check(&"[".repeat(100_000)), Some(Fault::Json { .. })), "deep nesting");
}

#[test]
fn a_type_that_is_unknown_or_missing_is_said_with_those_that_are_known() {
    let unknown = check("{\n  \"type\": \"spiral\"}").unwrap();
    assert_eq!(
        unknown,
        Fault::Kind { place: Place { line: 2, column: 3 }, name: Some("spiral".into()) }
    );
    assert!(unknown.to_string().contains("horizontal_bar"));
    for source in ["{}", "[1]", "3", "{\"type\":3}"] {
        assert!(matches!(check(source), Some(Fault::Kind { name: None, .. })), "{source}");
    }
}

#[test]
fn a_wrong_field_is_said_with_its_place_and_its_neighbour() {
    let (place, message) = field("{\"type\":\"bar\",\n  \"titel_text\":\"x\"}");
    assert_eq!(place, Some(Place { line: 2, column: 3 }));
    assert!(message.contains("title_text"), "{message}");
    let source = "{\"type\":\"bar\",\"x_axis_data\":[\"a,]\\\"\"],\n \"series_list\":[{\"name\":\"a\",\"data\":[1]},\n  {\"name\":\"b\",\"data\":\"x\"}]}";
    assert_eq!(field(source).0, Some(Place { line: 3, column: 15 }));
}

#[test]
fn there_are_bounds() {
    let series = vec!["{\"name\":\"s\",\"data\":[1]}"; MAX_SERIES + 1].join(",");
    let many = format!("{{\"type\":\"bar\",\"series_list\":[{series}]}}");
    assert!(matches!(check(&many), Some(Fault::Bound { what: "series", .. })));
    let points = vec!["1"; MAX_VALUES].join(",");
    let many =
        format!("{{\"type\":\"line\",\"series_list\":[{{\"name\":\"s\",\"data\":[{points}]}}]}}");
    assert!(matches!(check(&many), Some(Fault::Bound { what: "values", .. })));
    let wide = BAR.replace("\"bar\"", "\"bar\",\"width\":1e9");
    assert!(matches!(check(&wide), Some(Fault::Bound { what: "pixels across", .. })));
}

#[test]
fn charts_that_hold_little_or_odd_things_end_in_a_picture_or_a_fault() {
    for kind in kinds::names() {
        for rest in [
            "",
            r#","series_list":[]"#,
            r#","series_list":[{"name":"a","data":[]}]"#,
            r#","series_list":[{"name":"a","data":[0]}],"x_axis_data":[]"#,
            r#","series_list":[{"name":"a","data":[null]}],"x_axis_data":["x"]"#,
            r#","series_list":[{"name":"","data":[1e300,-1e300,0]}],"x_axis_data":["x"]"#,
            r#","width":1,"height":1,"series_list":[{"name":"a","data":[1,2]}]"#,
            r#","series_list":[{"name":"a","data":[1]}],"margin":10000"#,
            r#","data":[],"indicators":[]"#,
            r#","data":[[]],"series":{"data":[]}"#,
            r#","data":[["a"],["b","c"]],"series":{"data":[[9,9]]},"x_axis_data":["x"],"y_axis_data":["y"]"#,
        ] {
            let source = format!("{{\"type\":\"{kind}\"{rest}}}");
            let outcome = std::panic::catch_unwind(|| check(&source));
            assert!(outcome.is_ok(), "{source}");
        }
    }
}

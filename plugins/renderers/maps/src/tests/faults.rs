//! Sources that are no maps, and what is said of them.

use super::{CITY_STATES, Failure, Options, Weight, drawn, faults};

#[test]
fn broken_json_is_told_with_line_and_column() {
    let cases = [
        ("", "expected a value, but the source ends here", 1, 1),
        (
            "{\n  \"zoom\": 5,\n  \"center\" [1, 2]\n}",
            "expected `:` after the key, found `[`",
            3,
            12,
        ),
        ("{\"zoom\": 5,}", "expected a key in double quotes, found `}`", 1, 12),
        ("{\"zoom\": 05}", "`05` is not a number of JSON", 1, 10),
        (
            "{\"title\": \"über\n\"}",
            "a line break or control character inside a text: write it as an escape",
            1,
            16,
        ),
        ("{\"title\": \"Rome", "this text is never closed", 1, 11),
        ("{\"title\": \"\\x\"}", "an escape that JSON does not have", 1, 12),
        ("{} {}", "`{` after the end of the map", 1, 4),
        ("{\"zoom\": 1,\n\"zoom\": 2}", "the key `zoom` stands here twice", 2, 1),
    ];
    for (source, message, line, column) in cases {
        let faults = faults(source);
        let place = faults[0].place.expect("a place");
        assert_eq!((faults.len(), faults[0].code), (1, "syntax"), "{source}");
        assert_eq!(
            (faults[0].message.as_str(), place.line, place.column),
            (message, line, column),
            "{source}"
        );
    }
}

#[test]
fn a_wrong_value_is_told_with_its_path_and_place() {
    let cases = [
        ("[]", "the map: expected an object, found a list", 1, 1),
        ("{\"zoom\": 0}", "zoom: 0 is not between 1 and 18", 1, 10),
        ("{\"zoom\": \"5\"}", "zoom: expected a number, found text", 1, 10),
        ("{\"center\": {\"latitude\": 4}}", "center.longitude: missing", 1, 12),
        ("{\"center\": [1, 2, 3]}", "center: 3 values, a point is [latitude, longitude]", 1, 12),
        (
            "{\"style\": \"fancy\"}",
            "style: `fancy` is none of standard, historical, physical, satellite, minimal, educational",
            1,
            11,
        ),
        ("{\"width\": 63}", "width: 63 is not between 64 and 4096", 1, 11),
        ("{\"markers\": {}}", "markers: expected a list, found an object", 1, 13),
        (
            "{\"markers\": [[1, 2], [1, 2], [1, 2],\n {\"latitude\": 97, \"longitude\": 2}]}",
            "markers[3].latitude: 97 is not between -90 and 90",
            2,
            15,
        ),
        (
            "{\"markers\": [{\"lat\": 1, \"lng\": 400}]}",
            "markers[0].lng: 400 is not between -360 and 360",
            1,
            32,
        ),
        (
            "{\"markers\": [{\"lat\": 1, \"lng\": 4, \"color\": \"rgb(1,2\"}]}",
            "markers[0].color: `rgb(1,2` is not a colour such as `#E74C3C` or `teal`",
            1,
            44,
        ),
        ("{\"routes\": [{\"points\": [[1, 2]]}]}", "routes[0].points: 1 points, 2 at least", 1, 24),
        ("{\"routes\": [{}]}", "routes[0].points: missing", 1, 13),
        (
            "{\"regions\": [{\"points\": [[1, 2], [3, 4], [5, true]]}]}",
            "regions[0].points[2][1]: expected a number, found true or false",
            1,
            46,
        ),
        (
            "{\"regions\": [{\"points\": [[1, 2], [3, 4], [5, 6]], \"fillOpacity\": 2}]}",
            "regions[0].fillOpacity: 2 is not between 0 and 1",
            1,
            66,
        ),
    ];
    for (source, message, line, column) in cases {
        let faults = faults(source);
        let place = faults[0].place.expect("a place");
        assert_eq!(
            (faults[0].message.as_str(), place.line, place.column),
            (message, line, column),
            "{source}"
        );
        assert_eq!(faults.len(), 1, "{source}: {faults:?}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let told = faults(r#"{"zoom": 99, "style": 1, "markers": [[91, 0], [0, 0, 0]], "routes": 3}"#);
    let mut codes: Vec<_> = told.iter().map(|fault| fault.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["range", "range", "type", "type", "type"]);
}

#[test]
fn more_than_the_bounds_is_refused() {
    let list = |item: &str, count: usize| vec![item; count].join(",");
    let route = format!(r#"{{"points": [{}]}}"#, list("[1, 2]", 2501));
    let label = "x".repeat(201);
    let cases = [
        (
            format!(r#"{{"markers": [{}]}}"#, list("[1, 2]", 501)),
            "markers: 501 of them, 500 at most",
        ),
        (
            format!(r#"{{"routes": [{}]}}"#, list(r#"{"points": [[1, 2], [3, 4]]}"#, 101)),
            "routes: 101 of them, 100 at most",
        ),
        (format!(r#"{{"routes": [{}]}}"#, list(&route, 2)), "5002 points in all, 5000 at most"),
        (
            format!(r#"{{"markers": [{{"lat": 1, "lon": 2, "label": "{label}"}}]}}"#),
            "markers[0].label: 201 characters, 200 at most",
        ),
        (
            format!(r#"{{"title": "{}"}}"#, " ".repeat(1024 * 1024)),
            "the source has 1048589 bytes, 1048576 at most",
        ),
        ("[".repeat(100_000), "nested deeper than 16 levels"),
    ];
    for (source, message) in cases {
        assert_eq!(faults(&source)[0].message, message);
    }
}

#[test]
fn a_picture_too_small_or_too_large_is_refused() {
    for (width, height) in [(63, 600), (800, 4097), (0, 0), (u32::MAX, 600)] {
        let drawn = super::super::draw("{}", Options::default(), Some(width), Some(height));
        assert!(matches!(drawn, Err(Failure::Side(_))), "{width} × {height}");
    }
}

#[test]
fn a_key_that_means_nothing_is_left_alone_and_told() {
    let drawing = drawn("{\"zoom\": 4,\n \"markes\": []}");
    let warning = &drawing.warnings[0];
    assert_eq!((warning.weight, warning.code), (Weight::Warning, "key"));
    assert_eq!(warning.message, "markes: not a key that maps know, left alone");
    assert_eq!(warning.place.map(|place| (place.line, place.column)), Some((2, 12)));
}

#[test]
fn every_spelling_of_a_point_is_the_same_map() {
    let map = |point: &str| {
        let source = format!(
            r#"{{"center": {point}, "markers": [{point}], "routes": [{{"points": [{point}, [45, 15]]}}]}}"#
        );
        drawn(&source).svg
    };
    let said = map(r#"{"latitude": 43.5, "longitude": 12}"#);
    for point in [
        r#"{"lat": 43.5, "lng": 12}"#,
        r#"{"lat": 43.5, "lon": 12}"#,
        "[43.5, 12]",
        r#"{"lng": 1.2e1, "lat": 43.50}"#,
    ] {
        assert_eq!(map(point), said, "{point}");
    }
}

#[test]
fn a_source_cut_short_anywhere_is_a_fault_and_never_a_panic() {
    for length in (0..CITY_STATES.len()).filter(|length| CITY_STATES.is_char_boundary(*length)) {
        assert_eq!(faults(&CITY_STATES[..length]).len(), 1, "{length}");
    }
}

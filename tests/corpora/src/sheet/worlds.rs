//! What the sheets of maps show: every style at three zooms, and the places where maps go wrong.

use super::{Entry, Sheet};

const STYLES: [&str; 6] =
    ["standard", "historical", "physical", "satellite", "minimal", "educational"];
const ZOOMS: [u32; 3] = [2, 5, 7];

/// Of a map, in pixels: small enough for eighteen of them in one file.
const CELL: (u32, u32) = (290, 210);

const ITALY: &str = r##""center": [42.6, 12.2],
  "markers": [
    {"latitude": 41.9, "longitude": 12.5, "label": "Rome", "color": "#E74C3C"},
    {"latitude": 43.77, "longitude": 11.26, "label": "Florence"},
    {"latitude": 45.44, "longitude": 12.33, "label": "Venice", "color": "#8E44AD"},
    {"latitude": 44.41, "longitude": 8.93, "label": "Genoa", "color": "#27AE60"}],
  "routes": [
    {"points": [[41.9, 12.5], [43.77, 11.26], [45.44, 12.33]], "label": "Trade Route", "color": "#3498DB"},
    {"points": [[44.41, 8.93], [40.85, 14.27], [35.9, 14.5], [31.2, 29.9]], "label": "To Alexandria", "color": "#D35400"}],
  "regions": [
    {"points": [[42.0, 11.0], [42.5, 13.0], [41.5, 13.0]], "label": "Papal States", "fillColor": "#ff0000", "fillOpacity": 0.3}]"##;

const PACIFIC: &str = r##""center": [20, 180], "zoom": 2, "style": "physical",
  "routes": [
    {"points": [[35.7, 139.7], [37.8, -122.4]], "label": "Great circle", "greatCircle": true, "color": "crimson"},
    {"points": [[35.7, 139.7], [37.8, -122.4]], "label": "Rhumb line", "color": "#123456"},
    {"points": [[-33.9, 151.2], [-17.8, 178], [21.3, -157.8]], "label": "By Suva", "color": "purple", "width": 3}],
  "regions": [{"points": [[-30, 170], [-30, -160], [0, -160], [0, 170]], "label": "Around the date line", "fillColor": "gold"}],
  "markers": [{"lat": 35.7, "lng": 139.7, "label": "Tokyo"}, {"lat": 37.8, "lng": -122.4, "label": "San Francisco"}]"##;

const POLAR: &str = r#""markers": [{"lat": -90, "lng": 0, "label": "South Pole"}, {"lat": -77.85, "lng": 166.7, "label": "McMurdo"}],
  "routes": [{"points": [[-77.85, 166.7], [-90, 0], [-67.6, 62.9]], "label": "Across", "greatCircle": true}]"#;

const ARCTIC: &str = r#""markers": [{"lat": 90, "lng": 0, "label": "North Pole"}, {"lat": 78.2, "lng": 15.6, "label": "Longyearbyen"}],
  "regions": [{"points": [[80, -60], [80, 60], [84, 60], [84, -60]], "label": "Ice", "fillColor": "gold"}]"#;

const EDGES: [(&str, &str, &str); 12] = [
    ("ways across the date line", "", PACIFIC),
    (
        "Fiji, on it",
        "standard",
        r#""center": [-17.5, 180], "zoom": 6, "markers": [{"lat": -18.1, "lng": 178.4, "label": "Suva"}]"#,
    ),
    ("Fiji, from the east", "educational", r#""center": [-17.5, -179.5], "zoom": 6"#),
    ("the south pole", "physical", r#""center": [-85, 0], "zoom": 3, "#),
    ("the south pole from afar", "satellite", r#""center": [-80, 40], "zoom": 2, "#),
    (
        "as far south as Mercator goes",
        "standard",
        r#""center": [-80, 0], "zoom": 3, "projection": "mercator", "#,
    ),
    ("the north pole", "educational", r#""center": [88, 20], "zoom": 2, "#),
    ("the world", "standard", r#""center": [0, 0], "zoom": 1"#),
    (
        "the world, degrees square",
        "physical",
        r#""center": [20, 0], "zoom": 1, "projection": "equirectangular""#,
    ),
    ("a globe", "satellite", r#""center": [30, 20], "zoom": 1, "projection": "orthographic""#),
    (
        "a globe from America",
        "standard",
        r#""center": [20, -100], "zoom": 1, "projection": "orthographic""#,
    ),
    ("dark", "minimal", r#""theme": "dark", "zoom": 5, "#),
];

pub(super) fn sheets() -> Vec<Sheet> {
    let entry = |caption: String, source: String| Entry {
        caption,
        guest: "maps",
        source,
        options: Vec::new(),
    };
    let styles = STYLES.into_iter().flat_map(|style| {
        ZOOMS.map(|zoom| {
            entry(
                format!("{style}, zoom {zoom}"),
                format!(r#"{{"title": "Italian City-States", "legend": false, "style": "{style}", "zoom": {zoom}, {ITALY}}}"#),
            )
        })
    });
    let edges = EDGES.into_iter().map(|(caption, style, fields)| {
        // A trailing comma waits for what lies there.
        let fields = match fields.strip_suffix(", ") {
            Some(fields) => format!("{fields}, {}", what_lies_there(caption)),
            None => fields.to_owned(),
        };
        let source = match style {
            "" => format!("{{{fields}}}"),
            style => format!(r#"{{"style": "{style}", {fields}}}"#),
        };
        let caption =
            if style.is_empty() { caption.to_owned() } else { format!("{caption} ({style})") };
        entry(caption, source)
    });
    vec![
        Sheet { name: "maps", columns: 3, cell: CELL, entries: styles.collect() },
        Sheet { name: "maps-edges", columns: 3, cell: CELL, entries: edges.collect() },
    ]
}

fn what_lies_there(caption: &str) -> &'static str {
    match caption {
        "dark" => ITALY,
        "the north pole" => ARCTIC,
        _ => POLAR,
    }
}

//! Draws the maps that a person should look at after a change, one SVG each:
//! `cargo run --release --example contact-sheet -- <folder>`, with the time that each took.

#[path = "../src/lib.rs"]
mod maps;

use std::fmt::Write;
use std::time::Instant;

const STYLES: [&str; 6] =
    ["standard", "historical", "physical", "satellite", "minimal", "educational"];

const ITALY: &str = r##""markers": [
    {"latitude": 41.9, "longitude": 12.5, "label": "Rome", "color": "#E74C3C"},
    {"latitude": 43.77, "longitude": 11.26, "label": "Florence"},
    {"latitude": 45.44, "longitude": 12.33, "label": "Venice", "color": "#8E44AD"},
    {"latitude": 44.41, "longitude": 8.93, "label": "Genoa", "color": "#27AE60"}],
  "routes": [
    {"points": [[41.9, 12.5], [43.77, 11.26], [45.44, 12.33]], "label": "Trade Route", "color": "#3498DB", "width": 2.0},
    {"points": [[44.41, 8.93], [40.85, 14.27], [35.9, 14.5], [31.2, 29.9]], "label": "To Alexandria", "color": "#D35400", "width": 2.5}],
  "regions": [
    {"points": [[42.0, 11.0], [42.5, 13.0], [41.5, 13.0]], "label": "Papal States", "fillColor": "#ff0000", "fillOpacity": 0.3}]"##;

const PACIFIC: &str = r##"{"title": "Ways across the Pacific", "center": [20, 180], "zoom": 2, "style": "physical",
  "routes": [
    {"points": [[35.7, 139.7], [37.8, -122.4]], "label": "Great circle", "greatCircle": true, "color": "crimson"},
    {"points": [[35.7, 139.7], [37.8, -122.4]], "label": "Rhumb line", "color": "#123456"},
    {"points": [[-33.9, 151.2], [-17.8, 178], [21.3, -157.8]], "label": "By Suva and Honolulu", "color": "purple", "width": 3}],
  "regions": [{"points": [[-30, 170], [-30, -160], [0, -160], [0, 170]], "label": "Around the date line", "fillColor": "gold"}],
  "markers": [{"lat": 35.7, "lng": 139.7, "label": "Tokyo"}, {"lat": 37.8, "lng": -122.4, "label": "San Francisco"}]}"##;

fn sheets() -> Vec<(String, String)> {
    let mut sheets = Vec::new();
    for style in STYLES {
        for zoom in [2, 5, 8] {
            let source = format!(
                r#"{{"title": "Italian City-States", "center": {{"latitude": 43.0, "longitude": 12.0}}, "zoom": {zoom}, "style": "{style}", {ITALY}}}"#
            );
            sheets.push((format!("{style}-{zoom}"), source));
        }
    }
    let places = [
        ("fiji", "standard", -17.5, 180.0, 6, "auto"),
        ("fiji-educational", "educational", -17.5, -179.5, 6, "auto"),
        ("pacific", "physical", 10.0, 180.0, 3, "auto"),
        ("antarctica", "physical", -85.0, 0.0, 3, "auto"),
        ("antarctica-satellite", "satellite", -80.0, 40.0, 2, "auto"),
        ("antarctica-mercator", "standard", -80.0, 0.0, 3, "mercator"),
        ("arctic", "educational", 88.0, 20.0, 2, "auto"),
        ("world", "standard", 0.0, 0.0, 1, "auto"),
        ("world-plain", "educational", 0.0, 0.0, 1, "equirectangular"),
        ("world-physical", "physical", 20.0, 0.0, 1, "equirectangular"),
        ("globe", "satellite", 30.0, 20.0, 1, "orthographic"),
        ("globe-standard", "standard", 20.0, -100.0, 1, "orthographic"),
        ("japan", "historical", 36.0, 138.0, 5, "auto"),
        ("alps", "physical", 46.5, 10.0, 6, "auto"),
    ];
    for (name, style, latitude, longitude, zoom, projection) in places {
        let source = format!(
            r#"{{"center": {{"latitude": {latitude}, "longitude": {longitude}}}, "zoom": {zoom}, "style": "{style}", "projection": "{projection}"}}"#
        );
        sheets.push((name.to_owned(), source));
    }
    for style in ["standard", "minimal"] {
        let source = format!(
            r#"{{"title": "After dark", "center": [43, 12], "zoom": 5, "style": "{style}", "theme": "dark", {ITALY}}}"#
        );
        sheets.push((format!("dark-{style}"), source));
    }
    sheets.push(("pacific-routes".to_owned(), PACIFIC.to_owned()));
    for (name, sides) in
        [("small", "\"width\": 160, \"height\": 120"), ("tall", "\"width\": 400, \"height\": 900")]
    {
        let source = format!(
            r#"{{"title": "Italian City-States", {sides}, "zoom": 5, "style": "standard", {ITALY}}}"#
        );
        sheets.push((name.to_owned(), source));
    }
    let crowd: Vec<_> = (0..150)
        .map(|n: u32| {
            let (row, column) = (n / 15, n % 15);
            format!(
                r#"{{"lat": {}, "lon": {}, "label": "Place {n}"}}"#,
                38 + row,
                f64::from(column) * 1.6
            )
        })
        .collect();
    let crowd = crowd.join(", ");
    sheets.push((
        "crowd".to_owned(),
        format!(r#"{{"zoom": 5, "style": "educational", "markers": [{crowd}]}}"#),
    ));
    sheets
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: contact-sheet <folder>")?;
    std::fs::create_dir_all(&folder)?;
    for (name, source) in sheets() {
        let mut times = Vec::new();
        let mut drawn = Err(maps::Failure::Atlas);
        for _ in 0..5 {
            let start = Instant::now();
            drawn = maps::draw(&source, maps::Options::default(), None, None);
            times.push(start.elapsed());
        }
        let drawing = drawn.map_err(|failure| format!("{name}: {failure:?}"))?;
        times.sort();
        let mut line = format!(
            "{name}: {:.1} ms, {} KB",
            times[2].as_secs_f64() * 1000.0,
            drawing.svg.len() / 1024
        );
        for warning in &drawing.warnings {
            write!(line, "; {}", warning.message)?;
        }
        println!("{line}");
        std::fs::write(format!("{folder}/{name}.svg"), drawing.svg)?;
    }
    Ok(())
}

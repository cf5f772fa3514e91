//! What a user sees: pictures, labels, faults.

mod faults;
mod world;

use super::clip::Frame;
use super::fault::{Fault, Weight};
use super::picture::Drawing;
use super::style::Style;
use super::{Failure, Options};
use std::collections::BTreeSet;

/// The example of the API's description.
const CITY_STATES: &str = r##"{
  "title": "Italian City-States",
  "center": {"latitude": 43.0, "longitude": 12.0},
  "zoom": 6,
  "style": "educational",
  "width": 800,
  "height": 600,
  "outputFormat": "png",
  "markers": [{"latitude": 41.9, "longitude": 12.5, "label": "Rome", "color": "#E74C3C"}],
  "routes": [{"points": [[41.9, 12.5], [43.7, 11.2]], "label": "Trade Route", "color": "#3498DB", "width": 2.0}],
  "regions": [{"points": [[42.0, 11.0], [42.5, 13.0], [41.5, 13.0]], "label": "Papal States",
               "fillColor": "#ff0000", "fillOpacity": 0.3}]
}"##;

fn drawn(source: &str) -> Drawing {
    super::draw(source, Options::default(), None, None).expect("it draws")
}

fn faults(source: &str) -> Vec<Fault> {
    match super::draw(source, Options::default(), None, None) {
        Err(Failure::Source(faults)) => faults,
        other => panic!("no faults but {other:?}"),
    }
}

/// The `d` of every path of a class.
fn paths(drawing: &Drawing, class: &str) -> Vec<String> {
    let head = format!(r#"class="{class}""#);
    let lines = drawing.svg.lines().filter(|line| line.contains(&head));
    lines
        .filter_map(|line| Some(line.split_once(" d=\"")?.1.split_once('"')?.0.to_owned()))
        .collect()
}

/// Every point of a path, its subpaths apart. Understands what maps write: M, l and z.
fn subpaths(d: &str) -> Vec<Vec<(f64, f64)>> {
    let mut subpaths: Vec<Vec<(f64, f64)>> = Vec::new();
    for part in d.split('M').filter(|part| !part.is_empty()) {
        let (start, steps) = part.split_once('l').unwrap_or((part, ""));
        let start = numbers(start);
        let mut at = (start[0], start[1]);
        let mut points = vec![at];
        for step in numbers(steps).chunks_exact(2) {
            at = (at.0 + step[0], at.1 + step[1]);
            points.push(at);
        }
        subpaths.push(points);
    }
    subpaths
}

fn numbers(text: &str) -> Vec<f64> {
    let spaced = text.replace('-', " -").replace('z', " ");
    spaced.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

fn longest_step(points: &[(f64, f64)]) -> f64 {
    points
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1))
        .fold(0.0, f64::max)
}

fn overlaps(labels: &[(String, Vec<Frame>)]) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (index, (a, boxes)) in labels.iter().enumerate() {
        for (b, others) in &labels[..index] {
            if boxes.iter().any(|one| others.iter().any(|other| one.meets(other))) {
                found.push((a.as_str(), b.as_str()));
            }
        }
    }
    found
}

#[test]
fn the_example_of_the_api_is_drawn_without_a_remark() {
    let drawing = drawn(CITY_STATES);
    assert_eq!((drawing.width, drawing.height), (800, 600));
    assert!(
        drawing
            .svg
            .starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600""#)
    );
    let remarks: Vec<_> = drawing.warnings.iter().filter(|w| w.weight != Weight::Note).collect();
    assert!(remarks.is_empty(), "{remarks:?}");
    for text in ["Italian City-States", "Rome", "Trade Route", "Papal States", "Italy"] {
        assert!(drawing.svg.contains(&format!(">{text}</text>")), "{text} is missing");
    }
}

#[test]
fn every_style_is_another_picture() {
    let pictures: BTreeSet<_> = Style::NAMES
        .iter()
        .map(|style| {
            drawn(&format!(r#"{{"center": [43, 12], "zoom": 5, "style": "{style}"}}"#)).svg
        })
        .collect();
    assert_eq!(pictures.len(), 6);
}

#[test]
fn styles_show_different_things_and_not_only_different_colours() {
    let shows = |style: &str| {
        let svg = drawn(&format!(r#"{{"center": [45, 10], "zoom": 5, "style": "{style}"}}"#)).svg;
        [
            "class=\"country\"",
            "class=\"city\"",
            "class=\"borders\"",
            "class=\"rivers\"",
            "class=\"relief\"",
            "class=\"graticule\"",
            "class=\"figure\"",
            "-hatch\"",
        ]
        .map(|what| svg.contains(what))
    };
    let [yes, no] = [true, false];
    assert_eq!(shows("standard"), [yes, yes, yes, yes, no, no, no, no]);
    assert_eq!(shows("historical"), [yes, yes, yes, yes, no, yes, no, yes]);
    assert_eq!(shows("physical"), [no, yes, yes, yes, yes, yes, no, no]);
    assert_eq!(shows("satellite"), [no, yes, no, no, yes, no, no, no]);
    assert_eq!(shows("minimal"), [no, no, yes, no, no, no, no, no]);
    assert_eq!(shows("educational"), [yes, yes, yes, yes, no, yes, yes, no]);
}

#[test]
fn a_marker_stands_at_its_pixel() {
    let drawing = drawn(r#"{"center": [0, 10], "zoom": 5, "markers": [[0, 10]]}"#);
    assert!(drawing.svg.contains(r#"transform="translate(400 300)""#));
    // Ten degrees of 22.5 to the edge.
    let drawing = drawn(
        r#"{"center": [0, 0], "zoom": 4, "markers": [{"lat": 0, "lng": -11.25}], "projection": "equirectangular"}"#,
    );
    assert!(drawing.svg.contains(r#"transform="translate(200 300)""#));
}

#[test]
fn a_marker_outside_the_view_is_not_drawn() {
    let drawing = drawn(
        r#"{"center": [43, 12], "zoom": 6, "markers": [{"lat": -30, "lon": 140, "label": "Far"}]}"#,
    );
    assert!(!drawing.svg.contains("class=\"marker\""));
    let warning =
        drawing.warnings.iter().find(|warning| warning.code == "outside").expect("a warning");
    assert_eq!(
        warning.message,
        "1 marker, route or region is not to be seen in this part of the world"
    );
}

#[test]
fn a_route_takes_its_colour_and_width() {
    let drawing = drawn(
        r##"{"center": [43, 12], "routes": [{"points": [[42, 10], [44, 14]], "color": "#010203", "width": 3.5}]}"##,
    );
    assert!(
        drawing.svg.contains(r##"class="route" fill="none" stroke="#010203" stroke-width="3.5""##)
    );
    let line = subpaths(&paths(&drawing, "route")[0]);
    assert_eq!(line[0].len(), 2);
    assert!(
        line[0][0].0 < line[0][1].0 && line[0][0].1 > line[0][1].1,
        "from the south-west to the north-east"
    );
}

#[test]
fn a_region_takes_its_fill_and_opacity() {
    let drawing = drawn(
        r#"{"center": [43, 12], "regions": [{"points": [[42, 10], [44, 10], [43, 14]], "fill_color": "teal", "fill_opacity": 0.45}]}"#,
    );
    assert!(
        drawing
            .svg
            .contains(r#"class="region" fill-rule="evenodd" fill="teal" fill-opacity="0.450""#)
    );
}

#[test]
fn what_is_not_said_has_a_default() {
    let drawing = drawn(
        r#"{"markers": [[43, 12]], "routes": [{"points": [[42, 11], [43, 12]]}], "regions": [{"points": [[42, 11], [43, 12], [42, 13]]}]}"#,
    );
    assert_eq!((drawing.width, drawing.height), (800, 600));
    for text in [
        r##"fill="#E74C3C""##,
        r##"stroke="#3498DB" stroke-width="2""##,
        r##"fill="#3498DB" fill-opacity="0.300""##,
    ] {
        assert!(drawing.svg.contains(text), "{text} is missing");
    }
}

#[test]
fn a_great_circle_from_tokyo_to_seattle_runs_further_north() {
    let north = |flag: &str| {
        let source = format!(
            r#"{{"center": [45, 180], "zoom": 2, "routes": [{{"points": [[35.7, 139.7], [47.6, -122.3]], "greatCircle": {flag}}}]}}"#
        );
        let lines =
            paths(&drawn(&source), "route").iter().flat_map(|d| subpaths(d)).collect::<Vec<_>>();
        assert_eq!(lines.len(), 2, "one line and its edge, in one piece across 180 degrees");
        lines.concat().iter().map(|point| point.1).fold(f64::MAX, f64::min)
    };
    assert!(north("true") < north("false") - 20.0);
}

#[test]
fn no_two_labels_overlap_on_a_crowded_map() {
    let markers: Vec<_> = (0..180)
        .map(|n| {
            let (row, column) = (n / 15, n % 15);
            format!(
                r#"{{"lat": {}, "lon": {}, "label": "Place number {n}"}}"#,
                38.0 + f64::from(row),
                f64::from(column) * 1.6
            )
        })
        .collect();
    for style in Style::NAMES {
        let source = format!(
            r#"{{"title": "Crowd", "center": [43, 12], "zoom": 5, "style": "{style}", "markers": [{}]}}"#,
            markers.join(",")
        );
        let drawing = drawn(&source);
        let stand = drawing.labels.iter().filter(|(label, _)| label.starts_with("Place")).count();
        assert!(overlaps(&drawing.labels).is_empty(), "{:?}", overlaps(&drawing.labels));
        assert!(stand > 20, "{stand}");
        let counted = drawing.warnings.iter().find(|w| w.code == "labels").expect("a warning");
        assert!(
            counted.message.ends_with("labels of yours found no free place and are not drawn"),
            "{}",
            counted.message
        );
    }
}

#[test]
fn labels_of_the_author_go_before_names_of_the_map() {
    let drawing = drawn(
        r#"{"center": [43, 12], "zoom": 5, "markers": [{"lat": 41.9, "lon": 12.5, "label": "Caput Mundi"}]}"#,
    );
    assert_eq!(drawing.labels[0].0, "Caput Mundi");
    assert!(!drawing.labels.iter().any(|(label, _)| label == "Rome"), "a pin stands on it");
}

#[test]
fn text_of_the_author_stays_text() {
    let drawing = drawn(
        r#"{"title": "<script>\"&'", "center": [43, 12], "markers": [{"lat": 43, "lon": 12, "label": "</text><a href=\"x\">\u0000\n"}]}"#,
    );
    assert!(!drawing.svg.contains("<script") && !drawing.svg.contains("<a "));
    assert!(drawing.svg.contains("&lt;script&gt;&quot;&amp;&#39;"));
    assert!(!drawing.svg.contains('\0'));
}

#[test]
fn options_count_where_the_source_is_silent() {
    let options = Options {
        style: Some("minimal"),
        theme: Some("dark"),
        projection: Some("equirectangular"),
    };
    let draw = |source, options| super::draw(source, options, None, None).expect("it draws").svg;
    let said = draw(
        r#"{"style": "minimal", "theme": "dark", "projection": "equirectangular"}"#,
        Options::default(),
    );
    assert_eq!(draw("{}", options), said);
    assert_eq!(
        draw(CITY_STATES, Options { style: Some("minimal"), ..Options::default() }),
        drawn(CITY_STATES).svg
    );
}

#[test]
fn a_dark_theme_is_another_picture_or_a_warning() {
    for style in Style::NAMES {
        let light = drawn(&format!(r#"{{"style": "{style}"}}"#));
        let dark = drawn(&format!(r#"{{"style": "{style}", "theme": "dark"}}"#));
        let told = dark.warnings.iter().any(|warning| warning.code == "theme");
        assert_eq!(
            told,
            matches!(*style, "historical" | "physical" | "satellite" | "educational"),
            "{style}"
        );
        let sea = |drawing: &Drawing| {
            drawing.svg.lines().find(|line| line.contains("class=\"sea\"")).map(str::to_owned)
        };
        assert_eq!(sea(&light) == sea(&dark), told, "{style}");
    }
}

#[test]
fn two_maps_on_one_page_keep_their_ids_apart() {
    let id = |source: &str| {
        drawn(source).svg.split_once("path id=\"").map(|(_, rest)| rest[..11].to_owned())
    };
    assert_ne!(id(r#"{"zoom": 3}"#), id(r#"{"zoom": 4}"#));
    assert_eq!(id(r#"{"zoom": 3}"#), id(r#"{"zoom": 3}"#));
}

#[test]
fn a_legend_lists_what_has_a_label() {
    let count = |drawing: &Drawing| drawing.svg.matches("class=\"legend-text\"").count();
    assert_eq!(count(&drawn(CITY_STATES)), 3);
    assert_eq!(count(&drawn(r#"{"markers": [[43, 12]]}"#)), 0);
    assert_eq!(
        count(&drawn(&CITY_STATES.replacen("\"zoom\"", "\"legend\": false, \"zoom\"", 1))),
        0
    );
}

#[test]
fn the_scale_bar_is_as_long_as_it_says() {
    let drawing = drawn(r#"{"center": [0, 0], "zoom": 5, "projection": "equirectangular"}"#);
    let bar = drawing.svg.lines().find(|line| line.contains("class=\"scale\"")).expect("a scale");
    let pixels: f64 = bar
        .split_once("v5h")
        .and_then(|(_, rest)| rest.split_once('v'))
        .expect("a bar")
        .0
        .parse()
        .expect("a number");
    assert!(bar.contains(">500 km</text>"), "{bar}");
    // 35.6 pixels a degree of 111.2 kilometres.
    assert!((pixels - 500.0 / 111.195 * 800.0 / 22.5).abs() < 0.2, "{pixels}");
}

#[test]
fn every_element_is_closed() {
    for style in Style::NAMES {
        let svg = drawn(&CITY_STATES.replace("educational", style)).svg;
        let mut open: Vec<&str> = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag that ends");
            let name = tag.split([' ', '/']).find(|part| !part.is_empty()).expect("a name");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{style}");
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{style}: {open:?}");
    }
}

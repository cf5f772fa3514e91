//! The world under the map: views, edges, poles, the packed data.

use super::super::atlas::{self, Colours, Detail};
use super::super::clip::Dot;
use super::super::request::{Geo, Wanted};
use super::super::view::{Projection, View};
use super::{Drawing, Weight, drawn, longest_step, paths, subpaths};

fn at(latitude: f64, longitude: f64) -> Geo {
    Geo { longitude, latitude }
}

fn coast(drawing: &Drawing) -> Vec<Vec<(f64, f64)>> {
    let line = drawing.svg.lines().find(|line| line.contains("-coast\" d=")).expect("a coast");
    subpaths(line.split_once(" d=\"").and_then(|(_, rest)| rest.split_once('"')).expect("a path").0)
}

#[test]
fn the_view_halves_with_every_step_of_zoom() {
    for (zoom, half) in
        [(1.0, 180.0), (2.0, 90.0), (3.0, 45.0), (5.0, 11.25), (6.0, 5.625), (8.0, 1.40625)]
    {
        for wanted in [Wanted::Mercator, Wanted::Equirectangular] {
            let view = View::new(800, 600, at(43.0, 12.0), zoom, wanted);
            let west = view.place(Dot { x: 0.0, y: 300.0 }).expect("world");
            let east = view.place(Dot { x: 800.0, y: 300.0 }).expect("world");
            assert!(
                (west.longitude - (12.0 - half)).abs() < 1e-9
                    && (east.longitude - (12.0 + half)).abs() < 1e-9,
                "{zoom}"
            );
        }
    }
}

#[test]
fn a_place_comes_back_from_its_pixel() {
    for wanted in [Wanted::Mercator, Wanted::Equirectangular, Wanted::Orthographic] {
        for center in [at(43.0, 12.0), at(-20.0, 179.0), at(70.0, -179.0)] {
            let view = View::new(800, 600, center, 4.0, wanted);
            for dot in
                [Dot { x: 10.0, y: 20.0 }, Dot { x: 400.0, y: 300.0 }, Dot { x: 777.0, y: 590.0 }]
            {
                let back = view.place(dot).and_then(|place| view.point(place)).expect("a pixel");
                assert!(back.distance(dot) < 1e-6, "{wanted:?} {center:?} {dot:?} {back:?}");
            }
        }
    }
}

#[test]
fn fiji_lies_on_both_sides_of_the_antimeridian() {
    for longitude in ["180", "-180", "179.9", "-179.9"] {
        let drawing = drawn(&format!(
            r#"{{"center": [-17.5, {longitude}], "zoom": 6, "markers": [[-17.8, 178.4], [-17.2, -179]]}}"#
        ));
        let coast = coast(&drawing);
        assert!(drawing.labels.iter().any(|(label, _)| label == "Fiji"), "{longitude}");
        assert!(drawing.svg.matches("class=\"marker\"").count() == 2, "{longitude}");
        let islands = |west: f64, east: f64| {
            coast.iter().filter(|line| line[0].0 > west && line[0].0 < east).count()
        };
        assert!(islands(0.0, 400.0) > 10 && islands(400.0, 800.0) > 10, "{longitude}");
        assert!(
            coast.iter().all(|line| longest_step(line) < 30.0),
            "a line runs across {longitude}"
        );
    }
}

#[test]
fn siberia_is_not_cut_at_the_antimeridian() {
    let drawing = drawn(r#"{"center": [66, 180], "zoom": 4, "style": "minimal"}"#);
    for line in coast(&drawing) {
        for pair in line.windows(2) {
            let along = (pair[0].0 - 400.0).abs() < 0.2 && (pair[1].0 - 400.0).abs() < 0.2;
            assert!(!along, "a coast runs along 180 degrees at {:?}", pair[0]);
        }
    }
}

#[test]
fn no_line_runs_across_a_map_of_the_poles() {
    for latitude in [-90, -85, -75, 75, 85, 90] {
        for projection in ["auto", "mercator", "equirectangular", "orthographic"] {
            for zoom in [1, 2, 3, 5] {
                let drawing = drawn(&format!(
                    r#"{{"center": [{latitude}, 30], "zoom": {zoom}, "projection": "{projection}", "style": "historical"}}"#
                ));
                for line in coast(&drawing) {
                    assert!(
                        longest_step(&line) < 120.0,
                        "{latitude} {projection} {zoom}: {}",
                        longest_step(&line)
                    );
                }
                let path = subpaths(&paths(&drawing, "graticule")[0]);
                let inside = |(x, y): &(f64, f64)| {
                    (-25.0..=825.0).contains(x) && (-25.0..=625.0).contains(y)
                };
                assert!(path.iter().flatten().all(inside), "{latitude} {projection} {zoom}");
            }
        }
    }
}

#[test]
fn antarctica_is_land_at_the_pole_and_the_arctic_is_sea() {
    let view = |latitude| View::new(800, 600, at(latitude, 0.0), 2.0, Wanted::Auto);
    let level = atlas::level(Detail::Medium).expect("data");
    let crossings = |view: &View| {
        let mut inside = false;
        let rings = level.shapes.iter().flat_map(|shape| &shape.rings);
        for part in rings.flat_map(|ring| view.ring(&level.ring(ring))) {
            for (a, b) in part.iter().zip(part.iter().cycle().skip(1)) {
                if (a.y > 300.5) != (b.y > 300.5) {
                    inside ^= 400.5 < a.x + (b.x - a.x) * (300.5 - a.y) / (b.y - a.y);
                }
            }
        }
        inside
    };
    assert_eq!(view(-90.0).projection, Projection::Orthographic);
    assert!(crossings(&view(-90.0)) && !crossings(&view(90.0)));
}

#[test]
fn a_region_around_the_pole_is_filled_around_it() {
    let drawing = drawn(
        r#"{"center": [90, 0], "zoom": 2, "regions": [{"points": [[80, 0], [80, 90], [80, 180], [80, -90]]}]}"#,
    );
    let region = subpaths(&paths(&drawing, "region")[0]);
    let (west, east) =
        region.concat().iter().fold((f64::MAX, f64::MIN), |(w, e), p| (w.min(p.0), e.max(p.0)));
    assert!(
        region.len() == 1 && west > 300.0 && west < 400.0 && east > 400.0 && east < 500.0,
        "{west} {east}"
    );
}

#[test]
fn what_lies_behind_the_globe_is_not_drawn() {
    let drawing = drawn(
        r#"{"center": [0, 0], "zoom": 1, "projection": "orthographic", "markers": [[0, 180], [0, 0]], "regions": [{"points": [[-5, 175], [5, 175], [5, -175], [-5, -175]]}]}"#,
    );
    assert_eq!(drawing.svg.matches("class=\"marker\"").count(), 1);
    assert!(paths(&drawing, "region").is_empty());
}

#[test]
fn a_centre_past_the_end_of_the_world_is_told() {
    let drawing = drawn(r#"{"center": [-90, 0], "zoom": 2, "projection": "mercator"}"#);
    let remark = |drawing: &Drawing| {
        drawing
            .warnings
            .iter()
            .find(|warning| warning.code == "centre")
            .map(|warning| warning.weight)
    };
    assert_eq!(remark(&drawing), Some(Weight::Warning));
    assert_eq!(remark(&drawn(r#"{"center": [43, 12], "zoom": 1}"#)), Some(Weight::Note));
    assert_eq!(remark(&drawn(r#"{"center": [43, 12], "zoom": 2}"#)), None);
}

#[test]
fn a_larger_scale_takes_more_detail() {
    let points = |zoom: u32| {
        let drawing =
            drawn(&format!(r#"{{"center": [38, 23], "zoom": {zoom}, "style": "minimal"}}"#));
        coast(&drawing).iter().map(Vec::len).sum::<usize>()
    };
    let counts = [Detail::Coarse, Detail::Medium, Detail::Fine].map(|detail| {
        atlas::level(detail).expect("data").arcs.iter().map(|arc| arc.points.len()).sum::<usize>()
    });
    assert!(counts[0] < counts[1] && counts[1] < counts[2], "{counts:?}");
    assert!(points(6) > 1000, "{}", points(6));
}

#[test]
fn neighbours_differ_in_colour() {
    let (level, countries) =
        (atlas::level(Detail::Fine).expect("data"), atlas::countries().expect("data"));
    let mut users = vec![Vec::new(); level.arcs.len()];
    for shape in &level.shapes {
        for &reference in shape.rings.iter().flatten() {
            users[(if reference < 0 { !reference } else { reference }) as usize]
                .push(shape.country);
        }
    }
    for pair in users.iter().filter(|pair| pair.len() == 2 && pair[0] != pair[1]) {
        assert_ne!(
            countries[pair[0]].colour, countries[pair[1]].colour,
            "{} {}",
            countries[pair[0]].name, countries[pair[1]].name
        );
    }
}

#[test]
fn the_packed_world_is_whole() {
    assert_eq!(atlas::countries().expect("data").len(), 255);
    let cities = atlas::cities().expect("data");
    assert_eq!((cities.len(), cities[0].name), (243, "Hong Kong"));
    for detail in [Detail::Coarse, Detail::Medium, Detail::Fine] {
        let level = atlas::level(detail).expect("data");
        for ring in level.shapes.iter().flat_map(|shape| &shape.rings) {
            let ring = level.ring(ring);
            let (first, last) = (ring[0], ring[ring.len() - 1]);
            let turn = ((last.longitude - first.longitude) / 360.0).fract();
            assert!(
                turn.abs() < 1e-9 && (first.latitude - last.latitude).abs() < 1e-9,
                "an open ring at {first:?}"
            );
        }
        assert!(!atlas::waters(detail).expect("data").lakes.is_empty());
    }
}

#[test]
fn the_colours_of_the_land_are_where_they_belong() {
    let mut imagery = atlas::grid(Colours::Imagery).expect("data");
    let mut colour = |latitude, longitude| imagery.colour(at(latitude, longitude)).expect("land");
    let [red, green, blue] = colour(24.0, 5.0);
    assert!(red > green && green > blue && red > 150.0, "the Sahara is sand: {red} {green} {blue}");
    let [red, green, blue] = colour(-3.0, -62.0);
    assert!(
        green > red && green > blue && green < 120.0,
        "the Amazon is dark green: {red} {green} {blue}"
    );
    for place in [at(72.0, -40.0), at(-80.0, 90.0)] {
        assert!(
            colour(place.latitude, place.longitude).iter().all(|part| *part > 200.0),
            "ice is white: {place:?}"
        );
    }
    let mut relief = atlas::grid(Colours::Relief).expect("data");
    assert!(relief.colour(at(30.0, -40.0)).is_none(), "the ocean has none");
}

#[test]
fn no_corner_of_the_world_makes_a_number_that_is_none() {
    let points = "[90, 180], [-90, -180], [0, 360], [0, -360], [90, 0], [89.9999, 179.9999]";
    for latitude in [-90.0, -89.999, 0.0, 51.4, 90.0] {
        for longitude in [-360.0, -180.0, 0.0, 179.999, 360.0] {
            for (zoom, projection) in [
                (1, "mercator"),
                (18, "mercator"),
                (1, "equirectangular"),
                (18, "equirectangular"),
                (1, "orthographic"),
                (18, "orthographic"),
            ] {
                let drawing = drawn(&format!(
                    r#"{{"center": [{latitude}, {longitude}], "zoom": {zoom}, "projection": "{projection}", "style": "educational", "width": 64, "height": 200,
                       "markers": [{points}], "routes": [{{"points": [{points}], "greatCircle": true, "label": "x"}}], "regions": [{{"points": [{points}], "label": "y"}}]}}"#
                ));
                let numbers = drawing
                    .svg
                    .split('"')
                    .filter(|text| text.contains("NaN") || text.contains("inf"));
                assert_eq!(numbers.count(), 0, "{latitude} {longitude} {zoom} {projection}");
            }
        }
    }
}

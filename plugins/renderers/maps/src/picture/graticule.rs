//! Meridians and parallels, and the degrees that they stand for.

use super::super::clip::Dot;
use super::super::labels::{Anchor, Board, Hand, Spot};
use super::super::request::Geo;
use super::super::svg::{Path, number};
use super::super::view::Projection;
use super::Scene;
use std::fmt::Write;

const STEPS: [f64; 12] = [30.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/// Between two lines, in pixels.
const CLOSEST: f64 = 70.0;
const MOST_LINES: usize = 80;

/// Degrees from line to line.
pub(super) fn step(scene: &Scene<'_>) -> f64 {
    let wide = |step: &&f64| **step * scene.view.pixels_per_degree >= CLOSEST;
    STEPS.iter().rev().find(wide).copied().unwrap_or(30.0)
}

/// Meridians near the centre, numbered from Greenwich.
pub(super) fn meridians(scene: &Scene<'_>, step: f64) -> impl Iterator<Item = f64> + use<> {
    let view = &scene.view;
    let half = match view.projection {
        Projection::Orthographic => 180.0,
        Projection::Mercator | Projection::Equirectangular => {
            view.width / 2.0 / view.pixels_per_degree
        }
    };
    let first = ((view.center.longitude - half) / step).ceil();
    let last = ((view.center.longitude + half) / step).floor();
    let whole_turn = view.projection == Projection::Orthographic;
    let last = if whole_turn { last.min(first + 360.0 / step - 1.0) } else { last };
    multiples(first, last, step)
}

pub(super) fn parallels(scene: &Scene<'_>, step: f64) -> impl Iterator<Item = f64> + use<> {
    let view = &scene.view;
    let middle = view.width / 2.0;
    let end = |y: f64, pole: f64| view.place(Dot { x: middle, y }).map_or(pole, |at| at.latitude);
    let (mut south, mut north) = (end(view.height, -90.0), end(0.0, 90.0));
    if view.projection == Projection::Orthographic {
        (south, north) = (-90.0, 90.0);
    }
    let inner = 90.0 - step.min(10.0);
    multiples((south.max(-inner) / step).ceil(), (north.min(inner) / step).floor(), step)
}

fn multiples(first: f64, last: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..MOST_LINES)
        .map(move |index| first + index as f64)
        .take_while(move |n| *n <= last)
        .map(move |n| n * step)
}

pub(super) fn draw(scene: &Scene<'_>, svg: &mut String) {
    let Some(stroke) = scene.look.graticule else { return };
    let step = step(scene);
    let mut path = Path::default();
    let mut line = |points: Vec<Geo>| {
        for piece in scene.view.line(&points) {
            path.line(&piece);
        }
    };
    for longitude in meridians(scene, step) {
        // Only the four quarters meet at the poles, or they would fill them.
        let end = if (longitude / 90.0).fract().abs() < 1e-9 { 90 } else { 80 };
        line(
            (-end..=end).map(|latitude| Geo { longitude, latitude: f64::from(latitude) }).collect(),
        );
    }
    let around = scene.view.center.longitude;
    for latitude in parallels(scene, step) {
        line(
            (-180..=180)
                .map(|part| Geo { longitude: around + f64::from(part), latitude })
                .collect(),
        );
    }
    let dash = if stroke.dash.is_empty() {
        String::new()
    } else {
        format!(r#" stroke-dasharray="{}""#, stroke.dash)
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<path class="graticule" fill="none" stroke="{}" stroke-width="{}" stroke-opacity=".7"{dash} d="{}"/>"#,
        stroke.colour,
        number(stroke.width),
        path.d
    );
}

/// The degrees at the edges, where they find room.
pub(super) fn figures(scene: &Scene<'_>, board: &mut Board) {
    if !scene.look.figures {
        return;
    }
    let view = &scene.view;
    let step = step(scene);
    let hand = Hand {
        size: 11.0,
        bold: false,
        italic: false,
        spacing: 0.0,
        ink: "#0b4f8a",
        halo: scene.look.halo,
        class: "figure",
    };
    let globe = view.projection == Projection::Orthographic;
    let inset = super::furniture::edge_width(scene) + 9.0;
    let world = view.world();
    for longitude in meridians(scene, step) {
        let text = degrees((longitude + 180.0).rem_euclid(360.0) - 180.0, step, ["E", "W"]);
        let latitude =
            if globe { nearest(view.center.latitude, step) } else { view.center.latitude };
        let Some(dot) = view.point(Geo { longitude, latitude }) else { continue };
        let spots = if globe { vec![dot.y] } else { vec![world.bottom - inset, world.top + inset] };
        let spots = spots.into_iter().map(|y| Spot {
            at: Dot { x: dot.x, y },
            anchor: Anchor::Middle,
            turn: 0.0,
        });
        board.place(&[text], &hand, spots);
    }
    for latitude in parallels(scene, step) {
        let text = degrees(latitude, step, ["N", "S"]);
        let longitude =
            if globe { nearest(view.center.longitude, step) } else { view.center.longitude };
        let Some(dot) = view.point(Geo { longitude, latitude }) else { continue };
        let (left, right) = (inset - 4.0, view.width - inset + 4.0);
        let spots = if globe {
            vec![(dot.x, Anchor::Middle)]
        } else {
            vec![(left, Anchor::Start), (right, Anchor::End)]
        };
        let spots = spots.into_iter().map(|(x, anchor)| Spot {
            at: Dot { x, y: dot.y },
            anchor,
            turn: 0.0,
        });
        board.place(&[text], &hand, spots);
    }
}

fn nearest(degrees: f64, step: f64) -> f64 {
    (degrees / step).round() * step
}

fn degrees(value: f64, step: f64, [positive, negative]: [&str; 2]) -> String {
    let digits = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
    let side = if value.abs() < 1e-9 || (value.abs() - 180.0).abs() < 1e-9 {
        ""
    } else if value > 0.0 {
        positive
    } else {
        negative
    };
    format!("{:.digits$}°{side}", value.abs())
}

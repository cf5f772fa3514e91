//! Names that the map brings along: countries, seas, cities.

use super::super::atlas::{self, Damaged};
use super::super::clip::{Dot, Frame};
use super::super::labels::{Anchor, Board, Hand, Spot};
use super::super::request::Geo;
use super::super::svg::number;
use super::super::text;
use super::Scene;
use super::base::{Piece, World};
use super::spans::spans;
use std::fmt::Write;

/// How far past its stretch of land a name may reach.
const REACH: f64 = 1.15;
/// In pixels; nobody reads less.
const SMALLEST: f64 = 9.0;

pub(super) fn countries(scene: &Scene<'_>, world: &World, board: &mut Board) -> usize {
    let look = &scene.look;
    let Some(ink) = look.country else { return 0 };
    let mut pieces: Vec<&Piece> = world.pieces.iter().collect();
    let size = |piece: &Piece| world.countries.get(piece.country).map_or(0, |country| country.size);
    pieces.sort_by_key(|piece| (std::cmp::Reverse(size(piece)), piece.country));
    let mut left_out = 0;
    for piece in pieces {
        let Some(country) = world.countries.get(piece.country) else { continue };
        let spans = spans(&piece.outline, scene);
        let Some(best) = spans.first() else { continue };
        let name =
            if look.upper_case { country.name.to_uppercase() } else { country.name.to_owned() };
        let room = spans.iter().map(|span| span.length).fold(0.0, f64::max);
        let largest = look.country_size * (1.0 + (room / scene.view.width).min(0.6));
        let spacing = if look.upper_case { 1.5 } else { 0.0 };
        let hand = |size| Hand {
            size,
            bold: false,
            italic: false,
            spacing,
            ink,
            halo: look.halo,
            class: "country",
        };
        // A name may reach a little past its borders.
        let limit = best.length.max(room * 0.8) * REACH;
        let (lines, size) = set(&name, largest, |lines, size| {
            lines.iter().map(|line| hand(size).width(line)).fold(0.0, f64::max) <= limit
        });
        let hand = hand(size);
        let wide = lines.iter().map(|line| hand.width(line)).fold(0.0, f64::max);
        let more = lines.len().saturating_sub(1) as f64 * size * 1.15;
        let fitting = spans.iter().filter(|span| span.length * REACH >= wide);
        let spots: Vec<_> = fitting
            .map(|span| Dot { x: span.middle.x, y: span.middle.y - more / 2.0 })
            .map(|at| Spot { at, anchor: Anchor::Middle, turn: 0.0 })
            .collect();
        if !spots.is_empty() {
            left_out += usize::from(!board.place(&lines, &hand, spots));
        }
    }
    left_out
}

/// The lines of a name and their size: one line, or two where that makes the letters larger.
fn set(name: &str, largest: f64, fits: impl Fn(&[String], f64) -> bool) -> (Vec<String>, f64) {
    let size = |lines: &[String]| {
        let mut size = largest;
        while size > SMALLEST && !fits(lines, size) {
            size = (size - 0.5).max(SMALLEST);
        }
        size
    };
    let (one, two) = (vec![name.to_owned()], text::wrapped(name, name.chars().count() * 3 / 5 + 1));
    let (in_one, in_two) = (size(&one), size(&two));
    if in_two > in_one + 0.9 { (two, in_two) } else { (one, in_one) }
}

/// Name, latitude, longitude, and about how many degrees of longitude it is wide.
const SEAS: [(&str, f64, f64, f64); 24] = [
    ("Pacific Ocean", 5.0, -150.0, 70.0),
    ("Atlantic Ocean", 28.0, -45.0, 50.0),
    ("South Atlantic", -25.0, -15.0, 45.0),
    ("Indian Ocean", -20.0, 80.0, 45.0),
    ("Southern Ocean", -62.0, 90.0, 90.0),
    ("Arctic Ocean", 80.0, -150.0, 90.0),
    ("Mediterranean Sea", 34.5, 18.5, 14.0),
    ("Tyrrhenian Sea", 40.0, 12.0, 5.0),
    ("Adriatic Sea", 42.5, 16.1, 3.5),
    ("Ionian Sea", 38.0, 18.8, 4.0),
    ("Black Sea", 43.3, 34.0, 10.0),
    ("Caspian Sea", 41.8, 50.7, 5.0),
    ("North Sea", 56.3, 3.2, 8.0),
    ("Baltic Sea", 57.0, 19.4, 4.5),
    ("Norwegian Sea", 68.0, 2.0, 18.0),
    ("Bay of Biscay", 45.4, -4.6, 7.0),
    ("Red Sea", 20.5, 38.4, 4.0),
    ("Arabian Sea", 15.0, 64.0, 16.0),
    ("Bay of Bengal", 14.0, 88.5, 11.0),
    ("South China Sea", 13.5, 114.0, 11.0),
    ("Coral Sea", -16.0, 154.0, 14.0),
    ("Tasman Sea", -38.0, 160.5, 14.0),
    ("Caribbean Sea", 15.0, -75.0, 16.0),
    ("Gulf of Mexico", 25.0, -91.0, 12.0),
];

pub(super) fn seas(scene: &Scene<'_>, world: &World, board: &mut Board) -> usize {
    let look = &scene.look;
    let Some(ink) = look.sea_name else { return 0 };
    let mut left_out = 0;
    for (name, latitude, longitude, degrees) in SEAS {
        let room = degrees * scene.view.pixels_per_degree;
        let size = (room / name.len() as f64 / 0.75).clamp(0.0, look.country_size + 4.0);
        let hand = Hand {
            size,
            bold: false,
            italic: true,
            spacing: size * 0.12,
            ink,
            halo: look.sea,
            class: "sea-name",
        };
        if size < 9.5 {
            continue;
        }
        let Some(at) = scene.view.point(Geo { longitude, latitude }) else { continue };
        let half = hand.width(name) / 2.0;
        let shifts = [(0.0, 0.0), (0.0, -1.3), (0.0, 1.3), (-0.6, 0.0), (0.6, 0.0)];
        let spots = shifts.map(|(halves, rows)| Spot {
            at: Dot { x: at.x + halves * half, y: at.y + rows * size },
            anchor: Anchor::Middle,
            turn: 0.0,
        });
        let at_sea = |spot: &Spot| {
            let (west, east) = scene.view.row(spot.at.y);
            if spot.at.x - half < west || spot.at.x + half > east {
                return false;
            }
            let parts = [-0.9, -0.45, 0.0, 0.45, 0.9];
            !parts
                .iter()
                .any(|part| world.is_land(Dot { x: spot.at.x + part * half, y: spot.at.y }))
        };
        let spots = spots.into_iter().filter(at_sea);
        left_out += usize::from(!board.place(&[name.to_owned()], &hand, spots));
    }
    left_out
}

/// How many of the cities, which come in order of importance, a map of this scale can hold.
fn city_count(pixels_per_degree: f64) -> usize {
    if pixels_per_degree < 3.0 {
        24
    } else if pixels_per_degree < 6.0 {
        60
    } else if pixels_per_degree < 12.0 {
        130
    } else {
        usize::MAX
    }
}

pub(super) fn cities(
    scene: &Scene<'_>,
    board: &mut Board,
    svg: &mut String,
) -> Result<usize, Damaged> {
    const RADIUS: f64 = 2.4;
    let look = &scene.look;
    let Some(ink) = look.city else { return Ok(0) };
    let size = look.own_size - 2.0;
    let hand = Hand {
        size,
        bold: false,
        italic: false,
        spacing: 0.0,
        ink,
        halo: look.halo,
        class: "city",
    };
    let pins: Vec<_> =
        scene.request.markers.iter().filter_map(|marker| scene.view.point(marker.at)).collect();
    let mut left_out = 0;
    for city in atlas::cities()?.iter().take(city_count(scene.view.pixels_per_degree)) {
        let Some(dot) = scene.view.point(city.at) else { continue };
        // A pin stands here already.
        if pins.iter().any(|pin| pin.distance(dot) < 8.0) {
            continue;
        }
        let Dot { x, y } = dot;
        let place =
            Frame { left: x - RADIUS, top: y - RADIUS, right: x + RADIUS, bottom: y + RADIUS };
        let spot =
            |dx: f64, dy: f64, anchor| Spot { at: Dot { x: x + dx, y: y + dy }, anchor, turn: 0.0 };
        let (side, up) = (RADIUS + 3.0, RADIUS + size * 0.6 + 2.0);
        let spots = [
            spot(side, 0.0, Anchor::Start),
            spot(-side, 0.0, Anchor::End),
            spot(0.0, -up, Anchor::Middle),
            spot(0.0, up, Anchor::Middle),
            spot(side - 1.0, -up * 0.7, Anchor::Start),
            spot(side - 1.0, up * 0.7, Anchor::Start),
        ];
        if board.is_free(&place) && board.place(&[city.name.to_owned()], &hand, spots) {
            board.block(place);
            // Writing to a String does not fail.
            let _ = writeln!(
                svg,
                r#"<circle class="city-dot" cx="{}" cy="{}" r="{}" fill="{ink}" stroke="{}" stroke-width="1"/>"#,
                number(x),
                number(y),
                number(RADIUS),
                look.halo
            );
        } else {
            left_out += 1;
        }
    }
    Ok(left_out)
}

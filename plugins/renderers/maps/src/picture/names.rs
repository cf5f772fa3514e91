//! Names: the author's own first, then figures, countries, seas and cities, as far as they fit.

use super::super::atlas::{self, Damaged};
use super::super::clip::{Dot, Frame};
use super::super::fault::Fault;
use super::super::labels::{Anchor, Board, Hand, Spot};
use super::super::request::{Geo, Route};
use super::super::svg::number;
use super::super::text;
use super::base::{Piece, World};
use super::own::{self, PIN_HALF_WIDTH, PIN_HEIGHT};
use super::{Scene, graticule};
use std::fmt::Write;

/// Characters in a line of an own label.
const LINE: usize = 30;

/// What found no place.
pub(super) fn write(
    scene: &Scene<'_>,
    world: &World,
    board: &mut Board,
    svg: &mut String,
) -> Result<Vec<Fault>, Damaged> {
    for marker in &scene.request.markers {
        if let Some(Dot { x, y }) = scene.view.point(marker.at) {
            let head = y - PIN_HEIGHT;
            board.block(Frame {
                left: x - PIN_HALF_WIDTH,
                top: head,
                right: x + PIN_HALF_WIDTH,
                bottom: y,
            });
        }
    }
    let mut own = markers(scene, board);
    own += regions(scene, board);
    own += routes(scene, board);
    graticule::figures(scene, board);
    let mut others = countries(scene, world, board);
    others += seas(scene, world, board);
    others += cities(scene, board, svg)?;
    let mut left_out = Vec::new();
    if own > 0 {
        let what = if own == 1 {
            "label of yours found no free place and is"
        } else {
            "labels of yours found no free place and are"
        };
        left_out.push(Fault::warning("labels", format!("{own} {what} not drawn")));
    }
    if others > 0 {
        let what = if others == 1 {
            "name of the map itself found"
        } else {
            "names of the map itself found"
        };
        left_out.push(Fault::note("labels", format!("{others} {what} no free place")));
    }
    Ok(left_out)
}

fn own_hand(scene: &Scene<'_>, class: &'static str) -> Hand {
    let look = &scene.look;
    Hand {
        size: look.own_size,
        bold: true,
        italic: false,
        spacing: 0.0,
        ink: look.ink,
        halo: look.halo,
        class,
    }
}

fn markers(scene: &Scene<'_>, board: &mut Board) -> usize {
    let hand = own_hand(scene, "marker-label");
    let mut left_out = 0;
    for marker in &scene.request.markers {
        let (Some(label), Some(tip)) = (&marker.label, scene.view.point(marker.at)) else {
            continue;
        };
        let lines = text::wrapped(label, LINE);
        left_out +=
            usize::from(!board.place(&lines, &hand, pin_spots(tip, lines.len(), hand.size)));
    }
    left_out
}

fn pin_spots(tip: Dot, lines: usize, size: f64) -> [Spot; 8] {
    let more = lines.saturating_sub(1) as f64 * size * 1.15;
    let (head, half) = (tip.y - 12.0, size * 0.6);
    let side = PIN_HALF_WIDTH + 3.0;
    let spot = |dx: f64, y: f64, anchor| Spot { at: Dot { x: tip.x + dx, y }, anchor, turn: 0.0 };
    let (above, below) = (tip.y - PIN_HEIGHT - half - more - 3.0, tip.y + half + 4.0);
    [
        spot(side, head - more / 2.0, Anchor::Start),
        spot(-side, head - more / 2.0, Anchor::End),
        spot(0.0, above, Anchor::Middle),
        spot(0.0, below, Anchor::Middle),
        spot(side - 2.0, above + size * 0.7, Anchor::Start),
        spot(2.0 - side, above + size * 0.7, Anchor::End),
        spot(4.0, below, Anchor::Start),
        spot(-4.0, below, Anchor::End),
    ]
}

fn regions(scene: &Scene<'_>, board: &mut Board) -> usize {
    let hand = own_hand(scene, "region-label");
    let mut left_out = 0;
    for region in &scene.request.regions {
        let Some(label) = &region.label else { continue };
        let parts = scene.view.ring(&own::ring(&scene.view, region));
        let spans: Vec<_> = parts.iter().flat_map(|part| spans(part, scene)).collect();
        if spans.is_empty() {
            continue;
        }
        let lines = text::wrapped(label, LINE / 2);
        let more = lines.len().saturating_sub(1) as f64 * hand.size * 1.15;
        let widest = spans.iter().map(|span| span.length).fold(0.0, f64::max);
        let in_middle = spans.iter().filter(|span| span.length > widest * 0.45).flat_map(|span| {
            let shifts = [0.0, -0.15, 0.15, -0.3, 0.3];
            shifts.map(|shift| Dot {
                x: span.middle.x + shift * span.length,
                y: span.middle.y - more / 2.0,
            })
        });
        let spots = in_middle.map(|at| Spot { at, anchor: Anchor::Middle, turn: 0.0 });
        let spots = spots.chain(beside(&parts, more, hand.size));
        left_out += usize::from(!board.place(&lines, &hand, spots));
    }
    left_out
}

/// Left, right, under and over all of it, for what is too small to be written in.
fn beside(parts: &[Vec<Dot>], more: f64, size: f64) -> [Spot; 4] {
    let around = Frame::around(parts.iter().flatten());
    let (x, y) =
        (f64::midpoint(around.left, around.right), f64::midpoint(around.top, around.bottom));
    let spot = |x, y, anchor| Spot { at: Dot { x, y }, anchor, turn: 0.0 };
    [
        spot(around.left - 5.0, y - more / 2.0, Anchor::End),
        spot(around.right + 5.0, y - more / 2.0, Anchor::Start),
        spot(x, around.bottom + size * 0.8, Anchor::Middle),
        spot(x, around.top - size * 0.8 - more, Anchor::Middle),
    ]
}

fn routes(scene: &Scene<'_>, board: &mut Board) -> usize {
    let hand = Hand { italic: true, ..own_hand(scene, "route-label") };
    let mut left_out = 0;
    for route in &scene.request.routes {
        let Some(label) = &route.label else { continue };
        let Some(longest) = longest(own::pieces(&scene.view, route)) else { continue };
        let spots = spots_along(&longest, route, &hand);
        left_out += usize::from(!board.place(std::slice::from_ref(label), &hand, spots));
    }
    left_out
}

fn longest(pieces: Vec<Vec<Dot>>) -> Option<Vec<Dot>> {
    pieces
        .into_iter()
        .filter(|piece| piece.len() > 1)
        .max_by(|a, b| length(a).total_cmp(&length(b)))
}

fn length(dots: &[Dot]) -> f64 {
    dots.windows(2).map(|pair| pair[0].distance(pair[1])).sum()
}

/// Beside the line, from its middle outwards, turned as the line runs there.
fn spots_along(dots: &[Dot], route: &Route, hand: &Hand) -> Vec<Spot> {
    let whole = length(dots);
    let away = route.width / 2.0 + hand.size * 0.75;
    let (mut spots, mut level) = (Vec::new(), Vec::new());
    for part in [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9] {
        let reach = (whole * 0.04).max(6.0);
        let (Some(from), Some(at), Some(to)) = (
            along(dots, whole * part - reach),
            along(dots, whole * part),
            along(dots, whole * part + reach),
        ) else {
            continue;
        };
        let mut angle = (to.y - from.y).atan2(to.x - from.x);
        if angle.abs() > std::f64::consts::FRAC_PI_2 {
            angle += if angle > 0.0 { -std::f64::consts::PI } else { std::f64::consts::PI };
        }
        for side in [-1.0, 1.0] {
            let at =
                Dot { x: at.x - angle.sin() * away * side, y: at.y + angle.cos() * away * side };
            spots.push(Spot { at, anchor: Anchor::Middle, turn: angle.to_degrees() });
        }
        // Level ones come after all that run along.
        let dx = away * 0.6 + 2.0;
        level.push(Spot { at: Dot { x: at.x + dx, y: at.y }, anchor: Anchor::Start, turn: 0.0 });
        level.push(Spot { at: Dot { x: at.x - dx, y: at.y }, anchor: Anchor::End, turn: 0.0 });
    }
    spots.append(&mut level);
    spots
}

fn along(dots: &[Dot], distance: f64) -> Option<Dot> {
    let mut left = distance.max(0.0);
    for pair in dots.windows(2) {
        let step = pair[0].distance(pair[1]);
        if left <= step && step > 0.0 {
            let part = left / step;
            return Some(Dot {
                x: pair[0].x + (pair[1].x - pair[0].x) * part,
                y: pair[0].y + (pair[1].y - pair[0].y) * part,
            });
        }
        left -= step;
    }
    dots.last().copied()
}

/// A level stretch inside an outline.
#[derive(Clone, Copy)]
struct Span {
    middle: Dot,
    length: f64,
}

/// Stretches inside an outline and the picture, the best places for a name first: long ones, and
/// near the middle of the height.
fn spans(outline: &[Dot], scene: &Scene<'_>) -> Vec<Span> {
    const LINES: u32 = 17;
    let (top, bottom) = outline
        .iter()
        .fold((f64::MAX, f64::MIN), |(top, bottom), d| (top.min(d.y), bottom.max(d.y)));
    let (top, bottom) = (top.max(0.0), bottom.min(scene.view.height));
    let mut found = Vec::new();
    for index in 0..LINES {
        let part = (f64::from(index) + 0.5) / f64::from(LINES);
        let y = top + (bottom - top) * part;
        let mut crossings = Vec::new();
        let mut from = match outline.last() {
            Some(&last) => last,
            None => return Vec::new(),
        };
        for &to in outline {
            if (from.y > y) != (to.y > y) {
                crossings.push(from.x + (to.x - from.x) * (y - from.y) / (to.y - from.y));
            }
            from = to;
        }
        crossings.sort_by(f64::total_cmp);
        let (west, east) = scene.view.row(y);
        for pair in crossings.chunks_exact(2) {
            let (left, right) = (pair[0].max(west + 4.0), pair[1].min(east - 4.0));
            if right > left {
                let middle = Dot { x: f64::midpoint(left, right), y };
                let worth = (right - left) * (1.0 - (part - 0.5).abs());
                found.push((worth, Span { middle, length: right - left }));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().map(|(_, span)| span).collect()
}

fn countries(scene: &Scene<'_>, world: &World, board: &mut Board) -> usize {
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
        let spacing = if look.upper_case { 1.5 } else { 0.0 };
        let largest = look.country_size * (1.0 + (room / scene.view.width).min(0.6));
        let mut hand = Hand {
            size: largest,
            bold: false,
            italic: false,
            spacing,
            ink,
            halo: look.halo,
            class: "country",
        };
        // A name may reach a little past its borders; below nine pixels nobody reads it.
        while hand.width(&name) > best.length.max(room * 0.8) * 1.15 && hand.size > 9.0 {
            hand.size = (hand.size - 1.0).max(9.0);
        }
        let wide = hand.width(&name);
        let fitting = spans.iter().filter(|span| span.length * 1.15 >= wide);
        let spots: Vec<_> = fitting
            .map(|span| Spot { at: span.middle, anchor: Anchor::Middle, turn: 0.0 })
            .collect();
        if !spots.is_empty() {
            left_out += usize::from(!board.place(&[name], &hand, spots));
        }
    }
    left_out
}

/// Name, latitude, longitude, and about how many degrees of longitude it is wide.
const SEAS: [(&str, f64, f64, f64); 24] = [
    ("Pacific Ocean", 5.0, -150.0, 70.0),
    ("Atlantic Ocean", 28.0, -45.0, 40.0),
    ("South Atlantic", -25.0, -15.0, 35.0),
    ("Indian Ocean", -20.0, 80.0, 45.0),
    ("Southern Ocean", -62.0, 90.0, 90.0),
    ("Arctic Ocean", 80.0, -150.0, 90.0),
    ("Mediterranean Sea", 34.5, 18.5, 14.0),
    ("Tyrrhenian Sea", 40.0, 12.0, 5.0),
    ("Adriatic Sea", 43.1, 15.0, 3.5),
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

fn seas(scene: &Scene<'_>, world: &World, board: &mut Board) -> usize {
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
        let (west, east) = scene.view.row(at.y);
        if at.x - half < west || at.x + half > east {
            continue;
        }
        let spots = [0.0, -1.3, 1.3].map(|rows| Spot {
            at: Dot { x: at.x, y: at.y + rows * size },
            anchor: Anchor::Middle,
            turn: 0.0,
        });
        let at_sea = |spot: &Spot| {
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

fn cities(scene: &Scene<'_>, board: &mut Board, svg: &mut String) -> Result<usize, Damaged> {
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

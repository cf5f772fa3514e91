//! Names: the author's own first, then figures, countries, seas and cities, as far as they fit.

use super::super::atlas::Damaged;
use super::super::clip::{Dot, Frame};
use super::super::fault::Fault;
use super::super::labels::{Anchor, Board, Hand, Spot};
use super::super::request::Route;
use super::super::text;
use super::base::World;
use super::own::{self, PIN_HALF_WIDTH, PIN_HEIGHT};
use super::spans::spans;
use super::{Scene, graticule, places};

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
    let mut others = places::countries(scene, world, board);
    others += places::seas(scene, world, board);
    others += places::cities(scene, board, svg)?;
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

//! Room for a name inside an outline.

use super::super::clip::Dot;
use super::Scene;

/// A level stretch inside an outline.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) middle: Dot,
    pub(super) length: f64,
}

/// Stretches inside an outline and the picture, the best places for a name first: long ones, and
/// near the middle of the height.
pub(super) fn spans(outline: &[Dot], scene: &Scene<'_>) -> Vec<Span> {
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

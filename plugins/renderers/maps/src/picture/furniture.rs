//! Title, scale bar, legend, edge.

use super::super::clip::{Dot, Frame};
use super::super::labels::Board;
use super::super::request::Geo;
use super::super::style::Edge;
use super::super::svg::{escaped, number};
use super::super::text;
use super::super::view::Projection;
use super::{Scene, graticule};
use std::fmt::Write;

const LEGEND_ENTRIES: usize = 12;
const LEGEND_LINE: f64 = 18.0;
const AIR: f64 = 10.0;

/// Pixels that the edge takes from the map.
pub(super) fn edge_width(scene: &Scene<'_>) -> f64 {
    match edge(scene) {
        Edge::None => 2.0,
        Edge::Thin => 3.0,
        Edge::Double => 11.0,
        Edge::Ruler => 8.0,
    }
}

/// Bars for degrees need straight parallels, and a world that reaches them.
fn edge(scene: &Scene<'_>) -> Edge {
    let world = scene.view.world();
    let globe = scene.view.projection == Projection::Orthographic;
    let short = world.top > 0.0 || world.bottom < scene.view.height;
    if scene.look.edge == Edge::Ruler && (globe || short) { Edge::Thin } else { scene.look.edge }
}

pub(super) fn draw(scene: &Scene<'_>, board: &mut Board, svg: &mut String) {
    draw_edge(scene, svg);
    draw_title(scene, board, svg);
    draw_scale(scene, board, svg);
    if scene.request.legend {
        draw_legend(scene, board, svg);
    }
}

fn draw_edge(scene: &Scene<'_>, svg: &mut String) {
    let (width, height) = (scene.view.width, scene.view.height);
    let border = |svg: &mut String, inset: f64, colour: &str, stroke: f64| {
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r#"<rect class="edge" x="{0}" y="{0}" width="{1}" height="{2}" fill="none" stroke="{colour}" stroke-width="{3}"/>"#,
            number(inset),
            number(width - inset * 2.0),
            number(height - inset * 2.0),
            number(stroke)
        );
    };
    match edge(scene) {
        Edge::None => {}
        Edge::Thin => border(svg, 0.5, scene.look.ink, 1.0),
        Edge::Double => {
            border(svg, 3.0, scene.look.paper, 6.0);
            border(svg, 4.5, scene.look.coast.colour, 2.5);
            border(svg, 8.5, scene.look.coast.colour, 0.8);
        }
        Edge::Ruler => {
            border(svg, 3.0, "#ffffff", 6.0);
            draw_bars(scene, svg);
            border(svg, 0.5, "#1c1c1c", 1.0);
            border(svg, 6.5, "#1c1c1c", 1.0);
        }
    }
}

/// Every second step of the graticule is black.
fn draw_bars(scene: &Scene<'_>, svg: &mut String) {
    let (width, height) = (scene.view.width, scene.view.height);
    let step = graticule::step(scene);
    let (center, mut d) = (scene.view.center, String::new());
    let is_black = |degrees: f64| (degrees / step).round().rem_euclid(2.0) < 0.5;
    let across = |longitude: f64| {
        width / 2.0 + (longitude - center.longitude) * scene.view.pixels_per_degree
    };
    let meridians: Vec<_> = graticule::meridians(scene, step).collect();
    let first = meridians.first().map_or(center.longitude, |first| first - step);
    for west in std::iter::once(first).chain(meridians).filter(|west| is_black(*west)) {
        let (left, right) = (across(west).clamp(0.0, width), across(west + step).clamp(0.0, width));
        for top in [1.0, height - 6.0] {
            let _ = write!(
                d,
                "M{} {}h{}v5h{}z",
                number(left),
                number(top),
                number(right - left),
                number(left - right)
            );
        }
    }
    let parallels: Vec<_> = graticule::parallels(scene, step).collect();
    let down = |latitude: f64| {
        let dot = scene
            .view
            .point(Geo { longitude: center.longitude, latitude: latitude.clamp(-89.0, 89.0) });
        dot.map_or(if latitude > center.latitude { 0.0 } else { height }, |dot| dot.y)
    };
    let first = parallels.first().map_or(center.latitude, |first| first - step);
    for south in std::iter::once(first).chain(parallels).filter(|south| is_black(*south)) {
        let (top, bottom) = (down(south + step), down(south));
        for left in [1.0, width - 6.0] {
            let _ = write!(d, "M{} {}h5v{}h-5z", number(left), number(top), number(bottom - top));
        }
    }
    // Writing to a String does not fail.
    let _ = writeln!(svg, r##"<path class="ruler" fill="#1c1c1c" d="{d}"/>"##);
}

fn plate(scene: &Scene<'_>, frame: &Frame, class: &str, svg: &mut String) {
    let look = &scene.look;
    let old = look.edge == Edge::Double;
    let (stroke, radius) = if old { (look.coast.colour, 0.0) } else { (look.ink, 4.0) };
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{}" fill-opacity=".9" stroke="{stroke}" stroke-opacity="{}" stroke-width="1"/>"#,
        number(frame.left),
        number(frame.top),
        number(frame.right - frame.left),
        number(frame.bottom - frame.top),
        number(radius),
        look.plate,
        if old { "1" } else { ".25" },
    );
}

fn draw_title(scene: &Scene<'_>, board: &mut Board, svg: &mut String) {
    let Some(title) = &scene.request.title else { return };
    let look = &scene.look;
    let room = scene.view.width - 60.0;
    let mut size = (scene.view.width / 36.0).clamp(13.0, 34.0);
    while text::width(title, size, true) > room && size > 13.0 {
        size -= 1.0;
    }
    let title = text::shortened(title, size, true, room);
    let half = text::width(&title, size, true) / 2.0 + 14.0;
    let (middle, top) = (scene.view.width / 2.0, edge_width(scene) + 7.0);
    let frame = Frame { left: middle - half, top, right: middle + half, bottom: top + size * 1.7 };
    plate(scene, &frame, "title-plate", svg);
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<text class="title" x="{}" y="{}" font-size="{}" font-weight="bold" text-anchor="middle" fill="{}">{}</text>"#,
        number(middle),
        number(top + size * 1.2),
        number(size),
        look.ink,
        escaped(&title)
    );
    board.block(frame.grown(2.0));
}

fn draw_scale(scene: &Scene<'_>, board: &mut Board, svg: &mut String) {
    let look = &scene.look;
    if scene.view.width < 200.0 || scene.view.height < 120.0 {
        return;
    }
    let per_pixel = scene.view.kilometres_per_pixel();
    let Some(length) = round_length((scene.view.width * 0.22).min(180.0) * per_pixel) else {
        return;
    };
    let pixels = length / per_pixel;
    let text = if length >= 1.0 {
        format!("{length} km")
    } else {
        format!("{} m", (length * 1000.0).round())
    };
    let (left, bottom) = (edge_width(scene) + AIR, scene.view.height - edge_width(scene) - AIR);
    // Degree figures run along this edge.
    let bottom = if look.figures { bottom - 14.0 } else { bottom };
    let left = if look.figures { left + 26.0 } else { left };
    let frame = Frame { left, top: bottom - 27.0, right: left + pixels + 16.0, bottom };
    plate(scene, &frame, "scale-plate", svg);
    let (x, y) = (number(left + 8.0), number(bottom - 11.0));
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<path class="scale" fill="none" stroke="{}" stroke-width="1.5" d="M{x} {y}v5h{}v-5"/><text class="scale-text" x="{}" y="{}" font-size="11" text-anchor="middle" fill="{}">{text}</text>"#,
        look.ink,
        number(pixels),
        number(left + 8.0 + pixels / 2.0),
        number(bottom - 13.0),
        look.ink
    );
    board.block(frame.grown(2.0));
}

/// The largest of 1, 2 or 5 with zeros that is not longer.
fn round_length(most: f64) -> Option<f64> {
    let mut steps =
        (-3..=4).rev().flat_map(|power| [5.0, 2.0, 1.0].map(|digit| digit * 10_f64.powi(power)));
    steps.find(|length| *length <= most)
}

enum Sample<'a> {
    Pin(&'a str),
    Line(&'a str, f64),
    Area(&'a str, f64),
}

fn draw_legend(scene: &Scene<'_>, board: &mut Board, svg: &mut String) {
    let request = scene.request;
    let regions = request
        .regions
        .iter()
        .filter_map(|r| Some((r.label.as_deref()?, Sample::Area(&r.fill, r.opacity))));
    let routes = request
        .routes
        .iter()
        .filter_map(|r| Some((r.label.as_deref()?, Sample::Line(&r.colour, r.width))));
    let markers =
        request.markers.iter().filter_map(|m| Some((m.label.as_deref()?, Sample::Pin(&m.colour))));
    let entries: Vec<_> = regions.chain(routes).chain(markers).collect();
    let room = (scene.view.height * 0.5 / LEGEND_LINE) as usize;
    let shown = entries.len().min(LEGEND_ENTRIES).min(room);
    if shown == 0 || scene.view.width < 320.0 {
        return;
    }
    let more = (entries.len() > shown).then(|| format!("and {} more", entries.len() - shown));
    let widest = scene.view.width * 0.28;
    let mut texts: Vec<_> = entries
        .iter()
        .take(shown)
        .map(|(label, _)| text::shortened(label, 12.0, false, widest))
        .collect();
    texts.extend(more);
    let width = texts.iter().map(|text| text::width(text, 12.0, false)).fold(0.0, f64::max) + 46.0;
    let height = texts.len() as f64 * LEGEND_LINE + 10.0;
    let frame = corner(scene, board, width, height);
    plate(scene, &frame, "legend", svg);
    for (index, text) in texts.iter().enumerate() {
        let y = frame.top + 5.0 + LEGEND_LINE * (index as f64 + 0.5);
        if let Some((_, sample)) = entries.get(index).filter(|_| index < shown) {
            draw_sample(sample, Dot { x: frame.left + 8.0, y }, svg);
        }
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r#"<text class="legend-text" x="{}" y="{}" font-size="12" fill="{}">{}</text>"#,
            number(frame.left + 38.0),
            number(y + 4.2),
            scene.look.ink,
            escaped(text)
        );
    }
    board.block(frame.grown(2.0));
}

/// The corner that covers the fewest of the author's points.
fn corner(scene: &Scene<'_>, board: &Board, width: f64, height: f64) -> Frame {
    let inset = edge_width(scene) + if scene.look.figures { AIR + 14.0 } else { AIR };
    let (right, bottom) = (scene.view.width - inset - width, scene.view.height - inset - height);
    let corners = [(right, bottom), (right, inset), (inset, inset), (inset, bottom)];
    let points: Vec<_> = scene.request.own_points().filter_map(|at| scene.view.point(at)).collect();
    let frames =
        corners.map(|(left, top)| Frame { left, top, right: left + width, bottom: top + height });
    let cost = |frame: &Frame| {
        let covered = points.iter().filter(|point| frame.grown(8.0).holds(**point)).count();
        covered + if board.is_free(frame) { 0 } else { 1000 }
    };
    let best = frames.iter().enumerate().min_by_key(|(index, frame)| (cost(frame), *index));
    best.map_or(frames[0], |(_, frame)| *frame)
}

fn draw_sample(sample: &Sample<'_>, at: Dot, svg: &mut String) {
    let (x, y) = (number(at.x), number(at.y));
    // Writing to a String does not fail.
    let _ = match sample {
        Sample::Pin(colour) => writeln!(
            svg,
            r##"<circle cx="{}" cy="{y}" r="4.5" fill="{}" stroke="#fff" stroke-width="1"/>"##,
            number(at.x + 12.0),
            escaped(colour)
        ),
        Sample::Line(colour, width) => writeln!(
            svg,
            r#"<path d="M{x} {y}h24" fill="none" stroke="{}" stroke-width="{}" stroke-linecap="round"/>"#,
            escaped(colour),
            number(width.min(8.0))
        ),
        Sample::Area(colour, opacity) => writeln!(
            svg,
            r#"<rect x="{}" y="{}" width="20" height="11" fill="{colour}" fill-opacity="{opacity:.3}" stroke="{colour}"/>"#,
            number(at.x + 2.0),
            number(at.y - 5.5),
            colour = escaped(colour)
        ),
    };
}

//! What the author put on the map: regions, routes, markers.

use super::super::clip::Dot;
use super::super::request::{Geo, Region, Route};
use super::super::ring::unwrapped;
use super::super::svg::{Path, escaped, number};
use super::super::view::{Projection, View};
use super::Scene;
use std::fmt::Write;

/// From the tip, which is the place, to the top of the head.
pub(super) const PIN_HEIGHT: f64 = 19.0;
pub(super) const PIN_HALF_WIDTH: f64 = 7.0;
/// Longest edge that is drawn straight where the projection bends lines.
const LONGEST_EDGE: f64 = 2.0;

/// How many of them cannot be seen.
pub(super) fn draw(scene: &Scene<'_>, svg: &mut String) -> usize {
    let mut outside = 0;
    for region in &scene.request.regions {
        outside += usize::from(!draw_region(scene, region, svg));
    }
    for route in &scene.request.routes {
        outside += usize::from(!draw_route(scene, route, svg));
    }
    let mut markers: Vec<_> = scene
        .request
        .markers
        .iter()
        .filter_map(|marker| Some((scene.view.point(marker.at)?, marker)))
        .collect();
    outside += scene.request.markers.len() - markers.len();
    // From north to south, so that a pin stands in front of those behind it.
    markers.sort_by(|(a, _), (b, _)| a.y.total_cmp(&b.y));
    for (dot, marker) in markers {
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r##"<g class="marker" transform="translate({} {})"><ellipse rx="4" ry="1.6" fill="#000" fill-opacity=".25"/><path d="M0 0C-1.5-5-7-8-7-12.5A7 6.5 0 0 1 7-12.5C7-8 1.5-5 0 0z" fill="{}" stroke="#fff" stroke-width="1.2"/><circle cy="-12.3" r="2.5" fill="#fff"/></g>"##,
            number(dot.x),
            number(dot.y),
            escaped(&marker.colour)
        );
    }
    outside
}

fn draw_region(scene: &Scene<'_>, region: &Region, svg: &mut String) -> bool {
    let ring = ring(&scene.view, region);
    let (mut fill, mut edge) = (Path::default(), Path::default());
    for part in scene.view.ring(&ring) {
        fill.ring(&part);
    }
    for part in scene.view.line(&ring) {
        edge.line(&part);
    }
    let colour = escaped(&region.fill);
    // Writing to a String does not fail.
    if !fill.is_empty() {
        let _ = writeln!(
            svg,
            r#"<path class="region" fill-rule="evenodd" fill="{colour}" fill-opacity="{:.3}" d="{}"/>"#,
            region.opacity, fill.d
        );
    }
    if !edge.is_empty() {
        let opacity = (region.opacity + 0.35).min(1.0);
        let _ = writeln!(
            svg,
            r#"<path class="region-edge" fill="none" stroke="{colour}" stroke-width="1.4" stroke-opacity="{opacity:.3}" stroke-linejoin="round" d="{}"/>"#,
            edge.d
        );
    }
    !fill.is_empty() || !edge.is_empty()
}

fn draw_route(scene: &Scene<'_>, route: &Route, svg: &mut String) -> bool {
    let mut path = Path::default();
    for piece in pieces(&scene.view, route) {
        path.line(&piece);
    }
    if path.is_empty() {
        return false;
    }
    let (colour, width) = (escaped(&route.colour), route.width);
    for (colour, width, opacity) in
        [(scene.look.halo, width + 2.0, ".7"), (colour.as_str(), width, "1")]
    {
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r#"<path class="route" fill="none" stroke="{colour}" stroke-width="{}" stroke-opacity="{opacity}" stroke-linejoin="round" stroke-linecap="round" d="{}"/>"#,
            number(width),
            path.d
        );
    }
    true
}

/// What is seen of a route.
pub(super) fn pieces(view: &View, route: &Route) -> Vec<Vec<Dot>> {
    let points = if route.great_circle {
        great_circle(&route.points)
    } else {
        bent(view, unwrapped(&route.points))
    };
    view.line(&points)
}

/// A region's outline, closed.
pub(super) fn ring(view: &View, region: &Region) -> Vec<Geo> {
    let mut points = region.points.clone();
    points.extend(region.points.first());
    bent(view, unwrapped(&points))
}

/// On the globe an edge follows its parallel and meridian, as it does on the cylinders.
fn bent(view: &View, points: Vec<Geo>) -> Vec<Geo> {
    if view.projection == Projection::Orthographic {
        refined(&points, |from, to, part| Geo {
            longitude: from.longitude + (to.longitude - from.longitude) * part,
            latitude: from.latitude + (to.latitude - from.latitude) * part,
        })
    } else {
        points
    }
}

fn refined(points: &[Geo], between: impl Fn(Geo, Geo, f64) -> Geo) -> Vec<Geo> {
    let mut fine: Vec<Geo> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let &[from, to] = pair else { continue };
        let reach = (to.longitude - from.longitude).abs().max((to.latitude - from.latitude).abs());
        let steps = (reach / LONGEST_EDGE).ceil().clamp(1.0, 180.0);
        fine.extend((1..=steps as u32).map(|step| between(from, to, f64::from(step) / steps)));
    }
    fine
}

/// The shortest way over the sphere from point to point.
fn great_circle(points: &[Geo]) -> Vec<Geo> {
    unwrapped(&refined(&unwrapped(points), |from, to, part| {
        let (a, b) = (vector(from), vector(to));
        let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        let angle = dot.clamp(-1.0, 1.0).acos();
        if !(1e-9..=std::f64::consts::PI - 1e-6).contains(&angle) {
            return if part < 0.5 { from } else { to };
        }
        let (near, far) =
            (((1.0 - part) * angle).sin() / angle.sin(), (part * angle).sin() / angle.sin());
        let [x, y, z] = [0, 1, 2].map(|axis: usize| a[axis] * near + b[axis] * far);
        Geo { longitude: y.atan2(x).to_degrees(), latitude: z.clamp(-1.0, 1.0).asin().to_degrees() }
    }))
}

fn vector(at: Geo) -> [f64; 3] {
    let (sin, cos) = at.latitude.to_radians().sin_cos();
    let (across, along) = at.longitude.to_radians().sin_cos();
    [cos * along, cos * across, sin]
}

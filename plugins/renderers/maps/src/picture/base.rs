//! Sea, land, lakes, rivers, borders.

use super::super::atlas::{self, Bounds, Country, Damaged, Detail};
use super::super::clip::{Dot, Frame};
use super::super::request::Geo;
use super::super::style::{Land, Shore, Stroke};
use super::super::svg::{Path, number};
use super::super::view::Projection;
use super::Scene;
use super::relief;
use std::fmt::Write;

/// What is seen of the world, in pixels.
pub(super) struct World {
    pub(super) countries: Vec<Country>,
    /// The largest visible piece of each country that is seen.
    pub(super) pieces: Vec<Piece>,
    fills: [Path; 7],
    land: Path,
    coast: Path,
    borders: Path,
    lakes: Path,
    rivers: Path,
}

pub(super) struct Piece {
    pub(super) country: usize,
    pub(super) outline: Vec<Dot>,
    around: Frame,
    area: f64,
}

impl World {
    /// Whether a pixel lies in the largest piece of a country.
    pub(super) fn is_land(&self, dot: Dot) -> bool {
        self.pieces.iter().any(|piece| piece.around.holds(dot) && holds(&piece.outline, dot))
    }
}

fn holds(outline: &[Dot], dot: Dot) -> bool {
    let Some(&last) = outline.last() else { return false };
    let (mut from, mut inside) = (last, false);
    for &to in outline {
        if (from.y > dot.y) != (to.y > dot.y) {
            inside ^= dot.x < from.x + (to.x - from.x) * (dot.y - from.y) / (to.y - from.y);
        }
        from = to;
    }
    inside
}

/// As much detail as pixels can show: 110m up to zoom 2 at the usual width, 50m up to 5.
fn detail(pixels_per_degree: f64) -> Detail {
    if pixels_per_degree < 5.0 {
        Detail::Coarse
    } else if pixels_per_degree < 50.0 {
        Detail::Medium
    } else {
        Detail::Fine
    }
}

pub(super) fn world(scene: &Scene<'_>) -> Result<World, Damaged> {
    let detail = detail(scene.view.pixels_per_degree);
    let level = atlas::level(detail)?;
    let mut world = World {
        countries: atlas::countries()?,
        pieces: Vec::new(),
        fills: Default::default(),
        land: Path::default(),
        coast: Path::default(),
        borders: Path::default(),
        lakes: Path::default(),
        rivers: Path::default(),
    };
    for shape in &level.shapes {
        let colour = world.countries.get(shape.country).map_or(0, |country| country.colour);
        let mut largest: Option<Piece> = None;
        for ring in &shape.rings {
            let ring = level.ring(ring);
            if !may_be_seen(scene, &ring) {
                continue;
            }
            let outlines = scene.view.ring(&ring);
            let inside_out =
                scene.view.projection == Projection::Orthographic && outlines.len() > 1;
            for outline in outlines {
                world.land.ring(&outline);
                if let (Land::Political(_), Some(fill)) =
                    (scene.look.land, world.fills.get_mut(colour))
                {
                    fill.ring(&outline);
                }
                let area = area(&outline);
                if !inside_out && largest.as_ref().is_none_or(|piece| piece.area < area) {
                    largest = Some(Piece {
                        country: shape.country,
                        around: Frame::around(&outline),
                        outline,
                        area,
                    });
                }
            }
        }
        world.pieces.extend(largest);
    }
    for arc in &level.arcs {
        let Bounds { west, east, south, north } = arc.bounds;
        if scene.view.sees(west, east, south, north) {
            let path = if arc.users > 1 { &mut world.borders } else { &mut world.coast };
            for piece in scene.view.line(&arc.points) {
                path.line(&piece);
            }
        }
    }
    draw_waters(scene, detail, &mut world)?;
    Ok(world)
}

fn draw_waters(scene: &Scene<'_>, detail: Detail, world: &mut World) -> Result<(), Damaged> {
    let waters = atlas::waters(detail)?;
    for lake in waters.lakes.iter().filter(|lake| may_be_seen(scene, lake)) {
        for outline in scene.view.ring(lake) {
            world.lakes.smooth(&outline, true);
        }
    }
    for river in waters.rivers.iter().filter(|river| may_be_seen(scene, river)) {
        for piece in scene.view.line(river) {
            world.rivers.smooth(&piece, false);
        }
    }
    Ok(())
}

fn may_be_seen(scene: &Scene<'_>, points: &[Geo]) -> bool {
    let Bounds { west, east, south, north } = Bounds::of(points);
    // A ring that goes around the world reaches a pole.
    east - west > 350.0 || scene.view.sees(west, east, south, north)
}

fn area(dots: &[Dot]) -> f64 {
    let next = dots.iter().cycle().skip(1);
    let twice: f64 = dots.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
    twice.abs() / 2.0
}

/// Opens a group that holds everything on the map.
pub(super) fn draw(scene: &Scene<'_>, world: &World, svg: &mut String) -> Result<(), Damaged> {
    let Scene { look, prefix, view, .. } = scene;
    let (width, height) = (number(view.width), number(view.height));
    let sheet = view.world();
    let (left, top) = (number(sheet.left), number(sheet.top));
    let (across, down) = (number(sheet.right - sheet.left), number(sheet.bottom - sheet.top));
    let (x, y) = (scene.center_x(), scene.center_y());
    // Writing to a String does not fail.
    let _ = writeln!(svg, "<defs>");
    let _ = writeln!(
        svg,
        r##"<path id="{prefix}-land" fill-rule="evenodd" clip-rule="evenodd" d="{}"/>"##,
        world.land.d
    );
    let _ = writeln!(svg, r##"<path id="{prefix}-coast" d="{}"/>"##, world.coast.d);
    let _ = write!(svg, r#"<clipPath id="{prefix}-world">"#);
    let disc = format!(r#"<circle cx="{x}" cy="{y}" r="{}""#, number(view.radius()));
    let outline = if view.shows_horizon() {
        disc
    } else {
        format!(r#"<rect x="{left}" y="{top}" width="{across}" height="{down}""#)
    };
    let _ = writeln!(svg, "{outline}/></clipPath>");
    if look.shore == Shore::Hatched {
        let _ = writeln!(
            svg,
            r#"<pattern id="{prefix}-hatch" width="6" height="3" patternUnits="userSpaceOnUse"><path d="M0 1.5h6" stroke="{}" stroke-width=".7"/></pattern>"#,
            look.coast.colour
        );
    }
    let _ = writeln!(svg, "</defs>");
    let _ = writeln!(svg, r#"<rect width="{width}" height="{height}" fill="{}"/>"#, look.paper);
    let _ = writeln!(svg, r#"<g clip-path="url(#{prefix}-world)">"#);
    let _ = writeln!(
        svg,
        r#"<rect class="sea" width="{width}" height="{height}" fill="{}"/>"#,
        look.sea
    );
    draw_shore(scene, svg);
    match look.land {
        Land::Plain(colour) => {
            let _ = writeln!(svg, r##"<use href="#{prefix}-land" class="land" fill="{colour}"/>"##);
        }
        Land::Political(colours) => {
            for (path, colour) in
                world.fills.iter().zip(colours).filter(|(path, _)| !path.is_empty())
            {
                let _ = writeln!(
                    svg,
                    r#"<path class="land" fill-rule="evenodd" fill="{colour}" d="{}"/>"#,
                    path.d
                );
            }
        }
        Land::Picture(colours, plain) => {
            let _ = writeln!(svg, r##"<use href="#{prefix}-land" class="land" fill="{plain}"/>"##);
            relief::draw(scene, colours, svg)?;
        }
    }
    if !world.lakes.is_empty() {
        let _ = writeln!(
            svg,
            r#"<path class="lakes" fill-rule="evenodd" fill="{}" stroke="{}" stroke-width="{}" d="{}"/>"#,
            look.lake,
            look.coast.colour,
            number(look.coast.width * 0.5),
            world.lakes.d
        );
    }
    if let Some(river) = look.river {
        let river = Stroke {
            width: river.width * (0.7 + view.pixels_per_degree / 120.0).min(1.6),
            ..river
        };
        stroked("rivers", &world.rivers, &river, svg);
    }
    Ok(())
}

fn draw_shore(scene: &Scene<'_>, svg: &mut String) {
    let prefix = &scene.prefix;
    let mut coast = |colour: &str, width: f64, opacity: &str| {
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r##"<use href="#{prefix}-coast" class="shore" fill="none" stroke="{colour}" stroke-width="{}" stroke-opacity="{opacity}" stroke-linejoin="round"/>"##,
            number(width)
        );
    };
    match scene.look.shore {
        Shore::Plain => {}
        Shore::Hatched => {
            coast(&format!("url(#{prefix}-hatch)"), 20.0, ".45");
            coast(&format!("url(#{prefix}-hatch)"), 10.0, ".7");
        }
        Shore::Shelf(colour) => {
            for (width, opacity) in [(26.0, ".14"), (17.0, ".18"), (10.0, ".24"), (5.0, ".3")] {
                coast(colour, width, opacity);
            }
        }
    }
}

/// Borders and coast, above the graticule.
pub(super) fn draw_lines(scene: &Scene<'_>, world: &World, svg: &mut String) {
    if let Some(border) = &scene.look.border {
        stroked("borders", &world.borders, border, svg);
    }
    let Stroke { colour, width, .. } = scene.look.coast;
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r##"<use href="#{}-coast" class="coast" fill="none" stroke="{colour}" stroke-width="{}" stroke-linejoin="round"/>"##,
        scene.prefix,
        number(width)
    );
}

fn stroked(class: &str, path: &Path, stroke: &Stroke, svg: &mut String) {
    if path.is_empty() {
        return;
    }
    let dash = if stroke.dash.is_empty() {
        String::new()
    } else {
        format!(r#" stroke-dasharray="{}""#, stroke.dash)
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<path class="{class}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round" stroke-linecap="round"{dash} d="{}"/>"#,
        stroke.colour,
        number(stroke.width),
        path.d
    );
}

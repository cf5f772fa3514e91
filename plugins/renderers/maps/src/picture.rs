//! The picture, layer by layer: world, graticule, what the author put on it, names, furniture.

mod base;
mod furniture;
mod graticule;
mod names;
mod own;
mod places;
mod relief;
mod spans;

use super::atlas::Damaged;
use super::clip::Frame;
use super::fault::{Fault, Weight};
use super::labels::Board;
use super::request::{MapRequest, Wanted};
use super::style::{Land, Look, Style};
use super::svg::{escaped, number};
use super::view::{Projection, View};
use std::fmt::Write;

#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) warnings: Vec<Fault>,
    /// Every label that stands, with the boxes that it fills.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests see by it that no two labels overlap")
    )]
    pub(crate) labels: Vec<(String, Vec<Frame>)>,
}

/// What every layer needs.
struct Scene<'a> {
    request: &'a MapRequest,
    view: View,
    look: Look,
    /// Before every id, so that two maps on one page keep theirs apart.
    prefix: String,
}

pub(crate) fn draw(request: &MapRequest, width: u32, height: u32) -> Result<Drawing, Damaged> {
    let view = View::new(width, height, request.center, request.zoom, request.projection);
    let scene = Scene {
        request,
        look: request.style.look(request.dark),
        prefix: prefix(request, width, height),
        view,
    };
    let mut warnings = remarks(&scene);
    let world = base::world(&scene)?;
    let mut svg = String::with_capacity(256 * 1024);
    // Writing to a String does not fail.
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{}">"#,
        scene.look.font
    );
    let title = request.title.as_deref().unwrap_or("Map");
    let _ =
        writeln!(svg, "<title>{}</title>\n<desc>Map data: Natural Earth</desc>", escaped(title));
    base::draw(&scene, &world, &mut svg)?;
    graticule::draw(&scene, &mut svg);
    base::draw_lines(&scene, &world, &mut svg);
    let outside = own::draw(&scene, &mut svg);
    if outside > 0 {
        let what = if outside == 1 {
            "marker, route or region is"
        } else {
            "markers, routes and regions are"
        };
        warnings.push(Fault::warning(
            "outside",
            format!("{outside} {what} not to be seen in this part of the world"),
        ));
    }
    svg.push_str("</g>\n");
    let picture = Frame { left: 0.0, top: 0.0, right: scene.view.width, bottom: scene.view.height };
    let mut board = Board::new(picture.grown(-furniture::edge_width(&scene)));
    let mut furniture = String::new();
    furniture::draw(&scene, &mut board, &mut furniture);
    let left_out = names::write(&scene, &world, &mut board, &mut svg)?;
    svg.push_str(&board.svg);
    svg.push_str(&furniture);
    svg.push_str("</svg>\n");
    warnings.extend(left_out);
    Ok(Drawing { svg, width, height, warnings, labels: board.boxes })
}

/// What was drawn in another way than the author may expect.
fn remarks(scene: &Scene<'_>) -> Vec<Fault> {
    let Scene { request, view, .. } = scene;
    let mut remarks = Vec::new();
    if request.dark && !request.style.has_dark() {
        remarks.push(Fault::warning("theme", "only the styles standard and minimal come dark"));
    }
    let moved = (view.center.latitude - request.center.latitude).abs();
    if moved > 0.5 {
        let message = format!(
            "the world ends there: the middle of the picture is at latitude {:.1}; the projection `orthographic` shows the poles",
            view.center.latitude
        );
        let remark = Fault::warning("centre", message);
        // It is off the middle, but there.
        let weight =
            if view.point(request.center).is_some() { Weight::Note } else { Weight::Warning };
        remarks.push(Fault { weight, ..remark });
    }
    if request.projection == Wanted::Auto && view.projection == Projection::Orthographic {
        remarks.push(Fault::note(
            "projection",
            "this near to a pole the map is drawn as a globe (`orthographic`)",
        ));
    }
    if let Land::Picture(..) = scene.look.land {
        let what = match request.style {
            Style::Satellite => "not satellite imagery but a coarse copy of NASA's Blue Marble",
            _ => "relief from Natural Earth's shaded relief",
        };
        let blurred = if view.pixels_per_degree > 50.0 { ", blurred at this zoom" } else { "" };
        remarks.push(Fault::note(
            "imagery",
            format!("{what}, a quarter of a degree (about 28 km) a cell{blurred}"),
        ));
    }
    remarks
}

/// FNV-1a over what the picture is made from.
fn prefix(request: &MapRequest, width: u32, height: u32) -> String {
    let hash = format!("{request:?} {width} {height}")
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("map{hash:08x}")
}

impl Scene<'_> {
    fn center_x(&self) -> String {
        number(self.view.width / 2.0)
    }

    fn center_y(&self) -> String {
        number(self.view.height / 2.0)
    }
}

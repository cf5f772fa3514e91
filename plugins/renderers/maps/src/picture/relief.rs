//! Land in the colours of a picture, without a picture: squares of a few pixels, softened, cut to
//! the land. It renders wherever SVG does.

use super::super::atlas::{self, Colours, Damaged};
use super::super::clip::Dot;
use super::super::svg::number;
use super::Scene;
use std::collections::BTreeMap;
use std::fmt::Write;

const CELLS: f64 = 14_000.0;
const SMALLEST_CELL: f64 = 5.0;

pub(super) fn draw(scene: &Scene<'_>, colours: Colours, svg: &mut String) -> Result<(), Damaged> {
    let (width, height) = (scene.view.width, scene.view.height);
    let cell = (width * height / CELLS).sqrt().max(SMALLEST_CELL).ceil();
    let (columns, rows) = ((width / cell).ceil() as i32, (height / cell).ceil() as i32);
    let mut grid = atlas::grid(colours)?;
    // Two cells past the edge, so that softening finds colour there.
    let mut runs: BTreeMap<u32, String> = BTreeMap::new();
    for row in -2..rows + 2 {
        let mut run: Option<(u32, i32)> = None;
        for column in -2..=columns + 2 {
            let middle =
                Dot { x: (f64::from(column) + 0.5) * cell, y: (f64::from(row) + 0.5) * cell };
            let inside = column < columns + 2;
            let colour = scene.view.place(middle).filter(|_| inside).and_then(|at| grid.colour(at));
            let colour = colour.map(|rgb| reduced(toned(rgb, colours)));
            if run.map(|(colour, _)| colour) == colour {
                continue;
            }
            if let Some((colour, from)) = run {
                let length = column - from;
                // Writing to a String does not fail.
                let _ =
                    write!(runs.entry(colour).or_default(), "M{from} {row}h{length}v1h-{length}z");
            }
            run = colour.map(|colour| (colour, column));
        }
    }
    let prefix = &scene.prefix;
    let _ = writeln!(
        svg,
        r##"<clipPath id="{prefix}-land-only"><use href="#{prefix}-land" clip-rule="evenodd"/></clipPath>"##
    );
    let _ = writeln!(
        svg,
        r#"<filter id="{prefix}-soft" filterUnits="userSpaceOnUse" x="{edge}" y="{edge}" width="{}" height="{}"><feGaussianBlur stdDeviation="{}"/></filter>"#,
        number(width + cell * 4.0),
        number(height + cell * 4.0),
        number(cell * 0.45),
        edge = number(-cell * 2.0),
    );
    let _ = writeln!(
        svg,
        r#"<g clip-path="url(#{prefix}-land-only)"><g filter="url(#{prefix}-soft)">"#
    );
    let _ = writeln!(svg, r#"<g class="relief" transform="scale({})">"#, number(cell));
    for (colour, d) in &runs {
        let _ = writeln!(svg, r##"<path fill="#{colour:06x}" d="{d}"/>"##);
    }
    svg.push_str("</g></g></g>\n");
    Ok(())
}

/// Relief with more colour, imagery with more light: both come faint, for the pages of an atlas
/// and for the dark of a globe.
fn toned(rgb: [f64; 3], colours: Colours) -> [f64; 3] {
    match colours {
        Colours::Imagery => rgb.map(|part| 255.0 * (part / 255.0).max(0.0).powf(0.75)),
        Colours::Relief => {
            let grey = rgb.iter().sum::<f64>() / 3.0;
            rgb.map(|part| grey + (part - grey) * 1.5)
        }
    }
}

/// Six bits a part: few enough colours to share paths, too many to see a step.
fn reduced(colour: [f64; 3]) -> u32 {
    colour.iter().fold(0, |sum, part| {
        let part = (part.round().clamp(0.0, 255.0) as u32) & 0xfc;
        sum << 8 | part | part >> 6
    })
}

//! D2 to a drawing, in plain values. Knows nothing of the plugin's world.

use crate::fault::{Fault, Faults};
use crate::layout;
use crate::model::{Diagram, Direction};
use crate::{picture, source, statement};
use drawing::{Bounds, Pixels, Place, Size};

const MAX_SOURCE_BYTES: usize = 256 * 1024;

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    pub(crate) dark: bool,
    /// Where the source says none itself.
    pub(crate) direction: Option<&'a str>,
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
    pub(crate) warnings: Vec<Fault>,
}

/// Everything that can be said of `source` without drawing it.
#[must_use]
pub(crate) fn check(source: &str) -> Vec<Fault> {
    match read(source) {
        Ok((_, ignored)) => ignored,
        Err(faults) => faults.0,
    }
}

/// # Errors
/// Where the source does not parse, or has what the subset has not.
pub(crate) fn draw(source: &str, options: &Options<'_>) -> Result<Drawing, Faults> {
    let (diagram, warnings) = read(source)?;
    let direction = match options.direction {
        Some(word) => Direction::parse(word).ok_or_else(|| Fault::Option {
            name: "direction",
            value: word.chars().take(40).collect(),
            allowed: "down, up, right or left",
        })?,
        None => Direction::default(),
    };
    let direction =
        if diagram.direction == Direction::default() { direction } else { diagram.direction };
    let layout = layout::lay_out(&diagram, direction).map_err(Fault::Layout)?;
    let size = Size::new(layout.extent.width, layout.extent.height)
        .ok_or_else(|| Fault::Layout("it has no size".into()))?;
    let pixels = options.bounds.fit(size);
    let svg = picture::svg(&diagram, &layout, pixels, options.dark);
    Ok(Drawing { svg, pixels, warnings })
}

fn read(source: &str) -> Result<(Diagram, Vec<Fault>), Faults> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(Fault::Bound { what: "bytes", most: MAX_SOURCE_BYTES }.into());
    }
    let pieces = source::pieces(source)?;
    let (diagram, ignored) = statement::diagram(&pieces)?;
    if diagram.shapes.is_empty() {
        let place = Place { line: 1, column: 1 };
        let message = "there is no shape in the source".into();
        return Err(Fault::Syntax { place, message }.into());
    }
    Ok((diagram, ignored))
}

//! The options of a request, parsed once.

use crate::colour::Colour;
use crate::fault::Fault;
use drawing::Bounds;
use flyball_plugin::{RenderRequest, attribute};

const DEFAULT_FONT_PIXELS: f64 = 18.0;
const LIGHT: Colour = Colour::new(0xc9, 0xd1, 0xd9);
const BLACK: Colour = Colour::new(0, 0, 0);

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// A formula on a line of its own, rather than one in a line of text.
    pub(crate) display: bool,
    pub(crate) font_pixels: f64,
    pub(crate) colour: Colour,
    pub(crate) bounds: Bounds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            display: true,
            font_pixels: DEFAULT_FONT_PIXELS,
            colour: BLACK,
            bounds: Bounds::default(),
        }
    }
}

impl Options {
    /// # Errors
    /// Where an option has a value that it can't have.
    pub(crate) fn read(request: &RenderRequest) -> Result<Self, Fault> {
        let option = |name| attribute(&request.options, name);
        let dark = option("theme") == Some("dark");
        Ok(Self {
            display: option("displayMode").map_or(Ok(true), display)?,
            font_pixels: option("fontSize").map_or(Ok(DEFAULT_FONT_PIXELS), font_pixels)?,
            colour: match option("color") {
                Some(name) => colour(name)?,
                None if dark => LIGHT,
                None => BLACK,
            },
            bounds: Bounds { width: request.width, height: request.height },
        })
    }
}

fn display(value: &str) -> Result<bool, Fault> {
    value.parse().map_err(|_| refused("displayMode", value, "`true` or `false`"))
}

pub(crate) fn font_pixels(value: &str) -> Result<f64, Fault> {
    value
        .parse::<f64>()
        .ok()
        .filter(|pixels| (6.0..=200.0).contains(pixels))
        .ok_or_else(|| refused("fontSize", value, "pixels from 6 to 200"))
}

pub(crate) fn colour(value: &str) -> Result<Colour, Fault> {
    Colour::parse(value)
        .ok_or_else(|| refused("color", value, "#rgb, #rrggbb or the name of a CSS colour"))
}

fn refused(name: &'static str, value: &str, allowed: &'static str) -> Fault {
    Fault::Option { name, value: value.chars().take(40).collect(), allowed }
}

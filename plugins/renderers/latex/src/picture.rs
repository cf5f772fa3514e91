//! A list of things to draw, as SVG.

use crate::faces::{Faces, Files};
use crate::request::Options;
use drawing::{Pixels, Size};
use ratex_types::color::Color;
use ratex_types::display_item::{DisplayItem, DisplayList};
use ratex_types::path_command::PathCommand;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Of an em: room for the ink that a slanted letter has outside its box.
const MARGIN_EM: f64 = 0.1;
/// No line is thinner, or it would vanish on a screen.
const MIN_STROKE_PIXELS: f64 = 0.5;

#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
    /// Characters that no font has.
    pub(crate) missing: BTreeSet<char>,
}

impl Picture {
    /// `None` where the list has no size.
    pub(crate) fn of(list: &DisplayList, options: &Options, files: &Files) -> Option<Self> {
        let em = options.font_pixels;
        // A negative space alone has a width below nothing; its margins stay.
        let length = |ems: f64| (if ems < 0.0 { 0.0 } else { ems } + 2.0 * MARGIN_EM) * em;
        let size = Size::new(length(list.width), length(list.height + list.depth))?;
        let pixels = options.bounds.fit(size);
        // The body goes right behind its head: a copy of a large picture is a copy too many.
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {:.3} {:.3}\">",
            pixels.width,
            pixels.height,
            size.width(),
            size.height()
        );
        let margin = MARGIN_EM * em;
        let mut canvas =
            Canvas { faces: Faces::new(files), svg, em, margin, missing: BTreeSet::new() };
        list.items.iter().for_each(|item| canvas.draw(item));
        canvas.push("</svg>");
        let Canvas { svg, missing, .. } = canvas;
        Some(Self { svg, pixels, missing })
    }
}

/// Where a glyph stands.
#[derive(Clone, Copy)]
struct Pen {
    x: f64,
    y: f64,
    em: f64,
}

struct Canvas<'a> {
    faces: Faces<'a>,
    svg: String,
    em: f64,
    margin: f64,
    missing: BTreeSet<char>,
}

impl Canvas<'_> {
    fn draw(&mut self, item: &DisplayItem) {
        match item {
            DisplayItem::GlyphPath { x, y, scale, font, char_code, color } => {
                self.glyph(Pen { x: *x, y: *y, em: *scale }, font, *char_code, color);
            }
            DisplayItem::Line { x, y, width, thickness, color, dashed } => {
                let stroke = (thickness * self.em).max(MIN_STROKE_PIXELS);
                let dash = if *dashed {
                    format!(" stroke-dasharray=\"{:.3}\"", 4.0 * stroke)
                } else {
                    String::new()
                };
                let mut data = String::from("M");
                push_point(&mut data, self.pixels(*x), self.pixels(*y));
                data.push('L');
                push_point(&mut data, self.pixels(x + width), self.pixels(*y));
                self.push(&format!(
                    "<path fill=\"none\" stroke{} stroke-width=\"{stroke:.3}\"{dash} d=\"{data}\"/>",
                    paint(color, "stroke")
                ));
            }
            DisplayItem::Rect { x, y, width, height, color } => {
                let rect = format!(
                    "<rect fill{} x=\"{:.3}\" y=\"{:.3}\" width=\"{:.3}\" height=\"{:.3}\"/>",
                    paint(color, "fill"),
                    self.pixels(*x),
                    self.pixels(*y),
                    width * self.em,
                    height * self.em
                );
                self.push(&rect);
            }
            DisplayItem::Path { x, y, commands, fill, color } => {
                let data = self.path_data(*x, *y, commands);
                let how = if *fill {
                    format!("fill{}", paint(color, "fill"))
                } else {
                    let stroke = (0.04 * self.em).max(MIN_STROKE_PIXELS);
                    format!(
                        "fill=\"none\" stroke{} stroke-width=\"{stroke:.3}\"",
                        paint(color, "stroke")
                    )
                };
                self.push(&format!("<path {how} d=\"{data}\"/>"));
            }
        }
    }

    fn glyph(&mut self, at: Pen, font: &str, code: u32, color: &Color) {
        let id = ratex_font::FontId::parse(font).unwrap_or(ratex_font::FontId::MainRegular);
        let character = ratex_font::katex_ttf_glyph_char(id, code);
        let pen = Pen { x: self.pixels(at.x), y: self.pixels(at.y), em: at.em * self.em };
        match self.faces.glyph(font, character) {
            Some(glyph) if glyph.data.is_empty() => {}
            Some(glyph) => {
                // Fonts count upwards, pictures downwards.
                let scale = pen.em / glyph.units_per_em;
                // Writing to a string can't fail.
                let _infallible = write!(
                    self.svg,
                    "<path fill{} transform=\"matrix({scale:.6} 0 0 {:.6} {:.3} {:.3})\" d=\"{}\"/>",
                    paint(color, "fill"),
                    -scale,
                    pen.x,
                    pen.y,
                    glyph.data
                );
            }
            None => {
                self.missing.insert(char::from_u32(code).unwrap_or('\u{fffd}'));
                self.push(&empty_box(pen, color));
            }
        }
    }

    fn path_data(&self, x: f64, y: f64, commands: &[PathCommand]) -> String {
        let mut data = String::new();
        let point = |data: &mut String, to_x: f64, to_y: f64| {
            push_point(data, self.pixels(x + to_x), self.pixels(y + to_y));
        };
        for command in commands {
            match *command {
                PathCommand::MoveTo { x, y } => {
                    data.push('M');
                    point(&mut data, x, y);
                }
                PathCommand::LineTo { x, y } => {
                    data.push('L');
                    point(&mut data, x, y);
                }
                PathCommand::QuadTo { x1, y1, x, y } => {
                    data.push('Q');
                    point(&mut data, x1, y1);
                    point(&mut data, x, y);
                }
                PathCommand::CubicTo { x1, y1, x2, y2, x, y } => {
                    data.push('C');
                    point(&mut data, x1, y1);
                    point(&mut data, x2, y2);
                    point(&mut data, x, y);
                }
                PathCommand::Close => data.push('Z'),
            }
        }
        data
    }

    /// Ems of the layout in pixels of the picture.
    fn pixels(&self, ems: f64) -> f64 {
        ems * self.em + self.margin
    }

    fn push(&mut self, element: &str) {
        self.svg.push_str(element);
    }
}

fn empty_box(pen: Pen, color: &Color) -> String {
    format!(
        "<rect fill=\"none\" stroke{} stroke-width=\"{:.3}\" x=\"{:.3}\" y=\"{:.3}\" \
         width=\"{:.3}\" height=\"{:.3}\"/>",
        paint(color, "stroke"),
        (0.04 * pen.em).max(MIN_STROKE_PIXELS),
        pen.x + 0.06 * pen.em,
        pen.y - 0.68 * pen.em,
        0.38 * pen.em,
        0.68 * pen.em
    )
}

/// What stands behind `fill` or `stroke`: the colour, and how much of it where it lets the
/// ground through.
fn paint(color: &Color, of: &str) -> String {
    let byte = |share: f32| (share.clamp(0.0, 1.0) * 255.0).round() as u8;
    let mut paint =
        format!("=\"#{:02x}{:02x}{:02x}\"", byte(color.r), byte(color.g), byte(color.b));
    if color.a < 1.0 {
        // Writing to a string can't fail.
        let _infallible = write!(paint, " {of}-opacity=\"{:.3}\"", color.a.max(0.0));
    }
    paint
}

/// A thousandth of a pixel is finer than any screen.
fn push_point(data: &mut String, x: f64, y: f64) {
    for number in [x, y] {
        let start = data.len();
        // Writing to a string can't fail.
        let _infallible = write!(data, " {number:.3}");
        while data.len() > start && data.ends_with('0') {
            data.pop();
        }
        if data.ends_with('.') {
            data.pop();
        }
    }
}

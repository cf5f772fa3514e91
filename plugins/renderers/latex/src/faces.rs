//! KaTeX' fonts, each parsed once for a picture.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use ttf_parser::{Face, OutlineBuilder};

/// Every font, named as the layout names it.
const NAMES: [&str; 20] = [
    "AMS-Regular",
    "Caligraphic-Bold",
    "Caligraphic-Regular",
    "Fraktur-Bold",
    "Fraktur-Regular",
    "Main-Bold",
    "Main-BoldItalic",
    "Main-Italic",
    "Main-Regular",
    "Math-BoldItalic",
    "Math-Italic",
    "SansSerif-Bold",
    "SansSerif-Italic",
    "SansSerif-Regular",
    "Script-Regular",
    "Size1-Regular",
    "Size2-Regular",
    "Size3-Regular",
    "Size4-Regular",
    "Typewriter-Regular",
];

/// Where a font has no glyph, these are asked in turn.
const SUBSTITUTES: [&str; 2] = ["Main-Regular", "AMS-Regular"];

/// The files, which the faces borrow from.
#[derive(Debug)]
pub(crate) struct Files(Vec<(&'static str, Cow<'static, [u8]>)>);

impl Files {
    pub(crate) fn load() -> Self {
        let file = |name: &'static str| {
            let bytes = ratex_katex_fonts::ttf_bytes(&format!("KaTeX_{name}.ttf"))?;
            Some((name, bytes))
        };
        Self(NAMES.into_iter().filter_map(file).collect())
    }
}

/// The faces that a picture has needed so far.
#[derive(Debug)]
pub(crate) struct Faces<'a> {
    files: &'a Files,
    parsed: HashMap<&'static str, Face<'a>>,
}

/// Where a glyph stands, in pixels of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Pixels an em.
    pub(crate) em: f64,
}

impl<'a> Faces<'a> {
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, parsed: HashMap::new() }
    }

    /// The outline of `character` as the data of a path; empty for a space. `None` where no
    /// font has it.
    pub(crate) fn outline(&mut self, font: &str, character: char, pen: Pen) -> Option<String> {
        if character.is_whitespace() {
            return Some(String::new());
        }
        std::iter::once(font).chain(SUBSTITUTES).find_map(|name| {
            let face = self.face(name)?;
            let glyph = face.glyph_index(character)?;
            let scale = pen.em / f64::from(face.units_per_em());
            let mut outline = Outline { data: String::new(), x: pen.x, y: pen.y, scale };
            // A glyph without ink, such as a thin space, has no outline.
            face.outline_glyph(glyph, &mut outline);
            Some(outline.data)
        })
    }

    fn face(&mut self, name: &str) -> Option<&Face<'a>> {
        let (name, bytes) = self.files.0.iter().find(|(known, _)| *known == name)?;
        if !self.parsed.contains_key(name) {
            self.parsed.insert(name, Face::parse(bytes, 0).ok()?);
        }
        self.parsed.get(name)
    }
}

struct Outline {
    data: String,
    x: f64,
    y: f64,
    scale: f64,
}

impl Outline {
    /// Fonts count upwards, pictures downwards.
    fn point(&mut self, x: f32, y: f32) {
        let x = self.x + f64::from(x) * self.scale;
        let y = self.y - f64::from(y) * self.scale;
        push_point(&mut self.data, x, y);
    }
}

/// A thousandth of a pixel is finer than any screen.
pub(crate) fn push_point(data: &mut String, x: f64, y: f64) {
    push_number(data, x);
    push_number(data, y);
}

fn push_number(data: &mut String, number: f64) {
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

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.data.push('M');
        self.point(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.data.push('L');
        self.point(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.data.push('Q');
        self.point(x1, y1);
        self.point(x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.data.push('C');
        self.point(x1, y1);
        self.point(x2, y2);
        self.point(x, y);
    }

    fn close(&mut self) {
        self.data.push('Z');
    }
}

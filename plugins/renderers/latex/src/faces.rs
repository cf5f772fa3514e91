//! KaTeX' fonts, each parsed once for a picture.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;
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

/// The faces and outlines that a picture has needed so far.
#[derive(Debug)]
pub(crate) struct Faces<'a> {
    files: &'a Files,
    parsed: HashMap<&'static str, Face<'a>>,
    outlined: HashMap<(String, char), Option<Glyph>>,
}

/// A glyph in its font's own units, counted upwards.
#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    /// The data of a path; empty for a space.
    pub(crate) data: Rc<str>,
    pub(crate) units_per_em: f64,
}

impl<'a> Faces<'a> {
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, parsed: HashMap::new(), outlined: HashMap::new() }
    }

    /// `None` where no font has the character.
    pub(crate) fn glyph(&mut self, font: &str, character: char) -> Option<Glyph> {
        let key = (font.to_owned(), character);
        if let Some(known) = self.outlined.get(&key) {
            return known.clone();
        }
        let glyph = self.outline(font, character);
        self.outlined.insert(key, glyph.clone());
        glyph
    }

    fn outline(&mut self, font: &str, character: char) -> Option<Glyph> {
        if character.is_whitespace() {
            return Some(Glyph { data: "".into(), units_per_em: 1.0 });
        }
        std::iter::once(font).chain(SUBSTITUTES).find_map(|name| {
            let face = self.face(name)?;
            let glyph = face.glyph_index(character)?;
            let mut outline = Outline::default();
            // A glyph without ink, such as a thin space, has no outline.
            face.outline_glyph(glyph, &mut outline);
            let units_per_em = f64::from(face.units_per_em());
            Some(Glyph { data: outline.data.into(), units_per_em })
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

#[derive(Default)]
struct Outline {
    data: String,
}

impl Outline {
    fn push(&mut self, command: char, points: &[(f32, f32)]) {
        self.data.push(command);
        for (x, y) in points {
            let gap = if self.data.ends_with(command) { "" } else { " " };
            // Writing to a string can't fail. KaTeX' outlines stand on whole units.
            let _infallible = write!(self.data, "{gap}{x:.0} {y:.0}");
        }
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.push('M', &[(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push('L', &[(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.push('Q', &[(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.push('C', &[(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.data.push('Z');
    }
}

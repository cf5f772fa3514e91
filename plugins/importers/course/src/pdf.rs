//! The text of a PDF file: its words in the order in which they are drawn.
//!
//! Fonts, encodings and streams are `hayro`'s; here its glyphs become words. A gap of more
//! than a tenth of the type's size parts two words, another base line parts two lines, and a
//! wide step down parts two paragraphs. A word that is broken at a line's end is joined again, as
//! poppler's `pdftotext` does it; other hyphens stay.

use crate::fault::{Fault, Hostility};
use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, interpret_page,
};
use std::io::{BufRead as _, Read as _};

const MAX_PAGES: usize = 2_000;
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// What one stream of a file may inflate to, pictures left aside: they are not looked at.
const MAX_STREAM_BYTES: u64 = 24 * 1024 * 1024;
const MAX_STREAMS_BYTES: u64 = 256 * 1024 * 1024;
/// How far before its stream a dictionary begins.
const DICTIONARY_BYTES: usize = 1_024;
/// Parts of the type's size.
const WORD_GAP: f64 = 0.1;
const LINE_STEP: f64 = 0.5;
const PARAGRAPH_STEP: f64 = 1.7;
/// What a glyph is taken to be wide where its font does not say.
const UNKNOWN_ADVANCE: f64 = 500.0;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub paragraphs: Vec<String>,
    pub pages: usize,
    /// There was more than is kept.
    pub is_cut: bool,
}

/// # Errors
/// Where it is no PDF, or one that asks for a password.
pub fn text(entry: &str, bytes: Vec<u8>) -> Result<Text, Fault> {
    refuse_bombs(entry, &bytes)?;
    let pdf = Pdf::new(bytes).map_err(|error| Fault::Damaged {
        entry: entry.to_owned(),
        message: format!("it is no readable PDF: {error:?}"),
    })?;
    let cache = InterpreterCache::new();
    let mut words = Words::default();
    let pages = pdf.pages();
    for page in pages.iter().take(MAX_PAGES) {
        let settings = InterpreterSettings::default();
        let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
        let mut context = Context::new(Affine::IDENTITY, bounds, &cache, pdf.xref(), settings);
        interpret_page(page, &mut context, &mut words);
        words.end_page();
    }
    words.is_cut |= pages.len() > MAX_PAGES;
    Ok(Text { pages: pages.len(), is_cut: words.is_cut, paragraphs: words.finish() })
}

/// Inflates every stream once, keeping nothing: what unpacks them later has no bound.
fn refuse_bombs(entry: &str, bytes: &[u8]) -> Result<(), Fault> {
    let hostile = |why| Fault::Hostile { entry: entry.to_owned(), why };
    let mut total = 0;
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b"stream") {
        let begin = at + found;
        at = begin + b"stream".len();
        let dictionary = &bytes[begin.saturating_sub(DICTIONARY_BYTES)..begin];
        let own = find_last(dictionary, b"obj").map_or(dictionary, |from| &dictionary[from..]);
        if dictionary.ends_with(b"end") || find(own, b"/Image").is_some() {
            continue;
        }
        let data = bytes[at..].trim_ascii_start();
        let inflated = inflated_bytes(data);
        total += inflated;
        if inflated > MAX_STREAM_BYTES {
            return Err(hostile(Hostility::EntryBytes { max: MAX_STREAM_BYTES }));
        }
        if total > MAX_STREAMS_BYTES {
            return Err(hostile(Hostility::TotalBytes { max: MAX_STREAMS_BYTES }));
        }
    }
    Ok(())
}

/// How much it inflates to, as far as the bound; nothing where it is not packed.
fn inflated_bytes(data: &[u8]) -> u64 {
    let [first, second, ..] = data else { return 0 };
    let is_zlib = first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0;
    if !is_zlib {
        return 0;
    }
    let inflater = flate2::read::ZlibDecoder::new(data).take(MAX_STREAM_BYTES + 1);
    let mut inflater = std::io::BufReader::with_capacity(64 * 1024, inflater);
    let mut inflated = 0;
    while let Ok(buffer) = inflater.fill_buf() {
        let length = buffer.len();
        if length == 0 {
            break;
        }
        inflated += length as u64;
        inflater.consume(length);
    }
    inflated
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(word) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn find_last(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|window| window == word)
}

/// Where the last glyph stood and ended.
#[derive(Clone, Copy, Debug)]
struct Place {
    end: Point,
    along: Vec2,
    size: f64,
}

#[derive(Debug, Default)]
struct Words {
    paragraphs: Vec<String>,
    /// The paragraph that is open.
    text: String,
    last: Option<Place>,
    /// The beginning of the last run, because outlined text is drawn twice.
    run: Option<Point>,
    bytes: usize,
    is_cut: bool,
}

impl Words {
    fn glyph(&mut self, text: &str, origin: Point, along: Vec2, size: f64, advance: f64) {
        let place = Place { end: origin + along * advance, along, size };
        match self.last {
            Some(last) => {
                let step = origin - last.end;
                let across = Vec2::new(-along.y, along.x).dot(step);
                let gap = along.dot(step);
                let scale = size.max(last.size);
                let turned = along.dot(last.along) < 0.9;
                if turned || across.abs() > LINE_STEP * scale {
                    let is_paragraph = turned || across.abs() > PARAGRAPH_STEP * scale;
                    if is_paragraph {
                        self.end_paragraph();
                    } else if !self.joins(text) {
                        self.blank();
                    }
                } else if gap > WORD_GAP * scale || gap < -scale {
                    self.blank();
                }
            }
            // A page goes on with the sentence that the one before began.
            None if self.text.trim_end().ends_with(['.', '?', '!', ':']) => self.end_paragraph(),
            None => self.blank(),
        }
        self.last = Some(place);
        if self.bytes + text.len() > MAX_TEXT_BYTES {
            self.is_cut = true;
        } else {
            self.bytes += text.len();
            self.text.push_str(text);
        }
    }

    /// Does the next line go on with the word that this one breaks? Its hyphen goes then, but
    /// for a name such as `Navier-Stokes`.
    fn joins(&mut self, next: &str) -> bool {
        let broken = self.text.strip_suffix('-').filter(|text| text.ends_with(char::is_alphabetic));
        let Some(length) = broken.map(str::len) else { return false };
        if !next.starts_with(char::is_uppercase) {
            self.text.truncate(length);
        }
        true
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn end_paragraph(&mut self) {
        let text = crate::text::squeezed(&std::mem::take(&mut self.text));
        if !text.is_empty() {
            self.paragraphs.push(text);
        }
    }

    const fn end_page(&mut self) {
        self.last = None;
        self.run = None;
    }

    fn finish(mut self) -> Vec<String> {
        self.end_paragraph();
        self.paragraphs
    }
}

impl Device<'_> for Words {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        let place = |transform: Affine| (props.transform * transform) * Point::ZERO;
        let begin = run.glyphs().first().map(|glyph| place(glyph.transform()));
        if matches!(mode, DrawMode::Stroke(_)) && begin.is_some() && begin == self.run {
            return;
        }
        self.run = begin;
        for glyph in run.glyphs() {
            let transform = props.transform * glyph.transform();
            let origin = transform * Point::ZERO;
            let size = (transform * Point::new(0.0, 1000.0) - origin).hypot();
            let right = transform * Point::new(1000.0, 0.0) - origin;
            if !(size.is_finite() && size > 0.0 && right.hypot() > 0.0) {
                continue;
            }
            let along = right / right.hypot();
            let advance = match &**glyph {
                hayro_interpret::font::Glyph::Outline(outline) => outline.advance_width(),
                hayro_interpret::font::Glyph::Type3(drawn) => drawn.advance_width(),
            };
            let advance = advance.map_or(UNKNOWN_ADVANCE, f64::from) / 1000.0 * size;
            match glyph.as_unicode() {
                Some(BfString::Char(c)) => {
                    let mut room = [0; 4];
                    self.glyph(c.encode_utf8(&mut room), origin, along, size, advance);
                }
                Some(BfString::String(text)) => self.glyph(&text, origin, along, size, advance),
                // A glyph that stands for no character, such as a drawn bullet.
                None => {}
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use packages::prose::{Dice, paragraph};
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn words(text: &str) -> Vec<String> {
        let plain = text.replace('ﬁ', "fi").replace('ﬂ', "fl");
        plain.split_whitespace().map(str::to_owned).collect()
    }

    fn extracted(bytes: Vec<u8>) -> Vec<String> {
        words(&text("t.pdf", bytes).unwrap().paragraphs.join(" "))
    }

    fn sample(seed: u64) -> packages::pdf::Pdf {
        let mut dice = Dice::new(seed);
        let paragraphs: Vec<String> = (0..12).map(|_| paragraph(&mut dice, 6)).collect();
        packages::pdf::typeset("The first flow of (steam)", &paragraphs, seed)
    }

    /// The words that poppler finds; `None` where it is not installed.
    fn by_poppler(bytes: &[u8]) -> Option<Vec<String>> {
        let mut child = Command::new("pdftotext")
            .args(["-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(bytes).ok()?;
        let out = child.wait_with_output().ok()?;
        Some(words(&String::from_utf8_lossy(&out.stdout)))
    }

    #[test]
    fn the_words_of_a_pdf_come_out_as_they_were_set() {
        for seed in 0..20 {
            let pdf = sample(seed);
            assert_eq!(extracted(pdf.bytes), pdf.words, "seed {seed}");
        }
    }

    #[test]
    fn the_words_are_those_that_poppler_finds() {
        for seed in 0..20 {
            let pdf = sample(seed);
            // Machines without poppler-utils have the test above.
            let Some(expected) = by_poppler(&pdf.bytes) else { return };
            assert_eq!(extracted(pdf.bytes), expected, "seed {seed}");
        }
    }

    #[test]
    fn paragraphs_are_kept_apart_and_pages_are_counted() {
        let text = text("t.pdf", sample(3).bytes).unwrap();
        assert!(text.pages > 1 && text.paragraphs.len() > 6, "{text:?}");
        assert!(!text.is_cut);
    }

    #[test]
    fn a_stream_that_is_a_bomb_is_refused_before_it_is_kept() {
        let stream = packages::pdf::stream(&vec![b' '; 80 * 1024 * 1024]);
        let mut bytes = b"%PDF-1.5\n1 0 obj\n".to_vec();
        bytes.extend_from_slice(&stream);
        bytes.extend_from_slice(b"\nendobj\n");
        let why = Hostility::EntryBytes { max: MAX_STREAM_BYTES };
        let refused = Fault::Hostile { entry: "b.pdf".into(), why };
        assert_eq!(text("b.pdf", bytes), Err(refused));
    }

    #[test]
    fn what_is_no_pdf_is_damaged() {
        for bytes in [&b""[..], b"%PDF-1.5\n", b"text"] {
            assert!(matches!(text("t.pdf", bytes.to_vec()), Err(Fault::Damaged { .. })));
        }
    }
}

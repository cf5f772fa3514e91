//! SVG to PNG. Nothing outside the drawing is read, no file and no picture within it.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, ID, Query, Stretch, Style, Weight};
use resvg::usvg::{Font, FontFamily, FontStyle, ImageHrefResolver, Options, Tree};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Pixels of the largest picture: 64 MiB while it is drawn.
pub const MAX_PIXELS: u64 = 16 * 1024 * 1024;
/// Where Debian's packages put fonts that have the metrics of the common ones.
pub const FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/truetype/liberation2",
    "/usr/share/fonts/truetype/dejavu",
];
const SANS: [&str; 2] = ["Liberation Sans", "DejaVu Sans"];
const SERIF: [&str; 2] = ["Liberation Serif", "DejaVu Serif"];
const MONO: [&str; 2] = ["Liberation Mono", "DejaVu Sans Mono"];

#[derive(Debug, Error)]
pub enum DrawError {
    #[error("it is no SVG: {0}")]
    Svg(#[from] resvg::usvg::Error),
    #[error("it has {width} x {height} pixels, at most {MAX_PIXELS} in all are drawn")]
    Size { width: u64, height: u64 },
    #[error(
        "it has text, and no folder of `[media] fonts` has a font: on Debian, install fonts-liberation"
    )]
    Fonts,
    #[error("the picture can't be written: {0}")]
    Png(String),
}

/// Fonts of the folders, and what the common names stand for.
#[must_use]
pub fn fonts(folders: &[PathBuf]) -> Database {
    let mut fonts = Database::new();
    for file in folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten()) {
        let path = file.map(|file| file.path()).unwrap_or_default();
        let is_font = path.extension().is_some_and(|kind| kind == "ttf" || kind == "otf");
        // A folder that is not there, or a font that can't be read, is one font less.
        if let Some(bytes) = is_font.then(|| std::fs::read(&path).ok()).flatten() {
            fonts.load_font_data(bytes);
        }
    }
    let there = |names: [&'static str; 2]| {
        let is_there = |name: &&str| {
            fonts.faces().any(|face| face.families.iter().any(|(own, _)| own == *name))
        };
        names.into_iter().find(is_there).unwrap_or(names[0])
    };
    let (sans, serif, mono) = (there(SANS), there(SERIF), there(MONO));
    fonts.set_sans_serif_family(sans);
    fonts.set_serif_family(serif);
    fonts.set_monospace_family(mono);
    fonts
}

/// What a drawing calls a font that nobody may ship, by its look.
fn generic(name: &str) -> Family<'static> {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is(&["mono", "courier", "consol", "menlo", "code"]) {
        Family::Monospace
    } else if is(&["times", "serif", "georgia", "garamond", "roman", "palatino"]) && !is(&["sans"])
    {
        Family::Serif
    } else {
        Family::SansSerif
    }
}

/// The face for a text: one of those that it names, else the one that looks most like them.
fn face(font: &Font, fonts: &Database) -> Option<ID> {
    let mut families: Vec<Family<'_>> = font
        .families()
        .iter()
        .map(|family| match family {
            FontFamily::Serif => Family::Serif,
            FontFamily::Monospace => Family::Monospace,
            FontFamily::Named(name) => Family::Name(name),
            FontFamily::SansSerif | FontFamily::Cursive | FontFamily::Fantasy => Family::SansSerif,
        })
        .collect();
    let named = families.iter().find_map(|family| match family {
        Family::Name(name) => Some(generic(name)),
        _ => None,
    });
    families.push(named.unwrap_or(Family::SansSerif));
    let style = match font.style() {
        FontStyle::Normal => Style::Normal,
        FontStyle::Italic => Style::Italic,
        FontStyle::Oblique => Style::Oblique,
    };
    let (weight, stretch) = (Weight(font.weight()), Stretch::Normal);
    fonts.query(&Query { families: &families, weight, stretch, style })
}

/// The drawing in its own size, as a PNG.
///
/// # Errors
/// Where it is none or is too large.
pub fn png(svg: &[u8], fonts: Database) -> Result<Vec<u8>, DrawError> {
    let has_text = svg.windows(5).any(|bytes| bytes == b"<text");
    if has_text && fonts.is_empty() {
        return Err(DrawError::Fonts);
    }
    let mut options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    options.font_family = options.fontdb.family_name(&Family::SansSerif).into();
    options.image_href_resolver = ImageHrefResolver {
        resolve_data: Box::new(|_, _, _| None),
        resolve_string: Box::new(|_, _| None),
    };
    options.font_resolver.select_font = Box::new(|font, fonts| face(font, fonts));
    let tree = Tree::from_data(svg, &options)?;
    let size = tree.size().to_int_size();
    let (width, height) = (u64::from(size.width()), u64::from(size.height()));
    let pixmap = (width * height <= MAX_PIXELS).then(|| Pixmap::new(size.width(), size.height()));
    let mut pixmap = pixmap.flatten().ok_or(DrawError::Size { width, height })?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|error| DrawError::Png(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(svg: &str) -> Result<Vec<u8>, DrawError> {
        png(svg.as_bytes(), fonts(&FONTS.map(PathBuf::from)))
    }

    fn svg(inside: &str) -> String {
        format!("<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>{inside}</svg>")
    }

    #[test]
    fn a_drawing_becomes_a_png_of_its_own_size() {
        let picture = drawn(&svg("<rect width='10' height='10' fill='red'/>")).unwrap();
        let pixels = Pixmap::decode_png(&picture).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (40, 20));
        let red = pixels.pixel(5, 5).unwrap();
        assert_eq!((red.red(), red.green(), red.alpha()), (255, 0, 255));
        assert_eq!(pixels.pixel(30, 15).unwrap().alpha(), 0);
    }

    #[test]
    fn a_text_is_drawn_whatever_its_font_is_called() {
        for family in ["Helvetica", "Times New Roman", "Courier", "trebuchet ms", ""] {
            let text = format!("<text x='2' y='15' font-family='{family}'>Hmm</text>");
            let pixels = Pixmap::decode_png(&drawn(&svg(&text)).unwrap()).unwrap();
            assert!(pixels.pixels().iter().any(|pixel| pixel.alpha() > 0), "{family}");
        }
    }

    #[test]
    fn without_a_font_a_text_is_refused_rather_than_left_out() {
        let text = svg("<text x='2' y='15'>Hm</text>");
        assert!(matches!(png(text.as_bytes(), fonts(&[])), Err(DrawError::Fonts)));
        assert!(png(svg("<g/>").as_bytes(), fonts(&[])).is_ok());
    }

    #[test]
    fn no_file_is_read_and_a_huge_drawing_is_refused() {
        let picture = drawn(&svg("<image width='9' height='9' href='/etc/passwd'/>")).unwrap();
        let pixels = Pixmap::decode_png(&picture).unwrap();
        assert!(pixels.pixels().iter().all(|pixel| pixel.alpha() == 0));
        let huge = "<svg xmlns='http://www.w3.org/2000/svg' width='99999' height='99999'/>";
        assert!(matches!(drawn(huge), Err(DrawError::Size { .. })));
        assert!(matches!(drawn("<p>"), Err(DrawError::Svg(_))));
    }
}

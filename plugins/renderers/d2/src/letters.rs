//! How wide a text is, by the metrics that Helvetica, Arial and Liberation Sans share.

/// Of a thousandth of the font's size, from the space to the tilde.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

pub(crate) const LINE_HEIGHT: f64 = 1.25;

/// The width of the widest line and the height of all, in pixels.
#[must_use]
pub(crate) fn extent(text: &str, font_pixels: f64, bold: bool) -> (f64, f64) {
    let widest = text.lines().map(|line| width(line, font_pixels)).fold(0.0, f64::max);
    let lines = text.lines().count() as f64;
    let stretch = if bold { 1.08 } else { 1.0 };
    (widest * stretch, lines * LINE_HEIGHT * font_pixels)
}

fn width(line: &str, font_pixels: f64) -> f64 {
    let thousandths: f64 = line.chars().map(letter).map(f64::from).sum();
    thousandths * font_pixels / 1000.0
}

fn letter(letter: char) -> u16 {
    let index = u32::from(letter).checked_sub(32).and_then(|index| usize::try_from(index).ok());
    match index.and_then(|index| WIDTHS.get(index)) {
        Some(width) => *width,
        // Scripts of east Asia and pictographs fill a square.
        None if u32::from(letter) >= 0x1100 => 1000,
        None => 600,
    }
}

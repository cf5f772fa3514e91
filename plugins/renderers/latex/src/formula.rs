//! LaTeX to a drawing, in plain values. Knows nothing of the plugin's world.

mod advice;
mod shades;

use crate::faces::Files;
use crate::fault::Fault;
use crate::picture;
use crate::request::Options;
use drawing::Pixels;
use ratex_layout::LayoutOptions;
use ratex_parser::{ParseNode, Parser};
use ratex_types::display_item::DisplayList;
use ratex_types::math_style::MathStyle;
use std::fmt::Write as _;

/// A page of formulas has a few thousand. As many single letters are drawn in 64 MiB.
pub(crate) const MAX_SOURCE_BYTES: usize = 16 * 1024;
/// Two for a letter, which macros can make of few bytes.
const MAX_RECORDS: usize = 40_000;

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
    pub(crate) warnings: Vec<Fault>,
}

/// Everything that can be said of `source` without asking for a picture.
#[must_use]
pub(crate) fn check(source: &str) -> Vec<Fault> {
    match draw(source, &Options::default()) {
        Ok(drawing) => drawing.warnings,
        Err(fault) => vec![fault],
    }
}

/// # Errors
/// Where the source does not parse or is too large to draw.
pub(crate) fn draw(source: &str, options: &Options) -> Result<Drawing, Fault> {
    let nodes = parse(source)?;
    let list = lay_out(&nodes, options)?;
    let files = Files::load();
    let picture = picture::Picture::of(&list, options, &files)
        .ok_or_else(|| Fault::Work("its size is no number".into()))?;
    Ok(Drawing {
        svg: picture.svg,
        pixels: picture.pixels,
        warnings: picture.missing.into_iter().map(Fault::MissingGlyph).collect(),
    })
}

fn parse(source: &str) -> Result<Vec<ParseNode>, Fault> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(Fault::Length { bytes: source.len(), most: MAX_SOURCE_BYTES });
    }
    if source.trim().is_empty() {
        return Err(Fault::Syntax {
            place: Some(drawing::Place { line: 1, column: 1 }),
            message: "there is no formula in the source".into(),
        });
    }
    let (inside, before) = formula_in(source);
    let mut parser = Parser::new(inside);
    shades::teach(&mut parser.gullet);
    let nodes = parser.parse().map_err(|mut error| {
        if let Some(place) = &mut error.loc {
            place.start += before;
            place.end += before;
        }
        advice::fault(&error, source)
    })?;
    if Records::are_few_in(&nodes) {
        Ok(nodes)
    } else {
        Err(Fault::Work("its macros make more of it than fits into memory".into()))
    }
}

/// What stands between dollars, where the whole source does: the parser is in mathematics already.
/// With it, how many bytes stand before.
fn formula_in(source: &str) -> (&str, usize) {
    let trimmed = source.trim_end();
    let inside = trimmed.trim_start();
    let between = |mark: &str| {
        let long_enough = inside.len() >= 2 * mark.len();
        long_enough.then(|| inside.strip_prefix(mark)?.strip_suffix(mark)).flatten()
    };
    let Some((mark, formula)) =
        ["$$", "$"].into_iter().find_map(|mark| between(mark).map(|formula| (mark, formula)))
    else {
        return (inside, trimmed.len() - inside.len());
    };
    let kept = formula.trim_start();
    let before = trimmed.len() - inside.len() + mark.len() + formula.len() - kept.len();
    (kept.trim_end(), before)
}

/// Counts the records of a parsed formula in what it prints of itself, up to the bound: the
/// tree has a hundred kinds of nodes and no other walk over all of them.
struct Records(usize);

impl Records {
    fn are_few_in(nodes: &[ParseNode]) -> bool {
        write!(Self(0), "{nodes:?}").is_ok()
    }
}

impl std::fmt::Write for Records {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.matches('{').count();
        if self.0 > MAX_RECORDS { Err(std::fmt::Error) } else { Ok(()) }
    }
}

fn lay_out(nodes: &[ParseNode], options: &Options) -> Result<DisplayList, Fault> {
    let style = if options.display { MathStyle::Display } else { MathStyle::Text };
    let layout = LayoutOptions::default().with_style(style).with_color(options.colour.of_layout());
    let root = ratex_layout::layout(nodes, &layout);
    ratex_layout::validate_layout(&root).map_err(Fault::Work)?;
    Ok(ratex_layout::to_display_list(&root))
}

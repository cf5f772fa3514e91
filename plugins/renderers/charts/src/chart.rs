//! JSON to a drawing, in plain values. Knows nothing of the plugin's world.

use crate::fault::Fault;
use crate::{json, kinds};
use drawing::{Bounds, MAX_PIXELS, Pixels, Place, Root};
use serde_json::{Map, Value};

const MAX_SOURCE_BYTES: usize = 1024 * 1024;
/// Of one array of series, as many as colours can still be told apart.
pub(crate) const MAX_SERIES: usize = 100;
/// Numbers and texts in all.
pub(crate) const MAX_VALUES: usize = 20_000;

/// The library measures by its own font; where that is not installed, a like one is shown.
const FONTS: (&str, &str) = (
    "font-family=\"Roboto\"",
    "font-family=\"Roboto, Liberation Sans, Arial, Helvetica, sans-serif\"",
);

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    pub(crate) theme: Option<&'a str>,
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
}

/// The library's names of themes, and the product's for the first of them.
#[must_use]
pub(crate) fn themes() -> Vec<String> {
    let mut names = charts_rs::list_theme_name();
    names.sort_unstable();
    names.insert(0, "default".into());
    names
}

/// Everything that can be said of `source` without asking for a picture.
#[must_use]
pub(crate) fn check(source: &str) -> Option<Fault> {
    draw(source, &Options::default()).err()
}

/// # Errors
/// Where the source is no chart.
pub(crate) fn draw(source: &str, options: &Options<'_>) -> Result<Drawing, Fault> {
    let mut fields = parse(source)?;
    let name = kind(&fields, source)?;
    let draw = kinds::find(&name).ok_or_else(|| Fault::Kind {
        place: place_of(source, "type").unwrap_or(Place { line: 1, column: 1 }),
        name: Some(name.chars().take(40).collect()),
    })?;
    settle(&mut fields, options)?;
    let text = Value::Object(fields).to_string();
    let svg = draw(&text).map_err(|error| field_fault(&error.to_string(), source))?;
    finish(&svg.replace(FONTS.0, FONTS.1), options.bounds)
}

fn parse(source: &str) -> Result<Map<String, Value>, Fault> {
    bound("bytes", source.len(), MAX_SOURCE_BYTES)?;
    let value: Value = serde_json::from_str(source).map_err(|error| json_fault(&error, source))?;
    let (values, longest_series) = extent(&value);
    bound("series", longest_series, MAX_SERIES)?;
    bound("values", values, MAX_VALUES)?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Fault::Kind { place: Place { line: 1, column: 1 }, name: None }),
    }
}

fn bound(what: &'static str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most { Err(Fault::Bound { what, count, most }) } else { Ok(()) }
}

/// How many values there are, and how many series in the longest list of them.
fn extent(value: &Value) -> (usize, usize) {
    let (mut values, mut series) = (0, 0);
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        values += 1;
        match value {
            Value::Array(elements) => open.extend(elements),
            Value::Object(fields) => {
                let list = fields.get("series_list").and_then(Value::as_array);
                series = series.max(list.map_or(0, Vec::len));
                open.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    (values, series)
}

fn kind(fields: &Map<String, Value>, source: &str) -> Result<String, Fault> {
    match fields.get("type") {
        Some(Value::String(name)) => Ok(name.clone()),
        _ => {
            let place = place_of(source, "type").or_else(|| place_of(source, ""));
            Err(Fault::Kind { place: place.unwrap_or(Place { line: 1, column: 1 }), name: None })
        }
    }
}

/// What the request says goes into the fields: its size goes over the author's, its theme does
/// not.
fn settle(fields: &mut Map<String, Value>, options: &Options<'_>) -> Result<(), Fault> {
    for (side, asked) in [("width", options.bounds.width), ("height", options.bounds.height)] {
        if let Some(pixels) = asked {
            fields.insert(side.into(), pixels.clamp(1, MAX_PIXELS).into());
        }
        let most = f64::from(MAX_PIXELS);
        let large = fields.get(side).and_then(Value::as_f64).filter(|pixels| *pixels > most);
        if let Some(pixels) = large {
            let what = if side == "width" { "pixels across" } else { "pixels down" };
            bound(what, pixels as usize, MAX_PIXELS as usize)?;
        }
    }
    let Some(theme) = options.theme else { return Ok(()) };
    if !themes().iter().any(|known| known == theme) {
        return Err(Fault::Theme(theme.chars().take(40).collect()));
    }
    if theme != "default" {
        fields.entry("theme").or_insert_with(|| theme.into());
    }
    Ok(())
}

fn finish(svg: &str, bounds: Bounds) -> Result<Drawing, Fault> {
    let no_size = || Fault::Drawing("the drawing has no size".into());
    let root = Root::find(svg).ok_or_else(no_size)?;
    let size = root.size().ok_or_else(no_size)?;
    // A table is as high as its rows, whatever was asked for.
    let asked = bounds.fit(size);
    let own = Bounds::default().fit(size);
    let pixels = if own.width <= asked.width && own.height <= asked.height { own } else { asked };
    let svg = root.resized(pixels, None).ok_or_else(no_size)?;
    Ok(Drawing { svg, pixels })
}

fn json_fault(error: &serde_json::Error, source: &str) -> Fault {
    // The parser counts bytes in a line, and 0 in front of the first.
    let line_start: usize =
        source.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let place = Place::of_byte(source, line_start + error.column().saturating_sub(1));
    let words = error.to_string();
    let message = words.split(" at line ").next().unwrap_or(&words);
    Fault::Json { place, message: format!("this is no JSON: {message}") }
}

/// The library's faults name the field between back-quotes.
fn field_fault(message: &str, source: &str) -> Fault {
    let message = message.trim_start_matches("Params is invalid: ").to_owned();
    let place = message.split('`').nth(1).and_then(|path| place_of(source, path));
    Fault::Field { place, message }
}

fn place_of(source: &str, path: &str) -> Option<Place> {
    json::offset_of(source, path).map(|offset| Place::of_byte(source, offset))
}

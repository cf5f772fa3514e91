//! The root element of an SVG: its size, and the same drawing with other attributes.

use crate::{Pixels, Size};
use std::ops::Range;

/// The start tag of the root `svg`, found in a text that is otherwise left alone.
#[derive(Clone, Debug)]
pub struct Root<'a> {
    text: &'a str,
    /// From `<` to behind `>`.
    tag: Range<usize>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Attribute<'a> {
    name: &'a str,
    /// As it is written, references and all.
    value: &'a str,
}

impl<'a> Root<'a> {
    /// `None` where the first element is no `svg` or its tag does not end.
    #[must_use]
    pub fn find(text: &'a str) -> Option<Self> {
        let start = first_element(text)?;
        let inside = text[start..].strip_prefix("<svg")?;
        if !inside.starts_with(|next: char| next.is_whitespace() || matches!(next, '>' | '/')) {
            return None;
        }
        let (attributes, length) = attributes(inside)?;
        Some(Self { text, tag: start..start + "<svg".len() + length, attributes })
    }

    /// The value of `name` as it is written.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|a| a.name == name).map(|a| a.value)
    }

    /// What the drawing measures: its width and height, the missing one from the proportions
    /// of its `viewBox`, or the `viewBox` itself.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        let length = |name| self.value(name).and_then(pixels);
        let view = self.view_box();
        match (length("width"), length("height"), view) {
            (Some(width), Some(height), _) => Size::new(width, height),
            (Some(width), None, Some(view)) => {
                Size::new(width, width * view.height() / view.width())
            }
            (None, Some(height), Some(view)) => {
                Size::new(height * view.width() / view.height(), height)
            }
            (None, None, view) => view,
            (Some(_), None, None) | (None, Some(_), None) => None,
        }
    }

    fn view_box(&self) -> Option<Size> {
        let numbers: Vec<f64> = self
            .value("viewBox")?
            .split([' ', ',', '\t', '\n', '\r'])
            .filter(|part| !part.is_empty())
            .take(5)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        match numbers[..] {
            [_, _, width, height] => Size::new(width, height),
            _ => None,
        }
    }

    /// The whole drawing at `pixels`, on a ground where one is given. Without a `viewBox` of
    /// its own it gets one of its present size, so that what is in it scales along.
    #[must_use]
    pub fn resized(&self, pixels: Pixels, ground: Option<&str>) -> Option<String> {
        let size = self.size()?;
        let mut out = String::with_capacity(self.text.len() + 128);
        out.push_str(&self.text[..self.tag.start]);
        out.push_str("<svg");
        for attribute in &self.attributes {
            // A style could say another width; the page's own rule is the request's.
            if !matches!(attribute.name, "width" | "height" | "style") {
                push(&mut out, attribute.name, attribute.value);
            } else if attribute.name == "style" {
                let kept = without_sizes(attribute.value);
                if !kept.is_empty() {
                    push(&mut out, "style", &kept);
                }
            }
        }
        push(&mut out, "width", &pixels.width.to_string());
        push(&mut out, "height", &pixels.height.to_string());
        let view = match self.value("viewBox") {
            Some(view) => view.to_owned(),
            None => {
                let view = format!("0 0 {} {}", size.width(), size.height());
                push(&mut out, "viewBox", &view);
                view
            }
        };
        let tag = &self.text[self.tag.clone()];
        out.push_str(if tag.ends_with("/>") { "/>" } else { ">" });
        if let (Some(ground), false) = (ground, tag.ends_with("/>")) {
            out.push_str(&ground_of(&view, ground));
        }
        out.push_str(&self.text[self.tag.end..]);
        Some(out)
    }
}

/// Twice the view on every side, because a page may be a little wider than its drawing.
fn ground_of(view: &str, colour: &str) -> String {
    let numbers: Vec<f64> =
        view.split([' ', ',']).filter_map(|part| part.parse::<f64>().ok()).collect();
    match numbers[..] {
        [x, y, width, height] => format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
            x - width,
            y - height,
            width * 3.0,
            height * 3.0
        ),
        _ => String::new(),
    }
}

fn push(out: &mut String, name: &str, value: &str) {
    let quote = if value.contains('"') { '\'' } else { '"' };
    out.push_str(&format!(" {name}={quote}{value}{quote}"));
}

fn without_sizes(style: &str) -> String {
    let kept: Vec<&str> = style
        .split(';')
        .map(str::trim)
        .filter(|rule| {
            let name = rule.split(':').next().unwrap_or_default().trim();
            !rule.is_empty() && !matches!(name, "width" | "height" | "max-width" | "max-height")
        })
        .collect();
    kept.join(";")
}

/// Where the first element begins, behind a declaration, comments and a document type.
fn first_element(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text[at..].find('<')?;
        let rest = &text[at..];
        let end = if rest.starts_with("<!--") {
            rest.find("-->")? + "-->".len()
        } else if rest.starts_with("<?") {
            rest.find("?>")? + "?>".len()
        } else if rest.starts_with("<!") {
            rest.find('>')? + 1
        } else {
            return Some(at);
        };
        at += end;
    }
}

/// The attributes in `inside`, which begins behind the element's name, and the length to
/// behind its `>`.
fn attributes(inside: &str) -> Option<(Vec<Attribute<'_>>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let rest = &inside[at..];
        let skipped = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += skipped;
        if rest.starts_with('>') {
            return Some((found, at + 1));
        }
        if rest.starts_with("/>") {
            return Some((found, at + 2));
        }
        let equals = rest.find('=')?;
        let name = rest[..equals].trim_end();
        let value = rest[equals + 1..].trim_start();
        let open = rest.len() - value.len();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let end = value[1..].find(quote)?;
        if name.is_empty() || name.contains(['<', '>', '"', '\'']) {
            return None;
        }
        found.push(Attribute { name, value: &value[1..=end] });
        at += open + end + 2;
    }
}

/// A CSS length in pixels. A share of something that is not there is no length.
fn pixels(length: &str) -> Option<f64> {
    let length = length.trim();
    let unit_at = length
        .find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E' || c == '%')
        .unwrap_or(length.len());
    let (number, unit) = length.split_at(unit_at);
    let per_unit = match unit.to_ascii_lowercase().as_str() {
        "" | "px" => 1.0,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        "in" => 96.0,
        "cm" => 96.0 / 2.54,
        "mm" => 96.0 / 25.4,
        _ => return None,
    };
    number.trim().parse::<f64>().ok().map(|number| number * per_unit)
}

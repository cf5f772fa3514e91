//! SVG as a plugin drew it, made safe to show inside a page.
//!
//! What acts (scripts, event handlers, animations, foreign documents) and what reaches outside
//! (references to other hosts, style imports) is taken out; the drawing stays. It is rebuilt
//! event by event, within bounds of size, depth and count, so that what does not parse as XML
//! does not come through at all.

use quick_xml::Reader;
use quick_xml::Writer;
use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, BytesText, Event};
use thiserror::Error;

const MAX_DEPTH: usize = 256;
const MAX_ELEMENTS: usize = 500_000;

/// Elements that act or bring in another document. Compared without their prefix and case.
const BANNED: [&str; 20] = [
    "script",
    "handler",
    "listener",
    "foreignobject",
    "iframe",
    "frame",
    "object",
    "embed",
    "applet",
    "audio",
    "video",
    "source",
    "canvas",
    "link",
    "meta",
    "base",
    "animate",
    "animatemotion",
    "animatetransform",
    "set",
];

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SanitiseError {
    #[error("it is no well-formed XML")]
    Malformed,
    #[error("it is no SVG")]
    NoSvg,
    #[error("it is larger than {max} bytes")]
    Size { max: usize },
    #[error("it is nested deeper than {MAX_DEPTH} elements")]
    Depth,
    #[error("it has more than {MAX_ELEMENTS} elements")]
    Elements,
    #[error("it refers to the entity {0}, which SVG does not have")]
    Entity(String),
    #[error("it is of the type {0}")]
    MediaType(String),
}

/// `svg` without anything that acts or reaches outside.
///
/// # Errors
/// Where it is no SVG or passes a bound.
pub fn svg(svg: &[u8], max_bytes: usize) -> Result<Vec<u8>, SanitiseError> {
    if svg.len() > max_bytes {
        return Err(SanitiseError::Size { max: max_bytes });
    }
    let text = std::str::from_utf8(svg).map_err(|_| SanitiseError::Malformed)?;
    let mut reader = Reader::from_str(text);
    let mut sanitiser = Sanitiser::new(svg.len());
    loop {
        match reader.read_event().map_err(|_| SanitiseError::Malformed)? {
            Event::Eof => break,
            event => sanitiser.handle(event)?,
        }
    }
    sanitiser.finish(max_bytes)
}

#[derive(Default)]
struct Style {
    depth: usize,
    text: String,
    /// It holds what no style has, an element or a reference: it is emptied.
    strange: bool,
}

struct Sanitiser {
    out: Writer<Vec<u8>>,
    depth: usize,
    elements: usize,
    /// The depth at which a banned element began; all within it goes.
    banned_at: Option<usize>,
    /// The open `style` and its text so far: only the whole of it can be judged, since comments
    /// and sections split a word that comes together again.
    style: Option<Style>,
    saw_root: bool,
}

impl Sanitiser {
    fn new(size: usize) -> Self {
        Self {
            out: Writer::new(Vec::with_capacity(size)),
            depth: 0,
            elements: 0,
            banned_at: None,
            style: None,
            saw_root: false,
        }
    }

    fn handle(&mut self, event: Event<'_>) -> Result<(), SanitiseError> {
        match event {
            Event::Start(start) => self.open(&start, false),
            Event::Empty(start) => self.open(&start, true),
            Event::End(end) => {
                self.depth = self.depth.checked_sub(1).ok_or(SanitiseError::Malformed)?;
                self.end_style()?;
                match self.banned_at {
                    Some(depth) if depth == self.depth => {
                        self.banned_at = None;
                        Ok(())
                    }
                    Some(_) => Ok(()),
                    None => self.write(Event::End(end)),
                }
            }
            Event::Text(text) => {
                if self.banned_at.is_some() || self.depth == 0 {
                    return Ok(());
                }
                if let Some(style) = &mut self.style {
                    style.text.push_str(&text);
                    return Ok(());
                }
                self.write(Event::Text(text))
            }
            Event::CData(data) => {
                if self.banned_at.is_some() || self.depth == 0 {
                    return Ok(());
                }
                if let Some(style) = &mut self.style {
                    // What markup it would become as text is no style either.
                    style.strange |= data.contains(['<', '&']);
                    style.text.push_str(&data);
                    return Ok(());
                }
                // As plain text, so that no other parser sees markup in it.
                let text = data.to_string();
                self.write(Event::Text(BytesText::new(&text)))
            }
            Event::GeneralRef(reference) => {
                let name = reference.to_string();
                let known = reference.is_char_ref()
                    || matches!(name.as_str(), "lt" | "gt" | "amp" | "apos" | "quot");
                if !known {
                    return Err(SanitiseError::Entity(name));
                }
                if let Some(style) = &mut self.style {
                    style.strange = true;
                    return Ok(());
                }
                if self.banned_at.is_some() || self.depth == 0 {
                    return Ok(());
                }
                self.write(Event::GeneralRef(reference))
            }
            // Declarations, instructions and document types can name other files.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {
                Ok(())
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<(), SanitiseError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(SanitiseError::Elements);
        }
        if self.depth >= MAX_DEPTH {
            return Err(SanitiseError::Depth);
        }
        let name = local(start.local_name().as_ref());
        if self.depth == 0 {
            if name != "svg" || self.saw_root {
                return Err(SanitiseError::NoSvg);
            }
            self.saw_root = true;
        }
        if let Some(style) = &mut self.style {
            style.strange = true;
            if !empty && self.banned_at.is_none() {
                self.banned_at = Some(self.depth);
            }
        }
        if self.banned_at.is_none() && self.style.is_none() {
            if BANNED.contains(&name.as_str()) {
                if !empty {
                    self.banned_at = Some(self.depth);
                }
            } else {
                let clean = clean(start, &name)?;
                self.write(if empty { Event::Empty(clean) } else { Event::Start(clean) })?;
            }
        }
        if !empty {
            if name == "style" && self.style.is_none() && self.banned_at.is_none() {
                self.style = Some(Style { depth: self.depth, ..Style::default() });
            }
            self.depth += 1;
        }
        Ok(())
    }

    /// Writes the text of a style that ends here, if it reaches nowhere.
    fn end_style(&mut self) -> Result<(), SanitiseError> {
        match self.style.take() {
            Some(style) if style.depth == self.depth => {
                if style.strange || !is_tame_style(&style.text) {
                    return Ok(());
                }
                self.write(Event::Text(BytesText::from_escaped(style.text)))
            }
            open => {
                self.style = open;
                Ok(())
            }
        }
    }

    fn write(&mut self, event: Event<'_>) -> Result<(), SanitiseError> {
        self.out.write_event(event).map_err(|_| SanitiseError::Malformed)
    }

    fn finish(self, max_bytes: usize) -> Result<Vec<u8>, SanitiseError> {
        if !self.saw_root {
            return Err(SanitiseError::NoSvg);
        }
        if self.depth != 0 {
            return Err(SanitiseError::Malformed);
        }
        let bytes = self.out.into_inner();
        if bytes.len() > max_bytes {
            return Err(SanitiseError::Size { max: max_bytes });
        }
        Ok(bytes)
    }
}

fn local(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The element with the attributes that neither act nor reach outside.
fn clean(start: &BytesStart<'_>, element: &str) -> Result<BytesStart<'static>, SanitiseError> {
    let name = start.name();
    let mut clean = BytesStart::new(name.as_ref().to_owned());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| SanitiseError::Malformed)?;
        if is_tame(&attribute, element)? {
            clean.push_attribute(attribute);
        }
    }
    Ok(clean.into_owned())
}

fn is_tame(attribute: &Attribute<'_>, element: &str) -> Result<bool, SanitiseError> {
    let name = local(attribute.key.local_name().as_ref());
    let value = attribute
        .normalized_value(XmlVersion::Implicit1_0)
        .map_err(|_| SanitiseError::Malformed)?;
    Ok(match name.as_str() {
        "href" | "src" => is_tame_reference(&value, element),
        "style" => is_tame_style(&value),
        // The base of every relative reference.
        "base" => false,
        name if name.starts_with("on") => false,
        _ => is_tame_style(&value) && !has_scheme(&value, "javascript:"),
    })
}

/// A part of this very document; for a link an address to go to, for an image its own data.
fn is_tame_reference(value: &str, element: &str) -> bool {
    if value.trim_start().starts_with('#') {
        return true;
    }
    match element {
        "a" => ["http://", "https://", "mailto:"].iter().any(|scheme| has_scheme(value, scheme)),
        "image" => ["png", "jpeg", "gif", "webp"]
            .iter()
            .any(|kind| has_scheme(value, &format!("data:image/{kind};base64,"))),
        _ => false,
    }
}

/// As a browser reads it: without the spaces and controls that it passes over.
fn has_scheme(value: &str, scheme: &str) -> bool {
    let mut letters = value.chars().filter(|letter| !letter.is_control() && *letter != ' ');
    scheme
        .chars()
        .all(|expected| letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&expected)))
}

/// Does it refer to nothing but parts of this document? Escapes could hide a reference, so
/// they count as one.
fn is_tame_style(style: &str) -> bool {
    let lower = style.to_ascii_lowercase();
    let reaching = ["\\", "@import", "expression(", "-moz-binding", "image-set(", "image(", "src("];
    if reaching.iter().any(|word| lower.contains(word)) {
        return false;
    }
    lower
        .split("url(")
        .skip(1)
        .all(|rest| rest.trim_start().trim_start_matches(['"', '\'']).trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(inner: &str) -> String {
        let source = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{inner}</svg>");
        let bytes = svg(source.as_bytes(), 1 << 20).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let inner = text.strip_prefix("<svg xmlns=\"http://www.w3.org/2000/svg\">").unwrap();
        inner.strip_suffix("</svg>").unwrap().to_owned()
    }

    #[test]
    fn a_drawing_comes_through_as_it_is() {
        let drawing = "<g id=\"n1\" style=\"fill:url(#grad)\"><title>a &amp; b</title>\
            <path d=\"M0,0 L1,1\" clip-path=\"url(#c)\"/><use href=\"#x\"/>\
            <a xlink:href=\"https://example.org/\"><text x=\"1\">go</text></a></g>";
        assert_eq!(clean(drawing), drawing);
    }

    #[test]
    fn what_acts_is_taken_out() {
        for attack in [
            "<script>alert(1)</script>",
            "<x:script xmlns:x=\"http://www.w3.org/2000/svg\">alert(1)</x:script>",
            "<SCRIPT>alert(1)</SCRIPT>",
            "<foreignObject><body onload=\"alert(1)\"/></foreignObject>",
            "<script/>",
            "<set attributeName=\"href\" to=\"javascript:alert(1)\"/>",
            "<iframe src=\"https://example.org\"/>",
            "<!-- --><?xml-stylesheet href=\"https://example.org/x.css\"?>",
        ] {
            assert_eq!(clean(attack), "", "{attack}");
        }
    }

    #[test]
    fn attributes_that_act_or_reach_outside_are_taken_out() {
        for (attack, left) in [
            ("<g onclick=\"alert(1)\"/>", "<g/>"),
            ("<g oNLoad=\"alert(1)\"/>", "<g/>"),
            ("<a href=\"javascript:alert(1)\"/>", "<a/>"),
            ("<a href=\"  java&#10;script:alert(1)\"/>", "<a/>"),
            ("<a xlink:href=\"&#x6A;avascript:alert(1)\"/>", "<a/>"),
            ("<a href=\"data:text/html,x\"/>", "<a/>"),
            ("<image href=\"https://example.org/x.png\"/>", "<image/>"),
            ("<image href=\"data:image/svg+xml;base64,AA\"/>", "<image/>"),
            (
                "<image href=\"data:image/png;base64,AA\"/>",
                "<image href=\"data:image/png;base64,AA\"/>",
            ),
            ("<use href=\"other.svg#x\"/>", "<use/>"),
            ("<g style=\"fill:url(https://example.org)\"/>", "<g/>"),
            ("<g fill=\"url('//example.org/#a')\"/>", "<g/>"),
            ("<g style=\"fill:u\\72l(https://example.org)\"/>", "<g/>"),
            ("<g xml:base=\"https://example.org/\"/>", "<g/>"),
        ] {
            assert_eq!(clean(attack), left, "{attack}");
        }
    }

    #[test]
    fn a_style_sheet_that_reaches_outside_is_emptied() {
        for attack in [
            "@import 'https://example.org/x.css';",
            "rect { fill: url(https://example.org/#a) }",
            "@im&#112;ort",
            "<g></g>@import url(//example.org)",
            "rect{fill:ur<!-- -->l(//example.org)}",
            "rect{fill:ur<![CDATA[l(//example.org)]]>}",
            "<style>a</style>@import '//example.org'",
        ] {
            let text = clean(&format!("<style>{attack}</style>"));
            assert!(!text.contains("import") && !text.contains("example"), "{text}");
        }
        assert_eq!(clean("<style>rect{fill:red}</style>"), "<style>rect{fill:red}</style>");
    }

    #[test]
    fn what_is_no_svg_or_hides_something_is_refused() {
        for (source, error) in [
            ("<html/>", SanitiseError::NoSvg),
            ("", SanitiseError::NoSvg),
            ("<svg><g></svg>", SanitiseError::Malformed),
            ("<svg>", SanitiseError::Malformed),
            ("<svg/><svg/>", SanitiseError::NoSvg),
            ("<svg>&xxe;</svg>", SanitiseError::Entity("xxe".into())),
        ] {
            assert_eq!(svg(source.as_bytes(), 1 << 20), Err(error), "{source}");
        }
        let deep = format!("{}{}", "<svg>".repeat(300), "</svg>".repeat(300));
        assert_eq!(svg(deep.as_bytes(), 1 << 20), Err(SanitiseError::Depth));
        assert_eq!(svg(&[b' '; 100], 50), Err(SanitiseError::Size { max: 50 }));
    }
}

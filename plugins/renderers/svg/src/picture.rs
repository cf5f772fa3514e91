//! An SVG from outside: is it sound, and how large is it? Knows nothing of the plugin's world.

use crate::fault::Fault;
use drawing::{Bounds, Pixels, Place, Root};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// A third of what a guest may be handed and hand back at once.
pub(crate) const MAX_SOURCE_BYTES: usize = 8 * 1024 * 1024;
/// As deep as the host takes it.
pub(crate) const MAX_DEPTH: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
}

/// # Errors
/// Where it is no well-formed SVG with a size.
pub(crate) fn check(source: &str) -> Result<(), Fault> {
    resize(source, Bounds::default()).map(drop)
}

/// # Errors
/// Where it is no well-formed SVG with a size.
pub(crate) fn resize(source: &str, bounds: Bounds) -> Result<Picture, Fault> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(Fault::Bytes(source.len()));
    }
    // A byte order mark is no fault, and no part of a page either.
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let root_at = Walk::over(text)?;
    let nowhere = Fault::Size { place: Place::of_byte(text, root_at) };
    let root = Root::find(text).ok_or_else(|| nowhere.clone())?;
    let pixels = bounds.fit(root.size().ok_or_else(|| nowhere.clone())?);
    let svg = root.resized(pixels, None).ok_or(nowhere)?;
    Ok(Picture { svg, pixels })
}

/// A walk over every event of a document.
struct Walk<'a> {
    text: &'a str,
    /// The elements that are open, and where each began.
    open: Vec<(String, usize)>,
    root_at: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Where the root begins.
    fn over(text: &'a str) -> Result<usize, Fault> {
        let mut walk = Self { text, open: Vec::new(), root_at: None };
        let mut reader = Reader::from_str(text);
        loop {
            let start = offset(reader.buffer_position());
            let event = reader.read_event().map_err(|error| {
                let place = walk.place(offset(reader.error_position()));
                Fault::Xml { place, message: error.to_string() }
            })?;
            match event {
                Event::Eof => return walk.end(),
                event => walk.see(&event, start)?,
            }
        }
    }

    fn see(&mut self, event: &Event<'_>, start: usize) -> Result<(), Fault> {
        match event {
            Event::Start(element) => {
                self.element(element, start)?;
                if self.open.len() >= MAX_DEPTH {
                    return Err(Fault::Depth { place: self.place(start) });
                }
                self.open.push((element.name().as_ref().to_owned(), start));
                Ok(())
            }
            Event::Empty(element) => self.element(element, start),
            Event::End(_) => {
                self.open.pop();
                Ok(())
            }
            Event::DocType(_) => Err(Fault::DocumentType { place: self.place(start) }),
            Event::GeneralRef(reference) => self.reference(reference, start),
            Event::Text(text) if self.open.is_empty() && !text.trim().is_empty() => {
                let blank = text.len() - text.trim_start().len();
                Err(Fault::Root { place: self.place(start + blank) })
            }
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::Eof => Ok(()),
        }
    }

    fn element(&mut self, element: &BytesStart<'_>, start: usize) -> Result<(), Fault> {
        if self.open.is_empty() {
            // `local_name` would let another language's `x:svg` pass.
            if self.root_at.is_some() || element.name().as_ref() != "svg" {
                return Err(Fault::Root { place: self.place(start) });
            }
            self.root_at = Some(start);
        }
        for attribute in element.attributes() {
            if let Err(error) = attribute {
                return Err(Fault::Xml { place: self.place(start), message: error.to_string() });
            }
        }
        Ok(())
    }

    fn reference(&self, reference: &BytesRef<'_>, start: usize) -> Result<(), Fault> {
        let name = reference.to_string();
        let known = reference.is_char_ref()
            || matches!(name.as_str(), "lt" | "gt" | "amp" | "apos" | "quot");
        if known { Ok(()) } else { Err(Fault::Entity { place: self.place(start), name }) }
    }

    fn end(mut self) -> Result<usize, Fault> {
        if let Some((element, start)) = self.open.pop() {
            return Err(Fault::Unclosed { place: self.place(start), element });
        }
        self.root_at.ok_or_else(|| Fault::Root { place: self.place(0) })
    }

    fn place(&self, offset: usize) -> Place {
        Place::of_byte(self.text, offset)
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

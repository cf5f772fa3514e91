//! SVG as it is, checked and brought to a size.
//!
//! What acts in it or reaches outside is the host's to take out, as with every picture.

mod fault;
mod picture;
#[cfg(test)]
mod tests;

use drawing::Bounds;
use fault::Fault;
use flyball_plugin::{Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer};

struct Svg;
flyball_plugin::renderer!(Svg);

impl Renderer for Svg {
    fn describe() -> Manifest {
        Manifest {
            id: "svg".into(),
            name: "SVG".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "SVG as it is, checked and brought to a size".into(),
            handles: vec!["svg".into()],
            attributes: Vec::new(),
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        picture::check(source).err().map(diagnostic).into_iter().collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let bounds = Bounds { width: request.width, height: request.height };
        let picture = picture::resize(&request.source, bounds).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: picture.pixels.width,
            height: picture.pixels.height,
            data: picture.svg.into_bytes(),
            warnings: Vec::new(),
        })
    }
}

fn error(fault: Fault) -> Error {
    match fault {
        Fault::Bytes(_) => Error::new(ErrorKind::Limit, fault.to_string()),
        _ => Error::invalid(fault.to_string(), vec![diagnostic(fault)]),
    }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    let (code, place) = match fault {
        Fault::Xml { place, .. } => ("syntax", Some(place)),
        Fault::Unclosed { place, .. } => ("unclosed", Some(place)),
        Fault::Root { place } => ("root", Some(place)),
        Fault::DocumentType { place } => ("document-type", Some(place)),
        Fault::Entity { place, .. } => ("entity", Some(place)),
        Fault::Depth { place } => ("depth", Some(place)),
        Fault::Size { place } => ("size", Some(place)),
        Fault::Bytes(_) => ("size", None),
    };
    let diagnostic = Diagnostic::error(code, message);
    match place {
        Some(place) => diagnostic.at(place.line, place.column),
        None => diagnostic,
    }
}

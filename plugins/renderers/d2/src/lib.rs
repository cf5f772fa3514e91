//! A subset of D2, drawn as SVG: shapes with labels, connections, containers and styles.
//!
//! Reading and drawing are our own, the layout is dugong's (MIT or Apache-2.0). What D2 has
//! beyond the subset is said to be unsupported, line by line, and never drawn halfway.

mod drawn;
mod fault;
mod layout;
mod letters;
mod model;
mod picture;
mod shapes;
mod source;
mod statement;
#[cfg(test)]
mod tests;

use drawing::Bounds;
use fault::{Fault, Faults};
use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer, attribute,
};

struct D2;
flyball_plugin::renderer!(D2);

impl Renderer for D2 {
    fn describe() -> Manifest {
        Manifest {
            id: "d2".into(),
            name: "D2 (subset)".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "A subset of D2, drawn as SVG: shapes with labels, connections, \
                          containers and styles"
                .into(),
            handles: vec!["d2".into()],
            attributes: vec![
                Attribute::new("option.theme", "default dark"),
                Attribute::new("option.direction", "down up right left"),
                Attribute::new("source.shape", shapes::names().join(" ")),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        drawn::check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = drawn::Options {
            dark: attribute(&request.options, "theme") == Some("dark"),
            direction: attribute(&request.options, "direction"),
            bounds: Bounds { width: request.width, height: request.height },
        };
        let drawing = drawn::draw(&request.source, &options).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: drawing.pixels.width,
            height: drawing.pixels.height,
            data: drawing.svg.into_bytes(),
            warnings: drawing.warnings.into_iter().map(diagnostic).collect(),
        })
    }
}

fn error(faults: Faults) -> Error {
    let message = faults.to_string();
    let diagnostics: Vec<Diagnostic> = faults.0.iter().cloned().map(diagnostic).collect();
    let kind = match faults.0.first() {
        Some(Fault::Unsupported { .. } | Fault::Option { .. }) => ErrorKind::Unsupported,
        Some(Fault::Bound { .. }) => ErrorKind::Limit,
        Some(Fault::Layout(_)) => ErrorKind::Internal,
        Some(Fault::Syntax { .. } | Fault::Ignored { .. }) | None => ErrorKind::InvalidInput,
    };
    Error { diagnostics, ..Error::new(kind, message) }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    match fault {
        Fault::Syntax { place, .. } => {
            Diagnostic::error("syntax", message).at(place.line, place.column)
        }
        Fault::Unsupported { place, .. } => {
            Diagnostic::error("unsupported", message).at(place.line, place.column)
        }
        Fault::Ignored { place, .. } => {
            Diagnostic::warning("unsupported", message).at(place.line, place.column)
        }
        Fault::Option { .. } => Diagnostic::error("option", message),
        Fault::Bound { .. } => Diagnostic::error("size", message),
        Fault::Layout(_) => Diagnostic::error("layout", message),
    }
}

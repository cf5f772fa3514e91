//! Mermaid diagrams drawn as SVG without a browser.
//!
//! The drawing itself is merman (MIT or Apache-2.0), whose ELK layout is under EPL-2.0: see
//! `NOTICE`.

mod diagram;
mod fault;
#[cfg(test)]
mod tests;
mod text;
mod theme;

use diagram::{Options, check, draw};
use drawing::Bounds;
use fault::{Fault, Weight};
use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, Position, RenderRequest, Renderer,
    Severity, attribute,
};

struct Mermaid;
flyball_plugin::renderer!(Mermaid);

impl Renderer for Mermaid {
    fn describe() -> Manifest {
        Manifest {
            id: "mermaid".into(),
            name: "Mermaid".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "(MIT OR Apache-2.0) AND EPL-2.0".into(),
            description: "Mermaid diagrams drawn as SVG without a browser".into(),
            handles: vec!["mermaid".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.theme", theme::names().join(" ")),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options {
            theme: attribute(&request.options, "theme"),
            bounds: Bounds { width: request.width, height: request.height },
        };
        let drawing = draw(&request.source, &options).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: drawing.pixels.width,
            height: drawing.pixels.height,
            data: drawing.svg.into_bytes(),
            warnings: Vec::new(),
        })
    }
}

fn error(fault: Fault) -> Error {
    match fault {
        Fault::Source(faults) => {
            let diagnostics: Vec<Diagnostic> = faults.into_iter().map(diagnostic).collect();
            let first = diagnostics.first().map(|d| d.message.clone()).unwrap_or_default();
            Error::invalid(first, diagnostics)
        }
        Fault::Theme(_) | Fault::Unsupported(_) => {
            Error::new(ErrorKind::Unsupported, fault.to_string())
        }
        Fault::Limit(message) => Error::new(ErrorKind::Limit, message),
        Fault::Drawing(message) => Error::new(ErrorKind::Internal, message),
    }
}

fn diagnostic(remark: fault::Remark) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(&remark.code, remark.message);
    diagnostic.severity = match remark.weight {
        Weight::Error => Severity::Error,
        Weight::Warning => Severity::Warning,
        Weight::Info => Severity::Info,
        Weight::Hint => Severity::Hint,
    };
    let position = |place: drawing::Place| Position { line: place.line, column: place.column };
    diagnostic.start = remark.start.map(position);
    diagnostic.end = remark.end.map(position);
    diagnostic
}

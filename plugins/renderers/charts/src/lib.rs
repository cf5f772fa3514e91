//! Charts from JSON, drawn as SVG.
//!
//! The drawing itself is charts-rs (Apache-2.0): see `NOTICE`. What its fields are called is in
//! its own documentation; `type` chooses the kind.

mod chart;
mod fault;
mod json;
mod kinds;
#[cfg(test)]
mod tests;

use chart::Options;
use drawing::Bounds;
use fault::Fault;
use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer, attribute,
};

struct Charts;
flyball_plugin::renderer!(Charts);

impl Renderer for Charts {
    fn describe() -> Manifest {
        Manifest {
            id: "charts".into(),
            name: "Charts".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "(MIT OR Apache-2.0) AND Apache-2.0".into(),
            description: "Charts from JSON, drawn as SVG".into(),
            handles: vec!["chart".into(), "charts".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.theme", chart::themes().join(" ")),
                Attribute::new("source.type", kinds::names().join(" ")),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        chart::check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options {
            theme: attribute(&request.options, "theme"),
            bounds: Bounds { width: request.width, height: request.height },
        };
        let drawing = chart::draw(&request.source, &options).map_err(error)?;
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
        Fault::Theme(_) => Error::new(ErrorKind::Unsupported, fault.to_string()),
        Fault::Bound { .. } => Error::new(ErrorKind::Limit, fault.to_string()),
        Fault::Drawing(_) => Error::new(ErrorKind::Internal, fault.to_string()),
        Fault::Json { .. } | Fault::Kind { .. } | Fault::Field { .. } => {
            Error::invalid(fault.to_string(), vec![diagnostic(fault)])
        }
    }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    let (code, place) = match fault {
        Fault::Json { place, .. } => ("syntax", Some(place)),
        Fault::Kind { place, .. } => ("type", Some(place)),
        Fault::Field { place, .. } => ("field", place),
        Fault::Theme(_) => ("theme", None),
        Fault::Bound { .. } => ("size", None),
        Fault::Drawing(_) => ("drawing", None),
    };
    let diagnostic = Diagnostic::error(code, message);
    match place {
        Some(place) => diagnostic.at(place.line, place.column),
        None => diagnostic,
    }
}

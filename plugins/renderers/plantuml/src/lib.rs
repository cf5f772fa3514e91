//! PlantUML drawn as SVG, without Java, files or network.
//!
//! The drawing itself is plantuml-core (MIT): see `NOTICE`.

mod delay;
mod diagram;
mod fault;
mod mention;
mod place;
mod recursion;
#[cfg(test)]
mod tests;
mod theme;

use diagram::{KINDS, MISSING_KINDS, Options, check, draw};
use drawing::Bounds;
use fault::Fault;
use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer, attribute,
};

struct PlantUml;
flyball_plugin::renderer!(PlantUml);

impl Renderer for PlantUml {
    fn describe() -> Manifest {
        Manifest {
            id: "plantuml".into(),
            name: "PlantUML".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT".into(),
            description: "PlantUML drawn as SVG, without Java, files or network".into(),
            handles: vec!["plantuml".into(), "puml".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.theme", theme::names().join(" ")),
                Attribute::new("source.start", KINDS.join(" ")),
                Attribute::new("source.start.unsupported", MISSING_KINDS.join(" ")),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options {
            theme: attribute(&request.options, "theme").unwrap_or("default"),
            bounds: Bounds { width: request.width, height: request.height },
        };
        let drawing = draw(&request.source, &options).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: drawing.pixels.width,
            height: drawing.pixels.height,
            data: drawing.svg.into_bytes(),
            warnings: drawing.warnings.into_iter().map(diagnostic).collect(),
        })
    }
}

fn error(fault: Fault) -> Error {
    let kind = match fault {
        Fault::Syntax { .. } | Fault::NoDiagram(_) => {
            return Error::invalid(fault.to_string(), vec![diagnostic(fault)]);
        }
        Fault::Kind { .. } | Fault::Theme(_) | Fault::Unthemed(_) | Fault::UseCases => {
            ErrorKind::Unsupported
        }
        Fault::Length(_) => ErrorKind::Limit,
        Fault::Drawing(_) => ErrorKind::Internal,
    };
    let mut error = Error::new(kind, fault.to_string());
    error.diagnostics = vec![diagnostic(fault)];
    error
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    let at = |diagnostic: Diagnostic, place: Option<drawing::Place>| match place {
        Some(place) => diagnostic.at(place.line, place.column),
        None => diagnostic,
    };
    match fault {
        Fault::Syntax { place, .. } => at(Diagnostic::error("syntax", message), place),
        Fault::NoDiagram(place) => at(Diagnostic::error("no-diagram", message), Some(place)),
        Fault::Kind { place, .. } => at(Diagnostic::error("unsupported", message), place),
        Fault::Theme(_) => Diagnostic::error("theme", message),
        Fault::Unthemed(_) => Diagnostic::warning("theme", message),
        Fault::UseCases => Diagnostic::warning("shape", message),
        Fault::Length(_) => Diagnostic::error("size", message),
        Fault::Drawing(_) => Diagnostic::error("drawing", message),
    }
}

//! LaTeX formulas, as KaTeX knows them, drawn as SVG paths: no font has to be installed where
//! the picture is shown.
//!
//! Parsing and layout are RaTeX' (MIT), the glyphs are KaTeX' fonts (OFL-1.1): see `NOTICE`.

mod colour;
mod faces;
mod fault;
mod formula;
mod picture;
mod request;
#[cfg(test)]
mod tests;

use fault::Fault;
use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer,
};
use request::Options;

struct Latex;
flyball_plugin::renderer!(Latex);

impl Renderer for Latex {
    fn describe() -> Manifest {
        Manifest {
            id: "latex".into(),
            name: "LaTeX formulas".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "(MIT OR Apache-2.0) AND OFL-1.1".into(),
            description: "LaTeX formulas, as KaTeX knows them, drawn as SVG paths".into(),
            handles: vec!["latex".into(), "katex".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.displayMode", "true false"),
                Attribute::new("option.fontSize", "6..200"),
                Attribute::new("option.color", "#rgb #rrggbb CSS-name"),
                Attribute::new("option.theme", "default dark"),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        formula::check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options::read(request).map_err(error)?;
        let drawing = formula::draw(&request.source, &options).map_err(error)?;
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
    match fault {
        Fault::Option { .. } => Error::new(ErrorKind::Unsupported, fault.to_string()),
        Fault::Length { .. } | Fault::Work(_) => Error::new(ErrorKind::Limit, fault.to_string()),
        Fault::Syntax { .. } | Fault::MissingGlyph(_) => {
            Error::invalid(fault.to_string(), vec![diagnostic(fault)])
        }
    }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    match fault {
        Fault::Syntax { place: Some(place), .. } => {
            Diagnostic::error("syntax", message).at(place.line, place.column)
        }
        Fault::Syntax { place: None, .. } => Diagnostic::error("syntax", message),
        Fault::Option { .. } => Diagnostic::error("option", message),
        Fault::Length { .. } | Fault::Work(_) => Diagnostic::error("size", message),
        Fault::MissingGlyph(_) => Diagnostic::warning("missing-glyph", message),
    }
}

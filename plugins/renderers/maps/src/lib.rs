//! Maps with markers, routes and regions, drawn as SVG.
//!
//! The source is a JSON object: `title`, `center`, `zoom`, `style`, `projection`, `theme`,
//! `markers`, `routes`, `regions`. What the caller says as options counts where the source is
//! silent. The world itself lies in `data/world.bin`, packed from public data: see `NOTICE`.

mod atlas;
mod clip;
mod colour;
mod fault;
mod grid;
mod json;
mod labels;
mod picture;
mod request;
mod ring;
mod style;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod view;

use atlas::Damaged;
use fault::{Fault, Weight};
use picture::Drawing;
pub(crate) use request::Options;
use request::{MapRequest, SIDES};

use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer, Severity,
    attribute,
};

struct Maps;
flyball_plugin::renderer!(Maps);

impl Renderer for Maps {
    fn describe() -> Manifest {
        Manifest {
            id: "maps".into(),
            name: "Maps".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Maps in six styles with markers, routes and regions".into(),
            handles: vec!["map".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.style", style::Style::NAMES.join(" ")),
                Attribute::new("option.projection", "auto mercator equirectangular orthographic"),
                Attribute::new("option.theme", "light dark"),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        match MapRequest::parse(source, Options::default()) {
            Ok((_, notes)) => notes.into_iter().map(diagnostic).collect(),
            Err(faults) => faults.into_iter().map(diagnostic).collect(),
        }
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options {
            style: attribute(&request.options, "style"),
            projection: attribute(&request.options, "projection"),
            theme: attribute(&request.options, "theme"),
        };
        let drawing =
            draw(&request.source, options, request.width, request.height).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: drawing.width,
            height: drawing.height,
            data: drawing.svg.into_bytes(),
            warnings: drawing.warnings.into_iter().map(diagnostic).collect(),
        })
    }
}

/// Why there is no picture.
#[derive(Debug)]
pub(crate) enum Failure {
    Source(Vec<Fault>),
    /// Pixels, of a side that is too short or too long.
    Side(u32),
    Atlas,
}

/// The whole way from source to picture.
pub(crate) fn draw(
    source: &str,
    options: Options<'_>,
    width: Option<u32>,
    height: Option<u32>,
) -> Result<Drawing, Failure> {
    let (request, notes) = MapRequest::parse(source, options).map_err(Failure::Source)?;
    let width = width.or(request.width).unwrap_or(800);
    let height = height.or(request.height).unwrap_or(600);
    if let Some(side) =
        [width, height].into_iter().find(|side| !(SIDES[0]..=SIDES[1]).contains(side))
    {
        return Err(Failure::Side(side));
    }
    let mut drawing = picture::draw(&request, width, height).map_err(|Damaged| Failure::Atlas)?;
    drawing.warnings.splice(0..0, notes);
    Ok(drawing)
}

fn error(failure: Failure) -> Error {
    match failure {
        Failure::Source(faults) => {
            let message = match faults.as_slice() {
                [only] => only.message.clone(),
                [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
                [] => "the map can't be read".into(),
            };
            Error::invalid(message, faults.into_iter().map(diagnostic).collect())
        }
        Failure::Side(side) => {
            let [least, most] = SIDES;
            Error::new(
                ErrorKind::Limit,
                format!("a picture of {side} pixels a side; {least} to {most} are drawn"),
            )
        }
        Failure::Atlas => {
            Error::new(ErrorKind::Internal, "the map data inside this plugin is damaged")
        }
    }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let diagnostic = Diagnostic {
        severity: match fault.weight {
            Weight::Error => Severity::Error,
            Weight::Warning => Severity::Warning,
            Weight::Note => Severity::Info,
        },
        ..Diagnostic::warning(fault.code, fault.message)
    };
    match fault.place {
        Some(place) => diagnostic.at(place.line, place.column),
        None => diagnostic,
    }
}

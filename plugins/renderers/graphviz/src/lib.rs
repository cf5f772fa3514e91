//! Graphviz DOT, in eight layouts, drawn as SVG.
//!
//! The drawing itself is `graphviz-pure`, a port of Graphviz under EPL-2.0, which makes this
//! component a program of its own under that licence: see `NOTICE`.

mod dot;
mod svg;
#[cfg(test)]
mod tests;

use dot::{ENGINES, Fault, Options, check, draw};

use flyball_plugin::{
    Attribute, Diagnostic, Error, ErrorKind, Image, Manifest, RenderRequest, Renderer, attribute,
};

struct Graphviz;
flyball_plugin::renderer!(Graphviz);

impl Renderer for Graphviz {
    fn describe() -> Manifest {
        Manifest {
            id: "graphviz".into(),
            name: "Graphviz".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "EPL-2.0".into(),
            description: "Graphviz DOT, in eight layouts, drawn as SVG".into(),
            handles: vec!["graphviz".into(), "dot".into()],
            attributes: vec![
                Attribute::new("source-notice", include_str!("../NOTICE")),
                Attribute::new("option.engine", ENGINES.join(" ")),
            ],
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        check(source).into_iter().map(diagnostic).collect()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let options = Options {
            engine: attribute(&request.options, "engine")
                .or_else(|| attribute(&request.options, "layout"))
                .unwrap_or("dot"),
            dark: attribute(&request.options, "theme") == Some("dark"),
            width: request.width,
            height: request.height,
        };
        let drawing = draw(&request.source, &options).map_err(error)?;
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width: drawing.width,
            height: drawing.height,
            data: drawing.svg.into_bytes(),
            warnings: drawing.warnings.into_iter().map(diagnostic).collect(),
        })
    }
}

fn error(fault: Fault) -> Error {
    match fault {
        Fault::Engine(_) => Error::new(ErrorKind::Unsupported, fault.to_string()),
        Fault::Size => Error::new(ErrorKind::Limit, fault.to_string()),
        Fault::Syntax { .. } | Fault::Layout(_) | Fault::Warning(_) => {
            Error::invalid(fault.to_string(), vec![diagnostic(fault)])
        }
    }
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let message = fault.to_string();
    match fault {
        Fault::Syntax { line, column, .. } => Diagnostic::error("syntax", message).at(line, column),
        Fault::Engine(_) => Diagnostic::error("engine", message),
        Fault::Layout(_) => Diagnostic::error("layout", message),
        Fault::Size => Diagnostic::error("size", message),
        Fault::Warning(_) => Diagnostic::warning("graphviz", message),
    }
}

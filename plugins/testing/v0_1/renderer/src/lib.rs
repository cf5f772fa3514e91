//! A renderer as a stranger built it when 0.1 was the newest: it is never changed again, and every
//! later host has to run it.

#![expect(unsafe_code, reason = "the generated bindings are made of it")]

wit_bindgen::generate!({ path: "../../../../wit/0.1", world: "renderer" });

use exports::flyball::plugin::rendering::{Guest, Image, Request};
use flyball::plugin::log::{self, Level};
use flyball::plugin::types::{
    Attribute, Diagnostic, Error, ErrorKind, Manifest, Position, Severity,
};

struct Plugin;
export!(Plugin);

impl Guest for Plugin {
    fn describe() -> Manifest {
        Manifest {
            id: "v0-1-renderer".into(),
            name: "A renderer of 0.1".into(),
            version: "1.0.0".into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Gives back its source".into(),
            handles: vec!["echo".into()],
            attributes: vec![Attribute { key: "unknown".into(), value: "kept".into() }],
        }
    }

    fn validate(format: String, source: String) -> Vec<Diagnostic> {
        if source.is_empty() { vec![fault(&format)] } else { Vec::new() }
    }

    fn render(request: Request) -> Result<Image, Error> {
        log::write(Level::Info, "drawing");
        if request.source.is_empty() {
            return Err(Error {
                kind: ErrorKind::InvalidInput,
                message: "nothing to draw".into(),
                diagnostics: vec![fault(&request.format)],
                retry_after_ms: Some(5),
            });
        }
        let theme = request.options.iter().find(|option| option.key == "theme");
        let theme = theme.map_or("none", |option| option.value.as_str());
        Ok(Image {
            media_type: "text/plain".into(),
            width: request.width.unwrap_or(1),
            height: request.height.unwrap_or(1),
            data: format!("{} {theme}", request.source).into_bytes(),
            warnings: Vec::new(),
        })
    }
}

fn fault(format: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "empty".into(),
        message: format!("an empty {format}"),
        start: Some(Position { line: 1, column: 1 }),
        end: None,
    }
}

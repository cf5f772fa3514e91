//! `flyball:plugin@0.1.0`.

use crate::instance::State;
use flyball_plugin_messages::{
    Attribute, CatalogEntry, Diagnostic, Failure, FailureKind, Image, Item, LogLevel, Manifest,
    Part, Severity,
};

pub(crate) mod renderer {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1",
        world: "renderer",
        imports: { default: trappable },
    });
}

pub(crate) mod importer {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1",
        world: "importer",
        imports: { default: trappable },
        with: {
            "flyball:plugin/types@0.1.0": super::renderer::flyball::plugin::types,
            "flyball:plugin/log@0.1.0": super::renderer::flyball::plugin::log,
        },
    });
}

use importer::exports::flyball::plugin::importing;
use importer::flyball::plugin::files;
use renderer::exports::flyball::plugin::rendering;
use renderer::flyball::plugin::{log, types};

impl types::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        Ok(self.log(level, &message)?)
    }
}

impl files::Host for State {
    fn list(&mut self) -> wasmtime::Result<Vec<files::Entry>> {
        let entry = |file: &flyball_plugin_messages::File| files::Entry {
            path: file.path.clone(),
            size: file.bytes.len() as u64,
        };
        Ok(self.files().iter().map(entry).collect())
    }

    fn read(
        &mut self,
        path: String,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        Ok(self.piece(&path, offset, length).map(<[u8]>::to_vec).ok_or_else(|| types::Error {
            kind: types::ErrorKind::Denied,
            message: format!("there is no file `{path}` among those of this import"),
            diagnostics: Vec::new(),
            retry_after_ms: None,
        }))
    }
}

pub(crate) fn request(render: flyball_plugin_messages::Render) -> rendering::Request {
    rendering::Request {
        format: render.format,
        source: render.source,
        width: render.width,
        height: render.height,
        options: render.options.into_iter().map(to_guest).collect(),
    }
}

pub(crate) fn to_guest(attribute: Attribute) -> types::Attribute {
    types::Attribute { key: attribute.key, value: attribute.value }
}

impl From<types::Attribute> for Attribute {
    fn from(attribute: types::Attribute) -> Self {
        Self { key: attribute.key, value: attribute.value }
    }
}

impl From<types::Manifest> for Manifest {
    fn from(manifest: types::Manifest) -> Self {
        Self {
            id: manifest.id,
            name: manifest.name,
            version: manifest.version,
            author: manifest.author,
            licence: manifest.licence,
            description: manifest.description,
            handles: manifest.handles,
            attributes: converted(manifest.attributes),
        }
    }
}

impl From<types::Diagnostic> for Diagnostic {
    fn from(diagnostic: types::Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                types::Severity::Error => Severity::Error,
                types::Severity::Warning => Severity::Warning,
                types::Severity::Info => Severity::Info,
                types::Severity::Hint => Severity::Hint,
            },
            code: diagnostic.code,
            message: diagnostic.message,
            line: diagnostic.start.map_or(0, |start| start.line),
            column: diagnostic.start.map_or(0, |start| start.column),
        }
    }
}

impl From<types::Error> for Failure {
    fn from(error: types::Error) -> Self {
        Self {
            kind: match error.kind {
                types::ErrorKind::InvalidInput => FailureKind::InvalidInput,
                types::ErrorKind::Unsupported => FailureKind::Unsupported,
                types::ErrorKind::Denied => FailureKind::Denied,
                types::ErrorKind::Cancelled => FailureKind::Cancelled,
                types::ErrorKind::Limit => FailureKind::Limit,
                types::ErrorKind::Upstream => FailureKind::Upstream,
                types::ErrorKind::Internal => FailureKind::Internal,
            },
            message: error.message,
            diagnostics: converted(error.diagnostics),
        }
    }
}

/// The picture, and what the plugin says about it.
pub(crate) fn picture(image: rendering::Image) -> (Image, Vec<Diagnostic>) {
    let rendering::Image { media_type, width, height, data, warnings } = image;
    (Image { media_type, width, height, data }, converted(warnings))
}

impl From<importing::Course> for CatalogEntry {
    fn from(course: importing::Course) -> Self {
        Self {
            id: course.id,
            title: course.title,
            description: course.description,
            attributes: converted(course.attributes),
        }
    }
}

impl From<importing::Part> for Part {
    fn from(part: importing::Part) -> Self {
        Self { id: part.id, title: part.title, attributes: converted(part.attributes) }
    }
}

impl From<importing::Item> for Item {
    fn from(item: importing::Item) -> Self {
        Self {
            id: item.id,
            title: item.title,
            media_type: item.media_type,
            data: item.data,
            attributes: converted(item.attributes),
        }
    }
}

pub(crate) fn converted<A, B: From<A>>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(B::from).collect()
}

//! `flyball:plugin@0.1.0`.

use super::{Linked, converted, renderer_and_importer, vocabulary};
use crate::call::{Call, bounded, bounded_failure, cut, limit, unsupported};
use crate::instance::State;
use crate::limits::{self, Exceeded};
use flyball_plugin_messages::{
    Attribute, CatalogEntry, Diagnostic, Event, Failure, FailureKind, Image, Item, LogLevel,
    Manifest, Part, Request, Severity,
};
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

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

vocabulary!();
renderer_and_importer!();

//! The guest side of a Flyball plugin.
//!
//! A plugin implements [`Renderer`], [`Importer`] or [`Collector`] and names its type once with
//! [`renderer!`], [`importer!`] or [`collector!`]; the crate's feature of the same name chooses the
//! world. The SDK installs a panic hook that writes to the operator's log, because `println!` goes
//! nowhere in a plugin. There is no file and no socket, and nothing but what the world offers: the
//! modules [`settings`], [`clock`] and [`random`] in all of them, `http` in importers and collectors,
//! `files`, `progress` and `blobs` in importers, `messages` in collectors. A component imports what
//! it uses, and nothing else.

#[cfg(feature = "collector")]
mod collector;
#[cfg(feature = "importer")]
mod importer;
mod panic;
#[cfg(feature = "renderer")]
mod renderer;
#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
mod vocabulary;

#[cfg(feature = "importer")]
pub mod blobs;
#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub mod clock;
#[cfg(any(feature = "collector", feature = "importer"))]
pub mod http;
#[cfg(all(feature = "collector", not(feature = "importer")))]
pub mod messages;
#[cfg(feature = "importer")]
pub mod progress;
#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub mod random;
#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub mod settings;

#[cfg(feature = "collector")]
pub use collector::{Absence, Collector, Kind, Reading, Session, Value};
#[cfg(feature = "importer")]
pub use importer::{Course, Detail, Entry, Importer, Item, Job, Page, Part, Progress, Step, files};
#[cfg(feature = "renderer")]
pub use renderer::{Image, RenderRequest, Renderer};

#[cfg(all(feature = "collector", not(any(feature = "importer", feature = "renderer"))))]
use collector::bindings;

#[cfg(all(feature = "renderer", not(feature = "importer")))]
use renderer::bindings;

#[cfg(feature = "importer")]
use importer::bindings;

#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub use bindings::flyball::plugin::{
    log::Level,
    types::{Attribute, Diagnostic, Error, ErrorKind, Manifest, Position, Severity},
};
#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub use vocabulary::{attribute, log};

/// What the macros expand to; nothing for a plugin's author.
#[doc(hidden)]
pub mod generated {
    #[cfg(feature = "collector")]
    pub use crate::collector::bindings as collector;
    #[cfg(feature = "importer")]
    pub use crate::importer::bindings as importer;
    #[cfg(feature = "renderer")]
    pub use crate::renderer::bindings as renderer;
}

//! The guest side of a Flyball plugin.
//!
//! A plugin implements [`Renderer`] or [`Importer`] and names its type once with
//! [`renderer!`] or [`importer!`]; the crate's feature of the same name chooses the world.
//! The SDK installs a panic hook that writes to the operator's log, because `println!` goes
//! nowhere in a plugin. There is no clock, no randomness, no file and no network.

#[cfg(feature = "importer")]
mod importer;
mod panic;
#[cfg(feature = "renderer")]
mod renderer;
#[cfg(any(feature = "importer", feature = "renderer"))]
mod vocabulary;

#[cfg(feature = "importer")]
pub use importer::{Course, Detail, Entry, Importer, Item, Job, Page, Part, Progress, Step, files};
#[cfg(feature = "renderer")]
pub use renderer::{Image, RenderRequest, Renderer};

#[cfg(all(feature = "renderer", not(feature = "importer")))]
use renderer::bindings;

#[cfg(feature = "importer")]
use importer::bindings;

#[cfg(any(feature = "importer", feature = "renderer"))]
pub use bindings::flyball::plugin::{
    log::Level,
    types::{Attribute, Diagnostic, Error, ErrorKind, Manifest, Position, Severity},
};
#[cfg(any(feature = "importer", feature = "renderer"))]
pub use vocabulary::{attribute, log};

/// What the macros expand to; nothing for a plugin's author.
#[doc(hidden)]
pub mod generated {
    #[cfg(feature = "importer")]
    pub use crate::importer::bindings as importer;
    #[cfg(feature = "renderer")]
    pub use crate::renderer::bindings as renderer;
}

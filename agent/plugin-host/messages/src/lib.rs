//! What agent, runner, plugin process and compiler say to each other.
//!
//! All four come out of one build and are upgraded together, so there is one version: a runner
//! of another is refused by its `Hello`. No runtime, socket or engine is known here.

#![forbid(unsafe_code)]

pub mod call;
pub mod frame;
pub mod grant;
pub mod report;
pub mod runner;

pub use call::{
    Absence, Answer, Ask, Attribute, CatalogEntry, Context, Diagnostic, Event, Failure,
    FailureKind, Fetch, Fetched, File, Image, Item, LogLevel, Message, Part, Reading, ReadingKind,
    Render, Request, Severity,
};
pub use grant::{Grant, GrantError, GrantedHost};
pub use report::{CompileFault, Manifest, Report, World};
pub use runner::{CallId, FromPlugin, FromRunner, PluginId, ToPlugin, ToRunner, VERSION};

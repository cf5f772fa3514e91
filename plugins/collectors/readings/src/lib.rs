//! What collectors share, and no plugin itself.
//!
//! A reading is a value or a reason, under a name, a unit and labels. Where it comes from JSON, a
//! mapping says where it stands there. Nothing in here asks anybody for anything.

mod address;
mod fetch;
pub mod guest;
mod mapping;
mod path;
mod reading;
mod settings;
mod template;
mod topic;
mod unit;
mod watched;

#[cfg(test)]
mod tests;

pub use address::{Address, AddressFault};
pub use fetch::{Request, Response, unfetched};
pub use mapping::{Mapping, Source};
pub use path::{Found, Path, PathFault};
pub use reading::{
    Absence, Kind, Label, MAX_LABELS, MAX_READINGS, MAX_TEXT_BYTES, Reading, Refused, Series,
    Value, number,
};
pub use settings::{Faults, Headers, Settings};
pub use template::{Template, TemplateFault};
pub use topic::{Filter, FilterFault};
pub use unit::ucum;
pub use watched::{Failure, News, Watched, check_status};

//! What applications (browsers, phones) report of themselves: their memory, their share of the
//! processor, their latency, and numbers under names of their own.
//!
//! These are no readings: nobody samples them by a tick, nothing judges them, and no device has
//! them. They are kept as they came, the newest of them, for the one organization that a server
//! is for. Pure: time is an argument, and the store and HTTP are elsewhere.

pub mod aggregates;
pub mod report;

pub use aggregates::{Aggregates, Summary};
pub use report::{Fault, Report, ReportQuery};

/// Reports that are kept; past it the one that came first goes first. At one a second of a single
/// application that is a day and more.
pub const MAX_REPORTS: u64 = 100_000;

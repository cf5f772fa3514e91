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

/// How many reports are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBounds {
    /// Of one client; past it the one that came first goes first.
    pub per_client: u32,
    /// Of all clients; past it the first of whoever has the most goes, so that one that talks
    /// much pushes nobody else's out.
    pub all: u32,
}

pub const REPORT_BOUNDS: ReportBounds = ReportBounds { per_client: 10_000, all: 100_000 };

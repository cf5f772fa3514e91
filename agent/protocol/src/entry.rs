//! What the spool holds and a lane carries: numbered, checksummed, in one order.

use crate::series::{Reader, SeriesRef};
use crate::sync::Seq;
use flyball_command::Outcome;
use flyball_guard_messages::GuardEvent;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};

/// No entry is larger: sled writes larger values to files that it never syncs.
pub const MAX_ENTRY_BYTES: usize = 64 * 1024;

/// One entry as it was made durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: Seq,
    /// CRC-32 of `body`: the same (epoch, seq) with another checksum is an error at the store.
    pub checksum: u32,
    /// An [`EntryBody`], encoded once at the agent and never again.
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryBody {
    /// A sealed block, see [`crate::block`].
    Block(Vec<u8>),
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    Outcome(Outcome),
    Gap(Gap),
}

/// A span without samples, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// First missing tick, Unix milliseconds.
    pub from_ms: u64,
    /// Last missing tick.
    pub to_ms: u64,
    pub scope: GapScope,
    pub reason: NoData,
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GapScope {
    /// Every series that this process reads.
    Reader(Reader),
    Series(Vec<SeriesRef>),
}

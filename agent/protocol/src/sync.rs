//! Both halves of the sync, as values that take events and time and give back what to do.
//!
//! [`Sender`] is the agent's half: whom to call and when, what to send on which lane, what may be
//! trimmed. [`Receiver`] is the aggregator's: what is new, what is a repetition, what to
//! acknowledge. Neither holds an entry's bytes, a socket, a clock or a source of randomness.

mod ranges;
mod receiver;
mod sender;

pub use ranges::{MAX_PIECES, Ranges, RangesError};
pub use receiver::{Receipt, Receiver};
pub use sender::{Action, Lane, Limits, Sender, Want};

use serde::{Deserialize, Serialize};

/// Random, made with the spool: a number is never used twice within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// An entry's place in the spool of one epoch, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    pub const FIRST: Self = Self(1);

    /// The number behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

//! What agent and aggregator say to each other, and how it survives every link.
//!
//! Messages and frames, the block format, and both halves of the sync as values that take
//! events and time. No socket, clock, file or runtime is known here. The side that cannot be
//! upgraded in step owns the contract, so the crate nests with the agent.

#![forbid(unsafe_code)]

pub mod block;
pub mod entry;
pub mod frame;
pub mod message;
pub mod series;
pub mod sync;
pub mod version;
pub mod wire;

pub use flyball_command as command;
pub use flyball_guard_messages as guard;

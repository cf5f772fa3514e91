//! The API on a Unix socket: JSON-RPC 2.0, one message a line, for programs of the same host.
//!
//! A call is a request to the same router in the dialect `Dialect::Ipc`, and a stream is the same
//! feed. Who calls is the kernel's word. Frames, calls under way and
//! connections have bounds; a client that does not read is not read from.

mod answer;
mod call;
mod catalogue;
mod connection;
mod frame;
mod peer;
mod socket;

pub use catalogue::page;
pub use socket::{ListenError, Listener};

/// The longest line that a client may send.
const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// The longest answer: a document is larger than what asks for it.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Calls of one connection that are under way at once; a batch counts as one.
const MAX_IN_FLIGHT: usize = 8;
/// Calls of one batch.
const MAX_BATCH: usize = 50;
const MAX_CONNECTIONS: usize = 64;

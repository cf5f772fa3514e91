//! The contract from outside: bytes that nobody edits, and both halves over bad links.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

#[path = "it/block.rs"]
mod block;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/golden.rs"]
mod golden;
#[path = "it/link.rs"]
mod link;
#[path = "it/version.rs"]
mod version;

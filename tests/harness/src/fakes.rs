//! Equipment of ours, for what neither emulators nor real servers can be brought to: answers of
//! 500, silence, lies, and trees that were recorded of machines which nobody here has.
//!
//! A fake panics where it can't go on: it ends with the test that started it. Whatever an emulator
//! of others offers is tried against [`crate::counterparts`] instead.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a fake is part of a test")]

mod bmc;

pub use bmc::{FakeBmc, Mood};

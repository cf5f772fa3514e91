//! Scenarios over the built programs: real processes, sockets, files and a real browser.
//!
//! `cargo xtask test` builds the programs first and names them in the environment.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod tidy;

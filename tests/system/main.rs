//! Scenarios over the built programs: real processes, sockets, files and a real browser.
//!
//! `cargo xtask test` builds the programs first and names them in the environment.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod clock;
mod collecting;
mod console;
mod content;
mod equipment;
mod exactly_once;
mod first_minute;
mod guard_alone;
mod imports;
mod ledger;
mod outbound;
mod packages;
mod receivers;
mod refusals;
mod sandbox;
mod tidy;
mod until;
mod ups;

//! The agent: the process with the network and without any privilege.
//!
//! It reads system metrics, takes readings, events and outcomes from the guard, makes them
//! durable, and carries them to the aggregator; it brings commands and jobs back. It decides
//! nothing about safety: a command is checked and judged by the guard alone.

#![forbid(unsafe_code)]

pub mod config;
pub mod logging;

mod clock;
mod collectors;
mod enrol;
mod files;
mod guard;
mod health;
mod identity;
mod machine;
mod pace;
mod plugins;
mod random;
mod recorder;
mod run;
mod sampler;
mod sampling;
mod shelf;
mod spool;
mod uplink;

#[cfg(test)]
mod testing;

pub use enrol::{EnrolError, enrol};
pub use run::{RunError, Shutdown, run, terminated};

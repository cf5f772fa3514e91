//! The guard on real kernel drivers: it runs inside a virtual machine, the plant out here.
//!
//! `cargo xtask test --rig` prepares the kit and names it; without it these are not run.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod boot;
mod fleet;
mod guest;
mod heat;
mod record;

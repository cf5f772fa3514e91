//! The guard on real kernel drivers: it runs inside a virtual machine, the plant out here.
//!
//! `cargo xtask test` prepares the kit, names it, and runs the short ones; `--rig` runs all.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod boot;
mod chassis;
mod fleet;
mod guest;
mod heat;
mod record;
mod short;

//! The aggregator from outside: a real endpoint on loopback, agents made of quinn and the
//! protocol crate alone. Every test runs on both engines of the store.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]
#![expect(clippy::duplicate_mod, reason = "the same tests run on each engine")]

#[path = "it/on_postgresql.rs"]
mod on_postgresql;
#[path = "it/on_sqlite.rs"]
mod on_sqlite;
#[path = "it/raster.rs"]
mod raster;
#[path = "it/rig.rs"]
mod rig;

//! An authority, identities and an aggregator for this crate's tests.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod authority;

pub(crate) use authority::Authority;

//! The aggregator from outside: a real endpoint on loopback, agents made of quinn and the
//! protocol crate alone.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod commit;
    mod equipment;
    mod guards;
    mod operations;
    mod readings;
    mod refusals;
    mod rig;
}

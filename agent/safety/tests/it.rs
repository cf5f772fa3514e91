//! The engine through its doors.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod allocation;
    mod bench;
    mod config;
    mod exhaustive;
    mod failsafe;
    mod holds;
    mod host;
    mod invariants;
    mod ladder;
    mod proposals;
    mod rack;
    mod replans;
    mod senses;
    mod storm;
    mod storms;
    mod switches;
    mod words;
}

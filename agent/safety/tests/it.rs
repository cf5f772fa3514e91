//! The engine through its doors.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod allocation;
    mod arbitration;
    mod bench;
    mod blind;
    mod claims;
    mod clears;
    mod config;
    mod delays;
    mod edges;
    mod exhaustive;
    mod failsafe;
    mod hands;
    mod holds;
    mod host;
    mod invariants;
    mod ladder;
    mod long;
    mod overdue;
    mod pace;
    mod proposals;
    mod rack;
    mod replans;
    mod requests;
    mod self_tests;
    mod senses;
    mod storm;
    mod storms;
    mod switches;
    mod told;
    mod words;
}

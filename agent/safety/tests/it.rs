//! The engine through its doors.

mod it {
    mod allocation;
    mod bench;
    mod config;
    mod failsafe;
    mod invariants;
    mod ladder;
    mod proposals;
}

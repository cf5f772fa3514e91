//! The real guard process against simulated boards, over its real socket.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test panics where it fails")]

mod it {
    mod absence;
    mod agent;
    mod commands;
    mod equipment;
    mod fans;
    mod guarded;
    mod heat;
    mod holding;
    mod hostile;
    mod link;
    mod machine;
    mod power_cuts;
    mod ranks;
    mod readback;
    mod removal;
    mod restarts;
    mod self_tests;
    mod settings;
    mod supervised;
    mod votes;
    mod watching;
}

//! The real guard process against simulated boards, over its real socket.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test panics where it fails")]

mod it {
    mod agent;
    mod commands;
    mod equipment;
    mod guarded;
    mod heat;
    mod holding;
    mod hostile;
    mod link;
    mod restarts;
    mod watching;
}

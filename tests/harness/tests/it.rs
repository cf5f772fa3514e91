//! The engine against the plant, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod bench;
    mod closed_loop;
}

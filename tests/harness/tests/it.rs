//! The engine against the plant, in virtual time; and each counterpart as its kind speaks.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod bench;
    mod closed_loop;
    mod counterparts;
}

//! The host against real guests and against files that are none.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

#[path = "it/attacks.rs"]
mod attacks;
#[path = "it/collecting.rs"]
mod collecting;
#[path = "it/foreign.rs"]
mod foreign;
#[path = "it/guests.rs"]
mod guests;
#[path = "it/importing.rs"]
mod importing;
#[path = "it/rendering.rs"]
mod rendering;

//! The host against real guests and against files that are none.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

#[path = "it/attacks.rs"]
mod attacks;
#[path = "it/collecting.rs"]
mod collecting;
#[path = "it/foreign.rs"]
mod foreign;
#[path = "it/forged.rs"]
mod forged;
#[path = "it/guests.rs"]
mod guests;
#[path = "it/handmade.rs"]
mod handmade;
#[path = "it/hoarding.rs"]
mod hoarding;
#[path = "it/importing.rs"]
mod importing;
#[path = "it/prying.rs"]
mod prying;
#[path = "it/rendering.rs"]
mod rendering;
#[path = "it/scripted.rs"]
mod scripted;
#[path = "it/versions.rs"]
mod versions;

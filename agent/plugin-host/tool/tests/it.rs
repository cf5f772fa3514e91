//! The tool as its users meet it: the commands of `plugins/README.md`, and what it says to bad
//! input.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

#[path = "it/cases.rs"]
mod cases;
#[path = "it/desk.rs"]
mod desk;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/projects.rs"]
mod projects;
#[path = "it/readme.rs"]
mod readme;
#[path = "it/signing.rs"]
mod signing;
#[path = "it/stranger.rs"]
mod stranger;

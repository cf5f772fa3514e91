//! What the guard and a driver say over the driver's standard input and output.
//!
//! A driver is a process that reaches one piece of equipment. The guard configures it, asks
//! deeds of it and may kill it at any moment; the driver describes what it found, reads it over
//! and over, and answers each deed once. Frames are those of `flyball-guard-messages`. The crate
//! holds messages only: no socket, no protocol of any equipment.

#![forbid(unsafe_code)]

mod configuration;
mod deed;
mod description;
mod fault;
mod message;
mod secret;

pub use configuration::{Configuration, DriverKind, Login, Point, PointForm, Trust};
pub use deed::{ActuatorState, Deed, DeedError, DeedFault};
pub use description::{ActuatorEntry, Described, Identity, SensorEntry, Thresholds};
pub use fault::{Fault, FaultKind};
pub use flyball_guard_messages::{Decoder, FrameError, MAX_FRAME_BYTES, encode};
pub use message::{FromDriver, Notice, Reading, Round, ToDriver, VERSION};
pub use secret::Secret;

/// More sensors of one piece of equipment are not described.
pub const MAX_SENSORS: usize = 512;
/// More actuators of one piece of equipment are not described.
pub const MAX_ACTUATORS: usize = 256;
/// Deeds that may wait in a driver; one more is answered `Busy`.
pub const MAX_DEEDS: usize = 16;
/// Notices of one round; what is more is left out and counted in the last of them.
pub const MAX_NOTICES: usize = 32;
/// No text of these messages is longer: what comes from equipment is cut to it.
pub const MAX_TEXT_BYTES: usize = 256;

/// `text` as it may stand in a message: without control characters and not too long.
#[must_use]
pub fn bounded(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
    for character in text.trim().chars() {
        let character = if character.is_control() { ' ' } else { character };
        if kept.len() + character.len_utf8() > MAX_TEXT_BYTES {
            break;
        }
        kept.push(character);
    }
    kept
}

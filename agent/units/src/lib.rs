//! Physical quantities and the words of power as types, shared by the engine, the drivers and
//! the wire.
//!
//! A quantity owns one finite-or-not `f64` in its base unit; what may not be finite says so in
//! its reading, never here. Nothing in this crate allocates, reads a clock or knows a device.

#![no_std]
#![forbid(unsafe_code)]

mod kind;
mod no_data;
mod origin;
mod power;
mod quantity;

pub use kind::{Kind, Unit};
pub use no_data::NoData;
pub use origin::Origin;
pub use power::{PowerState, ResetType};
pub use quantity::{Amperes, Bytes, Celsius, Hertz, Joules, Ratio, Rpm, Volts, Watts};

//! Sensors and actuators of one machine, found in a sysfs tree and read from files held open.
//!
//! Discovery never fails: a missing class folder means that there is no such hardware, and what
//! is there but can't be used becomes a remark; a census says later what came and what went.
//! Reading allocates nothing. The crate owns files and their physics (scales, bands,
//! wrap-around); it decides nothing about safety, keeps no clock and starts no thread.

#![forbid(unsafe_code)]

mod actuator;
mod attribute;
mod board;
mod cap;
mod census;
mod cooling;
mod counter;
mod cpufreq;
mod dmi;
mod drm;
mod edac;
mod enclosure;
mod energy;
mod filesystem;
mod holding;
mod hwmon;
mod identity;
mod power_supply;
mod powercap;
mod pressure;
mod profile;
mod pwm;
mod sensor;
mod thermal;
mod threshold;
mod tree;

pub use actuator::{Actuator, ActuatorError, ActuatorKind, Released, Saved};
pub use board::{Board, Info, Remark, discover};
pub use census::{Census, Changes};
pub use sensor::{Bus, Sensor};
pub use threshold::Thresholds;
pub use tree::Roots;

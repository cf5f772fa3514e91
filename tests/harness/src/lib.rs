//! A simulated board: heat, fans, caps and faults, as physics and as a tree that looks like
//! sysfs.
//!
//! [`Plant`] is pure and takes its time steps from the caller, so that a bad hour runs in a
//! millisecond. [`Simulation`] puts it behind a directory that a guard reads and writes, and
//! [`Rig`] runs one in a thread for a test. [`counterparts`] starts the real servers and
//! emulators that stand for networked equipment, and [`fakes`] what those can't do. Nothing here
//! decides about safety.

#![forbid(unsafe_code)]

mod board;
mod clock;
mod control;
pub mod counterparts;
pub mod fakes;
mod fault;
pub mod fleet;
mod noise;
mod plant;
mod rig;
mod simulation;
mod socket;
mod tree;

pub use board::Board;
pub use clock::Clock;
pub use control::{Order, OrderError, obey};
pub use fault::{Fault, FaultError, Target};
pub use plant::{FanMode, Plant, PlantState};
pub use rig::{Rig, RigError};
pub use simulation::Simulation;
pub use socket::{ControlSocket, SocketError};
pub use tree::{Tree, TreeError};

//! A machine to break: an unmodified Debian kernel under QEMU, whose thermal zone, fan, power
//! meter and watchdog are real drivers over a plant that runs here.
//!
//! The kit (QEMU, kernel, static programs) is prepared by `cargo xtask test` and named by
//! `FLYBALL_RIG`. The crate boots machines, types into their serial line, and plays physics; it
//! knows the guard only as a file to put into the guest.

mod assembly;
mod clock;
mod image;
mod kit;
mod leftovers;
mod machine;
mod page;
mod picture;
mod plant;
mod process;
mod qmp;
mod serial;
mod switched;
mod trace;

pub use assembly::Network;
pub use kit::Kit;
pub use machine::{End, Machine};
pub use page::Page;
pub use picture::draw;
pub use plant::{Board, Plant};
pub use switched::Switched;
pub use trace::{Mark, Sample, Trace};

//! The equipment that this machine manages, each piece reached through a process of its own.
//!
//! A thread per piece starts its driver, hears it, asks it what the loop wants, and ends and
//! restarts it where it fails. Nothing in here decides about heat or power, and nothing in here
//! speaks to a network: what a driver says is a reading like any other, within the same bands.

mod campaign;
mod command;
mod credentials;
mod equipment_file;
mod restart;

pub(crate) use command::credential;

//! The equipment that this machine manages, each piece reached through a process of its own.
//!
//! A thread per piece starts its driver, hears it, asks it what the loop wants, and ends and
//! restarts it where it fails. Nothing in here decides about heat or power, and nothing in here
//! speaks to a network: what a driver says is a reading like any other, within the same bands.

mod campaign;
mod command;
mod credentials;
mod equipment_file;
mod held;
mod level;
mod placing;
mod process;
mod restart;
mod unit;

use crate::bus::BusMeter;
use crate::shared::Shared;
use crate::sources::Sources;
pub(crate) use command::credential;
use credentials::Vault;
use equipment_file::Equipment;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use unit::Unit;

const PROGRAM: &str = "flyball-driver";
const STACK_BYTES: usize = 128 * 1024;

/// What there is to drive, and with what.
#[derive(Debug)]
pub(crate) struct Drivers {
    equipment: Vec<Equipment>,
    program: PathBuf,
    vault: Vault,
}

impl Drivers {
    /// Reads the equipment file; a file with faults is not taken, and they are given back.
    pub(crate) fn read(
        file: Option<&Path>,
        program: Option<&Path>,
        state: &Path,
    ) -> (Self, Vec<String>) {
        let (equipment, faults) = match file.map(equipment_file::read) {
            None => (Vec::new(), Vec::new()),
            Some(Ok(equipment)) => (equipment, Vec::new()),
            Some(Err(faults)) => (Vec::new(), faults),
        };
        let beside = || std::env::current_exe().unwrap_or_default().with_file_name(PROGRAM);
        let brought = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let vault = Vault::new(state, brought.as_deref());
        let program = program.map_or_else(beside, Path::to_owned);
        (Self { equipment, program, vault }, faults)
    }

    /// Gives every piece of equipment its thread.
    ///
    /// # Errors
    /// Where a thread can't be started.
    pub(crate) fn start(self, sources: &Sources, shared: &Shared) -> io::Result<()> {
        let Self { equipment, program, vault } = self;
        for piece in equipment {
            let (name, key) = (format!("driver {}", piece.key), piece.key.clone());
            let meter = Arc::new(BusMeter::new(&key, piece.silence));
            shared.buses.add(Arc::clone(&meter));
            let unit = Unit::new(piece, program.clone(), vault.clone(), sources.clone(), meter);
            thread::Builder::new()
                .name(name.chars().take(15).collect())
                .stack_size(STACK_BYTES)
                // It ends with the guard.
                .spawn(move || _ = unit.run())?;
        }
        Ok(())
    }
}

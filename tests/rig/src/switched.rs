//! A machine that its BMC switches: nobody starts it here, and it outlives its process.

use crate::assembly::{Assembly, Bmc, Network};
use crate::clock;
use crate::kit::Kit;
use crate::machine::Machine;
use crate::page::Page;
use crate::process;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The BMC switches within seconds; a busy machine is slower.
const SWITCHING: Duration = Duration::from_secs(60);

/// Its parts and its disk. A process of it that still runs ends when this is dropped.
#[derive(Debug)]
pub struct Switched {
    kit: Kit,
    assembly: Assembly,
    start: PathBuf,
}

impl Switched {
    /// Lays a machine out that has `files` (from, to) in its file system and an empty disk.
    ///
    /// # Errors
    /// Where a part of it is missing.
    pub fn lay_out(kit: &Kit, files: &[(PathBuf, String)]) -> Result<Self> {
        let assembly = Assembly::new(kit, Network::User, files)?;
        assembly.format_disk()?;
        let start = assembly.place("start");
        Ok(Self { kit: kit.clone(), assembly, start })
    }

    /// The program that switches it on, once it is [`Switched::wired`].
    #[must_use]
    pub fn command(&self) -> &Path {
        &self.start
    }

    /// Wires it to the BMC that listens on `port`.
    ///
    /// # Errors
    /// Where its folder can't be written.
    pub fn wired(&self, port: u16) -> Result<()> {
        self.assembly.script(&self.assembly.command(&self.kit, Bmc::At(port))).map(|_| ())
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        process::other(self.assembly.path()).is_some()
    }

    /// Waits until it is on or off.
    ///
    /// # Errors
    /// Where it is not within a minute.
    pub fn until_on(&self, on: bool) -> Result<()> {
        let end = clock::now() + SWITCHING;
        while self.is_on() != on {
            if clock::now() > end {
                let word = if on { "on" } else { "off" };
                bail!("the machine is not {word} after {SWITCHING:?}: {}", self.assembly.said());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The line to the machine that has just been switched on; it is up when this is back.
    ///
    /// # Errors
    /// Where it does not come up.
    pub fn line(&self) -> Result<Machine> {
        self.until_on(true)?;
        Machine::switched(&self.assembly)
    }

    /// The memory that plant and guest share; it outlives the guest.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn page(&self) -> Result<Page> {
        Page::open(&self.assembly.place("ram"))
    }

    /// Pulls its plug.
    ///
    /// # Errors
    /// Where it can't be ended.
    pub fn pull_plug(&self) -> Result<()> {
        process::end_other(self.assembly.path())
    }
}

impl Drop for Switched {
    fn drop(&mut self) {
        if let Err(error) = self.pull_plug() {
            eprintln!("{}: {error:#}", self.assembly.path().display());
        }
    }
}

//! The page of guest memory that plant and guest share, as `guest/plant.asl` lays it out.
//! The guest's memory is a file, so reading and writing it here is reading and writing there.

use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const ADDRESS: u64 = 0x1000_0000;
const TEMPERATURE: u64 = 0;
const POWER: u64 = 4;
const CAP: u64 = 8;
const FAN: u64 = 12;
const RPM: u64 = 16;
const BEAT: u64 = 20;

#[derive(Debug)]
pub struct Page(File);

impl Page {
    /// The page within the memory file of a machine.
    ///
    /// # Errors
    /// Where the file can't be opened.
    pub fn open(memory: &Path) -> Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .open(memory)
            .with_context(|| format!("{} can't be opened", memory.display()))?;
        Ok(Self(file))
    }

    pub(crate) fn set_celsius(&self, celsius: f64) -> Result<()> {
        #[expect(clippy::cast_sign_loss, reason = "above absolute zero")]
        #[expect(clippy::cast_possible_truncation, reason = "a plant is no star")]
        self.write(TEMPERATURE, ((celsius + 273.2) * 10.0).round() as u32)
    }

    pub(crate) fn set_watts(&self, watts: f64) -> Result<()> {
        #[expect(clippy::cast_sign_loss, reason = "a load draws power")]
        #[expect(clippy::cast_possible_truncation, reason = "the meter ends at 400 W")]
        self.write(POWER, (watts * 1e3).round() as u32)
    }

    pub(crate) fn set_rpm(&self, rpm: u32) -> Result<()> {
        self.write(RPM, rpm)
    }

    pub(crate) fn set_cap_watts(&self, watts: u32) -> Result<()> {
        self.write(CAP, watts * 1000)
    }

    /// What the guest has written to the fan, 0 to 100.
    ///
    /// # Errors
    /// Where the memory can't be read.
    pub fn fan_percent(&self) -> Result<f64> {
        Ok(f64::from(self.read(FAN)?))
    }

    /// What the guest has written to the cap.
    ///
    /// # Errors
    /// Where the memory can't be read.
    pub fn cap_watts(&self) -> Result<f64> {
        Ok(f64::from(self.read(CAP)?) / 1e3)
    }

    /// How often the guest has looked at its temperature.
    pub(crate) fn looks(&self) -> Result<u32> {
        self.read(BEAT)
    }

    fn read(&self, offset: u64) -> Result<u32> {
        let mut word = [0; 4];
        self.0.read_exact_at(&mut word, ADDRESS + offset)?;
        Ok(u32::from_le_bytes(word))
    }

    fn write(&self, offset: u64, value: u32) -> Result<()> {
        self.0.write_all_at(&value.to_le_bytes(), ADDRESS + offset)?;
        Ok(())
    }
}

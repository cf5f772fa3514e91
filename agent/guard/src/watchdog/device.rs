//! The kernel's watchdog device: it resets the machine unless it is fed in time.
//!
//! It is opened only where the policy says so. The loop feeds it after a complete cycle; the
//! letter that disarms it is written on an ordered stop and at no other time, so that a guard
//! that dies leaves a machine that resets.

use crate::log;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Linux, `uapi/linux/watchdog.h`.
const GET_BOOT_STATUS: libc::c_ulong = 0x8004_5702;
const SET_TIMEOUT: libc::c_ulong = 0xC004_5706;
const GET_TIMEOUT: libc::c_ulong = 0x8004_5707;
/// `WDIOF_CARDRESET`: the last reset was this device's.
const CARD_RESET: libc::c_int = 0x20;
/// Disarms it at the next close (`WDIOF_MAGICCLOSE`).
const MAGIC: &[u8] = b"V";
const FEED: &[u8] = b".";
/// It is fed this often within its time.
const FEEDS: u32 = 4;

#[derive(Debug)]
pub(crate) struct Device {
    file: File,
    path: PathBuf,
    timeout: Duration,
    fed: Option<Duration>,
    /// A failing write is said once.
    failing: bool,
    /// The machine was reset by it before this run.
    pub(crate) has_reset: bool,
}

impl Device {
    /// Opens and arms the device. The driver may round the time-out: what it says it does counts.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub(crate) fn open(path: &Path, timeout: Duration, sysfs: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let wanted_s = libc::c_int::try_from(timeout.as_secs()).unwrap_or(libc::c_int::MAX);
        if let Err(error) = ask(&file, SET_TIMEOUT, wanted_s) {
            let path = path.display();
            log::warn(format_args!(
                "the watchdog takes no time-out, its own stands path={path} cause={error}"
            ));
        }
        let granted = ask(&file, GET_TIMEOUT, 0).ok().and_then(|s| u64::try_from(s).ok());
        let stands = granted.filter(|s| *s > 0).map_or(timeout, Duration::from_secs);
        let boot_status = ask(&file, GET_BOOT_STATUS, 0).ok().or_else(|| listed(path, sysfs));
        log::info(format_args!(
            "the machine resets unless the guard's loop goes on path={} timeout_s={} asked_s={}",
            path.display(),
            stands.as_secs(),
            timeout.as_secs()
        ));
        Ok(Self {
            file,
            path: path.to_owned(),
            timeout: stands,
            fed: None,
            failing: false,
            has_reset: boot_status.is_some_and(|status| status & CARD_RESET != 0),
        })
    }

    /// Feeds it where it is time. To be called after a complete cycle only. Gives back a line
    /// for the log where it fails for the first time.
    pub(crate) fn feed(&mut self, now: Duration) -> Option<String> {
        let every = self.timeout / FEEDS;
        if self.fed.is_some_and(|fed| now.saturating_sub(fed) < every) {
            return None;
        }
        self.fed = Some(now);
        match self.file.write_all(FEED) {
            Ok(()) => self.failing = false,
            Err(_) if std::mem::replace(&mut self.failing, true) => {}
            Err(error) => {
                let path = self.path.display();
                return Some(format!(
                    "the watchdog can't be fed and will reset the machine path={path} cause={error}"
                ));
            }
        }
        None
    }

    /// Disarms it, as far as its driver permits.
    ///
    /// # Errors
    /// Where it can't be written: the machine resets when its time is over.
    pub(crate) fn disarm(&mut self) -> io::Result<()> {
        self.file.write_all(MAGIC)
    }
}

/// What sysfs says of the last boot, where the device itself doesn't.
fn listed(path: &Path, sysfs: &Path) -> Option<libc::c_int> {
    let name = match path.file_name()?.to_str()? {
        "watchdog" => "watchdog0",
        name => name,
    };
    let file = sysfs.join("class/watchdog").join(name).join("bootstatus");
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[expect(unsafe_code, reason = "rustix has no safe call for the watchdog's requests")]
fn ask(file: &File, request: libc::c_ulong, value: libc::c_int) -> io::Result<libc::c_int> {
    let mut value = value;
    // SAFETY: each of these requests reads or writes one int, which lives through the call.
    let outcome = unsafe { libc::ioctl(file.as_raw_fd(), request as _, &raw mut value) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fed_four_times_within_its_time_and_disarmed_by_its_letter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watchdog");
        fs::write(&path, "").unwrap();
        let mut device = Device::open(&path, Duration::from_secs(8), folder.path()).unwrap();
        for ms in (0..=8000).step_by(250) {
            assert_eq!(device.feed(Duration::from_millis(ms)), None);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), ".....");
        device.disarm().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), ".....V");
    }

    #[test]
    fn sysfs_tells_of_a_reset_where_the_device_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watchdog");
        fs::write(&path, "").unwrap();
        let class = folder.path().join("class/watchdog/watchdog0");
        fs::create_dir_all(&class).unwrap();
        for (status, has_reset) in [("32\n", true), ("0\n", false)] {
            fs::write(class.join("bootstatus"), status).unwrap();
            let device = Device::open(&path, Duration::from_secs(8), folder.path()).unwrap();
            assert_eq!(device.has_reset, has_reset);
        }
    }
}

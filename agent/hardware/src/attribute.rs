//! One sysfs attribute, held open and read again from its start.
//!
//! sysfs makes the value anew at each read from offset 0, so one `pread` is a whole reading.
//! An attribute that went away is opened again at its next reading: a driver that was bound
//! anew, or a simulated tree that replaced the file.

use flyball_units::NoData;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The longest number that is read; a sysfs value is one line of digits.
const MAX_VALUE_BYTES: usize = 64;

#[derive(Debug)]
pub(crate) struct Attribute {
    path: PathBuf,
    file: Option<File>,
    /// In a tree of ordinary files a removed one stays readable through its descriptor.
    ordinary: bool,
}

impl Attribute {
    /// An attribute at `path`. It is opened at once where that is possible, and otherwise at
    /// each reading until it is.
    pub(crate) fn new(path: PathBuf, ordinary: bool) -> Self {
        let file = File::open(&path).ok();
        Self { path, file, ordinary }
    }

    /// The attribute, if there is such a file.
    pub(crate) fn existing(path: PathBuf, ordinary: bool) -> Option<Self> {
        path.exists().then(|| Self::new(path, ordinary))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number that stands there now.
    pub(crate) fn read(&mut self) -> Result<i64, NoData> {
        if self.ordinary && self.file.as_ref().is_some_and(is_unlinked) {
            self.file = None;
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path).map_err(|e| reason(&e))?),
        };
        let mut buffer = [0; MAX_VALUE_BYTES];
        match file.read_at(&mut buffer, 0) {
            // The writer of an ordinary file stands between its truncation and its write.
            Ok(0) => Err(NoData::Busy),
            Ok(length) => parse(&buffer[..length]).ok_or(NoData::Unparsable),
            Err(error) => {
                let reason = reason(&error);
                if reason == NoData::Missing {
                    self.file = None;
                }
                Err(reason)
            }
        }
    }

    /// Writes `value`. The file must exist: nothing is ever created.
    pub(crate) fn write(&self, value: i64) -> io::Result<()> {
        let mut buffer = [0; MAX_VALUE_BYTES];
        let mut rest = &mut buffer[..];
        writeln!(rest, "{value}")?;
        let unused = rest.len();
        let mut file = OpenOptions::new().write(true).truncate(true).open(&self.path)?;
        file.write_all(&buffer[..MAX_VALUE_BYTES - unused])
    }
}

fn is_unlinked(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// What an errno says of the sensor. EINVAL is a driver's word for "not on this chip".
pub(crate) fn reason(error: &io::Error) -> NoData {
    match Errno::from_io_error(error) {
        Some(Errno::NODATA | Errno::INVAL | Errno::OPNOTSUPP) => NoData::Disabled,
        Some(Errno::AGAIN | Errno::BUSY | Errno::TIMEDOUT | Errno::INTR) => NoData::Busy,
        Some(Errno::NODEV | Errno::NOENT) => NoData::Missing,
        Some(Errno::ACCESS | Errno::PERM) => NoData::Denied,
        _ => NoData::Fault,
    }
}

/// A decimal number with white space around it, and nothing else.
fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        let cases: [(&[u8], Option<i64>); 7] = [
            (b"45000\n", Some(45_000)),
            (b"0000\n", Some(0)),
            (b"-64000\n", Some(-64_000)),
            (b"N/A\n", None),
            (b"45 46\n", None),
            (b"\n", None),
            (b"12.5\n", None),
        ];
        for (bytes, value) in cases {
            assert_eq!(parse(bytes), value, "{bytes:?}");
        }
    }

    #[test]
    fn a_file_that_vanishes_is_missing_until_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("temp1_input");
        fs::write(&path, "41000\n").unwrap();
        let mut attribute = Attribute::new(path.clone(), true);
        assert_eq!(attribute.read(), Ok(41_000));
        fs::remove_file(&path).unwrap();
        assert_eq!(attribute.read(), Err(NoData::Missing));
        fs::write(&path, "42000\n").unwrap();
        assert_eq!(attribute.read(), Ok(42_000));
    }

    #[test]
    fn a_shorter_value_leaves_nothing_of_the_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pwm1");
        fs::write(&path, "255\n").unwrap();
        let mut attribute = Attribute::new(path.clone(), true);
        attribute.write(5).unwrap();
        assert_eq!(attribute.read(), Ok(5));
        fs::remove_file(&path).unwrap();
        assert!(attribute.write(5).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn each_errno_has_its_own_meaning() {
        let cases = [
            (Errno::NODATA, NoData::Disabled),
            (Errno::INVAL, NoData::Disabled),
            (Errno::IO, NoData::Fault),
            (Errno::NXIO, NoData::Fault),
            (Errno::REMOTEIO, NoData::Fault),
            (Errno::AGAIN, NoData::Busy),
            (Errno::BUSY, NoData::Busy),
            (Errno::TIMEDOUT, NoData::Busy),
            (Errno::NODEV, NoData::Missing),
            (Errno::ACCESS, NoData::Denied),
        ];
        for (errno, expected) in cases {
            assert_eq!(reason(&io::Error::from(errno)), expected, "{errno:?}");
        }
    }
}

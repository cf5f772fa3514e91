//! One sysfs attribute, held open and read again from its start.
//!
//! sysfs makes the value anew at each read from offset 0, so one `pread` is a whole reading.
//! An attribute that went away is opened again, with a growing pause counted in readings: a
//! driver that was bound anew, or a simulated tree that replaced the file. Nothing is opened
//! before its first reading, so that looking a machine through costs no descriptors.

use flyball_units::NoData;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest value that is read; a sysfs value is one line of digits, or one word.
const MAX_VALUE_BYTES: usize = 64;
/// Two lines of four columns.
const MAX_PRESSURE_BYTES: usize = 256;
/// A file that is empty at so many readings in a row is not being written: it is empty.
const EMPTY_READINGS: u8 = 3;
/// Between two tries to open a missing file at most 2^this - 1 readings are answered without.
const LONGEST_PAUSE_LOG2: u8 = 3;

#[derive(Debug)]
pub(crate) struct Attribute {
    path: PathBuf,
    file: Option<File>,
    /// In a tree of ordinary files a removed one stays readable through its descriptor.
    ordinary: bool,
    closed: Closed,
    empty: u8,
}

/// How opening has gone since the file was last open.
#[derive(Clone, Copy, Debug)]
struct Closed {
    failures: u8,
    /// Readings that are still answered without a try.
    pause: u8,
    reason: NoData,
}

const NEVER_TRIED: Closed = Closed { failures: 0, pause: 0, reason: NoData::Missing };

impl Attribute {
    /// An attribute at `path`, opened at its first reading.
    pub(crate) const fn new(path: PathBuf, ordinary: bool) -> Self {
        Self { path, file: None, ordinary, closed: NEVER_TRIED, empty: 0 }
    }

    /// The attribute, if there is such a file.
    pub(crate) fn existing(path: PathBuf, ordinary: bool) -> Option<Self> {
        path.exists().then(|| Self::new(path, ordinary))
    }

    /// The attribute, if there is such a file and its driver takes writes.
    pub(crate) fn writable(path: PathBuf, ordinary: bool) -> Option<Self> {
        let mode = path.metadata().ok()?.mode();
        (mode & 0o222 != 0).then(|| Self::new(path, ordinary))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number that stands there now.
    pub(crate) fn read(&mut self) -> Result<i64, NoData> {
        let mut buffer = [0; MAX_VALUE_BYTES];
        parse(self.bytes(&mut buffer)?).ok_or(NoData::Unparsable)
    }

    /// The place among `words` of the word that stands there now.
    pub(crate) fn read_word<T: AsRef<str>>(&mut self, words: &[T]) -> Result<usize, NoData> {
        let mut buffer = [0; MAX_VALUE_BYTES];
        let word = trimmed(self.bytes(&mut buffer)?).ok_or(NoData::Unparsable)?;
        words.iter().position(|known| known.as_ref() == word).ok_or(NoData::Unparsable)
    }

    /// The part of a second in which work waited: `avg10` of the line that begins with `line`.
    pub(crate) fn read_pressure(&mut self, line: &str) -> Result<f64, NoData> {
        let mut buffer = [0; MAX_PRESSURE_BYTES];
        let text = trimmed(self.bytes(&mut buffer)?).ok_or(NoData::Unparsable)?;
        let average = text.lines().find_map(|each| {
            let columns = each.strip_prefix(line)?.trim_start();
            columns.strip_prefix("avg10=")?.split(' ').next()
        });
        let percent: Option<f64> = average.and_then(|average| average.parse().ok());
        percent.map(|percent| percent / 100.0).ok_or(NoData::Unparsable)
    }

    fn bytes<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoData> {
        if self.ordinary && self.file.as_ref().is_some_and(is_unlinked) {
            self.file = None;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let read = file.read_at(buffer, 0);
        let reason = read.as_ref().err().map(reason);
        // What is gone stays gone for this descriptor, and what fails may only do so for it.
        if !matches!(reason, Some(NoData::Missing | NoData::Fault)) {
            self.file = Some(file);
        }
        match (read, reason) {
            // A number that may go on beyond the buffer is none.
            (Ok(length), _) if length == buffer.len() => Err(NoData::Unparsable),
            (Ok(0), _) => {
                self.empty = self.empty.saturating_add(1);
                // The writer of an ordinary file stands between its truncation and its write.
                let written = self.ordinary && self.empty < EMPTY_READINGS;
                Err(if written { NoData::Busy } else { NoData::Unparsable })
            }
            (Ok(length), _) => {
                self.empty = 0;
                Ok(&buffer[..length])
            }
            (Err(_), reason) => Err(reason.unwrap_or(NoData::Fault)),
        }
    }

    fn open(&mut self) -> Result<File, NoData> {
        let Closed { failures, pause, reason } = self.closed;
        if let Some(pause) = pause.checked_sub(1) {
            self.closed.pause = pause;
            return Err(reason);
        }
        match open(&self.path) {
            Ok(file) => {
                self.closed = NEVER_TRIED;
                Ok(file)
            }
            Err(error) => {
                let reason = self::reason(&error);
                let pause = (1_u8 << failures.min(LONGEST_PAUSE_LOG2)) - 1;
                self.closed = Closed { failures: failures.saturating_add(1), pause, reason };
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
        self.write_bytes(&buffer[..MAX_VALUE_BYTES - unused])
    }

    /// Writes one word.
    pub(crate) fn write_word(&self, word: &str) -> io::Result<()> {
        let mut buffer = [0; MAX_VALUE_BYTES];
        let mut rest = &mut buffer[..];
        writeln!(rest, "{word}")?;
        let unused = rest.len();
        self.write_bytes(&buffer[..MAX_VALUE_BYTES - unused])
    }

    fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).truncate(true).open(&self.path)?;
        file.write_all(bytes)
    }
}

/// A pipe in somebody's tree must not hold the reader.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn is_unlinked(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// What an errno says of the sensor, as `Documentation/hwmon/sysfs-interface.rst` and the
/// drivers use them.
pub(crate) fn reason(error: &io::Error) -> NoData {
    match Errno::from_io_error(error) {
        Some(Errno::NODATA) => NoData::Disabled,
        Some(Errno::INVAL | Errno::OPNOTSUPP) => NoData::Unsupported,
        Some(Errno::AGAIN | Errno::BUSY | Errno::TIMEDOUT | Errno::INTR) => NoData::Busy,
        Some(Errno::NODEV | Errno::NOENT | Errno::NOTDIR | Errno::SRCH) => NoData::Missing,
        Some(Errno::ACCESS | Errno::PERM) => NoData::Denied,
        _ => NoData::Fault,
    }
}

fn trimmed(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0'))
}

/// A decimal number with white space around it, and nothing else.
fn parse(bytes: &[u8]) -> Option<i64> {
    trimmed(bytes)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        let cases: [(&[u8], Option<i64>); 8] = [
            (b"45000\n", Some(45_000)),
            (b"0000\n", Some(0)),
            (b"-64000\n", Some(-64_000)),
            (b"-\n", None),
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
    fn a_file_that_stays_away_is_looked_for_ever_less_often_but_never_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("temp1_input");
        let mut attribute = Attribute::new(path.clone(), true);
        for _ in 0..100 {
            assert_eq!(attribute.read(), Err(NoData::Missing));
        }
        fs::write(&path, "42000\n").unwrap();
        let readings = (1..).find(|_| attribute.read() == Ok(42_000)).unwrap();
        assert!(readings <= 8, "{readings}");
    }

    #[test]
    fn an_empty_file_is_busy_at_first_and_then_no_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("temp1_input");
        fs::write(&path, "").unwrap();
        let mut attribute = Attribute::new(path.clone(), true);
        assert_eq!(attribute.read(), Err(NoData::Busy));
        assert_eq!(attribute.read(), Err(NoData::Busy));
        assert_eq!(attribute.read(), Err(NoData::Unparsable));
        fs::write(&path, "9".repeat(80)).unwrap();
        assert_eq!(attribute.read(), Err(NoData::Unparsable));
        fs::write(&path, "7\n").unwrap();
        assert_eq!(attribute.read(), Ok(7));
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
            (Errno::INVAL, NoData::Unsupported),
            (Errno::OPNOTSUPP, NoData::Unsupported),
            (Errno::IO, NoData::Fault),
            (Errno::NXIO, NoData::Fault),
            (Errno::REMOTEIO, NoData::Fault),
            (Errno::AGAIN, NoData::Busy),
            (Errno::BUSY, NoData::Busy),
            (Errno::TIMEDOUT, NoData::Busy),
            (Errno::NODEV, NoData::Missing),
            (Errno::NOENT, NoData::Missing),
            (Errno::ACCESS, NoData::Denied),
        ];
        for (errno, expected) in cases {
            assert_eq!(reason(&io::Error::from(errno)), expected, "{errno:?}");
        }
    }
}

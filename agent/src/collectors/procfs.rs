//! Files of the process file system, opened once and read again from their start.

use flyball_units::NoData;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Why a file gave nothing; every series behind it gets this as its reason.
pub(super) type Failure = NoData;

const FIRST_BYTES: usize = 4096;
/// `/proc/stat` of a machine with thousands of interrupts is the largest of them.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Where the process file system is.
pub(super) struct Procfs {
    root: PathBuf,
}

impl Procfs {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn file(&self, name: &str) -> HeldFile {
        HeldFile { path: self.root.join(name), file: None, buffer: Vec::new() }
    }
}

/// One file, held open between reads. After a failure it is opened anew.
#[derive(Debug)]
pub(super) struct HeldFile {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl HeldFile {
    /// The whole file as it is now. Bytes that are no UTF-8 end the text before them.
    pub(super) fn read(&mut self) -> Result<&str, Failure> {
        let length = match self.fill() {
            Ok(length) => length,
            Err(error) => {
                self.file = None;
                return Err(reason(&error));
            }
        };
        let bytes = &self.buffer[..length];
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(fault) => {
                core::str::from_utf8(&bytes[..fault.valid_up_to()]).map_err(|_| NoData::Unparsable)
            }
        }
    }

    /// One `pread` where the buffer suffices: such a file is a snapshot per read, and a second
    /// read at an offset may see another one.
    fn fill(&mut self) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path)?),
        };
        if self.buffer.is_empty() {
            self.buffer.resize(FIRST_BYTES, 0);
        }
        loop {
            let length = read_to_end(file, &mut self.buffer)?;
            if length < self.buffer.len() || self.buffer.len() >= MAX_BYTES {
                return Ok(length);
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}

/// Fills `buffer` from the file's start until it is full or the file ends.
fn read_to_end(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The kernel's errors as reasons, as `flyball-units` names them.
pub(super) fn reason(error: &io::Error) -> Failure {
    match Errno::from_io_error(error) {
        Some(Errno::NODEV | Errno::NOENT | Errno::NOTDIR) => NoData::Missing,
        Some(Errno::NODATA | Errno::OPNOTSUPP) => NoData::Disabled,
        Some(Errno::ACCESS | Errno::PERM) => NoData::Denied,
        Some(Errno::AGAIN | Errno::BUSY | Errno::TIMEDOUT) => NoData::Busy,
        Some(_) | None => NoData::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_file_is_read_anew_however_long_it_is() {
        let root = tempfile::tempdir().unwrap();
        let mut held = Procfs::new(root.path()).file("stat");
        assert_eq!(held.read(), Err(NoData::Missing));
        for length in [1, FIRST_BYTES - 1, FIRST_BYTES, 3 * FIRST_BYTES, 10] {
            let text = "x".repeat(length);
            std::fs::write(root.path().join("stat"), &text).unwrap();
            assert_eq!(held.read(), Ok(text.as_str()));
        }
    }

    #[test]
    fn foreign_bytes_end_the_text() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("stat"), b"cpu 1\n\xff\xfe").unwrap();
        assert_eq!(Procfs::new(root.path()).file("stat").read(), Ok("cpu 1\n"));
    }
}

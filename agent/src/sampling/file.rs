//! The running interval's file: inputs as they come, written and not synced.
//!
//! `kill -9` loses nothing of it, a power cut at most all of it. Its head names the interval and
//! how far the spool was, so that a file whose interval is in the spool is known to be void and a
//! spool that lost its tail is known to have.

use super::input::Input;
use flyball_protocol::sync::{Epoch, Seq};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const VERSION: u8 = 1;
/// The largest input; a guard has at most 65,536 series of at most 15 bytes each.
const MAX_INPUT_BYTES: usize = 1024 * 1024;
/// More is no interval: it is sealed long before.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Length and checksum in front of each frame.
const FRAME_BYTES: usize = 8;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{operation} {path} failed")]
    Io { operation: &'static str, path: PathBuf, source: io::Error },
    #[error("an input cannot be encoded")]
    Encode(#[source] postcard::Error),
}

/// What a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    version: u8,
    pub(super) id: u64,
    pub(super) epoch: Epoch,
    /// The spool's next number when the interval began.
    pub(super) next_seq: Seq,
}

impl Head {
    pub(super) const fn new(id: u64, epoch: Epoch, next_seq: Seq) -> Self {
        Self { version: VERSION, id, epoch, next_seq }
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) inputs: Vec<Input>,
    pub(super) torn_bytes: u64,
}

#[derive(Debug)]
pub(super) struct IntervalFile {
    path: PathBuf,
    file: File,
    head: Head,
    /// Everything up to here is whole.
    length: u64,
}

impl IntervalFile {
    /// Takes up the file at `path` and what it holds. `None` where there is none, it has no whole
    /// head, or its interval is among those `sealed`.
    pub(super) fn open(path: &Path, sealed: u64) -> Result<Option<(Self, Replay)>, FileError> {
        let failed = |operation| fail(operation, path);
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail("opening", path)(error)),
        };
        let mut bytes = Vec::new();
        (&mut file).take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(failed("reading"))?;
        let total = file.metadata().map_err(failed("looking at"))?.len();
        let mut rest = bytes.as_slice();
        let Some(head) = take_frame::<Head>(&mut rest) else { return Ok(None) };
        if head.version != VERSION || head.id <= sealed {
            return Ok(None);
        }
        let mut inputs = Vec::new();
        while let Some(input) = take_frame(&mut rest) {
            inputs.push(input);
        }
        let length = (bytes.len() - rest.len()) as u64;
        file.set_len(length).map_err(failed("cutting"))?;
        file.seek(SeekFrom::Start(length)).map_err(failed("seeking in"))?;
        let file = Self { path: path.to_owned(), file, head, length };
        Ok(Some((file, Replay { inputs, torn_bytes: total - length })))
    }

    /// Makes an empty file in the place of whatever is at `path`.
    pub(super) fn create(path: &Path, head: Head) -> Result<Self, FileError> {
        let bytes = frame(&head)?;
        let new = path.with_extension("new");
        let mut file = File::create(&new).map_err(fail("making", &new))?;
        file.write_all(&bytes).map_err(fail("writing", &new))?;
        fs::rename(&new, path).map_err(fail("replacing", path))?;
        Ok(Self { path: path.to_owned(), file, head, length: bytes.len() as u64 })
    }

    /// Begins the next interval's file in the place of this one.
    pub(super) fn replace(&mut self, head: Head) -> Result<(), FileError> {
        *self = Self::create(&self.path, head)?;
        Ok(())
    }

    /// Appends inputs. After a failure the file is as it was before.
    pub(super) fn append(&mut self, inputs: &[Input]) -> Result<(), FileError> {
        let mut bytes = Vec::new();
        for input in inputs {
            bytes.extend(frame(input)?);
        }
        if let Err(error) = self.file.write_all(&bytes) {
            // What is torn here would hide everything that follows it.
            self.file.set_len(self.length).map_err(fail("cutting", &self.path))?;
            self.file.seek(SeekFrom::Start(self.length)).map_err(fail("seeking in", &self.path))?;
            return Err(fail("writing", &self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Takes the right to write away, as a full disk does, or gives it back.
    #[cfg(test)]
    pub(super) fn set_writable(&mut self, writable: bool) {
        self.file = OpenOptions::new().read(true).write(writable).open(&self.path).unwrap();
        self.file.seek(SeekFrom::End(0)).unwrap();
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
    }
}

fn frame<T: Serialize>(record: &T) -> Result<Vec<u8>, FileError> {
    let mut bytes = postcard::to_extend(record, vec![0; FRAME_BYTES]).map_err(FileError::Encode)?;
    let (header, body) = bytes.split_at_mut(FRAME_BYTES);
    let length = u32::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= MAX_INPUT_BYTES)
        .ok_or(FileError::Encode(postcard::Error::SerializeBufferFull))?;
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    Ok(bytes)
}

/// The next whole frame. `None` at the end, and from the first frame on that is not whole.
fn take_frame<T: DeserializeOwned>(rest: &mut &[u8]) -> Option<T> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (checksum, after) = after.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_INPUT_BYTES {
        return None;
    }
    let (body, after) = after.split_at_checked(length)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let record = postcard::from_bytes(body).ok()?;
    *rest = after;
    Some(record)
}

fn fail(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { operation, path, source }
}

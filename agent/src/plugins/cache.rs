//! Compiled code on disk, by component and engine. An entry whose MAC does not hold, for
//! whatever reason, is as good as absent: loading native code is trusting it.
//!
//! An entry is two files: what the compiler wrote (`.cwasm`: its framed report, then the code),
//! and beside it the code's hash under a MAC that covers the report too (`.mac`). So a plugin is
//! announced by its report alone, and its code, which may have many megabytes, is read when it
//! is needed, a part at a time.

use super::hash::{Hash, Hashing};
use super::mac::{Key, MAC_BYTES, equal};
use crate::files;
use flyball_plugin_messages::Report;
use flyball_plugin_messages::frame::{
    CODE_PART_BYTES, Decoder, FrameError, MAX_CODE_BYTES, MAX_REPORT_BYTES,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 4;
const HASH_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    key: Key,
}

/// What an entry is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) hash: Hash,
    pub(super) engine: String,
}

/// What is known of an entry whose MAC holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) report: Report,
    /// Of the code that follows the report.
    pub(super) code: Hash,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("compiled code can't be read or written in the state folder")]
    File(#[source] io::Error),
    #[error("the compiler's report can't be understood")]
    Report(#[source] FrameError),
    #[error("the compiler's report is cut off or goes on behind its end")]
    Length,
    #[error("compiled code is damaged or foreign")]
    Damaged,
}

impl Entry {
    fn file_name(&self, kind: &str) -> String {
        let engine = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        format!("{}-{}.{kind}", self.hash, self.engine.chars().map(engine).collect::<String>())
    }
}

impl Cache {
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let folder = state.join("plugins");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let key = Key::load_or_make(&folder.join("key"))?;
        Ok(Self { folder, key })
    }

    /// What the compiler once said of this component, for this engine.
    pub(super) fn load(&self, entry: &Entry) -> Option<Kept> {
        let path = self.path(entry, "cwasm");
        match self.checked(entry) {
            Ok(kept) => Some(kept),
            Err(CacheError::File(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a plugin is compiled anew");
                None
            }
        }
    }

    fn checked(&self, entry: &Entry) -> Result<Kept, CacheError> {
        let beside = std::fs::read(self.path(entry, "mac")).map_err(CacheError::File)?;
        let mut output = File::open(self.path(entry, "cwasm")).map_err(CacheError::File)?;
        let frame = read_frame(&mut output)?;
        let (mac, code) = beside.split_first_chunk::<MAC_BYTES>().ok_or(CacheError::Damaged)?;
        if !equal(mac, &self.mac(entry, &frame, code)) {
            return Err(CacheError::Damaged);
        }
        let code = <[u8; HASH_BYTES]>::try_from(code).map_err(|_| CacheError::Damaged)?;
        Ok(Kept { report: understood(&frame)?, code: Hash::from_bytes(code) })
    }

    /// A new file for what the compiler is about to write.
    pub(super) fn incoming(&self, entry: &Entry) -> Result<File, CacheError> {
        File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.path(entry, "new"))
            .map_err(CacheError::File)
    }

    /// Keeps what the compiler has written.
    pub(super) fn adopt(&self, entry: &Entry) -> Result<Kept, CacheError> {
        let path = self.path(entry, "new");
        let mut output = File::open(&path).map_err(CacheError::File)?;
        let frame = read_frame(&mut output)?;
        let report = understood(&frame)?;
        let announced = match &report {
            Report::Compiled { code_bytes, .. } => *code_bytes,
            Report::Rejected(_) => 0,
        };
        let mut hashing = Hashing::new();
        let bytes = each_part(&mut output, |part| {
            hashing.update(part);
            true
        })?;
        if bytes != announced {
            return Err(CacheError::Length);
        }
        let code = hashing.finish();
        output.sync_all().map_err(CacheError::File)?;
        std::fs::rename(&path, self.path(entry, "cwasm")).map_err(CacheError::File)?;
        let beside = [&self.mac(entry, &frame, code.as_bytes())[..], code.as_bytes()].concat();
        files::replace(&self.path(entry, "mac"), &beside).map_err(CacheError::File)?;
        Ok(Kept { report, code })
    }

    /// Hands the code over in parts until `take` says no more. An error after parts means that
    /// they must not be run.
    pub(super) fn read_code(
        &self,
        entry: &Entry,
        code: Hash,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<(), CacheError> {
        let mut output = File::open(self.path(entry, "cwasm")).map_err(CacheError::File)?;
        read_frame(&mut output)?;
        let mut hashing = Hashing::new();
        each_part(&mut output, |part| {
            hashing.update(part);
            take(part.to_vec())
        })?;
        if equal(hashing.finish().as_bytes(), code.as_bytes()) {
            Ok(())
        } else {
            Err(CacheError::Damaged)
        }
    }

    /// Removes the entry, whose code does not run here.
    pub(super) fn forget(&self, entry: &Entry) {
        for kind in ["mac", "cwasm", "new"] {
            let path = self.path(entry, kind);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path = %path.display(), %error, "can't be removed"),
            }
        }
    }

    /// Removes the code of components and engines that are no longer here.
    pub(super) fn keep_only(&self, entries: &BTreeSet<Entry>) {
        let kept: BTreeSet<String> = entries
            .iter()
            .flat_map(|entry| ["mac", "cwasm"].map(|kind| entry.file_name(kind)))
            .chain(["key".to_owned()])
            .collect();
        let listed = match std::fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) => return tracing::warn!(%error, "the plugin cache can't be listed"),
        };
        for file in listed.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if !kept.contains(&name)
                && let Err(error) = std::fs::remove_file(file.path())
            {
                tracing::warn!(path = %file.path().display(), %error, "can't be removed");
            }
        }
    }

    fn path(&self, entry: &Entry, kind: &str) -> PathBuf {
        self.folder.join(entry.file_name(kind))
    }

    fn mac(&self, entry: &Entry, frame: &[u8], code: &[u8]) -> [u8; MAC_BYTES] {
        self.key.mac(&[entry.hash.as_bytes(), entry.engine.as_bytes(), frame, code])
    }
}

/// The frame at the beginning of `output`, which stands behind it afterwards.
fn read_frame(output: &mut File) -> Result<Vec<u8>, CacheError> {
    let cut_off = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => CacheError::Length,
        _ => CacheError::File(error),
    };
    let mut frame = vec![0; HEADER_BYTES];
    output.read_exact(&mut frame).map_err(cut_off)?;
    let length = frame.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    if length > MAX_REPORT_BYTES {
        return Err(CacheError::Report(FrameError::TooLarge(length, MAX_REPORT_BYTES)));
    }
    frame.resize(HEADER_BYTES + length, 0);
    output.read_exact(&mut frame[HEADER_BYTES..]).map_err(cut_off)?;
    Ok(frame)
}

fn understood(frame: &[u8]) -> Result<Report, CacheError> {
    let mut decoder = Decoder::new(MAX_REPORT_BYTES);
    decoder.push(frame);
    decoder.decode().map_err(CacheError::Report)?.ok_or(CacheError::Length)
}

/// What is left of `output`, a part at a time until `take` says no more; how much it was.
fn each_part(output: &mut File, mut take: impl FnMut(&[u8]) -> bool) -> Result<u64, CacheError> {
    let mut buffer = vec![0; CODE_PART_BYTES];
    let mut bytes = 0;
    loop {
        let count = match output.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CacheError::File(error)),
        };
        bytes += count as u64;
        if bytes > MAX_CODE_BYTES {
            return Err(CacheError::Length);
        }
        if !take(&buffer[..count]) {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
mod tests;

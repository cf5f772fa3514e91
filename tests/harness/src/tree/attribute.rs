//! One file of the tree.

use super::TreeError;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What a broken chip answers.
const NO_NUMBER: &str = "N/A";
/// No attribute of this tree is longer.
const MAX_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Attribute {
    path: PathBuf,
    file: Option<File>,
    /// What was last shown, without its newline; `None` once somebody else has written.
    seen: Option<String>,
}

impl Attribute {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, file: None, seen: None }
    }

    /// What somebody else has written since; `None` where nothing is new, or the writer has
    /// truncated the file and not come to its write yet.
    pub(super) fn changed(&mut self) -> Result<Option<String>, TreeError> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut bytes = [0; MAX_BYTES];
        let length = file
            .read_at(&mut bytes, 0)
            .map_err(|source| TreeError::Read { path: self.path.clone(), source })?;
        let text = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
        let line = text.lines().next().unwrap_or_default().trim().to_owned();
        if line.is_empty() || self.seen.as_deref() == Some(line.as_str()) {
            return Ok(None);
        }
        // Whatever was written, `show` prints the standing value over it as the kernel would.
        self.seen = None;
        Ok(Some(line))
    }

    /// A sensor's file: gone where there is no value, without a number where it is faulty.
    pub(super) fn show_sensor(
        &mut self,
        value: Option<String>,
        faulty: bool,
    ) -> Result<(), TreeError> {
        match value {
            Some(_) if faulty => self.show(NO_NUMBER),
            Some(value) => self.show(&value),
            None => self.remove(),
        }
    }

    /// Writes `text` if the file does not hold it.
    pub(super) fn show(&mut self, text: &str) -> Result<(), TreeError> {
        if self.file.is_some() && self.seen.as_deref() == Some(text) {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => open(&self.path),
        };
        let file = file
            .and_then(|file| overwrite(&file, text).map(|()| file))
            .map_err(|source| TreeError::Write { path: self.path.clone(), source })?;
        self.file = Some(file);
        self.seen = Some(text.to_owned());
        Ok(())
    }

    fn remove(&mut self) -> Result<(), TreeError> {
        if self.file.take().is_none() {
            return Ok(());
        }
        self.seen = None;
        fs::remove_file(&self.path)
            .map_err(|source| TreeError::Write { path: self.path.clone(), source })
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Puts `text` in the file's place without a moment at which a reader could take a part of it
/// for a number: first room is made in newlines, then one write, then the rest is cut.
fn overwrite(file: &File, text: &str) -> io::Result<()> {
    let held = usize::try_from(file.metadata()?.len()).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let wanted = text.len() + 1;
    if held < wanted {
        file.write_all_at(&vec![b'\n'; wanted - held], held as u64)?;
    }
    let mut bytes = Vec::with_capacity(held.max(wanted));
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(held.max(wanted), b'\n');
    file.write_all_at(&bytes, 0)?;
    file.set_len(wanted as u64)
}

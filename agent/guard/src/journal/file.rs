//! The journal's file: one JSON object a line, chained by hash, turned over at a bound.

use crate::log;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A full file becomes `journal.1.jsonl`, that one `journal.2.jsonl`, and the third goes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
const KEPT: u32 = 2;
/// The longest line; a message is a sentence.
const MAX_LINE_BYTES: u64 = 16 * 1024;
/// The chain's beginning.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Serialize)]
struct Line<'a, T> {
    at_ms: u64,
    what: &'static str,
    #[serde(flatten)]
    body: &'a T,
    /// SHA-256 of the line before, without its line feed.
    previous: &'a str,
}

#[derive(Debug)]
pub(super) struct JournalFile {
    folder: PathBuf,
    open: Option<(File, u64)>,
    previous: String,
    /// Said once until it works again.
    failing: bool,
}

impl JournalFile {
    pub(super) fn new(folder: &Path) -> Self {
        let mut journal = Self {
            folder: folder.to_owned(),
            open: None,
            previous: NO_HASH.to_owned(),
            failing: false,
        };
        if let Err(error) = journal.open() {
            journal.fail(&error);
        }
        journal
    }

    pub(super) fn append<T: Serialize>(&mut self, at_ms: u64, what: &'static str, body: &T) {
        let line = Line { at_ms, what, body, previous: &self.previous };
        let outcome = serde_json::to_string(&line)
            .map_err(io::Error::other)
            .and_then(|line| self.write(&line));
        match outcome {
            Ok(()) => self.failing = false,
            Err(error) => self.fail(&error),
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.open()?;
        if let Some((file, length)) = &mut self.open {
            let outcome = file.write_all(format!("{line}\n").as_bytes());
            if let Err(error) = outcome.and_then(|()| file.sync_data()) {
                // The tail is unknown: the next line begins by looking at it.
                self.open = None;
                return Err(error);
            }
            *length += line.len() as u64 + 1;
            self.previous = hash(line.as_bytes());
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|(_, length)| *length >= MAX_BYTES) {
            self.open = None;
            self.turn_over()?;
        }
        if self.open.is_some() {
            return Ok(());
        }
        let path = self.path(0);
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        if let Some(last) = last_line(&mut file, length)? {
            self.previous = hash(&last);
        }
        self.open = Some((file, length));
        Ok(())
    }

    fn turn_over(&self) -> io::Result<()> {
        for age in (0..KEPT).rev() {
            match fs::rename(self.path(age), self.path(age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn path(&self, age: u32) -> PathBuf {
        self.folder.join(name(age))
    }

    fn fail(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            let folder = self.folder.display();
            log::error(format_args!("the journal can't be written folder={folder} cause={error}"));
        }
    }
}

/// The last whole line. A torn one (a power cut) is closed by a line feed, so that the chain
/// shows it and goes on.
fn last_line(file: &mut File, length: u64) -> io::Result<Option<Vec<u8>>> {
    let start = length.saturating_sub(MAX_LINE_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(MAX_LINE_BYTES).read_to_end(&mut tail)?;
    if tail.is_empty() {
        return Ok(None);
    }
    if tail.last() != Some(&b'\n') {
        file.write_all(b"\n")?;
        tail.push(b'\n');
    }
    tail.pop();
    let start = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(Some(tail.split_off(start)))
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The journal's files by name, the oldest first.
pub(super) fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let names = (0..=KEPT).rev().map(name);
    names.map(|name| (name.clone(), folder.join(name))).collect()
}

fn name(age: u32) -> String {
    match age {
        0 => "journal.jsonl".to_owned(),
        age => format!("journal.{age}.jsonl"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn lines(folder: &Path) -> Vec<String> {
        let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_line_carries_the_hash_of_the_one_before_over_restarts_too() {
        let folder = tempfile::tempdir().unwrap();
        for run in 0..3 {
            let mut journal = JournalFile::new(folder.path());
            journal.append(run, "event", &json!({ "message": "a fan seized" }));
        }
        let lines = lines(folder.path());
        assert_eq!(lines.len(), 3);
        let mut previous = NO_HASH.to_owned();
        for line in lines {
            let value: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["previous"], previous);
            previous = hash(line.as_bytes());
        }
    }

    #[test]
    fn a_torn_line_is_kept_and_the_chain_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        JournalFile::new(folder.path()).append(1, "event", &json!({ "message": "one" }));
        let path = folder.path().join("journal.jsonl");
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"at_ms\":2,\"wha").unwrap();
        JournalFile::new(folder.path()).append(3, "event", &json!({ "message": "three" }));
        let lines = lines(folder.path());
        assert_eq!(lines.len(), 3);
        let value: Value = serde_json::from_str(&lines[2]).unwrap();
        assert_eq!(value["previous"], hash(lines[1].as_bytes()));
    }

    #[test]
    fn a_folder_that_is_no_folder_is_said_once_and_survived() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone");
        let mut journal = JournalFile::new(&path);
        journal.append(1, "event", &json!({ "message": "one" }));
        fs::create_dir(&path).unwrap();
        journal.append(2, "event", &json!({ "message": "two" }));
        assert_eq!(lines(&path).len(), 1);
    }
}

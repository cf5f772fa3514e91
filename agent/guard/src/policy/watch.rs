//! Whether the policy's file is still the one that was read.

use super::Policy;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Looks at one file's identity, and reads it only where that is new.
#[derive(Debug)]
pub(crate) struct PolicyWatch {
    path: PathBuf,
    seen: Option<Stamp>,
}

/// Which file, how long, and when it was last written and moved.
type Stamp = (u64, u64, i64, i64, i64, i64);

impl PolicyWatch {
    pub(crate) fn new(path: PathBuf) -> Self {
        let seen = stamp(&path);
        Self { path, seen }
    }

    /// The policy of a file that was changed, or all of its faults. A file that is gone says
    /// nothing: what was in force stays.
    pub(crate) fn look(&mut self) -> Option<Result<Policy, Vec<String>>> {
        let found = stamp(&self.path)?;
        if self.seen == Some(found) {
            return None;
        }
        self.seen = Some(found);
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) => return Some(Err(vec![error.to_string()])),
        };
        Some(
            Policy::parse(&text).map_err(|faults| faults.iter().map(ToString::to_string).collect()),
        )
    }
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let of = fs::metadata(path).ok()?;
    Some((of.ino(), of.size(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_where_it_was_changed_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        fs::write(&path, "").unwrap();
        let mut watch = PolicyWatch::new(path.clone());
        assert_eq!(watch.look(), None);
        fs::write(&path, "factory_margin_celsius = 7\n").unwrap();
        let margin = watch.look().unwrap().unwrap().factory_margin_celsius;
        assert!((margin - 7.0).abs() < 1e-9);
        assert_eq!(watch.look(), None);
        fs::write(&path, "margin = 7\n").unwrap();
        assert!(watch.look().unwrap().unwrap_err()[0].contains("margin"));
        fs::remove_file(&path).unwrap();
        assert_eq!(watch.look(), None);
    }
}

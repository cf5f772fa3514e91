//! Compiled code on disk, by component and engine. An entry whose MAC does not hold, for
//! whatever reason, is as good as absent: loading native code is trusting it.

use super::hash::Hash;
use super::mac::{Key, MAC_BYTES, equal};
use crate::files;
use flyball_plugin_messages::Report;
use flyball_plugin_messages::frame::{Decoder, MAX_CODE_FRAME_BYTES, encode};
use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

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

impl Entry {
    fn file_name(&self) -> String {
        let engine = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        format!("{}-{}.cwasm", self.hash, self.engine.chars().map(engine).collect::<String>())
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
    pub(super) fn load(&self, entry: &Entry) -> Option<Report> {
        let path = self.folder.join(entry.file_name());
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code can't be read");
                return None;
            }
        };
        let report = self.checked(entry, &bytes);
        if report.is_none() {
            tracing::warn!(path = %path.display(), "compiled code is damaged or foreign; compiling anew");
        }
        report
    }

    fn checked(&self, entry: &Entry, bytes: &[u8]) -> Option<Report> {
        let (mac, frame) = bytes.split_first_chunk::<MAC_BYTES>()?;
        if !equal(mac, &self.mac(entry, frame)) {
            return None;
        }
        let mut decoder = Decoder::new(MAX_CODE_FRAME_BYTES);
        decoder.push(frame);
        decoder.decode().ok().flatten()
    }

    /// Keeps a report. One that can't be kept costs a compilation at the next start.
    pub(super) fn store(&self, entry: &Entry, report: &Report) {
        let frame = match encode(report, MAX_CODE_FRAME_BYTES) {
            Ok(frame) => frame,
            Err(error) => return tracing::warn!(%error, "compiled code can't be kept"),
        };
        let bytes = [&self.mac(entry, &frame)[..], &frame].concat();
        let path = self.folder.join(entry.file_name());
        if let Err(error) = files::replace(&path, &bytes) {
            tracing::warn!(path = %path.display(), %error, "compiled code can't be kept");
        }
    }

    /// Removes the entry, whose code does not run here.
    pub(super) fn forget(&self, entry: &Entry) {
        let path = self.folder.join(entry.file_name());
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "can't be removed"),
        }
    }

    /// Removes the code of components and engines that are no longer here.
    pub(super) fn keep_only(&self, entries: &BTreeSet<Entry>) {
        let kept: BTreeSet<String> = entries.iter().map(Entry::file_name).collect();
        let listed = match std::fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) => return tracing::warn!(%error, "the plugin cache can't be listed"),
        };
        for file in listed.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.ends_with(".cwasm")
                && !kept.contains(&name)
                && let Err(error) = std::fs::remove_file(file.path())
            {
                tracing::warn!(path = %file.path().display(), %error, "can't be removed");
            }
        }
    }

    fn mac(&self, entry: &Entry, frame: &[u8]) -> [u8; MAC_BYTES] {
        self.key.mac(&[entry.hash.as_bytes(), entry.engine.as_bytes(), frame])
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bound = (MAC_BYTES + 4 + MAX_CODE_FRAME_BYTES) as u64;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_plugin_messages::CompileFault;

    fn entry(engine: &str) -> Entry {
        Entry { hash: Hash::of(b"component"), engine: engine.into() }
    }

    fn report() -> Report {
        Report::Rejected(CompileFault::CoreModule)
    }

    #[test]
    fn what_was_stored_comes_back_after_a_restart() {
        let state = tempfile::tempdir().unwrap();
        Cache::open(state.path()).unwrap().store(&entry("a"), &report());
        let cache = Cache::open(state.path()).unwrap();
        assert_eq!(cache.load(&entry("a")), Some(report()));
        assert_eq!(cache.load(&entry("b")), None);
    }

    #[test]
    fn one_flipped_bit_anywhere_makes_an_entry_worthless() {
        let state = tempfile::tempdir().unwrap();
        let cache = Cache::open(state.path()).unwrap();
        cache.store(&entry("a"), &report());
        let path = cache.folder.join(entry("a").file_name());
        let whole = std::fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(cache.load(&entry("a")), None, "byte {place}");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(cache.load(&entry("a")), None);
    }

    #[test]
    fn an_entry_under_another_name_or_key_is_not_loaded() {
        let state = tempfile::tempdir().unwrap();
        let cache = Cache::open(state.path()).unwrap();
        cache.store(&entry("a"), &report());
        let (from, to) = (entry("a").file_name(), entry("b").file_name());
        std::fs::copy(cache.folder.join(from), cache.folder.join(to)).unwrap();
        assert_eq!(cache.load(&entry("b")), None);
        std::fs::remove_file(cache.folder.join("key")).unwrap();
        assert_eq!(Cache::open(state.path()).unwrap().load(&entry("a")), None);
    }

    #[test]
    fn what_is_no_longer_used_goes() {
        let state = tempfile::tempdir().unwrap();
        let cache = Cache::open(state.path()).unwrap();
        cache.store(&entry("a"), &report());
        cache.store(&entry("b"), &report());
        cache.keep_only(&BTreeSet::from([entry("b")]));
        assert_eq!(cache.load(&entry("a")), None);
        assert_eq!(cache.load(&entry("b")), Some(report()));
    }
}

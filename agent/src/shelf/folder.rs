//! The shelf on the disk: a folder for each curriculum, named by the hash of its id.

use crate::files;
use flyball_protocol::message::ShelfAsset;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const MAX_CURRICULA: usize = 500;
const MAX_ASSETS: usize = 5_000;
const MAX_ABOUT_BYTES: u64 = 16 * 1024 * 1024;
const ABOUT: &str = "about.json";
const DOCUMENT: &str = "document.json";
const INCOMING: &str = "incoming";

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    most_bytes: u64,
    /// One piece at a time; readers need none of it.
    writing: Arc<Mutex<()>>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ShelfError {
    #[error("content can't be kept in the state folder")]
    File(#[from] io::Error),
    #[error("what is known of a curriculum can't be read or written")]
    About(#[source] serde_json::Error),
    #[error("the document is no JSON")]
    Document(#[source] serde_json::Error),
    #[error("a piece came out of its order: {0}; begin anew")]
    Order(String),
    #[error(
        "the shelf is full: {have} of {most} bytes, {curricula} curricula; raise --content-mib or take some off"
    )]
    Full { have: u64, most: u64, curricula: usize },
}

/// What a curriculum's folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) revision: u64,
    /// Of the document.
    pub(super) size: u64,
    pub(super) assets: Vec<ShelfAsset>,
}

impl About {
    fn bytes(&self) -> u64 {
        self.size + self.assets.iter().map(|asset| asset.size).sum::<u64>()
    }
}

impl Shelf {
    /// What lies below `state`; a version that was half way in when the agent ended is dropped.
    pub(crate) fn open(state: &Path, most_bytes: u64) -> io::Result<Self> {
        let folder = state.join("shelf");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        remove_folder(&folder.join(INCOMING))?;
        Ok(Self { folder, most_bytes, writing: Arc::default() })
    }

    fn place(&self, curriculum: &str) -> PathBuf {
        self.folder.join(name(curriculum))
    }

    fn incoming(&self, curriculum: &str) -> PathBuf {
        self.folder.join(INCOMING).join(name(curriculum))
    }

    /// Every curriculum that readers get, by id.
    pub(super) fn list(&self) -> Result<Vec<About>, ShelfError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)?.take(2 * MAX_CURRICULA) {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != INCOMING)
                && let Some(about) = read_about(&path)?
            {
                found.push(about);
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    pub(super) fn held(&self) -> Result<Vec<(String, u64)>, ShelfError> {
        Ok(self.list()?.into_iter().map(|about| (about.id, about.revision)).collect())
    }

    /// One of them, and its document.
    pub(super) fn find(&self, curriculum: &str) -> Result<Option<(About, PathBuf)>, ShelfError> {
        let place = self.place(curriculum);
        Ok(read_about(&place)?.map(|about| (about, place.join(DOCUMENT))))
    }

    /// Where an asset's bytes lie.
    pub(super) fn asset(&self, curriculum: &str, asset: &str) -> PathBuf {
        self.place(curriculum).join(name(asset))
    }

    pub(super) fn begin(
        &self,
        curriculum: &str,
        revision: u64,
        title: &str,
        document: &[u8],
    ) -> Result<(), ShelfError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice::<serde::de::IgnoredAny>(document).map_err(ShelfError::Document)?;
        let incoming = self.incoming(curriculum);
        remove_folder(&incoming)?;
        self.demand_room(curriculum, document.len() as u64)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&incoming)?;
        files::replace(&incoming.join(DOCUMENT), document)?;
        let (id, title, size) = (curriculum.to_owned(), title.to_owned(), document.len() as u64);
        write_about(&incoming, &About { id, title, revision, size, assets: Vec::new() })
    }

    pub(super) fn add(
        &self,
        curriculum: &str,
        revision: u64,
        asset: ShelfAsset,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), ShelfError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let incoming = self.incoming(curriculum);
        let mut about = begun(&incoming, curriculum, revision)?;
        if offset == 0 {
            if about.assets.iter().any(|known| known.id == asset.id) {
                return Err(ShelfError::Order(format!("`{}` came twice", asset.id)));
            }
            if about.assets.len() >= MAX_ASSETS {
                return Err(ShelfError::Order(format!("more than {MAX_ASSETS} assets")));
            }
            self.demand_room(curriculum, about.bytes() + asset.size)?;
        }
        let path = incoming.join(name(&asset.id));
        let file = File::options().create(true).append(true).mode(0o600).open(&path)?;
        let end = file.metadata()?.len();
        let after = end + bytes.len() as u64;
        if end != offset || after > asset.size {
            let told = format!("`{}` has {end} bytes, a piece at {offset} came", asset.id);
            return Err(ShelfError::Order(told));
        }
        (&file).write_all(bytes)?;
        if after == asset.size {
            file.sync_all()?;
        }
        if offset == 0 {
            about.assets.push(asset);
            write_about(&incoming, &about)?;
        }
        Ok(())
    }

    pub(super) fn finish(
        &self,
        curriculum: &str,
        revision: u64,
        assets: u32,
    ) -> Result<(), ShelfError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let incoming = self.incoming(curriculum);
        let about = begun(&incoming, curriculum, revision)?;
        if about.assets.len() != assets as usize {
            let told = format!("{} of {assets} assets are there", about.assets.len());
            return Err(ShelfError::Order(told));
        }
        for asset in &about.assets {
            let there = fs::metadata(incoming.join(name(&asset.id)))?.len();
            if there != asset.size {
                let told = format!("`{}` has {there} of {} bytes", asset.id, asset.size);
                return Err(ShelfError::Order(told));
            }
        }
        let place = self.place(curriculum);
        let before = self.folder.join(INCOMING).join(format!("{}.before", name(curriculum)));
        remove_folder(&before)?;
        match fs::rename(&place, &before) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        fs::rename(&incoming, &place)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(remove_folder(&before)?)
    }

    pub(super) fn remove(&self, curriculum: &str) -> Result<(), ShelfError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        remove_folder(&self.incoming(curriculum))?;
        Ok(remove_folder(&self.place(curriculum))?)
    }

    /// Is there room for a version of so many bytes, in place of the one before?
    fn demand_room(&self, curriculum: &str, bytes: u64) -> Result<(), ShelfError> {
        let mut others = self.list()?;
        others.retain(|about| about.id != curriculum);
        let have = others.iter().map(About::bytes).sum::<u64>();
        let curricula = others.len();
        if have + bytes > self.most_bytes || curricula >= MAX_CURRICULA {
            return Err(ShelfError::Full { have, most: self.most_bytes, curricula });
        }
        Ok(())
    }
}

/// Ids are anything, names of files are not.
fn name(id: &str) -> String {
    Sha256::digest(id.as_bytes())[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn begun(incoming: &Path, curriculum: &str, revision: u64) -> Result<About, ShelfError> {
    let about = read_about(incoming)?.filter(|about| about.revision == revision);
    about.ok_or_else(|| {
        ShelfError::Order(format!(
            "no document of `{curriculum}`, revision {revision}, came before"
        ))
    })
}

fn read_about(folder: &Path) -> Result<Option<About>, ShelfError> {
    let path = folder.join(ABOUT);
    match fs::metadata(&path) {
        Ok(meta) if meta.len() <= MAX_ABOUT_BYTES => {}
        Ok(_) => return Err(io::Error::other("about.json is too long").into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    serde_json::from_slice(&fs::read(&path)?).map(Some).map_err(ShelfError::About)
}

fn write_about(folder: &Path, about: &About) -> Result<(), ShelfError> {
    let bytes = serde_json::to_vec(about).map_err(ShelfError::About)?;
    Ok(files::replace(&folder.join(ABOUT), &bytes)?)
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn asset(id: &str, size: u64) -> ShelfAsset {
        ShelfAsset {
            id: id.into(),
            topic: Some("cells".into()),
            kind: "audio".into(),
            title: id.into(),
            media_type: "audio/ogg".into(),
            size,
        }
    }

    fn shelf(most: u64) -> (tempfile::TempDir, Shelf) {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(state.path(), most).unwrap();
        (state, shelf)
    }

    #[test]
    fn a_version_takes_the_place_of_the_one_before_as_a_whole() {
        let (state, shelf) = shelf(1_000);
        shelf.begin("bio/../1", 1, "Biology", b"{\"v\":1}").unwrap();
        shelf.add("bio/../1", 1, asset("a", 4), 0, b"ab").unwrap();
        assert!(shelf.held().unwrap().is_empty());
        shelf.add("bio/../1", 1, asset("a", 4), 2, b"cd").unwrap();
        shelf.finish("bio/../1", 1, 1).unwrap();
        assert_eq!(shelf.held().unwrap(), [("bio/../1".to_owned(), 1)]);
        assert_eq!(fs::read(shelf.asset("bio/../1", "a")).unwrap(), b"abcd");
        shelf.begin("bio/../1", 2, "Biology", b"{\"v\":2}").unwrap();
        let (about, document) = shelf.find("bio/../1").unwrap().unwrap();
        assert_eq!((about.revision, fs::read(document).unwrap()), (1, b"{\"v\":1}".to_vec()));
        // The agent ends half way.
        let shelf = Shelf::open(state.path(), 1_000).unwrap();
        assert!(matches!(shelf.finish("bio/../1", 2, 0), Err(ShelfError::Order(_))));
        shelf.begin("bio/../1", 2, "Biology", b"{\"v\":2}").unwrap();
        shelf.finish("bio/../1", 2, 0).unwrap();
        let (about, document) = shelf.find("bio/../1").unwrap().unwrap();
        assert_eq!((about.revision, fs::read(document).unwrap()), (2, b"{\"v\":2}".to_vec()));
        assert!(!shelf.asset("bio/../1", "a").exists());
        shelf.remove("bio/../1").unwrap();
        assert!(shelf.find("bio/../1").unwrap().is_none());
    }

    #[test]
    fn pieces_out_of_order_begin_anew() {
        let (_state, shelf) = shelf(1_000);
        let early = shelf.add("a", 1, asset("x", 2), 0, b"xx");
        assert!(matches!(early, Err(ShelfError::Order(_))));
        shelf.begin("a", 1, "A", b"{}").unwrap();
        for (revision, offset, bytes) in [(2, 0, &b"xx"[..]), (1, 1, b"x"), (1, 0, b"xxx")] {
            let wrong = shelf.add("a", revision, asset("x", 2), offset, bytes);
            assert!(matches!(wrong, Err(ShelfError::Order(_))), "{revision} {offset}");
        }
        shelf.begin("a", 1, "A", b"{}").unwrap();
        shelf.add("a", 1, asset("x", 2), 0, b"x").unwrap();
        let half = shelf.finish("a", 1, 1).unwrap_err();
        assert!(half.to_string().contains("`x` has 1 of 2 bytes"), "{half}");
        assert!(matches!(shelf.finish("a", 1, 2), Err(ShelfError::Order(_))));
        assert!(matches!(shelf.begin("a", 1, "A", b"{"), Err(ShelfError::Document(_))));
    }

    #[test]
    fn a_full_shelf_says_so_and_a_newer_version_counts_in_place_of_the_older() {
        let (_state, shelf) = shelf(10);
        shelf.begin("a", 1, "A", b"{\"a\": 12}").unwrap();
        shelf.finish("a", 1, 0).unwrap();
        shelf.begin("a", 2, "A", b"{\"a\": 34}").unwrap();
        assert!(matches!(shelf.add("a", 2, asset("x", 2), 0, b"xx"), Err(ShelfError::Full { .. })));
        assert!(matches!(shelf.begin("b", 1, "B", b"{\"b\": 1}"), Err(ShelfError::Full { .. })));
    }
}

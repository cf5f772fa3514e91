//! The file of a curriculum that was put away: a tar archive, compressed by gzip, that any tool
//! opens. `manifest.json` stands first, then `curriculum.umcf`, then each asset under `assets/`.

use super::{MAX_ASSET_BYTES, MAX_ASSETS, MAX_DOCUMENT_BYTES, MAX_TOTAL_BYTES};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Read};
use tar::{Builder, Header};
use thiserror::Error;

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DOCUMENT: &str = "curriculum.umcf";
/// Its largest: a name, some words and a checksum for every asset.
const MAX_MANIFEST: u64 = 16 * 1024 * 1024;

#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("the archive can't be read")]
    Read(#[source] io::Error),
    #[error("the archive's manifest can't be read")]
    Manifest(#[source] serde_json::Error),
    #[error("the archive is of format {0}, which this version does not know")]
    Format(u32),
    #[error("the archive's checksum is {found}, it was put away with {expected}")]
    Checksum { expected: String, found: String },
    #[error("the archive lacks {0}, or it stands at the wrong place")]
    Missing(String),
    #[error("{0} of the archive was changed: its checksum is another one")]
    Damaged(String),
    #[error("{0} of the archive passes a bound")]
    Bound(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub curriculum: String,
    pub title: String,
    pub revision: u64,
    pub source: Option<String>,
    pub created_at_ms: u64,
    pub archived_at_ms: u64,
    pub assets: Vec<AssetEntry>,
}

/// An asset without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetEntry {
    pub id: String,
    pub topic: Option<String>,
    pub kind: String,
    pub title: String,
    pub description: String,
    pub alt_text: Option<String>,
    pub media_type: String,
    pub origin: String,
    pub size: u64,
    pub sha256: String,
    pub created_at_ms: u64,
    pub updated_at_ms: u64,
}

/// What an archive holds.
#[derive(Debug, PartialEq)]
pub struct Unpacked {
    pub manifest: Manifest,
    pub document: String,
    /// In the manifest's order.
    pub assets: Vec<Vec<u8>>,
}

#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An archive that is being written, one asset after another.
pub struct Writer(Builder<GzEncoder<Vec<u8>>>);

impl Manifest {
    #[must_use]
    pub const fn format() -> u32 {
        FORMAT
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// # Errors
    /// Where the manifest can't be written.
    pub fn new(manifest: &Manifest, document: &str) -> io::Result<Self> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let at_ms = manifest.archived_at_ms;
        append(&mut builder, MANIFEST, &serde_json::to_vec_pretty(manifest)?, at_ms)?;
        append(&mut builder, DOCUMENT, document.as_bytes(), at_ms)?;
        Ok(Self(builder))
    }

    /// The next asset of the manifest. Its name says its place: ids may hold anything.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn add(&mut self, index: usize, bytes: &[u8], at_ms: u64) -> io::Result<()> {
        append(&mut self.0, &asset_name(index), bytes, at_ms)
    }

    /// # Errors
    /// Where the end can't be written.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.0.into_inner()?.finish()
    }
}

fn asset_name(index: usize) -> String {
    format!("assets/{index:05}")
}

fn append(
    builder: &mut Builder<GzEncoder<Vec<u8>>>,
    name: &str,
    bytes: &[u8],
    at_ms: u64,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(at_ms / 1000);
    builder.append_data(&mut header, name, bytes)
}

/// Reads an archive whose checksum is known. Nothing of it is written anywhere.
///
/// # Errors
/// Where it is not the one that was written, or passes a bound.
pub fn unpack(bytes: &[u8], expected: &str) -> Result<Unpacked, ArchiveError> {
    let found = sha256(bytes);
    if found != expected {
        return Err(ArchiveError::Checksum { expected: expected.into(), found });
    }
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut entries = archive.entries().map_err(ArchiveError::Read)?;
    let mut next = |name: &str, max: u64| -> Result<Vec<u8>, ArchiveError> {
        let missing = || ArchiveError::Missing(name.to_owned());
        let entry = entries.next().ok_or_else(missing)?.map_err(ArchiveError::Read)?;
        if entry.path_bytes().as_ref() != name.as_bytes() {
            return Err(missing());
        }
        let mut content = Vec::new();
        entry.take(max + 1).read_to_end(&mut content).map_err(ArchiveError::Read)?;
        match content.len() as u64 > max {
            true => Err(ArchiveError::Bound(name.to_owned())),
            false => Ok(content),
        }
    };
    let manifest: Manifest =
        serde_json::from_slice(&next(MANIFEST, MAX_MANIFEST)?).map_err(ArchiveError::Manifest)?;
    if manifest.format != FORMAT {
        return Err(ArchiveError::Format(manifest.format));
    }
    if manifest.assets.len() > MAX_ASSETS {
        return Err(ArchiveError::Bound("the list of assets".into()));
    }
    let document = String::from_utf8(next(DOCUMENT, MAX_DOCUMENT_BYTES as u64)?)
        .map_err(|_| ArchiveError::Damaged(DOCUMENT.into()))?;
    let (mut assets, mut total) = (Vec::new(), 0);
    for (index, entry) in manifest.assets.iter().enumerate() {
        let content = next(&asset_name(index), MAX_ASSET_BYTES as u64)?;
        total += content.len();
        if total > MAX_TOTAL_BYTES {
            return Err(ArchiveError::Bound("all assets together".into()));
        }
        if !entry.sha256.is_empty() && sha256(&content) != entry.sha256 {
            return Err(ArchiveError::Damaged(entry.id.clone()));
        }
        assets.push(content);
    }
    Ok(Unpacked { manifest, document, assets })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(bytes: &[u8]) -> Manifest {
        let asset = AssetEntry {
            id: "a/../b".into(),
            topic: Some("t".into()),
            kind: "image".into(),
            title: "A".into(),
            description: String::new(),
            alt_text: None,
            media_type: "image/png".into(),
            origin: "upload".into(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
            created_at_ms: 1,
            updated_at_ms: 2,
        };
        Manifest {
            format: FORMAT,
            curriculum: "c".into(),
            title: "C".into(),
            revision: 3,
            source: None,
            created_at_ms: 1,
            archived_at_ms: 1_700_000_000_000,
            assets: vec![asset],
        }
    }

    fn packed(manifest: &Manifest, bytes: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new(manifest, "{}").unwrap();
        writer.add(0, bytes, 0).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn an_archive_gives_back_what_was_put_away_whatever_its_assets_are_called() {
        let manifest = manifest(b"picture");
        let file = packed(&manifest, b"picture");
        let unpacked = unpack(&file, &sha256(&file)).unwrap();
        assert_eq!(
            unpacked,
            Unpacked { manifest, document: "{}".into(), assets: vec![b"picture".to_vec()] }
        );
    }

    #[test]
    fn a_changed_archive_is_seen_by_its_checksum_and_a_changed_asset_by_its_own() {
        let manifest = manifest(b"picture");
        let mut file = packed(&manifest, b"picture");
        let expected = sha256(&file);
        file[20] ^= 1;
        assert!(matches!(unpack(&file, &expected), Err(ArchiveError::Checksum { .. })));
        let other = packed(&manifest, b"another");
        assert!(
            matches!(unpack(&other, &sha256(&other)), Err(ArchiveError::Damaged(id)) if id == "a/../b")
        );
    }

    #[test]
    fn an_archive_that_ends_early_names_what_it_lacks() {
        let manifest = manifest(b"picture");
        let file = Writer::new(&manifest, "{}").unwrap().finish().unwrap();
        let error = unpack(&file, &sha256(&file)).unwrap_err();
        assert!(matches!(error, ArchiveError::Missing(name) if name == "assets/00000"));
    }
}

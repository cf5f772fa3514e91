//! Pictures, sounds, films and papers of a curriculum, and of its topics.

use super::archive::{AssetEntry, sha256};
use super::sniff;

/// Something that came with a document.
#[derive(Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: String,
    pub title: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Asset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Asset({}, {}, {} bytes)", self.id, self.media_type, self.bytes.len())
    }
}

/// How an asset came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With a document; the next import takes it away again.
    Import,
    /// A person sent it.
    Upload,
    /// It was fetched from where the document says that it is.
    Preload,
}

impl Origin {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Upload => "upload",
            Self::Preload => "preload",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Import, Self::Upload, Self::Preload].into_iter().find(|one| one.name() == name)
    }
}

/// An asset without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetInfo {
    pub id: String,
    /// The topic that it belongs to, where it is one topic's.
    pub topic: Option<String>,
    /// `diagram`, `formula`, `map`, `image`, `audio`, `video` or `document`.
    pub kind: String,
    pub title: String,
    pub description: String,
    pub alt_text: Option<String>,
    pub media_type: String,
    pub origin: Origin,
    pub size: u64,
    /// Hexadecimal; empty where it came before this was kept.
    pub sha256: String,
    pub created_at_ms: u64,
    pub updated_at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAsset {
    pub info: AssetInfo,
    pub bytes: Vec<u8>,
}

/// What is said otherwise of an asset; absent: as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub alt_text: Option<Option<String>>,
    pub kind: Option<String>,
}

/// What came of an asset that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Kept,
    NoCurriculum,
    /// The curriculum has as many as it may, or as many bytes.
    Full,
}

impl Asset {
    #[must_use]
    pub fn kept(self, origin: Origin, at_ms: u64) -> KeptAsset {
        let info = AssetInfo {
            kind: sniff::kind_of(&self.media_type).into(),
            size: self.bytes.len() as u64,
            sha256: sha256(&self.bytes),
            topic: None,
            description: String::new(),
            alt_text: None,
            origin,
            created_at_ms: at_ms,
            updated_at_ms: at_ms,
            id: self.id,
            title: self.title,
            media_type: self.media_type,
        };
        KeptAsset { info, bytes: self.bytes }
    }
}

impl AssetChange {
    pub fn apply(&self, asset: &mut AssetInfo, at_ms: u64) {
        if let Some(title) = &self.title {
            asset.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            asset.description.clone_from(description);
        }
        if let Some(alt_text) = &self.alt_text {
            asset.alt_text.clone_from(alt_text);
        }
        if let Some(kind) = &self.kind {
            asset.kind.clone_from(kind);
        }
        asset.updated_at_ms = at_ms;
    }
}

impl From<AssetInfo> for AssetEntry {
    fn from(info: AssetInfo) -> Self {
        Self {
            id: info.id,
            topic: info.topic,
            kind: info.kind,
            title: info.title,
            description: info.description,
            alt_text: info.alt_text,
            media_type: info.media_type,
            origin: info.origin.name().into(),
            size: info.size,
            sha256: info.sha256,
            created_at_ms: info.created_at_ms,
            updated_at_ms: info.updated_at_ms,
        }
    }
}

impl From<AssetEntry> for AssetInfo {
    fn from(entry: AssetEntry) -> Self {
        Self {
            id: entry.id,
            topic: entry.topic,
            kind: entry.kind,
            title: entry.title,
            description: entry.description,
            alt_text: entry.alt_text,
            media_type: entry.media_type,
            // An archive of another hand may say anything; what a person keeps stays.
            origin: Origin::from_name(&entry.origin).unwrap_or(Origin::Upload),
            size: entry.size,
            sha256: entry.sha256,
            created_at_ms: entry.created_at_ms,
            updated_at_ms: entry.updated_at_ms,
        }
    }
}

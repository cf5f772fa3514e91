//! Curricula: UMCF documents kept byte for byte, and the views that the API derives of them.
//!
//! A document is never rewritten: unknown keys, older spellings and faults against the schema
//! are given back as they came. What a view needs and a document lacks has a default here.

pub mod archive;
mod asset;
mod authoring;
mod bundle;
pub mod checks;
pub mod curriculum;
pub mod delivery;
mod fetch;
pub mod sniff;
pub mod transcript;
pub mod umcf;

use crate::clock::Clock;
use crate::listing::Listing;
use crate::live::Hub;
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError};
use crate::webhooks::Guard;
pub use archive::ArchiveError;
pub use asset::{Asset, AssetChange, AssetInfo, KeptAsset, Origin, Room};
pub use authoring::{Preloaded, Upload, is_upstream, read};
pub use bundle::{Bundle, BundleError};
pub use curriculum::{Curriculum, Reference, Summary, Topic};
pub use delivery::{Delivery, MAX_PLACEMENTS, Placement, Progress};
pub use fetch::FetchError;
use fetch::Fetcher;
pub use sniff::SniffError;
use thiserror::Error;
use umcf::{Document, DocumentError};

/// The longest document, inflated.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
/// The largest picture, sound or film.
pub const MAX_ASSET_BYTES: usize = 64 * 1024 * 1024;
/// What one curriculum may have.
pub const MAX_ASSETS: usize = 5_000;
pub const MAX_TOTAL_BYTES: usize = 256 * 1024 * 1024;
pub const MAX_ARCHIVES: u64 = 1_000;
const MAX_ID: usize = 200;

#[derive(Debug, Error)]
pub enum ContentError {
    #[error("the document can't be kept: {0}")]
    Document(#[from] DocumentError),
    #[error("the file can't be kept: {0}")]
    Bundle(#[from] BundleError),
    #[error("the file can't be kept: {0}")]
    Sniff(#[from] SniffError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the archive can't be opened: {0}")]
    Archive(#[from] ArchiveError),
    #[error("packing the archive")]
    Pack(#[source] std::io::Error),
    #[error("neither the document nor its file has a name that an address can hold")]
    NoId,
    #[error("a curriculum `{0}` stands there, or its archive has just gone")]
    Taken(String),
    #[error(
        "the curriculum has {MAX_ASSETS} assets, or they would have more than {MAX_TOTAL_BYTES} bytes"
    )]
    Full,
    #[error("{MAX_ARCHIVES} archives are kept already, delete some of them first")]
    TooManyArchives,
    #[error("the curriculum changes all the time")]
    Busy,
    #[error("the work was stopped")]
    Stopped,
    #[error("storing the curriculum")]
    Store(#[from] StoreError),
}

/// A document on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCurriculum {
    pub id: String,
    pub document: Document,
    /// Where it came from: an import source.
    pub source: Option<String>,
    pub import_job: Option<String>,
    pub assets: Vec<Asset>,
    /// When it was made, where that was before.
    pub created_at_ms: Option<u64>,
    pub at_ms: u64,
}

/// What came of a document that was to stand in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The revision that it is now.
    Done(u64),
    Missing,
    /// Somebody else replaced it before.
    Changed,
}

/// A document that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    pub revision: u64,
    pub title: String,
    pub bytes: u64,
    pub replaced_at_ms: u64,
}

/// A curriculum that was put away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub file_name: String,
    pub curriculum: String,
    pub title: String,
    pub archived_at_ms: u64,
    pub size: u64,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArchive {
    pub archive: Archive,
    /// What was packed.
    pub revision: u64,
    pub bytes: Vec<u8>,
}

/// What came of putting a curriculum away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutAway {
    Done,
    /// It is not what was packed any more.
    Changed,
    NameTaken,
    Full,
}

#[derive(Clone, Debug)]
pub struct Content {
    store: Store,
    clock: Clock,
    live: Hub,
    fetcher: Fetcher,
}

impl Content {
    pub(crate) fn new(store: Store, clock: Clock, live: Hub, guard: Guard) -> Self {
        Self { store, clock, live, fetcher: Fetcher::new(guard) }
    }

    /// Curricula by title, or those that were deleted.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(
        &self,
        listing: &Listing,
        deleted: bool,
        page: PageRequest,
    ) -> Result<Page<Summary>, StoreError> {
        self.store.curricula(listing, deleted, page).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn curriculum(&self, id: &str) -> Result<Option<Curriculum>, StoreError> {
        self.store.curriculum(id).await
    }

    /// The document as it came, and its revision.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn document(&self, id: &str) -> Result<Option<(String, u64)>, StoreError> {
        self.store.curriculum_document(id).await
    }

    /// The documents that were replaced, the newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn revisions(&self, id: &str) -> Result<Vec<Revision>, StoreError> {
        self.store.curriculum_revisions(id).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn revision(&self, id: &str, revision: u64) -> Result<Option<String>, StoreError> {
        self.store.curriculum_revision(id, revision).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn assets(&self, curriculum: &str) -> Result<Vec<AssetInfo>, StoreError> {
        self.store.curriculum_assets(curriculum).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn asset(&self, curriculum: &str, id: &str) -> Result<Option<AssetInfo>, StoreError> {
        self.store.curriculum_asset(curriculum, id).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn archives(
        &self,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Archive>, StoreError> {
        self.store.curriculum_archives(listing, page).await
    }

    /// False where there was none.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn delete_archive(&self, file_name: &str) -> Result<bool, StoreError> {
        self.store.delete_curriculum_archive(file_name).await
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// Something that may stand in an address: the name without what would need escaping there.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().take(MAX_ID) {
        match letter {
            letter if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') => {
                slug.push(letter);
            }
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_matches(['-', '.']).to_owned()
}

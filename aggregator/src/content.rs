//! Curricula: UMCF documents kept byte for byte, and the views that the API derives of them.
//!
//! A document is never rewritten: unknown keys, older spellings and faults against the schema
//! are given back as they came. What a view needs and a document lacks has a default here.

pub mod curriculum;
pub mod umcf;

use crate::clock::Clock;
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError};
pub use curriculum::{Curriculum, Summary, Topic};
use thiserror::Error;
use umcf::{Document, DocumentError};

/// The longest document, inflated.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
const MAX_ID: usize = 200;

#[derive(Debug, Error)]
pub enum ContentError {
    #[error("the document can't be kept")]
    Document(#[from] DocumentError),
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
    pub at_ms: u64,
}

/// A picture or sound that came with a document.
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

#[derive(Clone, Debug)]
pub struct Content {
    store: Store,
    clock: Clock,
}

impl Content {
    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Curricula by title.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, page: PageRequest) -> Result<Page<Summary>, StoreError> {
        self.store.curricula(page).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn curriculum(&self, id: &str) -> Result<Option<Curriculum>, StoreError> {
        self.store.curriculum(id).await
    }

    /// The document as it came.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn document(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.store.curriculum_document(id).await
    }

    /// Keeps a document, in place of one of the same id.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn keep(&self, new: &NewCurriculum) -> Result<(), ContentError> {
        self.store.keep_curriculum(new).await?;
        Ok(())
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

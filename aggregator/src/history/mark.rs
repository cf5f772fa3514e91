//! The mark by which a database and its object store know each other: one random id in both.
//!
//! The database decides who marks a store; the object is written after it, and that it was written
//! is noted last. So a store without the mark is foreign wherever the note stands, and a start
//! that was cut off in between is gone on with.

use super::{History, HistoryError};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// The object that holds the id, as text.
const OBJECT: &str = "flyball-history";
/// More of it is not read: an id has 36 characters.
const MAX_BYTES: u64 = 64;
/// How long a start waits for the object store.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// An aggregator that has not written its mark by then was cut off: one object takes a minute at
/// most, with all repetitions.
const CLAIM_MS: u64 = 2 * 60 * 1000;

/// What a history is called in its database and in its object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryId(pub(crate) Uuid);

impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the database knows of its object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    pub(crate) id: HistoryId,
    /// The object is there.
    pub(crate) written: bool,
}

/// The database's answer to one who found no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// To be written, by who asked.
    Made(HistoryId),
    /// Somebody else is about to write it.
    Pending,
    /// It was written, somewhere else.
    Written(HistoryId),
}

/// An object store that is not this database's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{store} is not the history of this database: {found}. Set history.store to the folder or \
     bucket where that history lies; every aggregator on one database has the same. Where it was \
     moved, its object {OBJECT} has to be moved with it; where it was lost, restore it"
)]
pub struct ForeignStore {
    store: String,
    found: Found,
}

/// What stands against a store.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// The id of another history, or something else altogether.
    Other {
        mark: String,
        expected: Option<HistoryId>,
    },
    NoMark(HistoryId),
    NoSegment(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { mark, expected: Some(id) } => {
                write!(f, "its object {OBJECT} says {mark:?}, and the database says {id}")
            }
            Self::Other { mark, expected: None } => write!(
                f,
                "its object {OBJECT} says {mark:?}, and the database has no history yet; an empty \
                 store would do too"
            ),
            Self::NoMark(id) => {
                write!(f, "it has no object {OBJECT} that says {id}, as the database's store has")
            }
            Self::NoSegment(object) => write!(f, "the newest segment, {object}, is not there"),
        }
    }
}

impl History {
    /// Refuses an object store that is another database's. One that does not answer holds nothing
    /// up: agents are taken in without it, and their blocks lie in the database until a pass has
    /// found the store and asked again.
    ///
    /// # Errors
    /// Where the store is another's, or the database fails.
    pub async fn recognise_at_start(&self) -> Result<(), HistoryError> {
        let answer = tokio::time::timeout(START_PATIENCE, self.recognise()).await;
        match answer.unwrap_or(Err(HistoryError::Silent(START_PATIENCE))) {
            Err(
                error @ (HistoryError::Objects(_)
                | HistoryError::Silent(_)
                | HistoryError::Unsettled),
            ) => {
                let (store, error) = (self.0.objects.address(), &error as &dyn std::error::Error);
                tracing::warn!(store, error, "nothing becomes history until its store is known");
                Ok(())
            }
            known => known,
        }
    }

    /// Makes sure that the object store is this database's, marking it where neither has a mark.
    /// Once it has shown to be, it is not asked again.
    ///
    /// # Errors
    /// Where the store is another's or does not answer, or the database fails.
    pub async fn recognise(&self) -> Result<(), HistoryError> {
        self.0.recognised.get_or_try_init(|| self.compare()).await.map(|&()| ())
    }

    async fn compare(&self) -> Result<(), HistoryError> {
        // The database is asked first: where it says that the mark was written, it was before the
        // object is looked for.
        let known = self.0.store.history_mark().await?;
        let Some(text) = self.text().await? else { return self.mark(known).await };
        // Another aggregator may have made both since.
        let known = match known {
            Some(known) => Some(known),
            None => self.0.store.history_mark().await?,
        };
        let expected = known.map(|mark| mark.id);
        let there = text.parse().ok().map(HistoryId);
        let other = || self.foreign(Found::Other { mark: text.clone(), expected });
        let Some(there) = there.filter(|there| expected.is_none_or(|id| id == *there)) else {
            return Err(other());
        };
        match known {
            Some(Mark { written: true, .. }) => return Ok(()),
            Some(Mark { written: false, .. }) => {}
            // A database from before it had a mark, restored, knows its segments.
            None => match self.newest_segment().await? {
                Some((_, true)) => {}
                Some((_, false)) | None => return Err(other()),
            },
        }
        self.noted(there).await
    }

    /// Marks the store, where it may be this database's.
    async fn mark(&self, known: Option<Mark>) -> Result<(), HistoryError> {
        let was_written = known.is_some_and(|mark| mark.written);
        if !was_written && let Some((object, false)) = self.newest_segment().await? {
            return Err(self.foreign(Found::NoSegment(object)));
        }
        let (now_ms, proposed) = (self.0.clock.now_ms(), HistoryId(Uuid::new_v4()));
        let stale_ms = now_ms.saturating_sub(CLAIM_MS);
        match self.0.store.claim_history(proposed, now_ms, stale_ms).await? {
            Claim::Made(id) => {
                self.0.objects.put(OBJECT, Bytes::from(id.to_string())).await?;
                self.noted(id).await
            }
            Claim::Written(id) if was_written => Err(self.foreign(Found::NoMark(id))),
            Claim::Written(_) | Claim::Pending => Err(HistoryError::Unsettled),
        }
    }

    /// Notes that the mark lies in the store.
    async fn noted(&self, id: HistoryId) -> Result<(), HistoryError> {
        let stands = self.0.store.history_marked(id, self.0.clock.now_ms()).await?;
        if stands == id { Ok(()) } else { Err(HistoryError::Unsettled) }
    }

    /// What the store's mark says.
    async fn text(&self) -> Result<Option<String>, HistoryError> {
        let objects = &self.0.objects;
        let Some(bytes) = objects.size(OBJECT).await? else { return Ok(None) };
        // An empty range is asked for in vain.
        let range = 0..bytes.min(MAX_BYTES);
        let read =
            if range.is_empty() { Vec::new() } else { objects.get(OBJECT, &[range]).await? };
        let text = read.first().map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
        Ok(Some(text.unwrap_or_default()))
    }

    /// The newest segment's object, and whether the store has it.
    async fn newest_segment(&self) -> Result<Option<(String, bool)>, HistoryError> {
        let Some(object) = self.0.store.newest_segment().await? else { return Ok(None) };
        let there = self.0.objects.size(&object).await?.is_some();
        Ok(Some((object, there)))
    }

    fn foreign(&self, found: Found) -> HistoryError {
        ForeignStore { store: self.0.objects.address().to_owned(), found }.into()
    }
}

//! Curricula that this machine keeps for readers nearby, so that a site that is cut off still has
//! its content.
//!
//! A version comes in pieces into a folder of its own and takes the place of the one before as a
//! whole: readers get either, never half of one.

mod folder;
mod serving;

pub(crate) use folder::Shelf;
pub(crate) use serving::{Serving, serve};

use crate::logging::chain;
use flyball_protocol::message::{
    Job, JobEvent, JobFailure, JobFailureKind, JobRequest, ShelfPiece,
};
use folder::ShelfError;
use tokio::sync::mpsc;

/// Is it the shelf that the job is for?
pub(crate) const fn is_for(request: &JobRequest) -> bool {
    matches!(request.job, Job::Shelve { .. } | Job::Shelf)
}

/// Does one job of the aggregator's; `None` where this machine keeps nothing for readers.
pub(crate) async fn run(shelf: Option<Shelf>, job: Job, events: mpsc::Sender<JobEvent>) {
    let said = match shelf {
        None => {
            let why = "this machine keeps no content: its agent runs without --content-listen";
            Err((JobFailureKind::Unavailable, why.to_owned()))
        }
        Some(shelf) => match tokio::task::spawn_blocking(move || work(&shelf, job)).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(error)) => Err((kind(&error), chain(&error).to_string())),
            Err(error) => Err((JobFailureKind::Internal, error.to_string())),
        },
    };
    let (said, last) = match said {
        Ok(said) => (said, JobEvent::Done),
        Err((kind, message)) => {
            let diagnostics = Vec::new();
            (None, JobEvent::Failed(JobFailure { kind, message, diagnostics }))
        }
    };
    if let Some(said) = said
        && events.send(said).await.is_err()
    {
        return;
    }
    if events.send(last).await.is_err() {
        tracing::debug!("the end of a piece of content was told to nobody");
    }
}

fn work(shelf: &Shelf, job: Job) -> Result<Option<JobEvent>, ShelfError> {
    match job {
        Job::Shelf => return Ok(Some(JobEvent::Shelf(shelf.held()?))),
        Job::Shelve { curriculum, revision, piece } => match piece {
            ShelfPiece::Document { title, bytes } => {
                shelf.begin(&curriculum, revision, &title, &bytes)?;
            }
            ShelfPiece::Asset { about, offset, bytes } => {
                shelf.add(&curriculum, revision, about, offset, &bytes)?;
            }
            ShelfPiece::Whole { assets } => {
                shelf.finish(&curriculum, revision, assets)?;
                tracing::info!(curriculum, revision, assets, "readers here get a curriculum");
            }
            ShelfPiece::Removed => {
                shelf.remove(&curriculum)?;
                tracing::info!(curriculum, "a curriculum is no longer kept here");
            }
        },
        _ => {}
    }
    Ok(None)
}

const fn kind(error: &ShelfError) -> JobFailureKind {
    match error {
        ShelfError::File(_) | ShelfError::About(_) => JobFailureKind::Internal,
        ShelfError::Order(_) | ShelfError::Document(_) => JobFailureKind::InvalidInput,
        ShelfError::Full { .. } => JobFailureKind::Limit,
    }
}

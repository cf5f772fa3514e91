//! A component's report: out of the cache, else by compiling it.

use super::super::cache::{Cache, CacheError, Entry, Kept};
use super::super::compiler::{CompilerError, compile};
use super::super::folder::{self, Listed};
use super::super::hash::Hash;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What the compiling of one component came to.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) listed: Listed,
    pub(super) outcome: Result<(Hash, Kept), MakeError>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error("the component can't be read")]
    Read(#[source] io::Error),
    #[error("the component was not compiled")]
    Compile(#[source] CompilerError),
    #[error("what was compiled can't be kept")]
    Keep(#[source] CacheError),
    #[error("the component changed while it was compiled")]
    Changed,
    #[error("the component was not compiled: the work was lost")]
    Lost,
}

pub(super) async fn make(
    cache: &Arc<Cache>,
    engine: String,
    compiler: &Path,
    listed: &Listed,
) -> Result<(Hash, Kept), MakeError> {
    let (kept, path) = (Arc::clone(cache), listed.path.clone());
    let looked_up = blocking(move || {
        let hash = folder::hash(&path).map_err(MakeError::Read)?;
        let entry = Entry { hash, engine };
        let report = kept.load(&entry);
        Ok((entry, report))
    });
    let (entry, report) = looked_up.await?;
    if let Some(kept) = report {
        return Ok((entry.hash, kept));
    }
    tracing::info!(path = %listed.path.display(), "compiling a plugin");
    let output = cache.incoming(&entry).map_err(MakeError::Keep)?;
    if let Err(error) = compile(compiler, &listed.path, output).await {
        cache.forget(&entry);
        return Err(MakeError::Compile(error));
    }
    let (cache, path) = (Arc::clone(cache), listed.path.clone());
    blocking(move || {
        if folder::hash(&path).map_err(MakeError::Read)? != entry.hash {
            cache.forget(&entry);
            return Err(MakeError::Changed);
        }
        let kept = cache.adopt(&entry).map_err(MakeError::Keep)?;
        Ok((entry.hash, kept))
    })
    .await
}

/// Files and hashes of many megabytes, off the runtime's thread.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, MakeError> + Send + 'static,
) -> Result<R, MakeError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(MakeError::Lost))
}

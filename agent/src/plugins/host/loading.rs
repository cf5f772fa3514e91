//! A plugin's code on its way from the cache to the runner, a part at a time: the agent never
//! holds the whole of it, and the runner seals it only after its hash was found right.

use super::super::cache::{Cache, CacheError, Entry};
use super::super::hash::Hash;
use flyball_plugin_messages::PluginId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Parts read ahead of the runner.
const MAX_PARTS: usize = 2;

/// What the reading of code gives next.
#[derive(Debug)]
pub(super) enum Part {
    Code(Vec<u8>),
    /// That was all, and it is what was compiled.
    Sound,
    /// What was read must not run.
    Unsound(CacheError),
}

#[derive(Debug)]
pub(super) struct Loading {
    pub(super) plugin: PluginId,
    parts: mpsc::Receiver<Part>,
}

impl Loading {
    pub(super) fn start(plugin: PluginId, cache: Arc<Cache>, entry: Entry, code: Hash) -> Self {
        let (sender, parts) = mpsc::channel(MAX_PARTS);
        tokio::task::spawn_blocking(move || {
            let read = cache
                .read_code(&entry, code, |part| sender.blocking_send(Part::Code(part)).is_ok());
            let end = read.map_or_else(Part::Unsound, |()| Part::Sound);
            if sender.blocking_send(end).is_err() {
                tracing::debug!("the runner went away while code was read for it");
            }
        });
        Self { plugin, parts }
    }

    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Part {
        // It ends without a last word in a panic alone, which was printed.
        self.parts.recv().await.unwrap_or(Part::Unsound(CacheError::Damaged))
    }
}

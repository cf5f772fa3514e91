//! One machine's part of a question: its blocks from the store to a thread that decodes them.

use crate::fleet::DeviceId;
use crate::store::BlockRow;
use crate::telemetry::readings::budget::Budget;
use crate::telemetry::readings::gathering::{Form, Gathered, Gathering, reads_from_ms};
use crate::telemetry::readings::{Engine, MAX_GAPS, ReadingsError};
use crate::telemetry::{SeriesId, SeriesInfo};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Batches of blocks that wait for the thread.
const BATCHES: usize = 2;

impl Engine {
    pub(super) async fn machine(
        &self,
        machine: DeviceId,
        series: Vec<Arc<SeriesInfo>>,
        range: Range<u64>,
        form: Form,
        budget: Arc<Budget>,
    ) -> Result<Vec<(SeriesId, Gathered)>, ReadingsError> {
        let attempt = || self.attempt(machine, series.clone(), range.clone(), form, &budget);
        match attempt().await {
            Err(ReadingsError::Stale) => {
                self.dictionaries.forget(machine).await;
                attempt().await
            }
            answer => answer,
        }
    }

    async fn attempt(
        &self,
        machine: DeviceId,
        series: Vec<Arc<SeriesInfo>>,
        range: Range<u64>,
        form: Form,
        budget: &Arc<Budget>,
    ) -> Result<Vec<(SeriesId, Gathered)>, ReadingsError> {
        let dictionary = self.dictionaries.of(&self.store, machine).await?;
        let from_ms = reads_from_ms(&series, range.start, form);
        let to_ms = range.end;
        let gaps = self.store.gaps(machine, range.start, range.end, MAX_GAPS).await?;
        let mut gathering = Gathering::new(series, range, form, &dictionary, Arc::clone(budget));
        let (sender, mut receiver) = mpsc::channel::<Vec<BlockRow>>(BATCHES);
        // Ends by itself where the question is given up: its sender is dropped then.
        let decoding = tokio::task::spawn_blocking(move || {
            while let Some(batch) = receiver.blocking_recv() {
                for block in &batch {
                    gathering.take_block(block.epoch, &block.data)?;
                }
            }
            Ok::<_, ReadingsError>(gathering.finish(&gaps))
        });
        let sent = self.store.send_blocks(machine, from_ms, to_ms, sender).await;
        let gathered = decoding.await??;
        sent?;
        Ok(gathered.into_iter().map(|(series, gathered)| (series.id, gathered)).collect())
    }
}

//! Blocks that stay in memory from one question to the next.
//!
//! A dashboard asks the same of the same machines every few seconds, and what it asks lies in
//! blocks only for the last hours. A block never changes; which of them there are does, by
//! ingest, compaction, erasure and other replicas. So each question first takes the print of its
//! set from the database, and what is kept answers only where it has the same one.

use crate::caches::CacheMeter;
use crate::fleet::DeviceId;
use crate::store::{BlockRow, BlocksPrint, Store, StoreError};
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of blocks of all machines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Of one machine: what has more is streamed, and not kept.
const MAX_MACHINE_BYTES: usize = 16 * 1024 * 1024;
const MAX_MACHINE_BLOCKS: u32 = 8_192;
/// What a block takes beside its bytes.
const ROW_BYTES: usize = size_of::<BlockRow>() + 64;
/// Nobody asks for the machine any more.
const IDLE: Duration = Duration::from_mins(10);

#[derive(Clone, Debug)]
pub(super) struct RecentBlocks {
    kept: Cache<DeviceId, Arc<[BlockRow]>>,
    meter: CacheMeter,
}

impl Default for RecentBlocks {
    fn default() -> Self {
        let weigh = |_: &DeviceId, blocks: &Arc<[BlockRow]>| {
            u32::try_from(bytes_of(blocks)).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(MAX_BYTES).weigher(weigh).time_to_idle(IDLE);
        Self { kept: cache.build(), meter: CacheMeter::new("blocks") }
    }
}

impl RecentBlocks {
    pub(super) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    /// Every block with a tick in `from_ms..to_ms`, by its first tick, all of one snapshot;
    /// `None` where they are too many to stand in memory.
    pub(super) async fn of(
        &self,
        store: &Store,
        machine: DeviceId,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Option<Arc<[BlockRow]>>, StoreError> {
        let limit = MAX_MACHINE_BLOCKS + 1;
        let print = store.blocks_print(machine, from_ms, to_ms, limit).await?;
        if print.count > u64::from(MAX_MACHINE_BLOCKS) {
            return Ok(None);
        }
        if print.count == 0 {
            return Ok(Some(Arc::default()));
        }
        let known = self.kept.get(&machine).await.unwrap_or_default();
        if let Some(inside) = self.meter.asked(inside(&known, from_ms, to_ms, print)) {
            return Ok(Some(inside));
        }
        // Mostly a few have come since.
        if let Some(newest) = known.iter().map(|block| block.id).max() {
            let Some(newer) = read(store, machine, from_ms, to_ms, newest).await? else {
                return Ok(None);
            };
            let all = merged(&known, newer);
            if let Some(inside) = inside(&all, from_ms, to_ms, print) {
                // Those that became history are let go of by and by.
                self.keep(machine, if fits(&all) { &all } else { &inside }).await;
                return Ok(Some(inside));
            }
        }
        let Some(read) = read(store, machine, from_ms, to_ms, 0).await? else { return Ok(None) };
        let read = Arc::from(read);
        self.keep(machine, &read).await;
        Ok(Some(read))
    }

    async fn keep(&self, machine: DeviceId, blocks: &Arc<[BlockRow]>) {
        if fits(blocks) {
            self.kept.insert(machine, Arc::clone(blocks)).await;
        }
    }
}

fn bytes_of(blocks: &[BlockRow]) -> usize {
    blocks.iter().map(|block| block.data.len() + ROW_BYTES).sum()
}

fn fits(blocks: &[BlockRow]) -> bool {
    blocks.len() <= MAX_MACHINE_BLOCKS as usize && bytes_of(blocks) <= MAX_MACHINE_BYTES
}

/// Those of the range, where they are what the database has.
fn inside(
    known: &Arc<[BlockRow]>,
    from_ms: u64,
    to_ms: u64,
    print: BlocksPrint,
) -> Option<Arc<[BlockRow]>> {
    let wanted = || known.iter().filter(|block| block.is_in(from_ms, to_ms));
    if BlocksPrint::of(wanted()) != print {
        return None;
    }
    let all = print.count == known.len() as u64;
    Some(if all { Arc::clone(known) } else { wanted().cloned().collect() })
}

/// Both, by their first ticks as the store has them.
fn merged(known: &[BlockRow], newer: Vec<BlockRow>) -> Arc<[BlockRow]> {
    let mut all = [known, &newer].concat();
    all.sort_by_key(|block| (block.from_ms, block.id));
    all.into()
}

/// Blocks of one snapshot; `None` where they are larger than what may be kept.
async fn read(
    store: &Store,
    machine: DeviceId,
    from_ms: u64,
    to_ms: u64,
    after: i64,
) -> Result<Option<Vec<BlockRow>>, StoreError> {
    let (sender, mut receiver) = mpsc::channel::<Vec<BlockRow>>(1);
    let collect = async move {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = receiver.recv().await {
            bytes += bytes_of(&batch);
            if bytes > MAX_MACHINE_BYTES {
                // The sender ends where nobody takes any more.
                return None;
            }
            blocks.extend(batch);
        }
        Some(blocks)
    };
    let send = store.send_blocks_after(after, machine, from_ms, to_ms, sender);
    let (sent, blocks) = tokio::join!(send, collect);
    sent?;
    Ok(blocks)
}

#[cfg(test)]
mod tests;

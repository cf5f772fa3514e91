//! What goes when the quota is reached: the oldest blocks are thinned, what was thinned as far as
//! it can be is dropped, and each loss is named by a gap.

use super::disk::Batch;
use super::thinning::Thinning;
use super::{Shared, SpoolError, keys, scan, value};
use flyball_protocol::block::Block;
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::NoData;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

const LEAST_SLACK: u64 = 64 * 1024;
/// Series that one gap names: an aggregator takes no more.
const GAP_SERIES: usize = 4096;

/// Blocks that are taken away, and what comes in their place.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) seqs: Ranges,
    /// What is left of them, and the gaps that name what is not.
    pub(super) bodies: Vec<EntryBody>,
    pub(super) freed: u64,
    pub(super) thinned: u64,
    pub(super) dropped: u64,
    pieces: Vec<(Seq, u8)>,
}

impl Room {
    pub(super) fn remove_in(&self, batch: &mut Batch) {
        for &(seq, pieces) in &self.pieces {
            for piece in 0..pieces {
                batch.remove(&keys::piece(seq, piece));
            }
        }
    }
}

/// What a gap is to name.
#[derive(Debug, Default)]
struct Loss {
    span: Option<(u64, u64)>,
    series: BTreeSet<SeriesRef>,
    blocks: u64,
}

impl Loss {
    fn add(&mut self, block: Option<&Block>) {
        self.blocks += 1;
        for group in block.into_iter().flat_map(|block| &block.groups) {
            let Some(last_ms) = group.ticks_ms().last() else { continue };
            let (from_ms, to_ms) = self.span.unwrap_or((group.first_ms, last_ms));
            self.span = Some((from_ms.min(group.first_ms), to_ms.max(last_ms)));
            self.series.extend(group.columns.iter().map(|column| column.series));
        }
    }

    fn named(self, what: &str) -> Vec<EntryBody> {
        let Some((from_ms, to_ms)) = self.span else { return Vec::new() };
        let note =
            format!("the spool's quota was reached: its oldest {} blocks were {what}", self.blocks);
        let series: Vec<SeriesRef> = self.series.into_iter().collect();
        let gap = |series: &[SeriesRef]| {
            let scope = GapScope::Series(series.to_vec());
            let note = note.clone();
            EntryBody::Gap(Gap { from_ms, to_ms, scope, reason: NoData::Overflow, note })
        };
        series.chunks(GAP_SERIES).map(gap).collect()
    }
}

/// More than is needed is freed at once, so that the next append need not look again and that what
/// is left of many blocks fills one; no more than fits in memory, since they are decoded for it.
fn slack(bound: u64) -> u64 {
    (bound / 256).max(LEAST_SLACK).min(bound / 4)
}

/// Chooses what has to go before `bodies` can come. Nothing is removed yet.
pub(super) fn make_room(shared: &Shared, bodies: &[Vec<u8>]) -> Result<Room, SpoolError> {
    let bound = shared.limits.live_bytes();
    let coming: u64 = bodies.iter().map(|body| value::size_of(body.len())).sum();
    let live = shared.live_bytes.load(Ordering::Relaxed);
    let mut room = Room::default();
    let Some(over) = (live + coming).checked_sub(bound).filter(|&over| over > 0) else {
        return Ok(room);
    };
    let wanted = over + slack(bound);
    let (mut thinned, mut dropped) = (Loss::default(), Loss::default());
    let mut thinning = Thinning::default();
    let mut gained = 0;
    let next_seq = shared.next_seq();
    // Who makes room settles, which keeps the disk from being exchanged.
    let waiting = shared.with_disk(|disk| Ok(scan::entries(disk, Seq::FIRST, next_seq)))?;
    for stored in waiting {
        if gained >= wanted {
            break;
        }
        let (seq, bytes) = stored?;
        let block = value::parse(seq, &bytes, shared.seal.as_ref())
            .map(|entry| EntryBody::decode(&entry.body));
        let Some(Ok(EntryBody::Block(block))) = block else { continue };
        let block = Block::decode(&block).ok();
        let size = bytes.len() as u64;
        if block.as_ref().is_some_and(|block| thinning.take(block)) {
            thinned.add(block.as_ref());
            // What is left takes a tenth to a fifth of it.
            gained += size / 5 * 4;
        } else {
            dropped.add(block.as_ref());
            gained += size;
        }
        room.pieces.push((seq, value::pieces_of(size)));
        room.seqs.insert(seq);
        room.freed += size;
    }
    (room.thinned, room.dropped) = (thinned.blocks, dropped.blocks);
    match thinning.finish() {
        Ok(left) => room.bodies = left,
        // It is bounded by what it was made of; should it not fit all the same, it goes.
        Err(error) => tracing::error!(%error, "what is left of thinned blocks fits no block"),
    }
    room.bodies.extend(thinned.named("thinned"));
    room.bodies.extend(dropped.named("dropped"));
    if live + coming > room.freed + shared.limits.quota_bytes {
        return Err(SpoolError::Full { quota_bytes: shared.limits.quota_bytes });
    }
    Ok(room)
}

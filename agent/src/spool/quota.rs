//! What goes when the quota is reached. In bytes: the oldest blocks are thinned, what was thinned
//! as far as it can be is dropped. In days, where they are bounded: what is older is dropped. Each
//! loss is named by a gap.

use super::disk::Batch;
use super::thinning::Thinning;
use super::{Limits, Shared, SpoolError, keys, scan, value};
use flyball_protocol::block::{Block, Header};
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::NoData;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

const LEAST_SLACK: u64 = 64 * 1024;
/// Series that one gap names: an aggregator takes no more.
const GAP_SERIES: usize = 4096;
/// Blocks that one append lets go of for their age: as many as fit in memory; the next goes on.
const MAX_AGED: u64 = 256;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

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

    /// The gaps for it; `quota` and `what` say why.
    fn named(self, quota: &str, what: &str) -> Vec<EntryBody> {
        let Some((from_ms, to_ms)) = self.span else { return Vec::new() };
        let note = format!(
            "the spool's quota{quota} was reached: its oldest {} blocks were {what}",
            self.blocks
        );
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

/// Before when everything is too old, seen from the newest that comes. A machine's clock may
/// leap, so this goes by the samples' own times and only where somebody asked for it.
fn too_old_ms(days: Option<u32>, bodies: &[EntryBody]) -> Option<u64> {
    let span_ms = u64::from(days?) * DAY_MS;
    let newest_ms = bodies.iter().filter_map(|body| match body {
        EntryBody::Block(bytes) => Header::read(bytes).ok()?.span_ms().map(|(_, last)| last),
        EntryBody::Event { .. } | EntryBody::Gap(_) | EntryBody::Outcome(_) => None,
    });
    newest_ms.max()?.checked_sub(span_ms)
}

/// Is all of it before `oldest_ms`?
fn is_before(block: &Block, oldest_ms: u64) -> bool {
    let mut lasts = block.groups.iter().filter_map(|group| group.ticks_ms().last());
    lasts.all(|last_ms| last_ms < oldest_ms)
}

/// Chooses what has to go before `bodies` can come, of which `encoded` are the bytes. Nothing is
/// removed yet.
pub(super) fn make_room(
    shared: &Shared,
    bodies: &[EntryBody],
    encoded: &[Vec<u8>],
) -> Result<Room, SpoolError> {
    let Limits { quota_bytes, quota_days } = shared.limits;
    let bound = shared.limits.live_bytes();
    let coming: u64 = encoded.iter().map(|body| value::size_of(body.len())).sum();
    let live = shared.live_bytes.load(Ordering::Relaxed);
    let mut room = Room::default();
    let over = (live + coming).saturating_sub(bound);
    let too_old_ms = too_old_ms(quota_days, bodies);
    if over == 0 && too_old_ms.is_none() {
        return Ok(room);
    }
    let wanted = if over > 0 { over + slack(bound) } else { 0 };
    let (mut thinned, mut dropped, mut aged) = (Loss::default(), Loss::default(), Loss::default());
    let mut thinning = Thinning::default();
    let mut gained = 0;
    let next_seq = shared.next_seq();
    // Who makes room settles, which keeps the disk from being exchanged.
    let waiting = shared.with_disk(|disk| Ok(scan::entries(disk, Seq::FIRST, next_seq)))?;
    for stored in waiting {
        if gained >= wanted && (too_old_ms.is_none() || aged.blocks >= MAX_AGED) {
            break;
        }
        let (seq, bytes) = stored?;
        let block = value::parse(seq, &bytes, shared.seal.as_ref())
            .map(|entry| EntryBody::decode(&entry.body));
        let Some(Ok(EntryBody::Block(block))) = block else { continue };
        let block = Block::decode(&block).ok();
        let size = bytes.len() as u64;
        let is_aged = aged.blocks < MAX_AGED
            && block.as_ref().zip(too_old_ms).is_some_and(|(block, ms)| is_before(block, ms));
        if is_aged {
            aged.add(block.as_ref());
            gained += size;
        } else if gained >= wanted {
            break;
        } else if block.as_ref().is_some_and(|block| thinning.take(block)) {
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
    (room.thinned, room.dropped) = (thinned.blocks, dropped.blocks + aged.blocks);
    match thinning.finish() {
        Ok(left) => room.bodies = left,
        // It is bounded by what it was made of; should it not fit all the same, it goes.
        Err(error) => tracing::error!(%error, "what is left of thinned blocks fits no block"),
    }
    room.bodies.extend(thinned.named("", "thinned"));
    room.bodies.extend(dropped.named("", "dropped"));
    if let Some(days) = quota_days {
        room.bodies.extend(aged.named(&format!(" of {days} days"), "dropped"));
    }
    if live + coming > room.freed + quota_bytes {
        return Err(SpoolError::Full { quota_bytes });
    }
    Ok(room)
}

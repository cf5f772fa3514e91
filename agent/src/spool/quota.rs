//! What goes when the quota is reached: the oldest blocks, each loss named by a gap.

use super::disk::Batch;
use super::{Shared, SpoolError, keys, scan, value};
use flyball_protocol::block::Header;
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::NoData;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// More than is needed is dropped at once, so that the next append need not look again.
const SLACK_DIVISOR: u64 = 16;

/// Blocks chosen to go, and the gap that names them.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) seqs: Ranges,
    pub(super) gaps: Vec<EntryBody>,
    pub(super) freed: u64,
    pub(super) blocks: u64,
    pieces: Vec<(Seq, u8)>,
}

impl Dropped {
    pub(super) fn remove_in(&self, batch: &mut Batch) {
        for &(seq, pieces) in &self.pieces {
            for piece in 0..pieces {
                batch.remove(&keys::piece(seq, piece));
            }
        }
    }
}

/// Chooses what has to go before `bodies` can come. Nothing is removed yet.
pub(super) fn make_room(shared: &Shared, bodies: &[Vec<u8>]) -> Result<Dropped, SpoolError> {
    let bound = shared.limits.live_bytes();
    let coming: u64 = bodies.iter().map(|body| value::size_of(body.len())).sum();
    let live = shared.live_bytes.load(Ordering::Relaxed);
    let mut dropped = Dropped::default();
    let Some(over) = (live + coming).checked_sub(bound).filter(|&over| over > 0) else {
        return Ok(dropped);
    };
    let wanted = over + bound / SLACK_DIVISOR;
    let mut span: Option<(u64, u64)> = None;
    let mut series = BTreeSet::new();
    let next_seq = shared.next_seq();
    // Who makes room settles, which keeps the disk from being exchanged.
    let waiting = shared.with_disk(|disk| Ok(scan::entries(disk, Seq::FIRST, next_seq)))?;
    for stored in waiting {
        if dropped.freed >= wanted {
            break;
        }
        let (seq, bytes) = stored?;
        let block = value::parse(seq, &bytes, shared.seal.as_ref())
            .map(|entry| EntryBody::decode(&entry.body));
        let Some(Ok(EntryBody::Block(block))) = block else { continue };
        if let Ok(header) = Header::read(&block) {
            span = header
                .span_ms()
                .into_iter()
                .chain(span)
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            series.extend(header.columns().map(|(_, column)| column.series));
        }
        dropped.pieces.push((seq, value::pieces_of(bytes.len() as u64)));
        dropped.seqs.insert(seq);
        dropped.freed += bytes.len() as u64;
        dropped.blocks += 1;
    }
    if live + coming > dropped.freed + shared.limits.quota_bytes {
        return Err(SpoolError::Full { quota_bytes: shared.limits.quota_bytes });
    }
    let series: Vec<SeriesRef> = series.into_iter().collect();
    dropped.gaps = span.map(|span| name(span, series, dropped.blocks)).into_iter().collect();
    Ok(dropped)
}

fn name((from_ms, to_ms): (u64, u64), series: Vec<SeriesRef>, blocks: u64) -> EntryBody {
    EntryBody::Gap(Gap {
        from_ms,
        to_ms,
        scope: GapScope::Series(series),
        reason: NoData::Overflow,
        note: format!("the spool's quota was reached: its oldest {blocks} blocks were dropped"),
    })
}

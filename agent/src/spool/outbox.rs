//! The spool as the uplink sees it: entries to send, definitions to announce, ranges to forget.

use super::disk::Batch;
use super::{Settling, Shared, SpoolError, Usage, dictionary, keys, scan, value};
use flyball_protocol::entry::Entry;
use flyball_protocol::series::{SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use std::sync::Arc;

/// Numbers trimmed in one batch. sled keeps every page of a batch in memory until it is done.
const TRIM_BATCH: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
}

impl Outbox {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.shared.epoch()
    }

    /// The first number that no durable entry has.
    pub(crate) fn next_seq(&self) -> Seq {
        self.shared.next_seq()
    }

    /// Entries from `from` to before `before`, in order: at most `entries`, and no further one
    /// once they have `bytes`. Damaged ones are skipped and logged.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn read_from(
        &self,
        from: Seq,
        before: Seq,
        entries: usize,
        bytes: usize,
    ) -> Result<Vec<Entry>, SpoolError> {
        let mut found = Vec::new();
        let mut size = 0;
        let before = before.min(self.next_seq());
        self.shared.with_disk(|disk| {
            for stored in scan::entries(disk, from, before) {
                if found.len() >= entries || size >= bytes {
                    break;
                }
                let (seq, value) = stored?;
                match value::parse(seq, &value, self.shared.seal.as_ref()) {
                    Some(entry) => {
                        size += entry.body.len();
                        found.push(entry);
                    }
                    None => {
                        tracing::error!(seq = seq.0, "an entry of the spool is damaged; skipped");
                    }
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Definitions from a number on, in order.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn series_from(&self, first: SeriesRef) -> Result<Vec<SeriesDef>, SpoolError> {
        self.shared.with_disk(|disk| {
            let definitions = dictionary::definitions_from(disk, first);
            Ok(definitions.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets what is committed at the aggregator.
    ///
    /// # Errors
    /// Where the disk fails; asking again is harmless.
    pub(crate) fn trim(&self, acked: &Ranges) -> Result<(), SpoolError> {
        for (from, to) in acked.iter() {
            let mut settling = self.shared.settling();
            let before = to.next().min(self.next_seq());
            let mut trim = Trim::new(from);
            // Who settles keeps the disk from being exchanged.
            let waiting = self.shared.with_disk(|disk| Ok(scan::entries(disk, from, before)))?;
            for stored in waiting {
                let (seq, value) = stored?;
                trim.take(seq, value.len() as u64);
                if trim.count >= TRIM_BATCH {
                    std::mem::replace(&mut trim, Trim::new(seq.next()))
                        .settle(&mut settling, seq)?;
                }
            }
            if from < before {
                trim.settle(&mut settling, Seq(before.0 - 1))?;
            }
        }
        Ok(())
    }

    /// Goes on under another epoch: the aggregator knows numbers that this spool never gave.
    ///
    /// # Errors
    /// Where the disk fails; the old epoch holds then.
    pub(crate) fn renew_epoch(&self, epoch: Epoch) -> Result<(), SpoolError> {
        self.shared.renew_epoch(epoch)
    }

    /// # Errors
    /// Where the disk's files cannot be looked at.
    pub(crate) fn usage(&self) -> Result<Usage, SpoolError> {
        self.shared.usage()
    }
}

/// Entries being forgotten in one batch.
struct Trim {
    from: Seq,
    batch: Batch,
    count: usize,
    freed: u64,
}

impl Trim {
    fn new(from: Seq) -> Self {
        Self { from, batch: Batch::default(), count: 0, freed: 0 }
    }

    fn take(&mut self, seq: Seq, value_bytes: u64) {
        for piece in 0..value::pieces_of(value_bytes) {
            self.batch.remove(&keys::piece(seq, piece));
        }
        self.count += 1;
        self.freed += value_bytes;
    }

    fn settle(self, settling: &mut Settling<'_>, to: Seq) -> Result<(), SpoolError> {
        let mut gone = Ranges::new();
        gone.insert_range(self.from, to);
        settling.apply(&gone, self.batch, self.freed)
    }
}

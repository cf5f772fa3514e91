//! The aggregator's half: what of one (agent, epoch) is committed, on its way, or new.

use super::{Epoch, Ranges, Seq};
use crate::entry::Entry;
use std::collections::BTreeMap;

/// What one agent's epoch has delivered. Made from the store's committed ranges when the agent
/// connects. It holds checksums only of what waits for its commit: what a committed number was,
/// the store alone knows, so a repetition of it goes there like anything new.
#[derive(Debug)]
pub struct Receiver {
    epoch: Epoch,
    committed: Ranges,
    /// Taken and not committed yet, with their checksums.
    pending: BTreeMap<Seq, u32>,
    to_ack: Ranges,
    max_pending: usize,
}

/// What to do with an entry that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Commit it, then call [`Receiver::handle_committed`].
    New,
    /// A repetition of one that waits for its commit; drop it.
    Pending,
    /// A repetition of a committed number. The store compares it with what it has: call
    /// [`Receiver::handle_committed`] where they are the same, which acknowledges it again, and
    /// close with `close::CHECKSUM` where they are not.
    Committed,
    /// The body does not match its checksum or bound: close with `close::MALFORMED`.
    Damaged,
    /// Another body under a number that waits for its commit: close with `close::CHECKSUM`.
    Conflict,
    /// The peer sends more than its window, or numbers with more holes between them than
    /// [`MAX_PIECES`](super::MAX_PIECES) keep: close with `close::REFUSED`.
    OverWindow,
}

impl Receiver {
    /// `max_pending` bounds the entries that may wait for their commit.
    #[must_use]
    pub const fn new(epoch: Epoch, committed: Ranges, max_pending: usize) -> Self {
        Self { epoch, committed, pending: BTreeMap::new(), to_ack: Ranges::new(), max_pending }
    }

    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What `Welcome` carries.
    #[must_use]
    pub const fn committed(&self) -> &Ranges {
        &self.committed
    }

    pub fn handle_entry(&mut self, entry: &Entry) -> Receipt {
        if entry.verify().is_err() {
            return Receipt::Damaged;
        }
        match self.pending.get(&entry.seq) {
            Some(&checksum) if checksum == entry.checksum => Receipt::Pending,
            Some(_) => Receipt::Conflict,
            None if self.pending.len() >= self.max_pending => Receipt::OverWindow,
            None if !self.committed.may_insert(entry.seq, self.pending.len()) => {
                Receipt::OverWindow
            }
            None => {
                self.pending.insert(entry.seq, entry.checksum);
                if self.committed.contains(entry.seq) { Receipt::Committed } else { Receipt::New }
            }
        }
    }

    /// These are durable now; they are acknowledged with the next [`Receiver::poll_ack`].
    pub fn handle_committed(&mut self, seqs: impl IntoIterator<Item = Seq>) {
        for seq in seqs {
            self.pending.remove(&seq);
            self.committed.insert(seq);
            self.to_ack.insert(seq);
        }
    }

    /// Their commit failed: a repetition is new again.
    pub fn handle_failed(&mut self, seqs: impl IntoIterator<Item = Seq>) {
        for seq in seqs {
            self.pending.remove(&seq);
        }
    }

    /// What to acknowledge now.
    pub fn poll_ack(&mut self) -> Option<Ranges> {
        (!self.to_ack.is_empty()).then(|| std::mem::take(&mut self.to_ack))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, body: &[u8]) -> Entry {
        Entry { seq: Seq(seq), checksum: crc32fast::hash(body), body: body.to_vec() }
    }

    fn receiver() -> Receiver {
        Receiver::new(Epoch(1), Ranges::new(), 2)
    }

    #[test]
    fn an_entry_is_acknowledged_after_its_commit_and_again_when_the_store_knows_it() {
        let mut receiver = receiver();
        assert_eq!(receiver.handle_entry(&entry(1, b"a")), Receipt::New);
        assert_eq!(receiver.handle_entry(&entry(1, b"a")), Receipt::Pending);
        assert_eq!(receiver.poll_ack(), None);
        receiver.handle_committed([Seq(1)]);
        assert_eq!(receiver.poll_ack(), Some(Ranges::from_iter([Seq(1)])));
        assert_eq!(receiver.poll_ack(), None);
        assert_eq!(receiver.handle_entry(&entry(1, b"a")), Receipt::Committed);
        assert_eq!(receiver.poll_ack(), None, "the store has not compared it");
        assert_eq!(receiver.handle_entry(&entry(1, b"a")), Receipt::Pending);
        assert_eq!(receiver.handle_entry(&entry(1, b"b")), Receipt::Conflict);
        receiver.handle_committed([Seq(1)]);
        assert_eq!(receiver.poll_ack(), Some(Ranges::from_iter([Seq(1)])));
    }

    #[test]
    fn a_peer_that_leaves_too_many_holes_is_refused() {
        let odd: Ranges = (0..super::super::MAX_PIECES as u64).map(|n| Seq(2 * n + 1)).collect();
        let mut receiver = Receiver::new(Epoch(1), odd, 2);
        assert_eq!(receiver.handle_entry(&entry(100_000, b"a")), Receipt::OverWindow);
        assert_eq!(receiver.handle_entry(&entry(2, b"a")), Receipt::New, "it fills a hole");
    }

    #[test]
    fn another_body_under_a_waiting_number_is_a_conflict() {
        let mut receiver = receiver();
        receiver.handle_entry(&entry(1, b"a"));
        assert_eq!(receiver.handle_entry(&entry(1, b"b")), Receipt::Conflict);
    }

    #[test]
    fn a_body_that_does_not_match_its_checksum_is_damaged() {
        let mut wrong = entry(1, b"a");
        wrong.body.push(b'x');
        assert_eq!(receiver().handle_entry(&wrong), Receipt::Damaged);
        assert_eq!(receiver().handle_entry(&entry(0, b"a")), Receipt::Damaged);
    }

    #[test]
    fn a_peer_over_its_window_is_refused_until_a_commit_ends() {
        let mut receiver = receiver();
        receiver.handle_entry(&entry(1, b"a"));
        receiver.handle_entry(&entry(2, b"b"));
        assert_eq!(receiver.handle_entry(&entry(3, b"c")), Receipt::OverWindow);
        receiver.handle_failed([Seq(1)]);
        assert_eq!(receiver.handle_entry(&entry(1, b"a")), Receipt::New);
    }
}

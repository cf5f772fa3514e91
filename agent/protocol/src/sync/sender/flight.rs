//! One lane's cursor and what is unacknowledged behind it.

use crate::sync::{Ranges, Seq};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Flight {
    begin: Seq,
    cursor: Seq,
    /// When each left, and its bytes. Bounded by the window.
    unacked: BTreeMap<Seq, (u64, usize)>,
    bytes: usize,
}

impl Flight {
    pub(super) const fn new(begin: Seq) -> Self {
        Self { begin, cursor: begin, unacked: BTreeMap::new(), bytes: 0 }
    }

    /// The first number of the lane.
    pub(super) const fn begin(&self) -> Seq {
        self.begin
    }

    pub(super) const fn cursor(&self) -> Seq {
        self.cursor
    }

    pub(super) fn len(&self) -> usize {
        self.unacked.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest unacknowledged entry left: a lane sends in order.
    pub(super) fn oldest_ms(&self) -> Option<u64> {
        self.unacked.first_key_value().map(|(_, &(at_ms, _))| at_ms)
    }

    pub(super) fn depart(&mut self, now_ms: u64, seq: Seq, bytes: usize) {
        if self.unacked.insert(seq, (now_ms, bytes)).is_none() {
            self.bytes += bytes;
        }
    }

    pub(super) fn advance(&mut self, cursor: Seq) {
        self.cursor = self.cursor.max(cursor);
    }

    pub(super) fn arrive(&mut self, acked: &Ranges) {
        let bytes = &mut self.bytes;
        self.unacked.retain(|&seq, &mut (_, size)| {
            let stays = !acked.contains(seq);
            if !stays {
                *bytes -= size;
            }
            stays
        });
    }
}

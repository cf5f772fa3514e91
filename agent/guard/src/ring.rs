//! The last minutes as records, in memory that is taken once.
//!
//! Records are kept encoded, one after the other, until the agent confirms them. When there is
//! no room the oldest go, and one `Lost` record stands in their place under the number of the
//! last of them. The loop hands records over through an [`Outbox`], which never waits for the
//! link.

use flyball_guard_messages::{Record, RecordBody};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// More records than ten minutes of ticks with their events.
const MAX_RECORDS: usize = 4096;
/// Seconds of ticks that the ring holds at least.
const TICKS: usize = 660;
/// The most that one sample takes: its series, its tag and eight bytes.
const SAMPLE_BYTES: usize = 12;
const TICK_BYTES: usize = 32;
/// Room for events beside the ticks.
const EVENT_BYTES: usize = 128 * 1024;
/// What waits for the ring while the link holds it: a few cycles' worth.
const OUTBOX_TICKS: usize = 4;

/// How many bytes hold [`TICKS`] ticks of `series` series.
fn capacity(series: usize) -> usize {
    TICKS * tick_bytes(series) + EVENT_BYTES
}

fn tick_bytes(series: usize) -> usize {
    series * SAMPLE_BYTES + TICK_BYTES
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: usize,
    length: usize,
    at_ms: u64,
}

/// What had to go, as one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lost {
    /// The number of the last lost record, under which this one is delivered.
    number: u64,
    from_ms: u64,
    to_ms: u64,
    records: u64,
}

#[derive(Debug)]
pub(crate) struct Ring {
    bytes: Box<[u8]>,
    /// Where the next record goes.
    write: usize,
    entries: VecDeque<Entry>,
    /// The number of the oldest entry. The first record of a run is number 1.
    first: u64,
    lost: Option<Lost>,
    lost_records: u64,
}

impl Ring {
    pub(crate) fn for_series(series: usize) -> Self {
        Self::with_capacity(capacity(series), MAX_RECORDS)
    }

    fn with_capacity(bytes: usize, records: usize) -> Self {
        Self {
            bytes: vec![0; bytes].into_boxed_slice(),
            write: 0,
            entries: VecDeque::with_capacity(records),
            first: 1,
            lost: None,
            lost_records: 0,
        }
    }

    /// Makes room for the ticks of more series. What it holds stays.
    pub(crate) fn grow_for(&mut self, series: usize) {
        let bytes = capacity(series);
        if bytes <= self.bytes.len() {
            return;
        }
        let mut grown = vec![0; bytes].into_boxed_slice();
        let mut write = 0;
        for entry in &mut self.entries {
            let end = write + entry.length;
            grown[write..end]
                .copy_from_slice(&self.bytes[entry.offset..entry.offset + entry.length]);
            entry.offset = write;
            write = end;
        }
        self.bytes = grown;
        self.write = write;
    }

    /// Takes one encoded record. One that could never fit is counted as lost.
    pub(crate) fn push(&mut self, record: &[u8], at_ms: u64) {
        if record.len() > self.bytes.len() {
            self.lost_records += 1;
            return;
        }
        if self.entries.len() == self.entries.capacity() {
            self.drop_oldest();
        }
        let offset = loop {
            match self.room(record.len()) {
                Some(offset) => break offset,
                None => self.drop_oldest(),
            }
        };
        self.bytes[offset..offset + record.len()].copy_from_slice(record);
        self.write = offset + record.len();
        self.entries.push_back(Entry { offset, length: record.len(), at_ms });
    }

    /// Where `length` bytes in one piece are free, if they are.
    fn room(&self, length: usize) -> Option<usize> {
        let Some(oldest) = self.entries.front() else {
            return Some(0);
        };
        if self.write > oldest.offset {
            if self.bytes.len() - self.write >= length {
                return Some(self.write);
            }
            return (oldest.offset >= length).then_some(0);
        }
        // Wrapped: what is free lies between the newest and the oldest.
        (oldest.offset - self.write >= length).then_some(self.write)
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.first += 1;
            self.lose(oldest.at_ms);
        }
    }

    /// Counts the record before `first` as lost.
    fn lose(&mut self, at_ms: u64) {
        self.lost_records += 1;
        let number = self.first - 1;
        let lost =
            self.lost.get_or_insert(Lost { number, from_ms: at_ms, to_ms: at_ms, records: 0 });
        lost.number = number;
        lost.from_ms = lost.from_ms.min(at_ms);
        lost.to_ms = lost.to_ms.max(at_ms);
        lost.records += 1;
    }

    /// The records after number `after`, in order and at most `max_bytes` of them, with the
    /// number of the first.
    pub(crate) fn read_after(&self, after: u64, max_bytes: usize) -> (u64, Vec<Record>) {
        let mut records = Vec::new();
        let mut first = after + 1;
        if let Some(lost) = self.lost.filter(|lost| lost.number > after) {
            let Lost { number, from_ms, to_ms, records: count } = lost;
            first = number;
            let body = RecordBody::Lost { from_ms, to_ms, records: count };
            records.push(Record { at_ms: from_ms, body });
        } else {
            first = first.max(self.first);
        }
        let next = first + records.len() as u64;
        let skip = usize::try_from(next.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        for entry in self.entries.iter().skip(skip) {
            bytes += entry.length;
            if bytes > max_bytes && !records.is_empty() {
                break;
            }
            let encoded = &self.bytes[entry.offset..entry.offset + entry.length];
            // What this process encoded it can decode; if not, the sequence must still hold.
            records.push(postcard::from_bytes(encoded).unwrap_or(Record {
                at_ms: entry.at_ms,
                body: RecordBody::Lost { from_ms: entry.at_ms, to_ms: entry.at_ms, records: 1 },
            }));
        }
        (first, records)
    }

    /// Everything up to `through` is durable elsewhere.
    pub(crate) fn confirm(&mut self, through: u64) {
        while self.first <= through && self.entries.pop_front().is_some() {
            self.first += 1;
        }
        if self.lost.is_some_and(|lost| lost.number <= through) {
            self.lost = None;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) const fn lost_records(&self) -> u64 {
        self.lost_records
    }
}

/// What the loop has for the ring. It is encoded here and moved there when the ring is free,
/// so that the loop never waits for the link.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Length, time and record, one after the other.
    pending: Vec<u8>,
    scratch: Vec<u8>,
    /// Records that found `pending` full.
    lost: u64,
    lost_at_ms: u64,
    /// The ring has to grow for so many series first.
    grows: Option<usize>,
}

const HEADER: usize = 16;

impl Outbox {
    pub(crate) fn for_series(series: usize) -> Self {
        let bytes = OUTBOX_TICKS * tick_bytes(series) + EVENT_BYTES;
        Self {
            pending: Vec::with_capacity(bytes),
            scratch: vec![0; tick_bytes(series).max(8 * 1024)],
            lost: 0,
            lost_at_ms: 0,
            grows: None,
        }
    }

    /// Makes room for more series, here at once and in the ring before the next record.
    pub(crate) fn grow_for(&mut self, series: usize) {
        let bytes = OUTBOX_TICKS * tick_bytes(series) + EVENT_BYTES;
        self.pending.reserve_exact(bytes.saturating_sub(self.pending.len()));
        self.scratch.resize(tick_bytes(series).max(self.scratch.len()), 0);
        self.grows = Some(series);
    }

    pub(crate) fn push(&mut self, record: &Record) {
        let Ok(encoded) = postcard::to_slice(record, &mut self.scratch) else {
            self.lose(record.at_ms);
            return;
        };
        if self.pending.len() + HEADER + encoded.len() > self.pending.capacity() {
            self.lose(record.at_ms);
            return;
        }
        self.pending.extend_from_slice(&(encoded.len() as u64).to_le_bytes());
        self.pending.extend_from_slice(&record.at_ms.to_le_bytes());
        self.pending.extend_from_slice(encoded);
    }

    fn lose(&mut self, at_ms: u64) {
        self.lost += 1;
        self.lost_at_ms = at_ms;
    }

    /// Moves everything to the ring if it is free now. True where something was moved.
    pub(crate) fn flush(&mut self, ring: &Mutex<Ring>) -> bool {
        if self.pending.is_empty() && self.lost == 0 {
            return false;
        }
        let mut ring = match ring.try_lock() {
            Ok(ring) => ring,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return false,
        };
        if let Some(series) = self.grows.take() {
            ring.grow_for(series);
        }
        let mut rest = self.pending.as_slice();
        while let Some((header, tail)) = rest.split_first_chunk::<HEADER>() {
            let (length, at_ms) = header.split_at(8);
            let length = usize::try_from(number(length)).unwrap_or(usize::MAX);
            let Some((record, tail)) = tail.split_at_checked(length) else {
                break;
            };
            ring.push(record, number(at_ms));
            rest = tail;
        }
        self.pending.clear();
        if self.lost > 0 {
            let at_ms = self.lost_at_ms;
            let body = RecordBody::Lost { from_ms: at_ms, to_ms: at_ms, records: self.lost };
            if let Ok(encoded) = postcard::to_slice(&Record { at_ms, body }, &mut self.scratch) {
                ring.push(encoded, at_ms);
            }
            self.lost = 0;
        }
        true
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// The ring for the link, which may wait for the loop's few microseconds.
pub(crate) fn lock(ring: &Mutex<Ring>) -> std::sync::MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_guard_messages::Sample;

    fn tick(second: u64) -> Record {
        let samples = vec![Sample { series: 0, value: Ok(second as f64) }];
        Record { at_ms: second * 1000, body: RecordBody::Samples(samples) }
    }

    fn push(ring: &mut Ring, second: u64) {
        ring.push(&postcard::to_stdvec(&tick(second)).unwrap(), second * 1000);
    }

    fn seconds(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| record.at_ms / 1000).collect()
    }

    #[test]
    fn records_come_back_in_order_from_any_cursor() {
        let mut ring = Ring::with_capacity(4096, 64);
        (1..=5).for_each(|second| push(&mut ring, second));
        assert_eq!(ring.read_after(0, 4096), (1, (1..=5).map(tick).collect()));
        assert_eq!(ring.read_after(3, 4096), (4, vec![tick(4), tick(5)]));
        assert_eq!(ring.read_after(5, 4096), (6, Vec::new()));
    }

    #[test]
    fn what_is_confirmed_goes_and_an_old_cursor_gets_the_rest() {
        let mut ring = Ring::with_capacity(4096, 64);
        (1..=5).for_each(|second| push(&mut ring, second));
        ring.confirm(3);
        assert_eq!(ring.len(), 2);
        assert_eq!(ring.read_after(0, 4096), (4, vec![tick(4), tick(5)]));
        ring.confirm(99);
        push(&mut ring, 6);
        assert_eq!(ring.read_after(0, 4096), (6, vec![tick(6)]));
    }

    #[test]
    fn a_full_ring_drops_the_oldest_and_names_them_in_one_record() {
        for (bytes, records) in [(70, 64), (4096, 4)] {
            let mut ring = Ring::with_capacity(bytes, records);
            let slots = ring.entries.capacity() as u64;
            let pushed = slots + 40;
            (1..=pushed).for_each(|second| push(&mut ring, second));
            let held = ring.len() as u64;
            let (first, read) = ring.read_after(0, usize::MAX);
            assert_eq!(first, pushed - held);
            let lost = pushed - held;
            let body = RecordBody::Lost { from_ms: 1000, to_ms: lost * 1000, records: lost };
            assert_eq!(read[0].body, body);
            assert_eq!(seconds(&read[1..]), (lost + 1..=pushed).collect::<Vec<_>>());
            // Who has seen the loss isn't told again.
            assert_eq!(ring.read_after(first, usize::MAX).0, first + 1);
            ring.confirm(first);
            assert_eq!(ring.read_after(0, usize::MAX).0, first + 1);
        }
    }

    #[test]
    fn batches_are_bounded_and_never_empty_while_there_is_something() {
        let mut ring = Ring::with_capacity(4096, 64);
        (1..=5).for_each(|second| push(&mut ring, second));
        let (first, records) = ring.read_after(0, 1);
        assert_eq!((first, records.len()), (1, 1));
    }

    #[test]
    fn a_ring_that_grows_keeps_what_it_holds_in_order() {
        let ring = Mutex::new(Ring::with_capacity(300, 64));
        let mut outbox = Outbox::for_series(1);
        for second in 1..=40 {
            outbox.push(&tick(second));
            outbox.flush(&ring);
        }
        let before = lock(&ring).read_after(0, usize::MAX);
        outbox.grow_for(20);
        outbox.push(&tick(41));
        outbox.flush(&ring);
        let (first, mut records) = lock(&ring).read_after(0, usize::MAX);
        assert_eq!(records.pop(), Some(tick(41)));
        assert_eq!((first, records), before);
        assert_eq!(lock(&ring).bytes.len(), capacity(20));
    }

    #[test]
    fn the_outbox_keeps_what_the_ring_could_not_take_at_once() {
        let ring = Mutex::new(Ring::for_series(1));
        let mut outbox = Outbox::for_series(1);
        outbox.push(&tick(1));
        {
            let _held = ring.lock().unwrap();
            assert!(!outbox.flush(&ring));
        }
        outbox.push(&tick(2));
        assert!(outbox.flush(&ring));
        assert_eq!(seconds(&lock(&ring).read_after(0, 4096).1), [1, 2]);
    }

    #[test]
    fn ten_minutes_of_ticks_fit() {
        let mut ring = Ring::for_series(100);
        let samples: Vec<Sample> =
            (0..100).map(|series| Sample { series: 300 + series, value: Ok(1.0 / 3.0) }).collect();
        for second in 0..600 {
            let record = Record {
                at_ms: 1_700_000_000_000 + second * 1000,
                body: RecordBody::Samples(samples.clone()),
            };
            ring.push(&postcard::to_stdvec(&record).unwrap(), record.at_ms);
        }
        assert_eq!((ring.len(), ring.lost_records()), (600, 0));
    }
}

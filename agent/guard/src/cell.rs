//! A few words that one thread writes and any thread reads whole, without a lock: by sequence,
//! odd while the writer is within. A stalled writer leaves its old words behind and nothing else.

use std::sync::atomic::{AtomicU64, Ordering, fence};

#[derive(Debug)]
pub(crate) struct WordCell<const WORDS: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Default for WordCell<WORDS> {
    fn default() -> Self {
        Self { sequence: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; WORDS] }
    }
}

impl<const WORDS: usize> WordCell<WORDS> {
    /// Leaves words. Only one thread at a time calls this.
    pub(crate) fn put(&self, words: [u64; WORDS]) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    /// The newest words and how often there have been any; `None` before the first, and while
    /// the writer is within: it wakes its reader again when it is through.
    pub(crate) fn get(&self) -> Option<(u64, [u64; WORDS])> {
        let before = self.sequence.load(Ordering::Acquire);
        let mut words = [0; WORDS];
        for (word, place) in words.iter_mut().zip(&self.words) {
            *word = place.load(Ordering::Relaxed);
        }
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before != 0 && before.is_multiple_of(2)).then_some((before / 2, words))
    }
}

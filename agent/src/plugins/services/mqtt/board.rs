//! The newest message of each topic until it is taken.

use flyball_plugin_messages::Message;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Topics that wait to be taken.
const MAX_TOPICS: usize = 1_000;
/// All that waits, topics and payloads together.
const MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Board {
    newest: HashMap<String, Vec<u8>>,
    /// Topics in the order in which their first message came.
    order: VecDeque<String>,
    bytes: usize,
    left_out: usize,
}

impl Board {
    pub(super) fn put(&mut self, topic: &str, payload: &[u8]) {
        let before = self.newest.get(topic).map(Vec::len);
        let grows = match before {
            Some(before) => payload.len().saturating_sub(before),
            None => topic.len() + payload.len(),
        };
        let full = before.is_none() && self.newest.len() >= MAX_TOPICS;
        if full || self.bytes + grows > MAX_BYTES {
            self.left_out += 1;
            return;
        }
        self.bytes = self.bytes + topic.len() + payload.len()
            - before.map_or(0, |before| before + topic.len());
        if before.is_none() {
            self.order.push_back(topic.to_owned());
        }
        self.newest.insert(topic.to_owned(), payload.to_vec());
    }

    /// The first `most` topics' messages, and how many messages found no room since the last time.
    pub(super) fn take(&mut self, most: usize) -> (Vec<Message>, usize) {
        let topics = self.order.drain(..most.min(self.order.len()));
        let newest = &mut self.newest;
        let messages: Vec<Message> = topics
            .filter_map(|topic| Some(Message { payload: newest.remove(&topic)?, topic }))
            .collect();
        let taken: usize = messages.iter().map(|it| it.topic.len() + it.payload.len()).sum();
        self.bytes -= taken;
        (messages, std::mem::take(&mut self.left_out))
    }
}

/// A panic while it was held leaves it whole: nothing in here can stop half-way.
pub(super) fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_topic_the_newest_message_is_taken_once() {
        let mut board = Board::default();
        for (topic, payload) in [("a", "1"), ("b", "22"), ("a", "333"), ("a", "4")] {
            board.put(topic, payload.as_bytes());
        }
        let message = |topic: &str, payload: &str| Message {
            topic: topic.into(),
            payload: payload.as_bytes().to_vec(),
        };
        assert_eq!(board.take(1), (vec![message("a", "4")], 0));
        board.put("a", b"5");
        assert_eq!(board.take(9), (vec![message("b", "22"), message("a", "5")], 0));
        assert_eq!(board.take(9), (Vec::new(), 0));
        assert_eq!(board.bytes, 0);
    }

    #[test]
    fn a_flood_of_topics_or_bytes_stays_within_the_bounds_and_is_counted() {
        let mut board = Board::default();
        for number in 0..1_500 {
            board.put(&number.to_string(), b"x");
        }
        assert_eq!((board.newest.len(), board.take(2_000).1), (MAX_TOPICS, 500));
        for number in 0..100 {
            board.put(&number.to_string(), &[0; 64 * 1024]);
        }
        assert!(board.bytes <= MAX_BYTES);
        // What is known already may still become smaller.
        board.put("0", b"small");
        assert_eq!(board.newest["0"], b"small");
        let left_out = board.take(2_000).1;
        assert!(left_out > 30, "{left_out}");
        assert_eq!(board.bytes, 0);
    }
}

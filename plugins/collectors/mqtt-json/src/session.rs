//! One broker, listened to and polled again and again.

use crate::board::Board;
use crate::settings::Subscription;
use readings::{Failure, News, Reading, Watched};

/// Messages that are taken at once.
pub(crate) const MOST: u32 = 1_000;

#[derive(Debug)]
pub(crate) struct Session {
    subscription: Subscription,
    board: Board,
    watched: Watched,
}

impl Session {
    pub(crate) fn new(subscription: Subscription) -> Self {
        let watched = Watched::new(subscription.broker.shown());
        Self { subscription, board: Board::default(), watched }
    }

    /// `taken` is what came since the poll before: topics and payloads.
    pub(crate) fn poll(
        &mut self,
        taken: Result<Vec<(String, Vec<u8>)>, Failure>,
        now_ms: u64,
    ) -> (Vec<Reading>, Option<News>) {
        let Self { subscription, board, watched } = self;
        let (up, warnings) = match taken {
            Ok(messages) => {
                let messages = messages.iter().map(|(topic, it)| (topic.as_str(), it.as_slice()));
                (Ok(()), board.take(subscription, messages, now_ms))
            }
            Err(failure) => (Err(failure), Vec::new()),
        };
        // A reading stands as long as its message is young enough, whether the broker is there
        // or not.
        let standing = board.readings(subscription, now_ms);
        watched.know(standing.clone());
        match up {
            Ok(()) => watched.settle(Ok(standing), &warnings),
            Err(failure) => {
                let (mut readings, news) = watched.settle(Err(failure), &warnings);
                readings.truncate(1);
                readings.extend(standing);
                (readings, news)
            }
        }
    }
}

//! Which way leads to each aggregator: QUIC, or TLS over TCP where UDP was found to be blocked.
//! What was found is believed for some minutes; then QUIC is tried again beside the connection
//! that stands.

use super::endpoint::Way;
use flyball_link::Transport;

/// Networks change, and firewalls are mended: a handshake every few minutes costs nothing.
pub(crate) const RETRY_QUIC_MS: u64 = 10 * 60 * 1000;

#[derive(Debug)]
pub(super) struct Routes {
    /// For each aggregator when QUIC is due again, where TCP was the way.
    retry_ms: Vec<Option<u64>>,
    /// Between half of it and all of it is waited.
    wait_ms: u64,
    /// The aggregator that was called last.
    called: usize,
    trying: bool,
}

impl Routes {
    pub(super) fn new(addresses: usize, wait_ms: u64) -> Self {
        Self { retry_ms: vec![None; addresses], wait_ms, called: 0, trying: false }
    }

    pub(super) const fn called(&self) -> usize {
        self.called
    }

    /// `address` is called: the way to it.
    pub(super) fn call(&mut self, address: usize) -> Way {
        self.called = address;
        match self.retry_ms.get(address) {
            Some(Some(_)) => Way::Only(Transport::Tcp),
            Some(None) | None => Way::Either,
        }
    }

    /// A connection stands. `jitter` is random, 0 to 1, so that a fleet's tries are spread.
    pub(super) fn handle_connected(&mut self, transport: Transport, now_ms: u64, jitter: f64) {
        let retry_ms = match transport {
            Transport::Quic => None,
            Transport::Tcp => Some(now_ms + jittered(self.wait_ms, jitter)),
        };
        self.remember(retry_ms);
    }

    /// The call came to nothing: next time both ways are tried.
    pub(super) fn handle_failed(&mut self) {
        self.remember(None);
    }

    /// When QUIC is to be tried beside a connection over TCP.
    pub(super) fn next_try_ms(&self) -> Option<u64> {
        if self.trying { None } else { self.retry_ms.get(self.called).copied().flatten() }
    }

    pub(super) const fn handle_try(&mut self) {
        self.trying = true;
    }

    pub(super) fn handle_tried(&mut self, came_through: bool, now_ms: u64, jitter: f64) {
        self.trying = false;
        if !came_through && self.retry_ms.get(self.called).copied().flatten().is_some() {
            self.remember(Some(now_ms + jittered(self.wait_ms, jitter)));
        }
    }

    fn remember(&mut self, retry_ms: Option<u64>) {
        if let Some(place) = self.retry_ms.get_mut(self.called) {
            *place = retry_ms;
        }
    }
}

fn jittered(wait_ms: u64, jitter: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "some minutes, and jitter is clamped to 0..=1"
    )]
    let share = (wait_ms as f64 / 2.0 * jitter.clamp(0.0, 1.0)) as u64;
    wait_ms / 2 + share
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: Way = Way::Only(Transport::Tcp);

    #[test]
    fn tcp_is_remembered_for_its_aggregator_alone_until_it_fails() {
        let mut routes = Routes::new(2, 100);
        assert_eq!(routes.call(1), Way::Either);
        routes.handle_connected(Transport::Tcp, 5, 1.0);
        assert_eq!((routes.call(0), routes.call(1)), (Way::Either, TCP));
        routes.handle_failed();
        assert_eq!(routes.call(1), Way::Either);
    }

    #[test]
    fn quic_is_tried_again_after_minutes_and_again_after_it_failed() {
        let mut routes = Routes::new(1, 100);
        routes.call(0);
        routes.handle_connected(Transport::Tcp, 0, 0.0);
        assert_eq!(routes.next_try_ms(), Some(50));
        routes.handle_try();
        assert_eq!(routes.next_try_ms(), None, "one try at a time");
        routes.handle_tried(false, 7, 1.0);
        assert_eq!(routes.next_try_ms(), Some(107));
        routes.handle_try();
        routes.handle_tried(true, 9, 1.0);
        routes.handle_connected(Transport::Quic, 9, 1.0);
        assert_eq!(routes.next_try_ms(), None);
        assert_eq!(routes.call(0), Way::Either);
    }
}

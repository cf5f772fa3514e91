//! One subscriber's buffer: a ring of what it is interested in, and how much it has missed.

use crate::fleet::DeviceId;
use crate::live::{Live, Topic};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Undelivered items of one subscriber; what comes on top drops the oldest.
const CAPACITY: usize = 256;

/// Which topics a subscriber wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    pub readings: Devices,
    pub device_states: Devices,
    pub events: bool,
    pub operations: bool,
}

/// The devices of a topic: those that were named, and beside them all where that was asked for.
/// Each is taken back by the word that it was asked for with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    pub all: bool,
    pub named: HashSet<DeviceId>,
}

impl Devices {
    #[must_use]
    pub fn all() -> Self {
        Self { all: true, named: HashSet::new() }
    }

    #[must_use]
    pub fn contains(&self, device: DeviceId) -> bool {
        self.all || self.named.contains(&device)
    }
}

impl Interest {
    #[must_use]
    pub fn wants(&self, topic: Topic) -> bool {
        match topic {
            Topic::Readings(device) => self.readings.contains(device),
            Topic::DeviceState(device) => self.device_states.contains(device),
            Topic::Events => self.events,
            Topic::Operations => self.operations,
        }
    }
}

/// What a subscriber is handed.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Live(Arc<Live>),
    /// Items of this topic were dropped because the subscriber was slow.
    Gap {
        topic: Topic,
        dropped: u64,
    },
}

#[derive(Debug, Default)]
struct State {
    interest: Interest,
    ring: VecDeque<Arc<Live>>,
    dropped: HashMap<Topic, u64>,
}

/// Shared by the hub, which pushes, and one subscription, which takes.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    state: Mutex<State>,
    filled: Notify,
}

impl Buffer {
    pub(super) fn push(&self, live: &Arc<Live>) {
        let mut state = self.lock();
        if !state.interest.wants(live.topic()) {
            return;
        }
        if state.ring.len() >= CAPACITY
            && let Some(oldest) = state.ring.pop_front()
        {
            *state.dropped.entry(oldest.topic()).or_default() += 1;
        }
        state.ring.push_back(Arc::clone(live));
        drop(state);
        self.filled.notify_one();
    }

    pub(super) fn wants(&self, topic: Topic) -> bool {
        self.lock().interest.wants(topic)
    }

    fn take(&self) -> Option<Delivery> {
        let mut state = self.lock();
        if let Some(topic) = state.dropped.keys().next().copied() {
            let dropped = state.dropped.remove(&topic).unwrap_or(0);
            return Some(Delivery::Gap { topic, dropped });
        }
        state.ring.pop_front().map(Delivery::Live)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscriber's end.
#[derive(Debug)]
pub struct Subscription(Arc<Buffer>);

impl Subscription {
    pub(super) const fn new(buffer: Arc<Buffer>) -> Self {
        Self(buffer)
    }

    /// Changes what is delivered from now on; what waits of a dropped topic goes with it.
    pub fn set_interest(&self, interest: Interest) {
        let mut state = self.0.lock();
        state.ring.retain(|live| interest.wants(live.topic()));
        state.dropped.retain(|topic, _| interest.wants(*topic));
        state.interest = interest;
    }

    #[must_use]
    pub fn interest(&self) -> Interest {
        self.0.lock().interest.clone()
    }

    /// The next delivery; a gap comes before what survived it.
    pub async fn next(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.0.take() {
                return delivery;
            }
            self.0.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::live::Hub;
    use uuid::Uuid;

    fn device(number: u128) -> DeviceId {
        DeviceId(Uuid::from_u128(number))
    }

    fn state(number: u128, at_ms: u64) -> Live {
        Live::Device { device: device(number), online: true, at_ms }
    }

    fn states_of_all() -> Interest {
        Interest { device_states: Devices::all(), ..Interest::default() }
    }

    #[tokio::test]
    async fn a_slow_subscriber_loses_the_oldest_and_is_told_how_much() {
        let hub = Hub::default();
        let subscription = hub.subscribe();
        subscription.set_interest(states_of_all());
        let published = u64::try_from(CAPACITY).unwrap() + 3;
        for at_ms in 0..published {
            hub.publish(state(1, at_ms));
        }
        let topic = Topic::DeviceState(device(1));
        assert_eq!(subscription.next().await, Delivery::Gap { topic, dropped: 3 });
        for at_ms in 3..published {
            assert_eq!(subscription.next().await, Delivery::Live(Arc::new(state(1, at_ms))));
        }
    }

    #[tokio::test]
    async fn a_subscriber_is_handed_only_what_it_asked_for() {
        let hub = Hub::default();
        let subscription = hub.subscribe();
        hub.publish(state(1, 0));
        let one = Devices { all: false, named: HashSet::from([device(2)]) };
        subscription.set_interest(Interest { device_states: one, ..Interest::default() });
        assert!(!hub.is_wanted(Topic::DeviceState(device(1))));
        assert!(hub.is_wanted(Topic::DeviceState(device(2))));
        hub.publish(state(1, 1));
        hub.publish(state(2, 2));
        assert_eq!(subscription.next().await, Delivery::Live(Arc::new(state(2, 2))));
        drop(subscription);
        assert_eq!(hub.subscribers(), 0);
    }
}

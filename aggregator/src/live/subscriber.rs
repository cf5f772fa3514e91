//! One subscriber's buffer: a ring of what happened, the newest of what merely is, and how much
//! it has missed.

use crate::live::interest::{Interest, Mode};
use crate::live::newest::{DeviceNow, Newest, Place, Sample};
use crate::live::{Live, Topic};
use crate::store::Watermark;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Undelivered happenings of one subscriber; what comes on top drops the oldest.
const CAPACITY: usize = 256;

/// What a subscriber is handed, one at a time and in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Live(Arc<Live>),
    /// Items of this topic were dropped because the subscriber was slow.
    Gap {
        topic: Topic,
        dropped: u64,
    },
    /// Everything that was committed up to here has been handed over, or named as a gap.
    /// It was looked at at that time.
    Mark(u64, Watermark),
}

#[derive(Debug)]
enum Waiting {
    Live(Arc<Live>),
    Mark(u64, Watermark),
}

#[derive(Debug, Default)]
struct State {
    interest: Interest,
    ring: VecDeque<Waiting>,
    newest: Newest,
    dropped: HashMap<Topic, u64>,
}

/// Shared by the hub, which pushes, and one subscription, which takes.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    state: Mutex<State>,
    happened: Notify,
    changed: Notify,
}

impl Buffer {
    pub(super) fn push(&self, live: &Arc<Live>) {
        let mut state = self.lock();
        let topic = live.topic();
        if !state.interest.wants(topic) || !state.interest.sees(live) {
            return;
        }
        if !state.put_newest(live) {
            *state.dropped.entry(topic).or_default() += 1;
            self.happened.notify_one();
        }
        if !state.newest.is_empty() {
            self.changed.notify_one();
        }
        if state.interest.follows_each(live) {
            state.queue(Waiting::Live(Arc::clone(live)));
            drop(state);
            self.happened.notify_one();
        }
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
        state.ring.pop_front().map(|waiting| match waiting {
            Waiting::Live(live) => Delivery::Live(live),
            Waiting::Mark(at_ms, mark) => Delivery::Mark(at_ms, mark),
        })
    }

    fn take_newest(&self) -> Option<Newest> {
        let newest = std::mem::take(&mut self.lock().newest);
        (!newest.is_empty()).then_some(newest)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, waiting: Waiting) {
        if self.ring.len() >= CAPACITY
            && let Some(Waiting::Live(oldest)) = self.ring.pop_front()
        {
            *self.dropped.entry(oldest.topic()).or_default() += 1;
        }
        self.ring.push_back(waiting);
    }

    /// Puts in what is state for this subscriber; false where not all of it had room.
    fn put_newest(&mut self, live: &Live) -> bool {
        let Self { interest, newest, .. } = self;
        match live {
            Live::Device { device, online, at_ms } => {
                newest.put_device(*device, DeviceNow::presence(*online, *at_ms))
            }
            Live::Changed(changed) => newest.put_device(changed.device, changed.into()),
            Live::Readings { device, sampled, .. } => {
                let mut places = Vec::new();
                if interest.newest.contains(*device) {
                    places.push((Place::Device(*device), None));
                }
                let selected = interest.selections.iter().enumerate();
                places.extend(
                    selected
                        .filter(|(_, selection)| selection.mode == Mode::State)
                        .map(|(position, selection)| (Place::Selection(position), Some(selection))),
                );
                let mut room = true;
                for (place, selection) in places {
                    for series in sampled {
                        let Some(&(at_ms, value)) = series.samples.last() else { continue };
                        if selection.is_none_or(|s| s.holds(*device, &series.series)) {
                            let sample = Sample { device: *device, at_ms, value };
                            room &= newest.put_sample(place, series.series.id, sample);
                        }
                    }
                }
                room
            }
            Live::Erased { device, series } => {
                !interest.takes_newest(*device) || newest.erase(*device, series)
            }
            Live::Event(_) | Live::Operation(_) | Live::Platform(_) => true,
        }
    }
}

impl Interest {
    /// Does this subscriber follow `live` as a happening, each for itself?
    fn follows_each(&self, live: &Live) -> bool {
        match live {
            Live::Readings { device, sampled, .. } => {
                let mut selections = self.selections.iter().filter(|s| s.mode == Mode::Event);
                self.readings.contains(*device)
                    || selections.any(|selection| {
                        sampled.iter().any(|s| selection.holds(*device, &s.series))
                    })
            }
            Live::Event(_) | Live::Operation(_) => true,
            Live::Platform(told) => self.platform.is_some_and(|audience| audience.hears(told)),
            Live::Device { .. } | Live::Changed(_) | Live::Erased { .. } => false,
        }
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
        let State { ring, newest, dropped, interest: before } = &mut *state;
        ring.retain(|waiting| match waiting {
            Waiting::Live(live) => {
                interest.wants(live.topic()) && interest.sees(live) && interest.follows_each(live)
            }
            Waiting::Mark(..) => true,
        });
        dropped.retain(|topic, _| interest.wants(*topic));
        // Selections are named by their position: where they change, what waits begins anew.
        let same = before.selections == interest.selections;
        newest.keep(
            |topic| interest.wants(topic),
            |place| match place {
                Place::Device(device) => interest.newest.contains(device),
                Place::Selection(_) => same,
            },
        );
        *before = interest;
    }

    #[must_use]
    pub fn interest(&self) -> Interest {
        self.0.lock().interest.clone()
    }

    /// Lets `mark` follow all that was published so far.
    pub(crate) fn mark(&self, at_ms: u64, mark: Watermark) {
        self.0.lock().queue(Waiting::Mark(at_ms, mark));
        self.0.happened.notify_one();
    }

    /// The next delivery; a gap comes before what survived it.
    pub async fn next(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.0.take() {
                return delivery;
            }
            self.0.happened.notified().await;
        }
    }

    /// All that changed since it was asked last, each thing once.
    pub async fn newest(&self) -> Newest {
        loop {
            if let Some(newest) = self.0.take_newest() {
                return newest;
            }
            self.0.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests;

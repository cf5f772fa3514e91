//! What was committed, pushed to whoever listens. Every subscriber has a bounded buffer of its
//! own: of what happens a slow one loses the oldest and is told how much, of what merely is it
//! has the newest, and nobody else notices.

pub mod board;
pub mod interest;
pub mod newest;
pub mod platform;
pub mod subscriber;
pub mod written;

use crate::fleet::DeviceId;
use crate::operations::Operation;
use crate::store::EntryKey;
use crate::telemetry::{Event, Sampled, SeriesInfo};
use board::Changed;
pub use interest::{Devices, Interest, Mode, Selection};
pub use newest::{DeviceNow, Newest, Place};
pub use platform::{Audience, ContentTurn, Told, What};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use subscriber::Buffer;
pub use subscriber::{Delivery, Subscription};
pub use written::Written;

/// One thing that happened, published after its commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    Readings {
        device: DeviceId,
        /// The entry that brought them.
        entry: EntryKey,
        sampled: Vec<Sampled>,
        written: Written,
    },
    /// Everything that a device had measured was removed: nothing of these series stands any more.
    Erased {
        device: DeviceId,
        series: Vec<Arc<SeriesInfo>>,
    },
    Event(Event),
    Operation(Operation),
    /// It has connected or is gone.
    Device {
        device: DeviceId,
        online: bool,
        at_ms: u64,
    },
    /// Something of it changed that is no reading.
    Changed(Changed),
    /// What applications sent, and how the server itself fares.
    Platform(Told),
}

/// What a subscriber asks for and a gap names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Readings(DeviceId),
    Events,
    Operations,
    DeviceState(DeviceId),
    Platform,
}

impl Live {
    #[must_use]
    pub fn readings(device: DeviceId, entry: EntryKey, sampled: Vec<Sampled>) -> Self {
        Self::Readings { device, entry, sampled, written: Written::default() }
    }

    /// The device that it is about, where it is about one.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Readings { device, .. }
            | Self::Erased { device, .. }
            | Self::Device { device, .. }
            | Self::Changed(Changed { device, .. }) => Some(*device),
            Self::Event(event) => Some(event.device),
            Self::Operation(operation) => Some(operation.equipment.unwrap_or(operation.device)),
            Self::Platform(told) => told.device(),
        }
    }

    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Readings { device, .. } | Self::Erased { device, .. } => Topic::Readings(*device),
            Self::Event(_) => Topic::Events,
            Self::Operation(_) => Topic::Operations,
            Self::Platform(_) => Topic::Platform,
            Self::Device { device, .. } | Self::Changed(Changed { device, .. }) => {
                Topic::DeviceState(*device)
            }
        }
    }
}

/// The fan-out. The lock guards the list of subscribers only; a buffer has its own.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<RwLock<Vec<Weak<Buffer>>>>);

impl Hub {
    /// A subscription with no interest yet; it ends when it is dropped.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let buffer = Arc::new(Buffer::default());
        let mut subscribers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        subscribers.push(Arc::downgrade(&buffer));
        Subscription::new(buffer)
    }

    #[must_use]
    pub fn subscribers(&self) -> usize {
        let subscribers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        subscribers.iter().filter(|subscriber| subscriber.strong_count() > 0).count()
    }

    /// Does anybody listen to `topic`? Spares making what nobody takes.
    #[must_use]
    pub fn is_wanted(&self, topic: Topic) -> bool {
        let subscribers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        subscribers.iter().filter_map(Weak::upgrade).any(|subscriber| subscriber.wants(topic))
    }

    /// Never waits: a full buffer drops its oldest.
    pub fn publish(&self, live: Live) {
        let live = Arc::new(live);
        let subscribers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.iter().filter_map(Weak::upgrade) {
            subscriber.push(&live);
        }
    }
}

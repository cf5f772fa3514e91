//! Who is told of which events by mail. Each subscription has a bound an hour; what is above it is
//! counted, and one summary says how many there were.

use crate::access::{Caller, OrganizationId};
use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::record::Record;
use crate::store::{Store, StoreError};
use crate::telemetry::{Event, Severity};
use uuid::Uuid;

pub const MAX_NOTIFICATIONS: u64 = 1_000;
pub const MAX_KINDS: usize = 32;
pub const PER_HOUR: std::ops::RangeInclusive<u32> = 1..=60;
pub const DEFAULT_PER_HOUR: u32 = 10;
const HOUR_MS: u64 = 60 * 60 * 1_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub id: Uuid,
    pub organization: Option<OrganizationId>,
    pub email: String,
    /// `limit.*` is every kind that begins so; every kind where empty.
    pub kinds: Vec<String>,
    /// This and worse.
    pub severity: Severity,
    pub device: Option<DeviceId>,
    pub window: Window,
    pub record: Record,
}

/// What an hour has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub per_hour: u32,
    pub from_ms: u64,
    pub told: u32,
    pub held: u32,
}

/// What becomes of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    Now,
    /// The summary will count it.
    Held,
}

impl Window {
    pub fn handle_event(&mut self, now_ms: u64) -> Telling {
        if self.held == 0 && now_ms.saturating_sub(self.from_ms) >= HOUR_MS {
            *self = Self { per_hour: self.per_hour, from_ms: now_ms, told: 0, held: 0 };
        }
        if self.told < self.per_hour {
            self.told += 1;
            Telling::Now
        } else {
            self.held = self.held.saturating_add(1);
            Telling::Held
        }
    }

    /// Once the hour is over, how many were held back, and since when; a new hour begins, in which
    /// the summary counts.
    pub fn poll_summary(&mut self, now_ms: u64) -> Option<(u32, u64)> {
        if self.held == 0 || now_ms.saturating_sub(self.from_ms) < HOUR_MS {
            return None;
        }
        let summary = (self.held, self.from_ms);
        *self = Self { per_hour: self.per_hour, from_ms: now_ms, told: 1, held: 0 };
        Some(summary)
    }
}

impl Notification {
    /// Is it about `event`? Whose device it is, the caller judges.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let kind = |kind: &String| match kind.strip_suffix('*') {
            Some(family) => event.kind.starts_with(family),
            None => event.kind == *kind,
        };
        event.severity >= self.severity
            && self.device.is_none_or(|device| device == event.device)
            && (self.kinds.is_empty() || self.kinds.iter().any(kind))
    }
}

/// What a subscription is made of.
#[derive(Clone, Debug)]
pub struct NewNotification {
    pub organization: Option<OrganizationId>,
    pub kinds: Vec<String>,
    pub severity: Severity,
    pub device: Option<DeviceId>,
    pub per_hour: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    #[error("there are {MAX_NOTIFICATIONS} subscriptions already")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug)]
pub struct Notifications {
    store: Store,
    clock: Clock,
}

impl Notifications {
    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Tells the caller from now on.
    ///
    /// # Errors
    /// Where there are too many, or the store fails.
    pub async fn subscribe(
        &self,
        new: NewNotification,
        by: &Caller,
    ) -> Result<Notification, NotificationError> {
        if self.store.count_notifications().await? >= MAX_NOTIFICATIONS {
            return Err(NotificationError::Full);
        }
        let now_ms = self.clock.now_ms();
        let notification = Notification {
            id: self.clock.new_id(),
            organization: new.organization,
            email: by.email.clone(),
            kinds: new.kinds,
            severity: new.severity,
            device: new.device,
            window: Window { per_hour: new.per_hour, ..Window::default() },
            record: Record::new(Some(by.user), now_ms),
        };
        self.store.add_notification(&notification).await?;
        Ok(notification)
    }

    /// # Errors
    /// Where the store fails.
    pub async fn list(&self) -> Result<Vec<Notification>, StoreError> {
        self.store.notifications().await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn remove(&self, id: Uuid, by: &Caller) -> Result<bool, StoreError> {
        self.store.remove_notification(id, by.user, self.clock.now_ms()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_tells_so_many_and_sums_up_the_rest() {
        let mut window = Window { per_hour: 2, ..Window::default() };
        let begin = 10 * HOUR_MS;
        let told: Vec<_> = (0..5).map(|at| window.handle_event(begin + at)).collect();
        use Telling::{Held, Now};
        assert_eq!(told, [Now, Now, Held, Held, Held]);
        assert_eq!(window.poll_summary(begin + HOUR_MS - 1), None);
        assert_eq!(window.poll_summary(begin + HOUR_MS), Some((3, begin)));
        assert_eq!(window.poll_summary(begin + HOUR_MS), None);
        // The summary was one of this hour's.
        assert_eq!(window.handle_event(begin + HOUR_MS + 1), Now);
        assert_eq!(window.handle_event(begin + HOUR_MS + 2), Held);
    }

    #[test]
    fn a_quiet_hour_begins_anew() {
        let mut window = Window { per_hour: 1, ..Window::default() };
        for hour in 1..5 {
            assert_eq!(window.handle_event(hour * HOUR_MS), Telling::Now);
        }
        assert_eq!(window.held, 0);
    }
}

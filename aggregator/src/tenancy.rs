//! Who owns what, and what stands where: organizations, their sites, places in them, groups of
//! devices, and where each device belongs. A role is bound to one of these, and what it reaches
//! is judged here alone, by [`Map`].

pub mod entity;
pub mod machines;
pub mod map;
pub mod placement;
pub mod sight;

use crate::access::{Grants, Right, Scope};
use crate::caches::CacheMeter;
use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::store::{Store, StoreError};
pub use entity::{Entity, Group, Kept, Location, LocationKind, Organization, Site};
pub use machines::{MAX_NAMED, Machines};
pub use map::Map;
pub use placement::{Placed, Placement};
pub use sight::Sight;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How old the map may be before it is asked whether anything has changed.
const LOOK_AFTER_MS: u64 = 1_000;
/// How old it may be at all: equipment that a gateway names for the first time is in no change.
const RENEW_AFTER_MS: u64 = 10_000;
/// Sets of devices that are kept; past it, each is made anew.
const MAX_SEEN: usize = 1_000;

/// What is known of the tenancy, and since when.
#[derive(Debug)]
struct Known {
    map: Arc<Map>,
    generation: u64,
    looked_at_ms: u64,
    read_at_ms: u64,
    /// What was seen by whom, by the scopes of their grants.
    seen: HashMap<Vec<Scope>, Arc<HashSet<DeviceId>>>,
}

#[derive(Clone, Debug)]
pub struct Tenancy {
    store: Store,
    clock: Clock,
    known: Arc<Mutex<Option<Known>>>,
    meter: CacheMeter,
}

impl Tenancy {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, known: Arc::default(), meter: CacheMeter::new("tenancy") }
    }

    pub(crate) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    /// The tenancy as it is, at most a second ago.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn map(&self) -> Result<Arc<Map>, StoreError> {
        let now_ms = self.clock.now_ms();
        let known = self.lock().as_ref().map(|known| {
            let age = |since_ms: u64| now_ms.saturating_sub(since_ms);
            (
                Arc::clone(&known.map),
                known.generation,
                age(known.looked_at_ms) < LOOK_AFTER_MS,
                age(known.read_at_ms) < RENEW_AFTER_MS,
            )
        });
        let fresh = known.as_ref().filter(|(.., looked, read)| *looked && *read);
        if let Some((map, ..)) = self.meter.asked(fresh) {
            return Ok(Arc::clone(map));
        }
        // Read before the rows: a change in between is found the next time.
        let generation = self.store.tenancy_generation().await?;
        if let Some((map, before, _, true)) = known
            && before == generation
        {
            if let Some(known) = &mut *self.lock() {
                known.looked_at_ms = now_ms;
            }
            return Ok(map);
        }
        let map = Arc::new(self.store.tenancy_map().await?);
        *self.lock() = Some(Known {
            map: Arc::clone(&map),
            generation,
            looked_at_ms: now_ms,
            read_at_ms: now_ms,
            seen: HashMap::new(),
        });
        Ok(map)
    }

    /// What of the fleet `grants` give `right` over.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sight(&self, grants: &Grants, right: Right) -> Result<Sight, StoreError> {
        if grants.everywhere(right) {
            return Ok(Sight::Everything);
        }
        let map = self.map().await?;
        let scopes: Vec<Scope> = grants.scopes(right).collect();
        if let Some(known) = &*self.lock()
            && Arc::ptr_eq(&known.map, &map)
            && let Some(seen) = known.seen.get(&scopes)
        {
            return Ok(Sight::Only(Arc::clone(seen)));
        }
        let seen = Arc::new(map.devices_within(scopes.iter().copied()));
        if let Some(known) = &mut *self.lock()
            && Arc::ptr_eq(&known.map, &map)
        {
            if known.seen.len() >= MAX_SEEN {
                known.seen.clear();
            }
            known.seen.insert(scopes, Arc::clone(&seen));
        }
        Ok(Sight::Only(seen))
    }

    /// May `grants` do what `right` says about `target`?
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn may(
        &self,
        grants: &Grants,
        right: Right,
        target: Scope,
    ) -> Result<bool, StoreError> {
        if grants.everywhere(right) {
            return Ok(true);
        }
        let map = self.map().await?;
        Ok(map.is_within(target, grants.scopes(right)))
    }

    /// The next question reads everything anew: something was changed here.
    pub fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

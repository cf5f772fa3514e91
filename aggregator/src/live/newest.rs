//! What waits of state: one entry for each thing that changed, the newest in place of the older.
//! A slow reader is behind by one value of each, never by a queue of them.

use crate::fleet::DeviceId;
use crate::live::Topic;
use crate::live::board::{Changed, Part};
use crate::telemetry::{NoData, SeriesId, SeriesInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Things whose newest state may wait for one subscriber.
const CAPACITY: usize = 5_000;

/// Where a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Device(DeviceId),
    /// One of the subscriber's selections, by its position.
    Selection(usize),
}

/// The newest of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub device: DeviceId,
    pub at_ms: u64,
    pub value: Result<f64, NoData>,
}

/// A device as it is now, and what of it is not as it was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceNow {
    pub online: bool,
    /// It has come or gone, whatever else changed.
    pub presence: bool,
    /// `None` where nothing was said of it.
    pub guard_attached: Option<bool>,
    pub parts: BTreeSet<Part>,
    pub at_ms: u64,
}

impl DeviceNow {
    #[must_use]
    pub const fn presence(online: bool, at_ms: u64) -> Self {
        let parts = BTreeSet::new();
        Self { online, presence: true, guard_attached: None, parts, at_ms }
    }

    /// What changed twice is told once, what changed before is told still.
    fn follow(&mut self, newer: Self) {
        self.online = newer.online;
        self.presence |= newer.presence;
        self.guard_attached = newer.guard_attached.or(self.guard_attached);
        self.parts.extend(newer.parts);
        self.at_ms = newer.at_ms;
    }
}

impl From<&Changed> for DeviceNow {
    fn from(changed: &Changed) -> Self {
        Self {
            online: changed.online,
            presence: false,
            guard_attached: Some(changed.guard_attached),
            parts: changed.parts.iter().copied().collect(),
            at_ms: changed.at_ms,
        }
    }
}

/// Everything that waits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Newest {
    pub devices: BTreeMap<DeviceId, DeviceNow>,
    /// What stands here went before any sample that does.
    pub erased: BTreeMap<DeviceId, Vec<Arc<SeriesInfo>>>,
    pub samples: BTreeMap<Place, BTreeMap<SeriesId, Sample>>,
    count: usize,
}

impl Newest {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// False where there is no room for one more thing.
    pub(super) fn put_device(&mut self, device: DeviceId, now: DeviceNow) -> bool {
        if let Some(known) = self.devices.get_mut(&device) {
            known.follow(now);
            return true;
        }
        let room = self.count < CAPACITY;
        if room {
            self.devices.insert(device, now);
            self.count += 1;
        }
        room
    }

    /// False where there is no room for one more series. A sample that is older than the one
    /// that waits, from a block that came late, is no news.
    pub(super) fn put_sample(&mut self, place: Place, series: SeriesId, sample: Sample) -> bool {
        let of_place = self.samples.entry(place).or_default();
        if let Some(known) = of_place.get_mut(&series) {
            if known.at_ms <= sample.at_ms {
                *known = sample;
            }
            return true;
        }
        let room = self.count < CAPACITY;
        if room {
            of_place.insert(series, sample);
            self.count += 1;
        }
        room
    }

    /// What waits of the device is nothing to tell any more. False where there is no room.
    pub(super) fn erase(&mut self, device: DeviceId, series: &[Arc<SeriesInfo>]) -> bool {
        for of_place in self.samples.values_mut() {
            of_place.retain(|_, sample| sample.device != device);
        }
        self.reckon();
        let room = self.count < CAPACITY || self.erased.contains_key(&device);
        if room {
            self.erased.insert(device, series.to_vec());
            self.reckon();
        }
        room
    }

    /// Drops what is no longer wanted.
    pub(super) fn keep(&mut self, wants: impl Fn(Topic) -> bool, place: impl Fn(Place) -> bool) {
        self.devices.retain(|device, _| wants(Topic::DeviceState(*device)));
        self.erased.retain(|device, _| wants(Topic::Readings(*device)));
        self.samples.retain(|at, _| place(*at));
        self.reckon();
    }

    fn reckon(&mut self) {
        let samples: usize = self.samples.values().map(BTreeMap::len).sum();
        self.count = self.devices.len() + self.erased.len() + samples;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const HERE: Place = Place::Selection(0);

    fn sample(at_ms: u64) -> Sample {
        Sample { device: DeviceId(Uuid::from_u128(1)), at_ms, value: Ok(1.0) }
    }

    #[test]
    fn the_newest_takes_the_place_of_the_older_and_a_late_one_does_not() {
        let mut newest = Newest::default();
        for at_ms in [1, 5, 3] {
            assert!(newest.put_sample(HERE, SeriesId(1), sample(at_ms)));
        }
        assert_eq!(newest.samples[&HERE], BTreeMap::from([(SeriesId(1), sample(5))]));
    }

    #[test]
    fn changes_of_one_device_add_up_and_its_presence_is_the_last() {
        let device = DeviceId(Uuid::from_u128(1));
        let mut newest = Newest::default();
        let changed = |part, at_ms| {
            let parts = vec![part];
            DeviceNow::from(&Changed { device, online: true, guard_attached: true, parts, at_ms })
        };
        newest.put_device(device, changed(Part::Limits, 1));
        newest.put_device(device, changed(Part::Locks, 2));
        newest.put_device(device, DeviceNow::presence(false, 3));
        let now = &newest.devices[&device];
        assert_eq!((now.online, now.guard_attached, now.at_ms), (false, Some(true), 3));
        assert_eq!(now.parts, BTreeSet::from([Part::Limits, Part::Locks]));
    }

    #[test]
    fn beyond_its_room_known_things_change_and_new_ones_are_turned_away() {
        let mut newest = Newest::default();
        for number in 0..i64::try_from(CAPACITY).unwrap() {
            assert!(newest.put_sample(HERE, SeriesId(number), sample(1)));
        }
        assert!(!newest.put_sample(HERE, SeriesId(-1), sample(1)));
        assert!(newest.put_sample(HERE, SeriesId(0), sample(2)));
        newest.keep(|_| false, |_| false);
        assert!(newest.is_empty());
        assert!(newest.put_sample(HERE, SeriesId(-1), sample(1)));
    }
}

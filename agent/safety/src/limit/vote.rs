//! What a group says as one: how many of its sensors have to pass a threshold, which reading
//! counts, and whether they contradict each other.

use super::Limit;
use super::passed::{Member, Reach};
use crate::sensor::Sensor;
use crate::{Moment, Vote};
use core::time::Duration;

/// Whether the good sensors of a group are further apart than their tolerance, and since when
/// it looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    Together { since: Option<Moment> },
    Apart { since: Option<Moment> },
}

impl Limit {
    /// How far the group has gone.
    ///
    /// Only a sensor that speaks votes. Where one is enough, or where none speaks, every sensor
    /// of the group is heard with the worst that it may have come to; a projection alone never
    /// trips.
    pub(super) fn reach(&self, sensors: &[Sensor], now: Moment) -> Reach {
        let speaking = self.members(sensors).filter(|(_, it)| it.speaks(now).is_some());
        let of = |(member, _): (&Member, &Sensor)| member.reach(self.spec.hold, now);
        match self.needed(speaking.clone().count()) {
            Needed::Both => {
                let by_two =
                    |reach: &Reach| speaking.clone().filter(|it| of(*it) >= *reach).count() >= 2;
                [Reach::Trip, Reach::Limit, Reach::Warning]
                    .into_iter()
                    .find(by_two)
                    .unwrap_or(Reach::Calm)
            }
            Needed::OneOfThoseThatSpeak => speaking.map(of).max().unwrap_or(Reach::Calm),
            Needed::AnyAtItsWorst => self
                .members(sensors)
                .map(|(member, sensor)| {
                    let worst = sensor.projection(self.spec.sense, now);
                    let projected = worst.map_or(Reach::Calm, |worst| {
                        Reach::of(worst, self.spec.sense, &self.effective)
                    });
                    of((member, sensor)).max(projected.min(Reach::Limit))
                })
                .max()
                .unwrap_or(Reach::Calm),
        }
    }

    /// The good reading that counts by the vote, and that is not stale.
    pub(crate) fn reading(&self, sensors: &[Sensor], now: Moment) -> Option<f64> {
        let sense = self.spec.sense;
        let worst =
            |readings: &mut dyn Iterator<Item = f64>| readings.reduce(|a, b| sense.worse(a, b));
        let speaking = || self.group(sensors).filter_map(|sensor| sensor.speaks(now));
        match self.needed(speaking().count()) {
            Needed::Both => {
                let two = |worst: Option<(f64, Option<f64>)>, value| match worst {
                    None => Some((value, None)),
                    Some((first, second)) => {
                        let milder = sense.milder(first, value);
                        let second = second.map_or(milder, |second| sense.worse(second, milder));
                        Some((sense.worse(first, value), Some(second)))
                    }
                };
                speaking().fold(None, two).and_then(|(_, second)| second)
            }
            Needed::OneOfThoseThatSpeak => worst(&mut speaking()),
            Needed::AnyAtItsWorst => worst(&mut self.group(sensors).filter_map(Sensor::value)),
        }
    }

    /// The votes that a threshold needs from `speaking` sensors.
    const fn needed(&self, speaking: usize) -> Needed {
        match (self.spec.vote, speaking) {
            (Vote::Any, _) | (Vote::TwoOfTwo | Vote::TwoOfThree, 0) => Needed::AnyAtItsWorst,
            (Vote::TwoOfTwo | Vote::TwoOfThree, 1) | (Vote::TwoOfThree, 2) => {
                Needed::OneOfThoseThatSpeak
            }
            (Vote::TwoOfTwo | Vote::TwoOfThree, _) => Needed::Both,
        }
    }

    /// Looks at how far the good sensors are apart. Gives back the spread where it has been
    /// beyond the tolerance, or within it again, for `settled`.
    pub(crate) fn compare(
        &mut self,
        sensors: &[Sensor],
        settled: Duration,
        now: Moment,
    ) -> Option<f64> {
        let tolerance = self.spec.tolerance?;
        let speaking = || self.group(sensors).filter_map(|sensor| sensor.speaks(now));
        let lowest = speaking().reduce(f64::min)?;
        let spread = speaking().reduce(f64::max)? - lowest;
        let (since, differs) = match self.apart {
            Apart::Together { since } => (since, spread > tolerance),
            Apart::Apart { since } => (since, spread <= tolerance),
        };
        let since = differs.then_some(since.unwrap_or(now));
        let over = since.is_some_and(|since| now.since(since) >= settled);
        self.apart = match (self.apart, over) {
            (Apart::Together { .. }, false) => Apart::Together { since },
            (Apart::Together { .. }, true) => Apart::Apart { since: None },
            (Apart::Apart { .. }, false) => Apart::Apart { since },
            (Apart::Apart { .. }, true) => Apart::Together { since: None },
        };
        over.then_some(spread)
    }

    pub(crate) const fn disagrees(&self) -> bool {
        match self.apart {
            Apart::Apart { .. } => true,
            Apart::Together { .. } => false,
        }
    }

    fn members<'a>(
        &'a self,
        sensors: &'a [Sensor],
    ) -> impl Iterator<Item = (&'a Member, &'a Sensor)> + Clone + use<'a> {
        let sensor = |member: &'a Member| Some((member, sensors.get(member.sensor.index())?));
        self.members.iter().filter_map(sensor)
    }
}

/// Who is heard.
enum Needed {
    /// Two of those that speak.
    Both,
    /// The worst of those that speak.
    OneOfThoseThatSpeak,
    /// The worst of all, at the worst that it may have come to.
    AnyAtItsWorst,
}

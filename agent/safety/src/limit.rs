//! One limit: which thresholds its group has passed, whether the group can be relied upon, and
//! the state that follows. What it asks of fans and caps is its [`Need`]; it drives nothing.

mod failsafe;
mod ladder;
mod passed;

pub(crate) use ladder::{Hands, Pace};

use crate::sensor::Sensor;
use crate::{ClearsWhen, LimitId};
use crate::{
    Effective, LimitSpec, Moment, Response, SensorId, Standing, State, Step, Thresholds, TripCause,
};
use alloc::vec::Vec;
use passed::{Member, Reach};

/// Below the threshold by this much a fan under the engine's hand begins to rise.
const CURVE_SPAN_CELSIUS: f64 = 20.0;

#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) spec: LimitSpec,
    pub(crate) state: State,
    pub(crate) effective: Effective,
    pub(crate) fleet: Thresholds,
    members: Vec<Member>,
    /// The widest band of the group.
    lowest: f64,
    highest: f64,
    /// A group that the zone depends on: it may not be absent, or has a required sensor.
    vital: bool,
    sight: Sight,
}

/// What a limit asks of the hands of its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) fan: FanNeed,
    pub(crate) cap: CapNeed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FanNeed {
    Rest,
    Raised,
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CapNeed {
    Rest,
    Safe,
    Min,
}

/// Whether the group can say *cool*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Clear,
    /// Readings come, but not enough of them yet.
    Settling,
    Lost,
}

impl Limit {
    pub(crate) fn new(spec: LimitSpec, sensors: &[Sensor], now: Moment) -> Self {
        let group = || spec.sensors.iter().filter_map(|id| sensors.get(id.index()));
        let vital = !spec.missing_ok || group().any(|sensor| sensor.spec.required);
        let lowest = group().map(|sensor| sensor.spec.lowest).fold(f64::INFINITY, f64::min);
        let highest = group().map(|sensor| sensor.spec.highest).fold(f64::NEG_INFINITY, f64::max);
        let members = spec.sensors.iter().map(|id| Member::new(*id)).collect();
        let mut limit = Self {
            state: State::Unknown { since: now },
            effective: Effective { warning: None, limit: None, trip: None },
            fleet: Thresholds::SILENT,
            members,
            lowest,
            highest,
            vital,
            sight: Sight::Settling,
            spec,
        };
        limit.set_fleet(Thresholds::SILENT);
        limit
    }

    /// Puts another fleet layer in force.
    pub(crate) fn set_fleet(&mut self, fleet: Thresholds) {
        self.fleet = fleet;
        let factory = self.spec.factory.within(self.lowest, self.highest);
        self.effective = Effective::of(factory, self.spec.local, self.fleet);
    }

    /// Whether a fleet layer makes sense for this group.
    pub(crate) fn takes(&self, fleet: Thresholds) -> bool {
        fleet.sound_within(self.lowest, self.highest)
    }

    /// The threshold of the higher of the present state and `before`.
    pub(crate) fn threshold_between(&self, before: &State) -> Option<f64> {
        let of = |state: &State| match state {
            State::Unknown { .. } | State::Normal { .. } | State::Failsafe(_) => None,
            State::Warning(_) => self.effective.warning.map(|bound| bound.value),
            State::Limiting(_) => self.effective.limit.map(|bound| bound.value),
            State::Tripped(tripped) => tripped.threshold,
        };
        [of(before), of(&self.state)].into_iter().flatten().reduce(f64::max)
    }

    /// Counts a good sample of `sensor` into its dwell windows.
    pub(crate) fn count(&mut self, id: SensorId, sensor: &Sensor, value: f64) {
        let rise = self.spec.lead.map_or(0.0, |lead| sensor.slope_per_s() * lead.as_secs_f64());
        let warm = self.effective.warning.is_none_or(|warning| value >= warning.value);
        let ahead = if warm && rise > 0.0 { value + rise } else { value };
        let (effective, dwell, hysteresis) =
            (self.effective, self.spec.dwell, self.spec.hysteresis);
        for member in self.members.iter_mut().filter(|member| member.sensor == id) {
            member.count(value, ahead, &effective, hysteresis, dwell);
        }
    }

    /// A lost sensor takes its windows with it: what it once said proves nothing now.
    pub(crate) fn forget(&mut self, id: SensorId) {
        for member in self.members.iter_mut().filter(|member| member.sensor == id) {
            member.forget();
        }
    }

    /// The highest good value of the group that is not stale.
    pub(crate) fn reading(&self, sensors: &[Sensor]) -> Option<f64> {
        self.group(sensors).filter_map(Sensor::value).reduce(f64::max)
    }

    pub(crate) fn watches(&self, sensor: SensorId) -> bool {
        self.spec.sensors.contains(&sensor)
    }

    /// The zone cannot rely on this group.
    pub(crate) fn blind(&self) -> bool {
        self.vital && self.sight != Sight::Clear
    }

    /// Nothing that adds heat may be taken.
    pub(crate) fn forbids_heat(&self) -> bool {
        self.blind()
            || match self.state {
                State::Limiting(_) | State::Tripped(_) | State::Failsafe(_) => true,
                State::Unknown { .. } | State::Normal { .. } | State::Warning(_) => false,
            }
    }

    pub(crate) fn need(&self) -> Need {
        let stands = match &self.state {
            State::Unknown { .. } | State::Normal { .. } => Need::REST,
            State::Warning(raised) | State::Limiting(raised) => self.need_of(raised.step),
            State::Tripped(_) => Need { fan: FanNeed::Full, cap: CapNeed::Min },
            State::Failsafe(failsafe) => {
                let held = failsafe.held.map_or(Need::REST, |step| self.need_of(step));
                held.and(Need::FAILSAFE)
            }
        };
        if self.blind() { stands.and(Need::FAILSAFE) } else { stands }
    }

    const fn need_of(&self, step: Step) -> Need {
        let fan = match (step, self.spec.response) {
            (Step::Alert, Response::Heat | Response::Power) => FanNeed::Rest,
            (Step::FansRaised, Response::Heat) => FanNeed::Raised,
            (Step::FansFull | Step::CapSafe | Step::CapMin, Response::Heat) => FanNeed::Full,
            (Step::FansRaised | Step::FansFull | Step::CapSafe | Step::CapMin, Response::Power) => {
                FanNeed::Rest
            }
        };
        let cap = match step {
            Step::Alert | Step::FansRaised | Step::FansFull => CapNeed::Rest,
            Step::CapSafe => CapNeed::Safe,
            Step::CapMin => CapNeed::Min,
        };
        Need { fan, cap }
    }

    /// How much of its range a fan under the engine's hand should use for this limit, 0 to 1:
    /// nothing below the span under the threshold, all of it at the threshold.
    pub(crate) fn curve(&self, sensors: &[Sensor], now: Moment) -> f64 {
        let top = self.effective.limit.or(self.effective.trip).or(self.effective.warning);
        let (Response::Heat, Some(top)) = (self.spec.response, top) else { return 0.0 };
        let worst = self
            .group(sensors)
            .filter_map(|sensor| sensor.projection(now).or_else(|| sensor.value()))
            .reduce(f64::max);
        let Some(worst) = worst else { return 0.0 };
        ((worst - top.value) / CURVE_SPAN_CELSIUS + 1.0).clamp(0.0, 1.0)
    }

    /// The most that a cap of the zone may be by this limit alone, whatever its state.
    pub(crate) fn cap_ceiling(&self) -> Option<f64> {
        match self.spec.response {
            Response::Power => self.effective.limit.or(self.effective.trip).map(|it| it.value),
            Response::Heat => None,
        }
    }

    /// Why it stands against a proposal.
    pub(crate) fn standing(&self, id: LimitId, sensors: &[Sensor]) -> Standing {
        let limit = self.effective.limit.or(self.effective.trip).map(|bound| bound.value);
        let below = |threshold: Option<f64>| {
            threshold.map_or(ClearsWhen::SensorsRead, |threshold| {
                ClearsWhen::ReadingBelow(threshold - self.spec.hysteresis)
            })
        };
        let (threshold, clears_when) = match &self.state {
            State::Tripped(tripped) => (tripped.threshold.or(limit), ClearsWhen::TripCleared),
            State::Failsafe(_) | State::Unknown { .. } => (limit, ClearsWhen::SensorsRead),
            State::Limiting(_) if !self.blind() => (limit, below(limit)),
            State::Warning(_) if !self.blind() => {
                let warning = self.effective.warning.map(|bound| bound.value);
                (warning, below(warning))
            }
            State::Limiting(_) | State::Warning(_) | State::Normal { .. } => {
                (limit, ClearsWhen::SensorsRead)
            }
        };
        let reading = self.reading(sensors);
        Standing { limit: id, reading, threshold, since: self.state.since(), clears_when }
    }

    /// Clears a trip.
    ///
    /// # Errors
    /// What still stands against it.
    pub(crate) fn clear(&mut self, sensors: &[Sensor], now: Moment) -> Result<(), ClearsWhen> {
        self.look(sensors);
        self.clearable(sensors, now)?;
        self.state.transition_to_normal(now);
        Ok(())
    }

    /// Whether a trip could be cleared now.
    ///
    /// # Errors
    /// What still stands against it.
    pub(crate) fn clearable(&self, sensors: &[Sensor], now: Moment) -> Result<(), ClearsWhen> {
        if self.sight(sensors) != Sight::Clear {
            return Err(ClearsWhen::SensorsRead);
        }
        let threshold = self.effective.limit.or(self.effective.trip);
        let held = self.reach(sensors, now) >= Reach::Limit;
        if let Some(threshold) = threshold.filter(|_| held) {
            return Err(ClearsWhen::ReadingBelow(threshold.value - self.spec.hysteresis));
        }
        Ok(())
    }

    /// Takes up a trip of an earlier run.
    pub(crate) fn latch(&mut self, now: Moment) {
        let threshold = self.effective.trip.map(|bound| bound.value);
        self.state.transition_to_tripped(None, threshold, TripCause::Restored, now);
    }

    /// How far the group has gone: dwelled samples of each sensor, and the projections of those
    /// whose last word is old. A projection alone never trips.
    fn reach(&self, sensors: &[Sensor], now: Moment) -> Reach {
        self.members
            .iter()
            .filter_map(|member| Some((member, sensors.get(member.sensor.index())?)))
            .map(|(member, sensor)| {
                let projected = sensor
                    .projection(now)
                    .map_or(Reach::Calm, |worst| Reach::of(worst, &self.effective));
                member.reach().max(projected.min(Reach::Limit))
            })
            .max()
            .unwrap_or(Reach::Calm)
    }

    fn look(&mut self, sensors: &[Sensor]) {
        self.sight = self.sight(sensors);
    }

    fn sight(&self, sensors: &[Sensor]) -> Sight {
        let mut required = self.group(sensors).filter(|sensor| sensor.spec.required);
        if required.clone().any(Sensor::lost) || self.group(sensors).all(Sensor::lost) {
            Sight::Lost
        } else if required.all(Sensor::trusted) && self.group(sensors).any(Sensor::trusted) {
            Sight::Clear
        } else {
            Sight::Settling
        }
    }

    fn group<'a>(
        &'a self,
        sensors: &'a [Sensor],
    ) -> impl Iterator<Item = &'a Sensor> + Clone + use<'a> {
        self.spec.sensors.iter().filter_map(|id| sensors.get(id.index()))
    }
}

impl Need {
    pub(crate) const REST: Self = Self { fan: FanNeed::Rest, cap: CapNeed::Rest };
    const FAILSAFE: Self = Self { fan: FanNeed::Raised, cap: CapNeed::Safe };

    /// What satisfies both.
    fn and(self, other: Self) -> Self {
        Self { fan: self.fan.max(other.fan), cap: self.cap.max(other.cap) }
    }
}

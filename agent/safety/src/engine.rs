//! The engine's doors. What came in is judged by the sensor, followed by the limits that watch
//! it, and turned into levels of the actuators that serve those limits' zones, in that order
//! and before the door closes.

mod demand;
mod proposals;
mod telling;
mod view;

use telling::proved;
pub use view::{ActuatorView, LimitView, SensorView};

use crate::actuator::Actuator;
use crate::event::Events;
use crate::limit::{Limit, Pace};
use crate::sensor::Sensor;
use crate::{
    Action, ActuatorId, ClearsWhen, Config, Event, EventKind, LimitId, Moment, Observed, OnTrip,
    Refusal, SensorId, Standing, StateKind, Thresholds,
};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use flyball_units::NoData;

/// One machine's limits and the levels that its actuators should have.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    sensors: Vec<Sensor>,
    limits: Vec<Limit>,
    actuators: Vec<Actuator>,
    events: Events,
    now: Moment,
    due: Moment,
    shutdown_due: bool,
}

/// A policy that was not taken: none of it is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// It names a limit that this machine has not.
    UnknownLimit(LimitId),
    /// Not finite, not above zero, not ordered, or beyond what the sensors can read.
    Thresholds(LimitId),
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLimit(id) => {
                write!(f, "the policy names limit {}, which this machine has not", id.index())
            }
            Self::Thresholds(id) => write!(
                f,
                "the policy's thresholds of limit {} need warning <= limit <= trip, above 0 and \
                 in the sensors' band",
                id.index()
            ),
        }
    }
}

impl core::error::Error for PolicyFault {}

impl Engine {
    /// An engine that knows nothing yet: every limit `Unknown`, every zone in failsafe.
    #[must_use]
    pub fn new(config: Config, now: Moment) -> Self {
        let plan = config.plan();
        let sensors: Vec<Sensor> =
            plan.sensors.iter().map(|spec| Sensor::new(spec.clone(), now)).collect();
        let limits: Vec<Limit> =
            plan.limits.iter().map(|spec| Limit::new(spec.clone(), &sensors, now)).collect();
        let served = |zones: &[crate::ZoneId]| {
            ids(&plan.limits, LimitId::new)
                .filter(|(_, limit)| zones.contains(&limit.zone))
                .map(|(id, _)| id)
                .collect()
        };
        let actuators = plan
            .actuators
            .iter()
            .map(|spec| Actuator::new(spec.clone(), served(&spec.zones), now))
            .collect();
        let events = Events::new();
        let mut engine =
            Self { sensors, limits, actuators, events, now, due: now, shutdown_due: false, config };
        engine.drive();
        engine
    }

    /// Takes up a trip of an earlier run. To be called before the first reading. It asks for no
    /// shutdown until the group proves itself hot again: a machine must be able to start.
    pub fn handle_latch(&mut self, limit: LimitId, now: Moment) {
        self.at(now);
        if let Some(limit) = self.limits.get_mut(limit.index()) {
            limit.latch(now);
        }
        self.drive();
    }

    /// Judges one reading and decides at once. Each sample is handed in once, because dwell
    /// counts samples. Unknown ids are ignored.
    pub fn handle_reading(&mut self, sensor: SensorId, reading: Result<f64, NoData>, now: Moment) {
        self.at(now);
        let settle_samples = self.config.plan().timing.settle_samples;
        let Some(judge) = self.sensors.get(sensor.index()) else { return };
        let companion = judge
            .spec
            .stuck
            .and_then(|stuck| self.sensors.get(stuck.companion.index()).and_then(Sensor::smooth));
        let Some(judge) = self.sensors.get_mut(sensor.index()) else { return };
        let (judged, change) = judge.take(reading, companion, settle_samples, self.now);
        self.tell(sensor, change);
        if let (Ok(value), Some(judge)) = (judged, self.sensors.get(sensor.index())) {
            for limit in self.limits.iter_mut().filter(|limit| limit.watches(sensor)) {
                limit.count(sensor, judge, value);
            }
        }
        for index in 0..self.limits.len() {
            if self.limits[index].watches(sensor) {
                self.follow(index);
            }
        }
        self.drive();
    }

    /// Takes what an actuator says of itself.
    pub fn handle_readback(
        &mut self,
        actuator: ActuatorId,
        observed: Result<Observed, NoData>,
        now: Moment,
    ) {
        self.at(now);
        let Some(hand) = self.actuators.get_mut(actuator.index()) else { return };
        hand.read_back(observed, self.now);
        let obedience = hand.obedience(self.now);
        self.tell_obedience(actuator, obedience);
        self.drive();
    }

    /// Replaces the fleet layer as a whole: limits that are not named lose theirs.
    ///
    /// # Errors
    /// Where any of it is not sound. Then the layer stays as it was.
    pub fn handle_policy(
        &mut self,
        policy: &[(LimitId, Thresholds)],
        now: Moment,
    ) -> Result<(), PolicyFault> {
        self.at(now);
        for (id, thresholds) in policy {
            let limit = self.limits.get(id.index()).ok_or(PolicyFault::UnknownLimit(*id))?;
            if !limit.takes(*thresholds) {
                return Err(PolicyFault::Thresholds(*id));
            }
        }
        for (id, limit) in (0..).map(LimitId::new).zip(&mut self.limits) {
            let named = policy.iter().rev().find(|(named, _)| *named == id);
            limit.set_fleet(named.map_or(Thresholds::SILENT, |(_, thresholds)| *thresholds));
        }
        self.follow_all();
        self.drive();
        Ok(())
    }

    /// Clears a latched trip, if its reading allows it.
    ///
    /// # Errors
    /// Where the limit has not tripped, its condition holds, or its group does not read.
    pub fn handle_clear(&mut self, id: LimitId, now: Moment) -> Result<(), Refusal> {
        self.at(now);
        let limit = self.limits.get_mut(id.index()).ok_or(Refusal::NoLimit)?;
        if limit.state.kind() != StateKind::Tripped {
            return Err(Refusal::NotTripped);
        }
        let before = limit.state;
        let standing = limit.standing(id, &self.sensors);
        if let Err(clears_when) = limit.clear(&self.sensors, self.now) {
            return Err(Refusal::Limit(held(standing, clears_when)));
        }
        self.events.push(self.now, EventKind::TripCleared { limit: id, reading: standing.reading });
        self.tell_state(id, before);
        self.follow(id.index());
        self.drive();
        Ok(())
    }

    /// What [`Self::handle_clear`] would answer. Nothing moves.
    ///
    /// # Errors
    /// Where the limit has not tripped, its condition holds, or its group does not read.
    pub fn validate_clear(&self, id: LimitId) -> Result<(), Refusal> {
        let limit = self.limits.get(id.index()).ok_or(Refusal::NoLimit)?;
        if limit.state.kind() != StateKind::Tripped {
            return Err(Refusal::NotTripped);
        }
        let standing = limit.standing(id, &self.sensors);
        limit
            .clearable(&self.sensors, self.now)
            .map_err(|clears_when| Refusal::Limit(held(standing, clears_when)))
    }

    /// One cycle: ages readings, climbs and descends the ladder, asserts what does not agree.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.at(now);
        let timing = self.config.plan().timing;
        for index in 0..self.sensors.len() {
            let change = self.sensors[index].age(self.now);
            self.tell(sensor_id(index), change);
        }
        for index in 0..self.actuators.len() {
            let obedience = self.actuators[index].age(timing.assert_every, self.now);
            self.tell_obedience(actuator_id(index), obedience);
        }
        self.follow_all();
        self.drive();
        self.shutdown_due = true;
        let stale = self.sensors.iter().filter(|sensor| !sensor.lost()).map(Sensor::stale_at).min();
        let cycle = self.now.after(timing.cycle);
        self.due = stale.map_or(cycle, |stale| stale.min(cycle));
    }

    /// The next thing to do. To be drained after each `handle_*`.
    pub fn poll_action(&mut self) -> Option<Action> {
        let now = self.now;
        for (id, actuator) in (0..).map(ActuatorId::new).zip(&mut self.actuators) {
            if let Some(level) = actuator.take_due(now) {
                return Some(Action::Drive { actuator: id, level });
            }
        }
        if !core::mem::take(&mut self.shutdown_due) {
            return None;
        }
        self.shutdown_limit().map(|limit| Action::RequestShutdown { limit })
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When `handle_timeout` is due at the latest.
    #[must_use]
    pub const fn poll_timeout(&self) -> Moment {
        self.due
    }

    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Time never runs backwards in here, whatever the caller hands in.
    fn at(&mut self, now: Moment) {
        self.now = self.now.max(now);
    }

    fn follow_all(&mut self) {
        for index in 0..self.limits.len() {
            self.follow(index);
        }
    }

    fn follow(&mut self, index: usize) {
        let spec = &self.limits[index].spec;
        let plan = self.config.plan();
        let grace = plan.zones.get(spec.zone.index()).map_or(Duration::ZERO, |zone| zone.grace);
        let pace = Pace::of(&plan.timing, grace);
        let hands = self.hands(index);
        let vouched = self.vouched(index);
        let limit = &mut self.limits[index];
        let before = limit.state;
        limit.follow(&self.sensors, hands, pace, vouched, self.now);
        self.tell_state(limit_id(index), before);
    }

    /// The first limit whose trip asks for a shutdown.
    fn shutdown_limit(&self) -> Option<LimitId> {
        match self.config.plan().on_trip {
            OnTrip::Hold => None,
            OnTrip::RequestShutdown => ids(&self.limits, LimitId::new)
                .find(|(_, limit)| proved(&limit.state))
                .map(|(id, _)| id),
        }
    }
}

/// What stands against clearing a trip, with the threshold that is meant.
fn held(standing: Standing, clears_when: ClearsWhen) -> Standing {
    let threshold = match clears_when {
        ClearsWhen::ReadingBelow(threshold) => Some(threshold),
        ClearsWhen::AskedAtMost(_) | ClearsWhen::TripCleared | ClearsWhen::SensorsRead => {
            standing.threshold
        }
    };
    Standing { threshold, clears_when, ..standing }
}

fn ids<T, Id>(list: &[T], id: impl Fn(u16) -> Id) -> impl Iterator<Item = (Id, &T)> {
    (0..).map(id).zip(list)
}

fn sensor_id(index: usize) -> SensorId {
    SensorId::new(u16::try_from(index).unwrap_or(u16::MAX))
}

fn limit_id(index: usize) -> LimitId {
    LimitId::new(u16::try_from(index).unwrap_or(u16::MAX))
}

fn actuator_id(index: usize) -> ActuatorId {
    ActuatorId::new(u16::try_from(index).unwrap_or(u16::MAX))
}

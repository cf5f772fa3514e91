//! The engine's doors. What came in is judged by the sensor, followed by the limits that watch
//! it, and turned into levels of the actuators that serve those limits' zones, in that order
//! and before the door closes.

mod arbitration;
mod clearing;
mod delaying;
mod demand;
mod holding;
mod policy;
mod proposals;
mod replan;
mod self_testing;
mod shedding;
mod switching;
mod telling;
mod view;

pub use policy::PolicyFault;
pub use replan::{Mapping, ReplanFault};
pub use view::{
    ActuatorView, ArmedView, ConditionView, InterlockView, LimitView, SelfTestView, SensorView,
    SwitchView,
};

use crate::actuator::Actuator;
use crate::event::Events;
use crate::host::Host;
use crate::interlock::Interlock;
use crate::limit::{Limit, Pace};
use crate::lock::Locks;
use crate::self_test::SelfTest;
use crate::sensor::Sensor;
use crate::{
    Action, ActuatorId, Config, Event, EventKind, Gate, HostReport, LimitId, Moment, Observed,
    Plan, SensorId, ZoneId,
};
use alloc::vec::Vec;
use core::time::Duration;
use flyball_units::{NoData, PowerState};
use switching::Armed;

/// One machine's limits and the levels that its actuators should have.
///
/// A clone is for looking ahead: unlike the engine that it was made from, it allocates when it
/// has much to tell.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    sensors: Vec<Sensor>,
    limits: Vec<Limit>,
    actuators: Vec<Actuator>,
    interlocks: Vec<Interlock>,
    locks: Locks,
    armed: Vec<Armed>,
    host: Host,
    self_test: Option<SelfTest>,
    events: Events,
    now: Moment,
    due: Moment,
}

impl Engine {
    /// An engine that knows nothing yet: every limit `Unknown`, every zone in failsafe.
    #[must_use]
    pub fn new(config: Config, now: Moment) -> Self {
        let plan = config.plan();
        let sensors: Vec<Sensor> =
            plan.sensors.iter().map(|spec| Sensor::new(spec.clone(), now)).collect();
        let limits: Vec<Limit> =
            plan.limits.iter().map(|spec| Limit::new(spec.clone(), &sensors, now)).collect();
        let actuators = plan
            .actuators
            .iter()
            .map(|spec| Actuator::new(spec.clone(), served(plan, &spec.zones), now))
            .collect();
        let interlocks =
            plan.interlocks.iter().map(|spec| Interlock::new(spec.clone(), now)).collect();
        let mut engine = Self {
            sensors,
            limits,
            actuators,
            interlocks,
            locks: Locks::new(),
            armed: Vec::with_capacity(switching::MOST_ARMED),
            host: Host::new(now),
            self_test: None,
            events: Events::new(),
            now,
            due: now,
            config,
        };
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
        for index in 0..self.limits.len() {
            if !self.limits[index].watches(sensor) {
                continue;
            }
            if let (Ok(value), Some(judge)) = (judged, self.sensors.get(sensor.index())) {
                let open = self.open(self.limits[index].spec.gate);
                self.limits[index].count(sensor, judge, value, open, self.now);
            }
            self.follow(index);
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
        let seen = hand.read_back(observed, self.now);
        let obedience = hand.obedience(self.now);
        self.tell_seen(actuator, seen);
        self.tell_obedience(actuator, obedience);
        self.drive();
    }

    /// Takes what came of an [`Action::Host`].
    pub fn handle_host(&mut self, report: HostReport, now: Moment) {
        self.at(now);
        if self.host.report(report) {
            self.events.push(self.now, EventKind::HostFailed { level: self.host.wanted });
        }
        self.follow_all();
        self.drive();
    }

    /// One cycle: ages readings, climbs and descends the ladder, asserts what does not agree.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.at(now);
        let timing = self.config.plan().timing;
        for index in 0..self.sensors.len() {
            let change = self.sensors[index].age(self.now);
            self.tell(sensor_id(index), change);
        }
        self.age_actuators(timing.assert_every);
        self.expire();
        self.let_claims_go();
        if self.host.age(self.host_within(), self.now) {
            self.events.push(self.now, EventKind::HostFailed { level: self.host.wanted });
        }
        self.follow_all();
        self.step_self_test();
        self.drive();
        self.follow_self_test();
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
            if let Some(verb) = actuator.switch.take_send() {
                return Some(Action::Switch { actuator: id, verb });
            }
        }
        let due = self.host.take_due();
        due.then_some(Action::Host { level: self.host.wanted, limit: self.host.by })
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
        let hands = self.hands(index);
        let vouched = self.vouched(index);
        let plan = self.config.plan();
        let Some(limit) = self.limits.get_mut(index) else { return };
        let Some(zone) = plan.zones.get(limit.spec.zone.index()) else { return };
        let drawn = limit.draw(plan.seed, limit_id(index), plan.timing.release_jitter);
        let pace = Pace::of(&plan.timing, zone, drawn);
        let before = limit.state;
        limit.follow(&self.sensors, hands, pace, vouched, self.now);
        let spread = limit.compare(&self.sensors, plan.timing.step_time, self.now);
        self.tell_state(limit_id(index), before);
        self.follow_hold(index);
        self.tell_spread(limit_id(index), spread);
    }

    /// Whether samples of a limit count at all.
    fn open(&self, gate: Option<Gate>) -> bool {
        let Some(gate) = gate else { return true };
        let actuator = match gate {
            Gate::Duty { actuator, .. } | Gate::On { actuator } => actuator,
        };
        let Some(actuator) = self.actuators.get(actuator.index()) else { return true };
        match gate {
            Gate::Duty { at_least, .. } => actuator.turns(at_least),
            Gate::On { .. } => actuator.power(self.now) != Some(PowerState::Off),
        }
    }

    fn age_actuators(&mut self, assert_every: Duration) {
        for index in 0..self.actuators.len() {
            let actuator = &mut self.actuators[index];
            let obedience = actuator.age(assert_every, self.now);
            let seen = actuator.age_switch(self.now);
            self.tell_seen(actuator_id(index), seen);
            self.tell_obedience(actuator_id(index), obedience);
        }
    }
}

/// The limits of these zones.
fn served(plan: &Plan, zones: &[ZoneId]) -> Vec<LimitId> {
    ids(&plan.limits, LimitId::new)
        .filter(|(_, limit)| zones.contains(&limit.zone))
        .map(|(id, _)| id)
        .collect()
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

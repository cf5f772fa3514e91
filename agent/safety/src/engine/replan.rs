//! Going on under another plan: what was plugged in or pulled out is taken up without losing
//! what is known of the rest.

use super::{Engine, actuator_id, limit_id, sensor_id, served};
use crate::actuator::Actuator;
use crate::interlock::Interlock;
use crate::limit::Limit;
use crate::sensor::Sensor;
use crate::{Aborted, ActuatorId, Config, Hand, InterlockId, LimitId, Moment, SensorId, StateKind};
use alloc::vec::Vec;
use core::fmt;

/// Where the entries of the plan in force are in the new one; `None`, or an entry that is
/// missing at a list's end, is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mapping<'a> {
    pub sensors: &'a [Option<SensorId>],
    pub limits: &'a [Option<LimitId>],
    pub actuators: &'a [Option<ActuatorId>],
    pub interlocks: &'a [Option<InterlockId>],
}

/// Why a plan was not taken up. The one in force stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplanFault {
    /// A limit that has tripped would be gone, and its latch with it.
    Trip(LimitId),
    /// A lock on this actuator would be gone.
    Lock(ActuatorId),
    /// It is mapped past the new list, to where another one is, or to another kind.
    Sensor(SensorId),
    Limit(LimitId),
    Actuator(ActuatorId),
    Interlock(InterlockId),
}

impl fmt::Display for ReplanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Trip(id) => {
                return write!(f, "limit {} has tripped: clear it before it goes", id.index());
            }
            Self::Lock(id) => {
                return write!(f, "actuator {} is locked: lift that before it goes", id.index());
            }
            Self::Sensor(id) => ("sensor", id.index()),
            Self::Limit(id) => ("limit", id.index()),
            Self::Actuator(id) => ("actuator", id.index()),
            Self::Interlock(id) => ("interlock", id.index()),
        };
        write!(f, "{} {} can't become what the mapping makes of it", place.0, place.1)
    }
}

impl core::error::Error for ReplanFault {}

impl Engine {
    /// Goes on under `config`. What the mapping carries over keeps its state, latch, windows,
    /// proposals, read-backs and what is in flight; what is new begins unknown. Locks stay,
    /// what was armed is forgotten, and the fleet layer stays with its limits. This allocates.
    ///
    /// # Errors
    /// Where a latch or a lock would be lost, or the mapping makes no sense. Then nothing has
    /// changed.
    pub fn replan(
        &mut self,
        config: Config,
        mapping: Mapping<'_>,
        now: Moment,
    ) -> Result<(), ReplanFault> {
        self.at(now);
        self.check_mapping(&config, mapping)?;
        self.abort_self_test(Aborted::Replan);
        let plan = config.plan();
        let mut sensors = carried(core::mem::take(&mut self.sensors), mapping.sensors);
        self.sensors = (0..plan.sensors.len())
            .map(|index| {
                let spec = plan.sensors[index].clone();
                match take(&mut sensors, sensor_id(index)) {
                    Some(mut sensor) => {
                        sensor.renew(spec);
                        sensor
                    }
                    None => Sensor::new(spec, self.now),
                }
            })
            .collect();
        let mut limits = carried(core::mem::take(&mut self.limits), mapping.limits);
        let old = |new: SensorId| {
            (0..).map(SensorId::new).zip(mapping.sensors).find(|(_, to)| **to == Some(new))
        };
        self.limits = (0..plan.limits.len())
            .map(|index| {
                let spec = plan.limits[index].clone();
                match take(&mut limits, limit_id(index)) {
                    Some(mut limit) => {
                        let before = |id| old(id).map(|(old, _)| old);
                        limit.renew(spec, &self.sensors, before, self.now);
                        limit
                    }
                    None => Limit::new(spec, &self.sensors, self.now),
                }
            })
            .collect();
        let mut actuators = carried(core::mem::take(&mut self.actuators), mapping.actuators);
        self.actuators = (0..plan.actuators.len())
            .map(|index| {
                let spec = plan.actuators[index].clone();
                let serves = served(plan, &spec.zones);
                match take(&mut actuators, actuator_id(index)) {
                    Some(mut actuator) => {
                        actuator.renew(spec, serves);
                        actuator
                    }
                    None => Actuator::new(spec, serves, self.now),
                }
            })
            .collect();
        let mut interlocks = carried(core::mem::take(&mut self.interlocks), mapping.interlocks);
        self.interlocks = (0..)
            .map(InterlockId::new)
            .zip(&plan.interlocks)
            .map(|(id, spec)| match take(&mut interlocks, id) {
                Some(mut interlock) => {
                    interlock.renew(spec.clone());
                    interlock
                }
                None => Interlock::new(spec.clone(), self.now),
            })
            .collect();
        self.locks.renumber(|id| mapped(mapping.actuators, id.index()));
        self.armed.clear();
        self.host.by = self.host.by.and_then(|id| mapped(mapping.limits, id.index()));
        self.config = config;
        self.follow_all();
        self.drive();
        Ok(())
    }

    fn check_mapping(&self, config: &Config, mapping: Mapping<'_>) -> Result<(), ReplanFault> {
        let (now, then) = (self.config.plan(), config.plan());
        for (id, spec) in (0..).map(SensorId::new).zip(&now.sensors) {
            let to = mapped(mapping.sensors, id.index());
            let same =
                |to: SensorId| then.sensors.get(to.index()).is_some_and(|it| it.kind == spec.kind);
            if to.is_some_and(|to| !same(to) || doubled(mapping.sensors, to)) {
                return Err(ReplanFault::Sensor(id));
            }
        }
        for (id, limit) in (0..).map(LimitId::new).zip(&self.limits) {
            match mapped(mapping.limits, id.index()) {
                None if limit.state.kind() == StateKind::Tripped => {
                    return Err(ReplanFault::Trip(id));
                }
                Some(to) if to.index() >= then.limits.len() || doubled(mapping.limits, to) => {
                    return Err(ReplanFault::Limit(id));
                }
                Some(_) | None => {}
            }
        }
        for (id, spec) in (0..).map(ActuatorId::new).zip(&now.actuators) {
            let same = |to: ActuatorId| {
                then.actuators.get(to.index()).is_some_and(|it| alike(it.hand, spec.hand))
            };
            match mapped(mapping.actuators, id.index()) {
                None if self.locks.views().iter().any(|lock| lock.spec.target == Some(id)) => {
                    return Err(ReplanFault::Lock(id));
                }
                Some(to) if !same(to) || doubled(mapping.actuators, to) => {
                    return Err(ReplanFault::Actuator(id));
                }
                Some(_) | None => {}
            }
        }
        for (id, _) in (0..).map(InterlockId::new).zip(&self.interlocks) {
            let to = mapped(mapping.interlocks, id.index());
            let wrong = |to: InterlockId| {
                to.index() >= then.interlocks.len() || doubled(mapping.interlocks, to)
            };
            if to.is_some_and(wrong) {
                return Err(ReplanFault::Interlock(id));
            }
        }
        Ok(())
    }
}

/// The old entries with their new places.
fn carried<T, Id: Copy>(old: Vec<T>, places: &[Option<Id>]) -> Vec<(Option<Id>, Option<T>)> {
    let place = |index: usize| places.get(index).copied().flatten();
    old.into_iter().enumerate().map(|(index, it)| (place(index), Some(it))).collect()
}

fn take<T, Id: PartialEq + Copy>(carried: &mut [(Option<Id>, Option<T>)], id: Id) -> Option<T> {
    carried.iter_mut().find(|(to, _)| *to == Some(id)).and_then(|(_, it)| it.take())
}

fn mapped<Id: Copy>(places: &[Option<Id>], index: usize) -> Option<Id> {
    places.get(index).copied().flatten()
}

fn doubled<Id: PartialEq + Copy>(places: &[Option<Id>], to: Id) -> bool {
    places.iter().filter(|place| **place == Some(to)).count() > 1
}

fn alike(a: Hand, b: Hand) -> bool {
    core::mem::discriminant(&a) == core::mem::discriminant(&b)
}

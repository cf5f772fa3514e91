//! A self-test: limits that are handed simulated readings beyond their thresholds, beside the
//! real ones, and what came of it at each actuator.
//!
//! The stand-ins have the real limits' thresholds, dwell and ladder, and go the way from the
//! sample to the need in the same code. What they need is added to what the real limits need,
//! and never put in its place. It decides nothing: what ends it is the engine's.

use crate::actuator::Actuator;
use crate::limit::{CapNeed, FanNeed, Hands, Limit, Need, Pace};
use crate::sensor::Sensor;
use crate::{
    ActuatorId, Hand, Level, LimitId, LimitSpec, Moment, Observed, Response, SensorId, State,
    Timing,
};
use alloc::vec::Vec;
use core::time::Duration;
use flyball_units::NoData;

/// How a self-test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTestEnd {
    /// Every actuator was seen to do what it was asked, and to come back.
    Passed,
    /// One of them was not.
    Failed,
    /// It was broken off, and proves nothing.
    Aborted(Aborted),
}

/// What broke a self-test off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aborted {
    /// This limit is not calm.
    Limit(LimitId),
    /// Somebody asked something of the machine.
    Command,
    /// Somebody locked something.
    Lock,
    /// Hardware came or went.
    Replan,
    /// It did not come to its end in its time.
    Overtime,
}

/// One actuator in a self-test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    pub actuator: ActuatorId,
    /// The level of the last step before a trip; `None` before it was asked for.
    pub asked: Option<Level>,
    /// What was read back when it agreed, or when its time was over.
    pub observed: Option<Result<Observed, NoData>>,
    /// From asking to the read-back that agreed; `None` where none did.
    pub took: Option<Duration>,
    /// From letting go to the read-back that agreed with what was wanted then.
    pub back: Option<Duration>,
    asked_at: Moment,
    /// It has had its time, on its way up and on its way back.
    up: bool,
    over: bool,
}

/// A self-test as it stands, or as the last one ended.
#[derive(Clone, Debug)]
pub(crate) struct SelfTest {
    pub(crate) began: Moment,
    /// It is broken off then.
    pub(crate) until: Moment,
    stand_ins: Vec<StandIn>,
    pub(crate) trials: Vec<Trial>,
    released: Option<Moment>,
    pub(crate) ended: Option<(Moment, SelfTestEnd)>,
}

/// A limit over simulated sensors.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    pub(crate) id: LimitId,
    limit: Limit,
    sensors: Vec<Sensor>,
    value: f64,
}

impl StandIn {
    /// `None` for a limit that drives nothing, or that could only warn.
    pub(crate) fn of(id: LimitId, real: &Limit, sensors: &[Sensor], now: Moment) -> Option<Self> {
        let drives = match real.spec.response {
            Response::Heat | Response::Power => true,
            Response::Alert | Response::Shutdown => false,
        };
        let value = real.effective.limit.or(real.effective.trip).filter(|_| drives)?.value;
        let specs = real.spec.sensors.iter().filter_map(|id| sensors.get(id.index()));
        let sensors: Vec<Sensor> =
            specs.map(|sensor| Sensor::new(sensor.spec.clone(), now)).collect();
        let ids = (0..).map(SensorId::new).take(sensors.len()).collect();
        let spec = LimitSpec { sensors: ids, ..real.spec.clone() };
        let mut limit = Limit::new(spec, &sensors, now);
        limit.set_fleet(real.fleet);
        Some(Self { id, limit, sensors, value })
    }

    /// One sample of each sensor, at the threshold.
    pub(crate) fn step(&mut self, hands: Hands, pace: Pace, settle_samples: u8, now: Moment) {
        for (id, sensor) in (0..).map(SensorId::new).zip(&mut self.sensors) {
            if let (Ok(value), _) = sensor.take(Ok(self.value), None, settle_samples, now) {
                self.limit.count(id, sensor, value, true, now);
            }
        }
        self.limit.follow(&self.sensors, hands, pace, false, now);
    }

    /// What it needs of fans and caps. Of the host it needs nothing: that is no part of it.
    pub(crate) fn need(&self) -> Need {
        match self.limit.state {
            State::Limiting(_) | State::Tripped(_) => self.limit.need(),
            State::Unknown { .. }
            | State::Normal { .. }
            | State::Warning(_)
            | State::Failsafe(_) => Need::REST,
        }
    }
}

impl Trial {
    fn of(actuator: ActuatorId, now: Moment) -> Self {
        Self {
            actuator,
            asked: None,
            observed: None,
            took: None,
            back: None,
            asked_at: now,
            up: false,
            over: false,
        }
    }

    /// It did what it was asked and came back.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.took.is_some() && self.back.is_some()
    }

    /// Follows it up. True once it is there, or has had its time.
    fn rise(&mut self, actuator: &Actuator, top: bool, now: Moment) -> bool {
        if self.asked.is_none() && top {
            self.asked = Some(actuator.wanted);
            self.asked_at = now;
        } else if self.asked.is_some() && !self.up {
            let seen = actuator.agrees_since(self.asked_at);
            let spent = now.since(self.asked_at);
            if seen || spent >= actuator.spec.verify_within {
                self.observed = actuator.observed;
                self.took = seen.then_some(spent);
                self.up = true;
            }
        }
        self.up
    }

    /// Follows it back.
    fn fall(&mut self, actuator: &Actuator, released: Moment, now: Moment) -> bool {
        if !self.over {
            let seen = actuator.agrees_since(released);
            let spent = now.since(released);
            self.back = seen.then_some(spent);
            self.over = seen || spent >= actuator.spec.verify_within;
        }
        self.over
    }
}

impl SelfTest {
    /// `None` where there is no actuator that a limit could be tried on.
    pub(crate) fn new(
        stand_ins: Vec<StandIn>,
        actuators: &[Actuator],
        timing: &Timing,
        now: Moment,
    ) -> Option<Self> {
        let tried = |actuator: &Actuator| {
            let zone = stand_ins.iter().filter(|it| actuator.limits.contains(&it.id));
            zone.map(StandIn::response).any(|response| moves(response, actuator.spec.hand))
        };
        let all = (0..).map(ActuatorId::new).zip(actuators);
        let trials: Vec<Trial> =
            all.filter(|(_, it)| tried(it)).map(|(id, _)| Trial::of(id, now)).collect();
        let slowest = actuators.iter().map(|it| it.spec.verify_within).max()?;
        let dwell = stand_ins.iter().map(|it| it.patience(timing)).max()?;
        let within = dwell + timing.step_time * STEPS + slowest * 2;
        (!trials.is_empty()).then(|| Self {
            began: now,
            until: now.after(within),
            stand_ins,
            trials,
            released: None,
            ended: None,
        })
    }

    pub(crate) const fn runs(&self) -> bool {
        self.ended.is_none()
    }

    pub(crate) fn end(&mut self, end: SelfTestEnd, now: Moment) {
        self.stand_ins.clear();
        self.ended = Some((now, end));
    }

    /// The stand-ins; none once they were let go.
    pub(crate) fn stand_ins(&self) -> &[StandIn] {
        &self.stand_ins
    }

    pub(crate) fn stand_ins_mut(&mut self) -> &mut [StandIn] {
        &mut self.stand_ins
    }

    /// Follows the actuators, and lets the stand-ins go once all of them are through.
    pub(crate) fn follow(&mut self, actuators: &[Actuator], now: Moment) {
        let mut through = true;
        for trial in &mut self.trials {
            let Some(actuator) = actuators.get(trial.actuator.index()) else { continue };
            let needs = self.stand_ins.iter().filter(|it| actuator.limits.contains(&it.id));
            let top = needs.map(StandIn::need).any(|need| match actuator.spec.hand {
                Hand::Fan { .. } => need.fan == FanNeed::Full,
                Hand::PowerCap { .. } | Hand::FrequencyCap { .. } => need.cap == CapNeed::Min,
                Hand::Switch(_) | Hand::Setting => false,
            });
            through &= match self.released {
                None => trial.rise(actuator, top, now),
                Some(released) => trial.fall(actuator, released, now),
            };
        }
        match self.released {
            None if through => {
                self.stand_ins.clear();
                self.released = Some(now);
            }
            Some(_) if through => {
                let passed = self.trials.iter().all(Trial::passed);
                let end = if passed { SelfTestEnd::Passed } else { SelfTestEnd::Failed };
                self.end(end, now);
            }
            None | Some(_) if now >= self.until => {
                self.end(SelfTestEnd::Aborted(Aborted::Overtime), now);
            }
            None | Some(_) => {}
        }
    }
}

/// Whether a limit of this response brings such an actuator anywhere below a trip.
const fn moves(response: Response, hand: Hand) -> bool {
    match (response, hand) {
        (Response::Heat, Hand::Fan { .. })
        | (Response::Heat | Response::Power, Hand::PowerCap { .. } | Hand::FrequencyCap { .. }) => {
            true
        }
        (Response::Power | Response::Alert | Response::Shutdown, Hand::Fan { .. })
        | (
            Response::Alert | Response::Shutdown,
            Hand::PowerCap { .. } | Hand::FrequencyCap { .. },
        )
        | (_, Hand::Switch(_) | Hand::Setting) => false,
    }
}

/// Steps of the ladder from the alert to the smallest cap, each with its time.
const STEPS: u32 = 4;

impl StandIn {
    const fn response(&self) -> Response {
        self.limit.spec.response
    }

    /// How long it may take to its first step: samples come at the loop's pace.
    fn patience(&self, timing: &Timing) -> Duration {
        let samples = u32::from(self.limit.spec.dwell.of) + u32::from(timing.settle_samples);
        timing.cycle * samples + self.limit.spec.hold
    }
}

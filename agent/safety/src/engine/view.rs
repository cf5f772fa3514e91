//! The engine as it stands, for those who show it.

use super::{Engine, limit_id};
use crate::origin::Claims;
use crate::{
    ActuatorId, Claim, Condition, Effective, Hand, HostLevel, InterlockId, Level, LimitId, Moment,
    Observed, SelfTestEnd, SensorId, State, Thresholds, Ticket, Trial,
};
use flyball_units::{NoData, PowerState, ResetType};

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitView<'a> {
    pub state: &'a State,
    /// The good reading of the group that counts by its vote and is not stale.
    pub reading: Option<f64>,
    pub thresholds: &'a Effective,
    /// What the fleet layer says; the other layers are the plan's.
    pub fleet: Thresholds,
    /// Its good sensors are further apart than their tolerance.
    pub disagrees: bool,
}

/// One actuator as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActuatorView {
    pub wanted: Level,
    /// The last read-back; `None` before the first.
    pub observed: Option<Result<Observed, NoData>>,
    /// The read-back has not agreed within its time.
    pub stuck: bool,
    /// Of what was proposed and taken, the floor or the cap that decides.
    pub proposed: Option<f64>,
}

/// One switch as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchView {
    /// Where it was seen; `None` where it can't be known or was seen too long ago.
    pub power: Option<PowerState>,
    /// What was sent to it and has not come about, and since when.
    pub in_flight: Option<(ResetType, Moment)>,
    /// Only a person's proposal may energise it.
    pub locked_out: bool,
}

/// One interlock as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterlockView {
    /// It stands against its targets.
    pub active: bool,
    /// What is known of its conditions together; `None` is *nobody knows*, and active.
    pub holds: Option<bool>,
    /// Since when it is active, or isn't.
    pub since: Moment,
}

/// One condition of an interlock as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConditionView {
    pub condition: Condition,
    pub holds: Option<bool>,
    /// Of a condition on a sensor: its last reading, where that was good.
    pub reading: Option<f64>,
}

/// A destructive verb that waits to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmedView {
    pub ticket: Ticket,
    pub actuator: ActuatorId,
    pub verb: ResetType,
    pub until: Moment,
}

/// A self-test that runs, or the last one of this plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTestView<'a> {
    pub began: Moment,
    /// It is broken off then.
    pub until: Moment,
    /// Of each actuator, what came of it so far.
    pub trials: &'a [Trial],
    /// When and how it ended; `None` while it runs.
    pub ended: Option<(Moment, SelfTestEnd)>,
}

/// One sensor as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorView {
    /// The last reading as it was judged.
    pub reading: Result<f64, NoData>,
    /// It has settled and is not lost.
    pub trusted: bool,
}

impl Engine {
    #[must_use]
    pub fn limit(&self, limit: LimitId) -> Option<LimitView<'_>> {
        let limit = self.limits.get(limit.index())?;
        Some(LimitView {
            state: &limit.state,
            reading: limit.reading(&self.sensors, self.now),
            thresholds: &limit.effective,
            fleet: limit.fleet,
            disagrees: limit.disagrees(),
        })
    }

    #[must_use]
    pub fn actuator(&self, actuator: ActuatorId) -> Option<ActuatorView> {
        let actuator = self.actuators.get(actuator.index())?;
        Some(ActuatorView {
            wanted: actuator.wanted,
            observed: actuator.observed,
            stuck: actuator.stuck(),
            proposed: actuator.claims.value(),
        })
    }

    /// What stands for an actuator by proposals, the highest rank first: that one decides.
    pub fn claims(&self, actuator: ActuatorId) -> impl Iterator<Item = Claim> + use<> {
        let claims = self.actuators.get(actuator.index()).map(|actuator| actuator.claims);
        claims.unwrap_or(Claims::NONE).iter()
    }

    #[must_use]
    pub fn sensor(&self, sensor: SensorId) -> Option<SensorView> {
        let sensor = self.sensors.get(sensor.index())?;
        Some(SensorView { reading: sensor.reading(), trusted: sensor.trusted() })
    }

    /// `None` where the actuator is no switch.
    #[must_use]
    pub fn switch(&self, actuator: ActuatorId) -> Option<SwitchView> {
        let actuator = self.actuators.get(actuator.index())?;
        let Hand::Switch(_) = actuator.spec.hand else { return None };
        Some(SwitchView {
            power: actuator.power(self.now),
            in_flight: actuator.switch.in_flight().map(|flying| (flying.verb, flying.since)),
            locked_out: actuator.switch.locked_out(),
        })
    }

    #[must_use]
    pub fn interlock(&self, interlock: InterlockId) -> Option<InterlockView> {
        let interlock = self.interlocks.get(interlock.index())?;
        let (active, holds, since) = (interlock.active(), interlock.holds, interlock.since);
        Some(InterlockView { active, holds, since })
    }

    /// The conditions of an interlock in the plan's order.
    pub fn conditions(
        &self,
        interlock: InterlockId,
    ) -> impl Iterator<Item = ConditionView> + use<'_> {
        let interlock = self.interlocks.get(interlock.index());
        interlock.into_iter().flat_map(|interlock| {
            interlock.spec.conditions.iter().enumerate().map(|(index, condition)| {
                let reading = match condition {
                    Condition::AtLeast { sensor, .. } | Condition::AtMost { sensor, .. } => {
                        self.sensor(*sensor).and_then(|view| view.reading.ok())
                    }
                    Condition::Switch { .. } | Condition::Limit { .. } => None,
                };
                ConditionView { condition: *condition, holds: interlock.holds(index), reading }
            })
        })
    }

    /// What waits to be confirmed.
    pub fn armed(&self) -> impl Iterator<Item = ArmedView> + use<'_> {
        self.armed.iter().map(|armed| ArmedView {
            ticket: armed.ticket,
            actuator: armed.ask.actuator,
            verb: armed.ask.verb,
            until: armed.until,
        })
    }

    /// The self-test that runs, or the last one that was not forgotten with its plan.
    #[must_use]
    pub fn self_test(&self) -> Option<SelfTestView<'_>> {
        let test = self.self_test.as_ref()?;
        let (began, until, ended) = (test.began, test.until, test.ended);
        Some(SelfTestView { began, until, trials: &test.trials, ended })
    }

    /// Where the engine wants the host, and the limit that needs it there.
    #[must_use]
    pub const fn host(&self) -> (HostLevel, Option<LimitId>) {
        (self.host.wanted, self.host.by)
    }

    /// The limits in the plan's order.
    pub fn limits(&self) -> impl Iterator<Item = (LimitId, LimitView<'_>)> {
        (0..self.limits.len()).filter_map(|index| {
            let id = limit_id(index);
            Some((id, self.limit(id)?))
        })
    }
}

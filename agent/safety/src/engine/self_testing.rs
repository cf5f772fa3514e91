//! The self-test: begun only where all is well, broken off by anything else that matters, and
//! never in the way of a real limit. What it asks for is added to what they ask for.

use super::{Engine, ids};
use crate::actuator::Demand;
use crate::limit::{Limit, Pace};
use crate::self_test::{SelfTest, StandIn};
use crate::{
    Aborted, EventKind, Hand, Ladder, LimitId, Moment, Refusal, Response, SelfTestEnd, StateKind,
    ZoneSpec,
};
use alloc::vec::Vec;
use core::time::Duration;

impl Engine {
    /// Begins a self-test: every limit that drives fans or caps is tried on simulated readings
    /// at its threshold, up to the smallest cap. Gives back when it is over at the latest. This
    /// allocates.
    ///
    /// # Errors
    /// Where one runs, a lock stands, a limit is not calm, a verb is in flight, or there is
    /// nothing to try.
    pub fn handle_self_test(&mut self, now: Moment) -> Result<Moment, Refusal> {
        self.at(now);
        self.validate_self_test()?;
        let test = self.planned_self_test().ok_or(Refusal::NothingToTest)?;
        let until = test.until;
        let actuators = u16::try_from(test.trials.len()).unwrap_or(u16::MAX);
        self.self_test = Some(test);
        self.events.push(self.now, EventKind::SelfTestBegan { actuators });
        Ok(until)
    }

    /// What [`Self::handle_self_test`] would answer. Nothing moves.
    ///
    /// # Errors
    /// As there.
    pub fn validate_self_test(&self) -> Result<(), Refusal> {
        if let Some(test) = self.self_test.as_ref().filter(|test| test.runs()) {
            return Err(Refusal::Testing { until: test.until });
        }
        if let Some(lock) = self.locks.views().first() {
            return Err(Refusal::Locked(lock.id));
        }
        if let Some(limit) = self.unrest() {
            return Err(self.refused_by(limit, None));
        }
        let flying = self.actuators.iter().find_map(|actuator| match actuator.spec.hand {
            Hand::Switch(spec) => Some((actuator.switch.in_flight()?, spec.takes)),
            Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Setting => None,
        });
        match flying {
            Some((flying, takes)) => {
                let (verb, until) = (flying.verb, flying.since.after(takes));
                Err(Refusal::InFlight { verb, until })
            }
            None => self.planned_self_test().map(|_| ()).ok_or(Refusal::NothingToTest),
        }
    }

    fn planned_self_test(&self) -> Option<SelfTest> {
        let timing = &self.config.plan().timing;
        let stand_ins: Vec<StandIn> = ids(&self.limits, LimitId::new)
            .filter_map(|(id, limit)| StandIn::of(id, limit, &self.sensors, self.now))
            .collect();
        SelfTest::new(stand_ins, &self.actuators, timing, self.now)
    }

    /// The first limit that is not calm. One that only tells, and one that may be absent and is,
    /// stand against nothing.
    fn unrest(&self) -> Option<LimitId> {
        let restless = |limit: &Limit| {
            limit.spec.response != Response::Alert
                && (limit.blind()
                    || match limit.state.kind() {
                        StateKind::Unknown | StateKind::Normal => false,
                        StateKind::Warning
                        | StateKind::Limiting
                        | StateKind::Tripped
                        | StateKind::Failsafe => true,
                    })
        };
        ids(&self.limits, LimitId::new).find(|(_, limit)| restless(limit)).map(|(id, _)| id)
    }

    /// Breaks a self-test off that runs.
    pub(super) fn abort_self_test(&mut self, why: Aborted) {
        let Some(test) = self.self_test.as_mut().filter(|test| test.runs()) else { return };
        test.end(SelfTestEnd::Aborted(why), self.now);
        self.events.push(self.now, EventKind::SelfTestEnded { end: SelfTestEnd::Aborted(why) });
        self.drive();
    }

    /// A real limit that is no longer calm ends a self-test before anything is driven.
    pub(super) fn watch_self_test(&mut self) {
        let runs = self.self_test.as_ref().is_some_and(SelfTest::runs);
        if let Some(limit) = self.unrest().filter(|_| runs) {
            self.abort_self_test(Aborted::Limit(limit));
        }
    }

    /// Hands the stand-ins their samples.
    pub(super) fn step_self_test(&mut self) {
        let Some(mut test) = self.self_test.take() else { return };
        let plan = self.config.plan();
        for stand_in in test.stand_ins_mut() {
            let zone = ZoneSpec { grace: Duration::MAX, ladder: Ladder::NONE };
            let pace = Pace::of(&plan.timing, &zone, Duration::ZERO);
            let hands = self.hands(stand_in.id.index());
            stand_in.step(hands, pace, plan.timing.settle_samples, self.now);
        }
        self.self_test = Some(test);
    }

    /// Looks at the actuators, which have been driven.
    pub(super) fn follow_self_test(&mut self) {
        let Some(test) = self.self_test.as_mut().filter(|test| test.runs()) else { return };
        test.follow(&self.actuators, self.now);
        if let Some((_, end)) = test.ended {
            self.events.push(self.now, EventKind::SelfTestEnded { end });
        }
        self.drive();
    }

    /// What the limits ask of an actuator, and a self-test besides.
    pub(super) fn demand_and_self_test(&self, actuator: usize) -> Demand {
        let mut demand = self.demand(actuator);
        let limits = &self.actuators[actuator].limits;
        for stand_in in self.self_test.iter().flat_map(SelfTest::stand_ins) {
            let need = stand_in.need();
            if limits.contains(&stand_in.id) {
                demand.fan.0 = demand.fan.0.max(need.fan);
                demand.cap.0 = demand.cap.0.max(need.cap);
            }
        }
        demand
    }
}

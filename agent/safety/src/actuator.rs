//! One actuator: the level that is wanted of it, what it says of itself, and whether it obeys.

mod agreement;

use crate::limit::{CapNeed, FanNeed};
use crate::origin::Claims;
use crate::switch::{Seen, Switch};
use crate::{ActuatorSpec, Hand, Level, LimitId, Moment, Observed};
use agreement::Agreement;
use alloc::vec::Vec;
use core::time::Duration;
use flyball_units::{Hertz, NoData, PowerState, Ratio, Watts};

/// Fans under the engine's hand move in steps of this part of their range, so that a sensor's
/// noise is not written to a motor.
const CURVE_STEPS: u8 = 20;
/// Less than this is the arithmetic's own noise.
const NOISE: f64 = 1e-9;

#[derive(Clone, Debug)]
pub(crate) struct Actuator {
    pub(crate) spec: ActuatorSpec,
    /// The limits of the zones that it serves.
    pub(crate) limits: Vec<LimitId>,
    /// What was asked of it and stands: floors or caps, one of each origin.
    pub(crate) claims: Claims,
    pub(crate) wanted: Level,
    /// What a switch has to remember; it rests in every other hand.
    pub(crate) switch: Switch,
    pub(crate) observed: Option<Result<Observed, NoData>>,
    observed_at: Moment,
    /// What the hardware's own control had given when it was last seen: taking a fan over
    /// never slows it down.
    automatic_duty: f64,
    /// Since when the read-back does not agree.
    disagrees_since: Option<Moment>,
    stuck: bool,
    asserted_at: Moment,
    due: bool,
}

/// What all limits together ask of one actuator, and which of them asks for most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Demand {
    pub(crate) fan: (FanNeed, Option<LimitId>),
    pub(crate) curve: (f64, Option<LimitId>),
    pub(crate) cap: (CapNeed, Option<LimitId>),
    pub(crate) ceiling: Option<(f64, LimitId)>,
    /// Of a switch: free, down or off.
    pub(crate) power: Level,
}

/// What a cycle found out about an actuator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obedience {
    Unchanged,
    Stuck,
    Back,
}

impl Actuator {
    pub(crate) fn new(spec: ActuatorSpec, limits: Vec<LimitId>, now: Moment) -> Self {
        let wanted = match spec.hand {
            Hand::Fan { failsafe, .. } => Level::Duty(Ratio(failsafe)),
            Hand::PowerCap { safe, .. } => Level::Cap(Watts(safe)),
            Hand::FrequencyCap { safe, .. } => Level::Frequency(Hertz(safe)),
            Hand::Switch(_) | Hand::Setting => Level::Free,
        };
        let driven = wanted != Level::Free;
        Self {
            spec,
            limits,
            claims: Claims::NONE,
            wanted,
            switch: Switch::new(),
            observed: None,
            observed_at: now,
            automatic_duty: 0.0,
            disagrees_since: driven.then_some(now),
            stuck: false,
            asserted_at: now,
            due: driven,
        }
    }

    /// The level for `demand` if `operator` were the claim that decides, and the limit that
    /// holds a fan there, if one does.
    pub(crate) fn level(&self, demand: &Demand, operator: Option<f64>) -> (Level, Option<LimitId>) {
        match self.spec.hand {
            Hand::Fan { min, failsafe, full, automatic } => {
                let (need, by) = demand.fan;
                if automatic && need == FanNeed::Rest && operator.is_none() {
                    return (Level::Automatic, None);
                }
                let needed = match need {
                    FanNeed::Rest => min,
                    FanNeed::Raised => failsafe,
                    FanNeed::Full => full,
                };
                let (part, curve_by) = demand.curve;
                let curve = min + (full - min) * stepped(part);
                let by = if curve > needed { curve_by } else { by };
                let computed = needed.max(curve);
                let own = operator.unwrap_or(min).max(self.automatic_duty).min(full);
                let by = by.filter(|_| computed > own);
                (Level::Duty(Ratio(computed.max(own))), by)
            }
            Hand::PowerCap { min, max, .. } => {
                (Level::Cap(Watts(self.capped(demand, operator, min, max))), None)
            }
            Hand::FrequencyCap { min, max, .. } => {
                (Level::Frequency(Hertz(self.capped(demand, operator, min, max))), None)
            }
            Hand::Switch(_) => (demand.power, None),
            Hand::Setting => (Level::Free, None),
        }
    }

    fn capped(&self, demand: &Demand, operator: Option<f64>, min: f64, max: f64) -> f64 {
        let (ceiling, _) = self.cap_ceiling(demand);
        operator.unwrap_or(max).min(ceiling).min(max).max(min)
    }

    /// The most that a cap may be now, and by which limit; no limit where its own range rules.
    pub(crate) fn cap_ceiling(&self, demand: &Demand) -> (f64, Option<LimitId>) {
        let (min, safe, max, watts) = match self.spec.hand {
            Hand::PowerCap { min, safe, max } => (min, safe, max, true),
            Hand::FrequencyCap { min, safe, max } => (min, safe, max, false),
            Hand::Fan { .. } | Hand::Switch(_) | Hand::Setting => return (0.0, None),
        };
        let (need, by) = demand.cap;
        let needed = match need {
            CapNeed::Rest => (max, None),
            CapNeed::Safe => (safe, by),
            CapNeed::Min => (min, by),
        };
        match demand.ceiling {
            Some((ceiling, limit)) if watts && ceiling < needed.0 => (ceiling, Some(limit)),
            Some(_) | None => needed,
        }
    }

    /// Wants `level` from now on.
    pub(crate) fn want(&mut self, level: Level, now: Moment) {
        if level != self.wanted {
            self.wanted = level;
            self.compare(now);
            // A switch that is off already is not told so. One that is wanted down no longer is:
            // whoever is about to ask it again must not.
            let stands = match level {
                Level::Down | Level::Off => self.disagrees_since.is_none(),
                Level::Free
                | Level::Automatic
                | Level::Duty(_)
                | Level::Cap(_)
                | Level::Frequency(_) => false,
            };
            self.due = !stands;
            if let Hand::Switch(_) = self.spec.hand {
                self.switch.shed(level != Level::Free, now);
            }
        }
    }

    /// Takes what it says of itself.
    pub(crate) fn read_back(&mut self, observed: Result<Observed, NoData>, now: Moment) -> Seen {
        if let Ok(Observed::Automatic(Some(duty))) = observed
            && duty.get().is_finite()
        {
            self.automatic_duty = duty.get().clamp(0.0, 1.0);
        }
        self.observed = Some(observed);
        self.observed_at = now;
        self.compare(now);
        match (self.spec.hand, observed) {
            (Hand::Switch(_), Ok(Observed::Power(power))) => self.switch.read_back(power, now),
            (Hand::Switch(_), Ok(_) | Err(_)) => Seen::default(),
            (
                Hand::Fan { .. }
                | Hand::PowerCap { .. }
                | Hand::FrequencyCap { .. }
                | Hand::Setting,
                _,
            ) => Seen::default(),
        }
    }

    /// Where a switch stands, if it was seen not too long ago.
    pub(crate) fn power(&self, now: Moment) -> Option<PowerState> {
        match &self.spec.hand {
            Hand::Switch(spec) => self.switch.power(spec, now),
            Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Setting => None,
        }
    }

    /// Gives up what was sent to a switch and has had its time.
    pub(crate) fn age_switch(&mut self, now: Moment) -> Seen {
        match &self.spec.hand {
            Hand::Switch(spec) => self.switch.age(spec, now),
            Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Setting => Seen::default(),
        }
    }

    /// Goes on under another plan: what was proposed to it, what it read back and what was sent
    /// to it stay.
    pub(crate) fn renew(&mut self, spec: ActuatorSpec, limits: Vec<LimitId>) {
        self.spec = spec;
        self.limits = limits;
        self.due = self.wanted != Level::Free;
    }

    /// One cycle: what does not agree is asserted again, what agrees now and then.
    pub(crate) fn age(&mut self, assert_every: Duration, now: Moment) -> Obedience {
        let silent = now.since(self.observed_at) > self.spec.verify_within;
        if self.wanted == Level::Free {
            return self.obedience(now);
        }
        if silent && self.disagrees_since.is_none() {
            self.disagrees_since = Some(now);
        }
        let forgets = match self.wanted {
            Level::Automatic | Level::Duty(_) | Level::Cap(_) | Level::Frequency(_) => true,
            Level::Free | Level::Down | Level::Off => false,
        };
        self.due |= match self.disagrees_since {
            Some(_) => true,
            None => forgets && now.since(self.asserted_at) >= assert_every,
        };
        self.obedience(now)
    }

    /// Whether it has just ceased or just begun to obey.
    pub(crate) fn obedience(&mut self, now: Moment) -> Obedience {
        let stuck =
            self.disagrees_since.is_some_and(|since| now.since(since) >= self.spec.verify_within);
        let before = core::mem::replace(&mut self.stuck, stuck);
        match (before, stuck) {
            (false, true) => Obedience::Stuck,
            (true, false) => Obedience::Back,
            (true, true) | (false, false) => Obedience::Unchanged,
        }
    }

    /// It was read back after `at`, and agreed.
    pub(crate) fn agrees_since(&self, at: Moment) -> bool {
        self.observed_at > at && self.agreement() == Agreement::Agrees
    }

    pub(crate) const fn stuck(&self) -> bool {
        self.stuck
    }

    /// It does not cool as it should: the ladder must not wait for it.
    pub(crate) fn stuck_hot(&self) -> bool {
        self.stuck && self.agreement() != Agreement::Cooler
    }

    /// Takes the assertion that is due.
    pub(crate) fn take_due(&mut self, now: Moment) -> Option<Level> {
        if !core::mem::take(&mut self.due) {
            return None;
        }
        self.asserted_at = now;
        Some(self.wanted)
    }
}

/// Whether `a` is more than `b`, noise apart.
pub(crate) fn more(a: f64, b: f64) -> bool {
    a - b > NOISE
}

/// The next whole step over `part`; nothing of nothing.
fn stepped(part: f64) -> f64 {
    if part <= 0.0 {
        return 0.0;
    }
    let steps = f64::from(CURVE_STEPS);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a clamped part of twenty steps fits a byte; no_std has no ceil"
    )]
    let whole = (part.clamp(0.0, 1.0) * steps) as u8;
    ((f64::from(whole) + 1.0) / steps).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_no_more_than_noise_is_as_much() {
        assert!(!more(0.3, 0.1 + 0.2) && !more(0.1 + 0.2, 0.3));
        assert!(!more(NOISE, 0.0) && more(2.0 * NOISE, 0.0));
        assert!(!more(0.0, 1.0) && more(1.0, 0.0));
    }
    #[test]
    fn a_curve_is_taken_at_the_next_step_over_it_and_never_beyond_the_last() {
        let taken = [-1.0, 0.0, 0.001, 0.049, 0.051, 0.5, 0.96, 1.0, 2.0].map(stepped);
        assert_eq!(taken, [0.0, 0.0, 0.05, 0.05, 0.1, 0.55, 1.0, 1.0, 1.0]);
    }
}

//! What is answered to a proposal: refused where it adds heat that a limit stands against,
//! clamped where a limit needs more cooling than was asked for, accepted otherwise.

use super::holding::Asked;
use super::switching::Ask;
use super::{Engine, actuator_id};
use crate::actuator::{Actuator, more};
use crate::{
    Aborted, ClampedBy, ClearsWhen, Hand, Issued, Level, LimitId, Moment, Origin, Proposal,
    Refusal, Standing, Target, Ticket, Verdict,
};

/// What a proposal asks of whom.
enum Meant {
    Levels(Target, Wish),
    Verb(Ask, Ticket),
    /// Of a setting, and whether it adds heat.
    Setting(usize, bool),
}

/// Whose a proposal is, and how long what it asks for stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct By {
    pub(super) origin: Origin,
    pub(super) until: Option<Moment>,
}

/// What is asked of each actuator of the target.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    Cap(Option<f64>),
    Frequency(Option<f64>),
    Floor(Option<f64>),
}

impl Engine {
    /// Answers a proposal; what is accepted or clamped is in force at once, what is armed waits
    /// for [`Self::handle_confirm`].
    pub fn handle_proposal(&mut self, issued: impl Into<Issued>, now: Moment) -> Verdict {
        let issued = issued.into();
        self.at(now);
        self.abort_self_test(Aborted::Command);
        self.let_claims_go();
        let by = By { origin: issued.origin, until: issued.until };
        match meant_by(issued) {
            Meant::Levels(target, wish) => {
                let verdict = self.judge(target, wish, by);
                match verdict {
                    Verdict::Accepted | Verdict::Clamped { .. } => self.grant(target, wish, by),
                    Verdict::Armed { .. } | Verdict::Refused(_) => {}
                }
                verdict
            }
            Meant::Verb(ask, ticket) => self.propose_switch(ask, ticket),
            Meant::Setting(index, heats) => {
                let verdict = self.judge_setting(index, heats, by);
                if verdict == Verdict::Accepted {
                    self.claim(index, by);
                }
                verdict
            }
        }
    }

    /// What [`Self::handle_proposal`] would answer. Nothing moves.
    #[must_use]
    pub fn validate(&self, issued: impl Into<Issued>) -> Verdict {
        let issued = issued.into();
        let by = By { origin: issued.origin, until: issued.until };
        match meant_by(issued) {
            Meant::Levels(target, wish) => self.judge(target, wish, by),
            Meant::Verb(ask, ticket) => self.validate_switch(ask, ticket),
            Meant::Setting(index, heats) => self.judge_setting(index, heats, by),
        }
    }

    /// The worst answer of all actuators that are meant: all take it or none.
    fn judge(&self, target: Target, wish: Wish, by: By) -> Verdict {
        let mut verdict = None;
        for index in 0..self.actuators.len() {
            if !meant(target, wish, index, &self.actuators[index]) {
                continue;
            }
            if let Some(lock) = self.locks.against(actuator_id(index), true) {
                return Verdict::Refused(Refusal::Locked(lock));
            }
            if let Some(refusal) = self.arbitrate(index, wish.value().is_some(), by) {
                return Verdict::Refused(refusal);
            }
            let then = self.claimed(index, wish, by).value();
            let answer = match wish {
                Wish::Cap(value) | Wish::Frequency(value) => self.judge_cap(index, value, then),
                Wish::Floor(floor) => self.judge_floor(index, floor, then),
            };
            verdict = match (verdict, answer) {
                (_, Verdict::Refused(_)) => return answer,
                (Some(Verdict::Clamped { to, .. }), Verdict::Clamped { to: next, .. })
                    if to >= next =>
                {
                    verdict
                }
                (Some(Verdict::Clamped { .. }), Verdict::Accepted) => verdict,
                (_, Verdict::Accepted | Verdict::Clamped { .. } | Verdict::Armed { .. }) => {
                    Some(answer)
                }
            };
        }
        verdict.unwrap_or(Verdict::Refused(Refusal::NoActuator))
    }

    fn grant(&mut self, target: Target, wish: Wish, by: By) {
        for index in 0..self.actuators.len() {
            if meant(target, wish, index, &self.actuators[index]) {
                self.actuators[index].claims = self.claimed(index, wish, by);
            }
        }
        self.drive();
    }

    /// `then` is the claim that would decide: the one asked for, or after a withdrawal the next.
    fn judge_cap(&self, index: usize, asked: Option<f64>, then: Option<f64>) -> Verdict {
        let actuator = &self.actuators[index];
        let (min, max, watts) = match actuator.spec.hand {
            Hand::PowerCap { min, max, .. } => (min, max, true),
            Hand::FrequencyCap { min, max, .. } => (min, max, false),
            Hand::Fan { .. } | Hand::Switch(_) | Hand::Setting => {
                return Verdict::Refused(Refusal::NoActuator);
            }
        };
        let demand = self.demand(index);
        if let Some(asked) = asked {
            let range = Verdict::Refused(Refusal::Range { min, max });
            if !asked.is_finite() {
                return range;
            }
            let standing = match actuator.cap_ceiling(&demand) {
                (ceiling, Some(limit)) => Some((ceiling, limit)),
                (_, None) => demand.ceiling.filter(|_| watts),
            };
            if let Some((ceiling, limit)) = standing.filter(|(most, _)| more(asked, *most)) {
                return self.refusal(limit, Some(ceiling));
            }
            if asked < min || asked > max {
                return range;
            }
        }
        let stands = actuator.level(&demand, actuator.claims.value()).0;
        let (then, _) = actuator.level(&demand, then);
        match raises(stands, then) {
            true => self.judge_heat(index).unwrap_or(Verdict::Accepted),
            false => Verdict::Accepted,
        }
    }

    fn judge_setting(&self, index: usize, heats: bool, by: By) -> Verdict {
        let setting = self.actuators.get(index);
        if setting.is_none_or(|actuator| actuator.spec.hand != Hand::Setting) {
            return Verdict::Refused(Refusal::NoActuator);
        }
        if let Some(lock) = self.locks.against(actuator_id(index), true) {
            return Verdict::Refused(Refusal::Locked(lock));
        }
        if let Some(refusal) = self.arbitrate(index, true, by) {
            return Verdict::Refused(refusal);
        }
        match heats {
            true => self.judge_heat(index).unwrap_or(Verdict::Accepted),
            false => Verdict::Accepted,
        }
    }

    /// What stands against adding heat by an actuator.
    pub(super) fn judge_heat(&self, index: usize) -> Option<Verdict> {
        if let Some(limit) = self.heat_forbidden(&self.actuators[index]) {
            return Some(self.refusal(limit, None));
        }
        let interlock = self.interlocked(index, Asked::HEAT)?;
        Some(Verdict::Refused(Refusal::Interlock(interlock)))
    }

    fn judge_floor(&self, index: usize, floor: Option<f64>, then: Option<f64>) -> Verdict {
        let actuator = &self.actuators[index];
        let Hand::Fan { min, full, .. } = actuator.spec.hand else {
            return Verdict::Refused(Refusal::NoActuator);
        };
        if floor.is_some_and(|floor| !floor.is_finite() || floor < 0.0 || floor > full) {
            return Verdict::Refused(Refusal::Range { min, max: full });
        }
        let demand = self.demand(index);
        let stands = actuator.level(&demand, actuator.claims.value()).0;
        let (then, by) = actuator.level(&demand, then);
        if slows(stands, then)
            && let Some(refused) = self.judge_heat(index)
        {
            return refused;
        }
        match (floor, then) {
            (Some(asked), Level::Duty(to)) if more(to.get(), asked) => Verdict::Clamped {
                asked,
                to: to.get(),
                by: by.map_or(ClampedBy::Actuator(actuator_id(index)), ClampedBy::Limit),
            },
            (Some(_) | None, _) => Verdict::Accepted,
        }
    }

    /// The first limit of the actuator's zones that lets no heat be added.
    pub(super) fn heat_forbidden(&self, actuator: &Actuator) -> Option<LimitId> {
        actuator.limits.iter().copied().find(|id| self.limits[id.index()].forbids_heat())
    }

    /// `at_most` is what would be taken, where it is the amount that stands against it.
    fn refusal(&self, id: LimitId, at_most: Option<f64>) -> Verdict {
        Verdict::Refused(self.refused_by(id, at_most))
    }

    pub(super) fn refused_by(&self, id: LimitId, at_most: Option<f64>) -> Refusal {
        let limit = &self.limits[id.index()];
        let standing = limit.standing(id, &self.sensors, self.now);
        let by_amount = at_most.filter(|_| !limit.forbids_heat());
        let clears_when = by_amount.map_or(standing.clears_when, ClearsWhen::AskedAtMost);
        Refusal::Limit(Standing { clears_when, ..standing })
    }
}

impl Wish {
    pub(super) const fn value(self) -> Option<f64> {
        match self {
            Self::Cap(value) | Self::Frequency(value) | Self::Floor(value) => value,
        }
    }
}

fn meant_by(issued: Issued) -> Meant {
    let Issued { origin, until, .. } = issued;
    match issued.proposal {
        Proposal::PowerCap { target, watts } => Meant::Levels(target, Wish::Cap(Some(watts.get()))),
        Proposal::ClearPowerCap { target } => Meant::Levels(target, Wish::Cap(None)),
        Proposal::FanFloor { target, floor } => {
            Meant::Levels(target, Wish::Floor(Some(floor.get())))
        }
        Proposal::ClearFanFloor { target } => Meant::Levels(target, Wish::Floor(None)),
        Proposal::FrequencyCap { target, hertz } => {
            Meant::Levels(target, Wish::Frequency(Some(hertz.get())))
        }
        Proposal::ClearFrequencyCap { target } => Meant::Levels(target, Wish::Frequency(None)),
        Proposal::Switch { actuator, verb, expected, automatic, ticket } => {
            let by = By { origin, until };
            Meant::Verb(Ask { actuator, verb, expected, automatic, by }, ticket)
        }
        Proposal::Setting { actuator, heats } => Meant::Setting(actuator.index(), heats),
    }
}

/// Whether a cap would stand higher than it does.
pub(super) fn raises(now: Level, then: Level) -> bool {
    match (now, then) {
        (Level::Cap(now), Level::Cap(then)) => more(then.get(), now.get()),
        (Level::Frequency(now), Level::Frequency(then)) => more(then.get(), now.get()),
        _ => false,
    }
}

/// Whether a fan might turn slower than it does. The hardware's own control promises nothing.
pub(super) fn slows(now: Level, then: Level) -> bool {
    match (now, then) {
        (Level::Duty(now), Level::Duty(then)) => more(now.get(), then.get()),
        (Level::Duty(_), Level::Automatic) => true,
        _ => false,
    }
}

fn meant(target: Target, wish: Wish, index: usize, actuator: &Actuator) -> bool {
    let of_kind = match (wish, actuator.spec.hand) {
        (Wish::Cap(_), Hand::PowerCap { .. })
        | (Wish::Frequency(_), Hand::FrequencyCap { .. })
        | (Wish::Floor(_), Hand::Fan { .. }) => true,
        (Wish::Cap(_) | Wish::Frequency(_) | Wish::Floor(_), _) => false,
    };
    of_kind
        && match target {
            Target::All => true,
            Target::One(id) => id.index() == index,
        }
}

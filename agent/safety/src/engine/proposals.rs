//! What is answered to a proposal: refused where it adds heat that a limit stands against,
//! clamped where a limit needs more cooling than was asked for, accepted otherwise.

use super::Engine;
use crate::actuator::{Actuator, NOISE};
use crate::{
    ActuatorId, ClampedBy, ClearsWhen, Hand, Level, LimitId, Moment, Proposal, Refusal, Standing,
    Target, Verdict,
};

/// What is asked of each actuator of the target.
#[derive(Clone, Copy)]
enum Wish {
    Cap(Option<f64>),
    Floor(Option<f64>),
}

impl Engine {
    /// Answers a proposal; what is accepted or clamped is in force at once.
    pub fn handle_proposal(&mut self, proposal: Proposal, now: Moment) -> Verdict {
        self.at(now);
        let (target, wish) = wish(proposal);
        let verdict = self.judge(target, wish);
        match verdict {
            Verdict::Accepted | Verdict::Clamped { .. } => self.grant(target, wish),
            Verdict::Refused(_) => {}
        }
        verdict
    }

    /// What [`Self::handle_proposal`] would answer. Nothing moves.
    #[must_use]
    pub fn validate(&self, proposal: Proposal) -> Verdict {
        let (target, wish) = wish(proposal);
        self.judge(target, wish)
    }

    /// The worst answer of all actuators that are meant: all take it or none.
    fn judge(&self, target: Target, wish: Wish) -> Verdict {
        let mut verdict = None;
        for index in 0..self.actuators.len() {
            if !meant(target, wish, index, &self.actuators[index]) {
                continue;
            }
            let answer = match wish {
                Wish::Cap(watts) => self.judge_cap(index, watts),
                Wish::Floor(floor) => self.judge_floor(index, floor),
            };
            verdict = match (verdict, answer) {
                (_, Verdict::Refused(_)) => return answer,
                (Some(Verdict::Clamped { to, .. }), Verdict::Clamped { to: next, .. })
                    if to >= next =>
                {
                    verdict
                }
                (Some(Verdict::Clamped { .. }), Verdict::Accepted) => verdict,
                (_, Verdict::Accepted | Verdict::Clamped { .. }) => Some(answer),
            };
        }
        verdict.unwrap_or(Verdict::Refused(Refusal::NoActuator))
    }

    fn grant(&mut self, target: Target, wish: Wish) {
        for (index, actuator) in self.actuators.iter_mut().enumerate() {
            if meant(target, wish, index, actuator) {
                actuator.operator = match wish {
                    Wish::Cap(value) | Wish::Floor(value) => value,
                };
            }
        }
        self.drive();
    }

    fn judge_cap(&self, index: usize, watts: Option<f64>) -> Verdict {
        let actuator = &self.actuators[index];
        let Hand::PowerCap { min, max, .. } = actuator.spec.hand else {
            return Verdict::Refused(Refusal::NoActuator);
        };
        let demand = self.demand(index);
        if let Some(watts) = watts {
            let range = Verdict::Refused(Refusal::Range { min, max });
            if !watts.is_finite() {
                return range;
            }
            let standing = match actuator.cap_ceiling(&demand) {
                (ceiling, Some(limit)) => Some((ceiling, limit)),
                (_, None) => demand.ceiling,
            };
            if let Some((ceiling, limit)) = standing.filter(|(most, _)| watts > most + NOISE) {
                return self.refusal(limit, Some(ceiling));
            }
            if watts < min || watts > max {
                return range;
            }
        }
        let (Level::Cap(now), (Level::Cap(then), _)) =
            (actuator.wanted, actuator.level(&demand, watts))
        else {
            return Verdict::Refused(Refusal::NoActuator);
        };
        match self.heat_forbidden(actuator) {
            Some(limit) if then.get() > now.get() + NOISE => self.refusal(limit, None),
            Some(_) | None => Verdict::Accepted,
        }
    }

    fn judge_floor(&self, index: usize, floor: Option<f64>) -> Verdict {
        let actuator = &self.actuators[index];
        let Hand::Fan { min, full, .. } = actuator.spec.hand else {
            return Verdict::Refused(Refusal::NoActuator);
        };
        if floor.is_some_and(|floor| !floor.is_finite() || floor < 0.0 || floor > full) {
            return Verdict::Refused(Refusal::Range { min, max: full });
        }
        let demand = self.demand(index);
        let (then, by) = actuator.level(&demand, floor);
        let forbidden = self.heat_forbidden(actuator);
        if let Some(limit) = forbidden
            && slows(actuator.wanted, then)
        {
            return self.refusal(limit, None);
        }
        match (floor, then) {
            (Some(asked), Level::Duty(to)) if to.get() > asked + NOISE => Verdict::Clamped {
                asked,
                to: to.get(),
                by: by.map_or(ClampedBy::Actuator(actuator_id(index)), ClampedBy::Limit),
            },
            (Some(_) | None, Level::Duty(_) | Level::Automatic | Level::Cap(_)) => {
                Verdict::Accepted
            }
        }
    }

    /// The first limit of the actuator's zones that lets no heat be added.
    fn heat_forbidden(&self, actuator: &Actuator) -> Option<LimitId> {
        actuator.limits.iter().copied().find(|id| self.limits[id.index()].forbids_heat())
    }

    /// `at_most` is what would be taken, where it is the amount that stands against it.
    fn refusal(&self, id: LimitId, at_most: Option<f64>) -> Verdict {
        let limit = &self.limits[id.index()];
        let standing = limit.standing(id, &self.sensors);
        let by_amount = at_most.filter(|_| !limit.forbids_heat());
        let clears_when = by_amount.map_or(standing.clears_when, ClearsWhen::AskedAtMost);
        Verdict::Refused(Refusal::Limit(Standing { clears_when, ..standing }))
    }
}

fn wish(proposal: Proposal) -> (Target, Wish) {
    match proposal {
        Proposal::PowerCap { target, watts } => (target, Wish::Cap(Some(watts.get()))),
        Proposal::ClearPowerCap { target } => (target, Wish::Cap(None)),
        Proposal::FanFloor { target, floor } => (target, Wish::Floor(Some(floor.get()))),
        Proposal::ClearFanFloor { target } => (target, Wish::Floor(None)),
    }
}

/// Whether a fan might turn slower than it does. The hardware's own control promises nothing.
fn slows(now: Level, then: Level) -> bool {
    match (now, then) {
        (Level::Duty(now), Level::Duty(then)) => then.get() < now.get() - NOISE,
        (Level::Duty(_), Level::Automatic) => true,
        (Level::Automatic, Level::Duty(_) | Level::Automatic) => false,
        (Level::Cap(_), _) | (_, Level::Cap(_)) => false,
    }
}

fn meant(target: Target, wish: Wish, index: usize, actuator: &Actuator) -> bool {
    let of_kind = match (wish, actuator.spec.hand) {
        (Wish::Cap(_), Hand::PowerCap { .. }) | (Wish::Floor(_), Hand::Fan { .. }) => true,
        (Wish::Cap(_), Hand::Fan { .. }) | (Wish::Floor(_), Hand::PowerCap { .. }) => false,
    };
    of_kind
        && match target {
            Target::All => true,
            Target::One(id) => id.index() == index,
        }
}

fn actuator_id(index: usize) -> ActuatorId {
    super::actuator_id(index)
}

//! Who may have their way with an actuator: the highest rank whose claim stands, and the limits
//! above all of them. It judges ranks and ends only; what a limit, a lock or an interlock says
//! of a proposal is asked besides.

use super::proposals::{By, Wish, raises, slows};
use super::{Engine, actuator_id};
use crate::origin::Claims;
use crate::{Claim, EventKind, Hand, Moment, Origin, Refusal};

impl Engine {
    /// What stands against a proposal by its rank. A withdrawal of what is one's own is always
    /// free, whoever decides; there has to be something of one's own where a higher rank stands.
    pub(super) fn arbitrate(&self, index: usize, asks: bool, by: By) -> Option<Refusal> {
        if asks && by.until.is_some_and(|until| until <= self.now) {
            return Some(Refusal::Over);
        }
        let claims = self.actuators[index].claims;
        if !asks && claims.of(by.origin).is_some() {
            return None;
        }
        let claim = claims.above(by.origin, self.now).map(|claim| (claim.origin, claim.until));
        let (by, until) = claim.or_else(|| self.flies_above(index, by.origin))?;
        Some(Refusal::Outranked { by, until, actuator: Some(actuator_id(index)) })
    }

    /// A verb of a higher rank that has not come to its end.
    fn flies_above(&self, index: usize, origin: Origin) -> Option<(Origin, Option<Moment>)> {
        let actuator = &self.actuators[index];
        let Hand::Switch(spec) = actuator.spec.hand else { return None };
        let flying = actuator.switch.in_flight().filter(|flying| flying.origin > origin)?;
        Some((flying.origin, Some(flying.since.after(spec.takes))))
    }

    /// What is in flight for a switch is of a lower rank.
    pub(super) fn overtakes(&self, index: usize, by: By) -> bool {
        let flying = self.actuators[index].switch.in_flight();
        flying.is_some_and(|flying| flying.origin < by.origin)
    }

    /// The claims on an actuator once `wish` is granted.
    pub(super) fn claimed(&self, index: usize, wish: Wish, by: By) -> Claims {
        let By { origin, until } = by;
        let value = wish.value();
        let claim = value.map(|_| Claim { origin, value, until });
        self.actuators[index].claims.with(origin, claim).valid(self.now)
    }

    /// Claims a switch or a setting for as long as the proposal says; without an end it is done
    /// and over, and so is what the same origin had claimed before.
    pub(super) fn claim(&mut self, index: usize, by: By) {
        let By { origin, until } = by;
        let claim = until.map(|_| Claim { origin, value: None, until });
        let actuator = &mut self.actuators[index];
        actuator.claims = actuator.claims.with(origin, claim).valid(self.now);
    }

    /// Lets claims go that have come to their end. One whose end would add heat stands for as
    /// long as something stands against that, just as its withdrawal would be refused.
    pub(super) fn let_claims_go(&mut self) {
        let mut went = false;
        for index in 0..self.actuators.len() {
            let actuator = &self.actuators[index];
            let (claims, kept) = (actuator.claims, actuator.claims.valid(self.now));
            if claims == kept {
                continue;
            }
            let demand = self.demand(index);
            let stands = actuator.level(&demand, claims.value()).0;
            let (then, _) = actuator.level(&demand, kept.value());
            let warms = raises(stands, then) || slows(stands, then);
            if warms && self.judge_heat(index).is_some() {
                continue;
            }
            self.actuators[index].claims = kept;
            went = true;
            for claim in claims.iter().filter(|claim| claim.is_over(self.now)) {
                let (actuator, origin) = (actuator_id(index), claim.origin);
                self.events.push(self.now, EventKind::ClaimOver { actuator, origin });
            }
        }
        if went {
            self.drive();
        }
    }
}

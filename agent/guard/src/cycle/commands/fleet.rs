//! The fleet's layer: it tightens, and what of it would loosen is named and has no effect.

use super::{Answered, Cycle};
use crate::fleet::FleetLayer;
use crate::journal::Kept;
use crate::words::{Now, amount};
use flyball_command::{FleetLimit, Refusal, RefusalKind};
use flyball_guard_messages::{EventKind, Severity};
use flyball_safety::{LimitId, LimitSpec, PolicyFault, Sense, Thresholds};
use flyball_units::Unit;

/// Names that a message lists.
const NAMED: usize = 8;

impl Cycle {
    fn fleet_policy(&self, limits: &[FleetLimit]) -> Vec<(LimitId, Thresholds)> {
        let thresholds = |limit: &FleetLimit| {
            let id = self.names.limit_id(&limit.limit)?;
            let FleetLimit { warning, limit_at, trip, .. } = limit;
            Some((id, Thresholds { warning: *warning, limit: *limit_at, trip: *trip }))
        };
        limits.iter().filter_map(thresholds).collect()
    }

    /// Whether every limit that is named and known could take its thresholds.
    pub(super) fn check_fleet(&self, limits: &[FleetLimit]) -> Result<(), Box<Refusal>> {
        for limit in limits {
            let values = [limit.warning, limit.limit_at, limit.trip];
            let below = self.names.limit_id(&limit.limit).is_some_and(|id| self.is_below(id));
            let mut given: Vec<f64> = values.into_iter().flatten().collect();
            if below {
                given.reverse();
            }
            let finite = given.iter().all(|value| value.is_finite() && *value > 0.0);
            if !finite || !given.is_sorted() {
                return Err(Self::unsound(&limit.limit));
            }
        }
        Ok(())
    }

    fn unsound(limit: &str) -> Box<Refusal> {
        crate::command::refusal(
            RefusalKind::Invalid,
            &format!("the thresholds of {limit} are out of order, or beyond what can be read"),
            "they are finite, above zero, in order, and within the sensors' band",
        )
    }

    fn is_below(&self, id: LimitId) -> bool {
        self.spec(id).is_some_and(|spec| spec.sense == Sense::Below)
    }

    fn spec(&self, id: LimitId) -> Option<&LimitSpec> {
        self.engine.config().plan().limits.get(id.index())
    }

    pub(super) fn set_fleet(
        &mut self,
        counter: u64,
        limits: &[FleetLimit],
        issuer: &str,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        self.check_fleet(limits)?;
        let policy = self.fleet_policy(limits);
        if let Err(fault) = self.engine.handle_policy(&policy, now.moment()) {
            let (PolicyFault::UnknownLimit(id) | PolicyFault::Thresholds(id)) = fault;
            return Err(Self::unsound(self.names.limit(id)));
        }
        self.act(None, now);
        self.fleet = FleetLayer { counter, limit: limits.to_vec() };
        self.keep(Kept::Fleet(self.fleet.clone()));
        let known = policy.len();
        let mut message = format!("{issuer} sets the fleet's limits: {known} of them");
        let loose = self.loosening(&policy);
        let severity = if loose.is_empty() { Severity::Info } else { Severity::Warning };
        if !loose.is_empty() {
            let named: Vec<&str> = loose.iter().take(NAMED).map(String::as_str).collect();
            message.push_str(&format!(
                "; without effect, because it would loosen: {}{}",
                named.join(", "),
                rest(loose.len())
            ));
        }
        let unknown: Vec<&str> = limits
            .iter()
            .map(|limit| limit.limit.as_str())
            .filter(|name| self.names.limit_id(name).is_none())
            .collect();
        if !unknown.is_empty() {
            let named = unknown.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            message.push_str(&format!("; not on this machine: {named}{}", rest(unknown.len())));
        }
        self.record_plain(EventKind::PolicyTaken, severity, "fleet", message, now);
        Ok(Answered::done())
    }

    /// What of the fleet's layer lies beyond a layer below it, as a person reads it.
    fn loosening(&self, policy: &[(LimitId, Thresholds)]) -> Vec<String> {
        let mut loose = Vec::new();
        for (id, fleet) in policy {
            let Some(spec) = self.spec(*id) else {
                continue;
            };
            let (factory, local) = (spec.factory, spec.local);
            let unit = self.names.limit_unit(*id).unwrap_or(Unit::One);
            let parts = [
                ("warning", fleet.warning, [factory.warning, local.warning]),
                ("limit", fleet.limit, [factory.limit, local.limit]),
                ("trip", fleet.trip, [factory.trip, local.trip]),
            ];
            for (what, asked, held) in parts {
                let held = held.into_iter().flatten();
                let tightest = match spec.sense {
                    Sense::Above => held.reduce(f64::min),
                    Sense::Below => held.reduce(f64::max),
                };
                let looser = match (asked, tightest, spec.sense) {
                    (Some(asked), Some(held), Sense::Above) => asked > held,
                    (Some(asked), Some(held), Sense::Below) => asked < held,
                    _ => false,
                };
                if let (true, Some(asked), Some(held)) = (looser, asked, tightest) {
                    let (asked, held) = (amount(asked, unit), amount(held, unit));
                    let name = self.names.limit(*id);
                    loose.push(format!("{what} of {name} at {asked}, which stands at {held}"));
                }
            }
        }
        loose
    }

    /// Puts the layer in force again: at the start, and under a new plan.
    pub(in crate::cycle) fn apply_fleet(&mut self, now: Now) {
        let policy = self.fleet_policy(&self.fleet.limit);
        if let Err(fault) = self.engine.handle_policy(&policy, now.moment()) {
            let message = format!("the fleet's limits are not in force: {fault}");
            let (kind, severity) = (EventKind::PolicyRejected, Severity::Warning);
            self.record_plain(kind, severity, "fleet", message, now);
        }
    }
}

fn rest(count: usize) -> String {
    match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

//! Holds on the ladder: a person puts steps off for a while that the engine bounds.

use super::{Answered, Cycle, Waits};
use crate::claimants::{Asker, HoldName};
use crate::words::Now;
use flyball_command::{HeldStep, Refusal, RefusalKind, Verdict};
use flyball_safety::{Hold, LimitId, Step};
use flyball_units::Unit;

/// The longest reason: it is kept and shown for as long as the hold stands.
const MAX_REASON_BYTES: usize = 512;

impl Cycle {
    fn hold_of(
        &self,
        limit: &str,
        from: HeldStep,
        reason: &str,
        asker: &Asker,
        now: Now,
    ) -> Result<(LimitId, Hold), Box<Refusal>> {
        let invalid = |reason: &str, clears_when: &str| {
            Err(crate::command::refusal(RefusalKind::Invalid, reason, clears_when))
        };
        let Some(id) = self.names.limit_id(limit) else {
            let why = flyball_safety::Refusal::NoLimit;
            return Err(Box::new(self.teller(now).refusal(why, Unit::One)));
        };
        if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
            let reason = format!("a hold needs its reason, of at most {MAX_REASON_BYTES} bytes");
            return invalid(&reason, "it is given");
        }
        let Some(until_ms) = asker.until_ms else {
            return invalid("a hold needs an end", "it is given");
        };
        let from = match from {
            HeldStep::FansRaised => Step::FansRaised,
            HeldStep::FansFull => Step::FansFull,
            HeldStep::CapSafe => Step::CapSafe,
            HeldStep::CapMin => Step::CapMin,
            HeldStep::Quiesce => Step::Quiesce,
        };
        Ok((id, Hold { from, origin: asker.origin, until: now.moment_of(until_ms) }))
    }

    pub(super) fn validate_hold(
        &self,
        limit: &str,
        from: HeldStep,
        reason: &str,
        asker: &Asker,
        now: Now,
    ) -> Result<Verdict, Box<Refusal>> {
        let (id, hold) = self.hold_of(limit, from, reason, asker, now)?;
        Ok(self.teller(now).verdict(self.engine.validate_hold(id, hold), Unit::Second))
    }

    pub(super) fn hold_ladder(
        &mut self,
        limit: &str,
        from: HeldStep,
        reason: &str,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let (id, hold) = self.hold_of(limit, from, reason, asker, now)?;
        let answer = self.engine.handle_hold(id, hold, now.moment());
        let verdict = self.teller(now).verdict(answer, Unit::Second);
        let taken = !matches!(verdict, Verdict::Refused(_));
        if taken {
            let name = HoldName { issuer: asker.issuer.clone(), reason: reason.to_owned() };
            self.claimants.hold(limit, name);
            self.act(None, now);
        }
        Ok(Answered { verdict, waits: Waits::nothing(taken) })
    }

    pub(super) fn validate_release(
        &self,
        limit: &str,
        asker: &Asker,
        now: Now,
    ) -> Result<LimitId, Box<Refusal>> {
        let refused = |why| Box::new(self.teller(now).refusal(why, Unit::One));
        let Some(id) = self.names.limit_id(limit) else {
            return Err(refused(flyball_safety::Refusal::NoLimit));
        };
        self.engine.validate_unhold(id, asker.origin).map(|()| id).map_err(refused)
    }

    pub(super) fn release_ladder(
        &mut self,
        limit: &str,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let id = self.validate_release(limit, asker, now)?;
        match self.engine.handle_unhold(id, asker.origin, now.moment()) {
            Ok(()) => {
                self.act(None, now);
                Ok(Answered::done())
            }
            Err(why) => Err(Box::new(self.teller(now).refusal(why, Unit::One))),
        }
    }
}

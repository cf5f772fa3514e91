//! A person's hold on the ladder of a limit: taken, lifted, and bounded.

use super::{Engine, limit_id};
use crate::limit::Holding;
use crate::{
    ClampedBy, EventKind, Hold, LimitId, Moment, Origin, Refusal, Response, Step, Verdict,
};

impl Engine {
    /// Puts off the steps of a limit from `from` up to quiet, until `until` or for as long as
    /// `Timing::hold_at_most` allows in one episode, whichever is first. Trips, failsafe, and
    /// steps above quiet are never put off, nor is the time of any of them.
    pub fn handle_hold(&mut self, limit: LimitId, hold: Hold, now: Moment) -> Verdict {
        self.at(now);
        let (verdict, hold) = self.judge_hold(limit, hold);
        let taken = match verdict {
            Verdict::Accepted | Verdict::Clamped { .. } => self.limits.get_mut(limit.index()),
            Verdict::Armed { .. } | Verdict::Refused(_) => None,
        };
        if let Some(limit) = taken {
            limit.held.hold = Some(hold);
            self.follow_holds();
            self.drive();
        }
        verdict
    }

    /// What [`Self::handle_hold`] would answer. Nothing moves.
    #[must_use]
    pub fn validate_hold(&self, limit: LimitId, hold: Hold) -> Verdict {
        self.judge_hold(limit, hold).0
    }

    /// Lifts the hold of a limit.
    ///
    /// # Errors
    /// Where there is no such limit, or the hold is a higher rank's.
    pub fn handle_unhold(
        &mut self,
        limit: LimitId,
        origin: Origin,
        now: Moment,
    ) -> Result<(), Refusal> {
        self.at(now);
        self.validate_unhold(limit, origin)?;
        if let Some(limit) = self.limits.get_mut(limit.index()) {
            limit.held.hold = None;
        }
        self.follow_holds();
        self.drive();
        Ok(())
    }

    /// What [`Self::handle_unhold`] would answer. Nothing moves.
    ///
    /// # Errors
    /// Where there is no such limit, or the hold is a higher rank's.
    pub fn validate_unhold(&self, limit: LimitId, origin: Origin) -> Result<(), Refusal> {
        let limit = self.limits.get(limit.index()).ok_or(Refusal::NoLimit)?;
        match limit.held.hold.filter(|held| held.origin > origin) {
            Some(Hold { origin: by, until, .. }) => {
                Err(Refusal::Outranked { by, until: Some(until), actuator: None })
            }
            None => Ok(()),
        }
    }

    /// The answer, and the hold with the end that it would have.
    fn judge_hold(&self, id: LimitId, hold: Hold) -> (Verdict, Hold) {
        let refused = |refusal| (Verdict::Refused(refusal), hold);
        let Some(limit) = self.limits.get(id.index()) else { return refused(Refusal::NoLimit) };
        if !hold.from.holdable() || limit.spec.response == Response::Alert {
            return refused(Refusal::NotHeld(hold.from));
        }
        if hold.origin == Origin::Automation {
            return refused(Refusal::NotAPerson);
        }
        if let Err(refusal) = self.validate_unhold(id, hold.origin) {
            return refused(refusal);
        }
        if hold.until <= self.now {
            return refused(Refusal::Over);
        }
        let latest = limit.held.latest(self.config.plan().timing.hold_at_most, self.now);
        if latest <= self.now {
            return refused(Refusal::HoldSpent);
        }
        if hold.until <= latest {
            return (Verdict::Accepted, hold);
        }
        let seconds = |until: Moment| until.since(self.now).as_secs_f64();
        let (asked, to) = (seconds(hold.until), seconds(latest));
        let by = ClampedBy::Limit(id);
        (Verdict::Clamped { asked, to, by }, Hold { until: latest, ..hold })
    }

    /// Lets every hold follow its limit, and tells what that did.
    pub(super) fn follow_holds(&mut self) {
        for index in 0..self.limits.len() {
            self.follow_hold(index);
        }
    }

    pub(super) fn follow_hold(&mut self, index: usize) {
        let at_most = self.config.plan().timing.hold_at_most;
        let limit = limit_id(index);
        let kind = match self.limits[index].hold_on(at_most, self.now) {
            Holding::Unchanged => return,
            Holding::PutsOff(step) => EventKind::StepHeld { limit, step },
            Holding::Over => EventKind::HoldOver { limit },
        };
        self.events.push(self.now, kind);
    }

    /// The hold on a limit, and the step that it puts off.
    #[must_use]
    pub fn hold(&self, limit: LimitId) -> Option<(Hold, Option<Step>)> {
        let held = &self.limits.get(limit.index())?.held;
        Some((held.hold?, held.puts_off()))
    }
}

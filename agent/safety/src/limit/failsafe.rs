//! The way of a limit that cannot see: what stood is held, a grace leads a step up, and only
//! sensors that have read for the release time lead out.

use super::{Hands, Limit, Pace, Reach, Sight};
use crate::{Failsafe, Moment, Response, State, Step};

impl Limit {
    pub(super) fn follow_failsafe(
        &mut self,
        mut failsafe: Failsafe,
        reach: Reach,
        hands: Hands,
        pace: Pace,
        vouched: bool,
        now: Moment,
    ) {
        if reach >= Reach::Limit {
            // The safe cap stands already: the ladder goes on from there.
            let least = if self.drives() { Step::CapSafe } else { Step::Alert };
            let held = failsafe.held.map_or(least, |held| held.max(least));
            return self.limit_from(held, hands, now);
        }
        let clear = self.sight == Sight::Clear;
        failsafe.sighted_since = if clear { failsafe.sighted_since.or(Some(now)) } else { None };
        let outlasted = now.since(failsafe.climbed_at) >= pace.grace && !clear && !vouched;
        if outlasted || reach == Reach::Warning {
            let climbed = self.failsafe_climb(failsafe.held, outlasted);
            if climbed > failsafe.held {
                failsafe.held = climbed;
                failsafe.climbed_at = now;
            }
        }
        if hands.fan_stuck && self.drives() {
            failsafe.held = failsafe.held.max(Some(Step::CapMin));
        }
        let released = failsafe.sighted_since.is_some_and(|at| now.since(at) >= pace.release);
        match failsafe.held {
            _ if !released => self.state = State::Failsafe(failsafe),
            Some(
                step @ (Step::CapSafe
                | Step::CapMin
                | Step::Quiesce
                | Step::Suspend
                | Step::Shutdown
                | Step::HardOff),
            ) => {
                self.state.transition_to_limiting(step, now);
            }
            Some(step @ (Step::Alert | Step::FansRaised | Step::FansFull)) => {
                self.state.transition_to_warning(step, now);
            }
            None => self.state.transition_to_normal(now),
        }
    }

    /// The next step of a failsafe that has stood for its grace, or whose remaining sensors are
    /// warm. The safe cap stands from the start; the smallest is for when nobody has been able
    /// to say for long whether fans and cap are enough. A blind power limit stays at the safe
    /// cap, which bounds the very thing that it cannot see.
    fn failsafe_climb(&self, held: Option<Step>, outlasted: bool) -> Option<Step> {
        match self.spec.response {
            Response::Power | Response::Alert | Response::Shutdown => held,
            Response::Heat if held < Some(Step::FansFull) => Some(Step::FansFull),
            Response::Heat if outlasted => Some(Step::CapMin),
            Response::Heat => held,
        }
    }
}

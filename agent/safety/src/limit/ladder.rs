//! The way of a limit through its states: up as far as the group has gone, each step with the
//! time that it gets to work, and down one step per release time.

use super::{Hands, Limit, Pace, Reach, Sight};
use crate::sensor::Sensor;
use crate::{Ladder, Moment, Raised, Response, State, Step, TripCause, Tripped};
use core::time::Duration;

impl Limit {
    /// Lets the state follow its group. `vouched` is that an independent limit of the zone
    /// reads normal, which keeps failsafe from climbing.
    pub(crate) fn follow(
        &mut self,
        sensors: &[Sensor],
        hands: Hands,
        pace: Pace,
        vouched: bool,
        now: Moment,
    ) {
        self.look(sensors);
        let reach = self.reach(sensors, now);
        self.calm = reach == Reach::Calm;
        if reach == Reach::Trip && !self.stands_tripped() {
            return self.trip(sensors, TripCause::Threshold, &pace.ladder, now);
        }
        match self.state {
            State::Unknown { .. } | State::Normal { .. } => self.rise(reach, hands, now),
            State::Warning(raised) => self.follow_warning(raised, reach, hands, pace, now),
            State::Limiting(raised) => {
                self.follow_limiting(raised, reach, hands, pace, sensors, now);
            }
            State::Failsafe(failsafe) => {
                self.follow_failsafe(failsafe, reach, hands, pace, vouched, now);
            }
            State::Tripped(tripped) => self.follow_tripped(tripped, hands, &pace.ladder),
        }
    }

    /// A trip climbs from the shutdown to the hard off and never down.
    fn follow_tripped(&mut self, tripped: Tripped, hands: Hands, ladder: &Ladder) {
        if self.stands_tripped()
            && tripped.step == Step::Shutdown
            && ladder.hard_off.is_some()
            && hands.host.overstays
        {
            self.state = State::Tripped(Tripped { step: Step::HardOff, ..tripped });
        }
    }

    /// The step that a trip enters with: an absent one is passed over.
    pub(super) const fn first_tripped(&self, ladder: &Ladder) -> Step {
        match (self.spec.response, ladder) {
            (Response::Alert, _) => Step::Alert,
            (Response::Heat | Response::Power | Response::Shutdown, ladder) => {
                if ladder.shutdown.is_some() {
                    Step::Shutdown
                } else if ladder.hard_off.is_some() {
                    Step::HardOff
                } else {
                    Step::CapMin
                }
            }
        }
    }

    /// The threshold that a trip stands for.
    pub(super) fn trip_threshold(&self) -> Option<f64> {
        self.effective.trip.map(|bound| bound.value).or(self.spec.emergency)
    }

    /// A restored trip is proved anew by a hot group, and asks for all that a fresh one does.
    fn stands_tripped(&self) -> bool {
        match &self.state {
            State::Tripped(tripped) => match tripped.cause {
                TripCause::Threshold | TripCause::LadderExhausted => true,
                TripCause::Restored => false,
            },
            State::Unknown { .. }
            | State::Normal { .. }
            | State::Warning(_)
            | State::Limiting(_)
            | State::Failsafe(_) => false,
        }
    }

    fn trip(&mut self, sensors: &[Sensor], cause: TripCause, ladder: &Ladder, now: Moment) {
        let threshold = match cause {
            TripCause::Threshold | TripCause::Restored => self.trip_threshold(),
            TripCause::LadderExhausted => self.effective.limit.map(|bound| bound.value),
        };
        let reading = self.reading(sensors, now);
        let step = self.first_tripped(ladder);
        self.state.transition_to_tripped(reading, threshold, cause, step, now);
    }

    fn rise(&mut self, reach: Reach, hands: Hands, now: Moment) {
        match reach {
            Reach::Trip | Reach::Limit => self.limit_from(Step::Alert, hands, now),
            Reach::Warning if self.blind() => self.state.transition_to_failsafe(now),
            Reach::Warning => self.state.transition_to_warning(Step::Alert, now),
            Reach::Calm => self.follow_sight(now),
        }
    }

    /// A calm limit off the ladder goes where its sight leads.
    fn follow_sight(&mut self, now: Moment) {
        let starting = match self.state {
            State::Unknown { .. } => true,
            State::Normal { .. }
            | State::Warning(_)
            | State::Limiting(_)
            | State::Tripped(_)
            | State::Failsafe(_) => false,
        };
        match (self.sight, starting) {
            (Sight::Clear, true) => self.state.transition_to_normal(now),
            (Sight::Clear, false) | (Sight::Settling, true) => {}
            (Sight::Lost, true) | (Sight::Lost | Sight::Settling, false) if self.vital => {
                self.state.transition_to_failsafe(now);
            }
            (Sight::Lost | Sight::Settling, false) => self.state.transition_to_unknown(now),
            (Sight::Lost, true) => {}
        }
    }

    /// Over the limit: on the first step of limiting or on the one that stands, whichever is
    /// higher.
    pub(super) fn limit_from(&mut self, stands: Step, hands: Hands, now: Moment) {
        let least = stands.max(self.first_limiting());
        let step = match self.spec.response {
            Response::Heat | Response::Power => hands.able(least),
            Response::Shutdown => self.above(least, hands).unwrap_or(least),
            Response::Alert => Step::Alert,
        };
        self.state.transition_to_limiting(step, now);
    }

    fn follow_warning(
        &mut self,
        raised: Raised,
        reach: Reach,
        hands: Hands,
        pace: Pace,
        now: Moment,
    ) {
        match reach {
            Reach::Trip | Reach::Limit => self.limit_from(raised.step, hands, now),
            Reach::Warning | Reach::Calm if self.blind() => {
                self.state.transition_to_failsafe(now);
            }
            Reach::Warning => {
                let top = self.last_warning(hands);
                let due = now.since(raised.step_since) >= pace.step;
                let next = raised.step.up().filter(|next| due && *next <= top);
                self.state = State::Warning(raised.hot(next, now));
            }
            Reach::Calm if self.sight != Sight::Clear => self.state.transition_to_failsafe(now),
            Reach::Calm => match raised.cool(pace.release, now) {
                Cooling::Waits(raised) => self.state = State::Warning(raised),
                Cooling::Released(raised) => match self.below(raised.step) {
                    Some(step) => self.state = State::Warning(raised.moved(step, now)),
                    None => self.state.transition_to_normal(now),
                },
            },
        }
    }

    fn follow_limiting(
        &mut self,
        raised: Raised,
        reach: Reach,
        hands: Hands,
        pace: Pace,
        sensors: &[Sensor],
        now: Moment,
    ) {
        match reach {
            Reach::Trip | Reach::Limit => {
                let stood = now.since(raised.step_since);
                let due = stood >= pace.step;
                let failed = raised.step > Step::CapMin && !hands.can(raised.step);
                let stuck = hands.fan_stuck || hands.cap_stuck || failed;
                let spent = pace.ladder.exhausts_after.is_some_and(|exhaust| stood >= exhaust);
                match self.above(raised.step, hands) {
                    Some(next) => {
                        let at_once = !hands.can(raised.step) || self.wants_cap(raised.step);
                        let next = (due || at_once).then_some(next);
                        self.state = State::Limiting(raised.hot(next, now));
                    }
                    None if self.drives() && ((due && stuck) || spent) => {
                        self.trip(sensors, TripCause::LadderExhausted, &pace.ladder, now);
                    }
                    None => self.state = State::Limiting(raised.hot(None, now)),
                }
            }
            Reach::Warning | Reach::Calm if self.sight != Sight::Clear => {
                self.state.transition_to_failsafe(now);
            }
            Reach::Warning | Reach::Calm => match raised.cool(pace.release, now) {
                Cooling::Waits(raised) => self.state = State::Limiting(raised),
                Cooling::Released(raised) if raised.step > self.first_limiting() => {
                    if let Some(step) = self.down(raised.step) {
                        self.state = State::Limiting(raised.moved(step, now));
                    }
                }
                Cooling::Released(raised) => match self.below(raised.step) {
                    Some(_) => {
                        let step = raised.step.min(self.last_warning(hands));
                        self.state.transition_to_warning(step, now);
                    }
                    None => self.state.transition_to_normal(now),
                },
            },
        }
    }

    /// The next step up of a limit that stays passed; `None` on the last one.
    const fn above(&self, step: Step, hands: Hands) -> Option<Step> {
        match self.spec.response {
            Response::Heat | Response::Power => hands.above(step),
            Response::Shutdown => match step {
                Step::Quiesce | Step::Suspend | Step::Shutdown | Step::HardOff => None,
                Step::Alert | Step::FansRaised | Step::FansFull | Step::CapSafe | Step::CapMin => {
                    if hands.host.quiesce {
                        Some(Step::Quiesce)
                    } else {
                        None
                    }
                }
            },
            Response::Alert => None,
        }
    }

    /// The next step down of one that is limiting.
    const fn down(&self, step: Step) -> Option<Step> {
        match self.spec.response {
            Response::Heat | Response::Power => step.down(),
            Response::Alert | Response::Shutdown => Some(Step::Alert),
        }
    }

    /// Blindness asks for the safe cap anyway; on the ladder it is released slowly.
    fn wants_cap(&self, step: Step) -> bool {
        self.drives() && self.blind() && step < Step::CapSafe
    }

    /// It has fans and caps to answer with.
    pub(super) const fn drives(&self) -> bool {
        match self.spec.response {
            Response::Heat | Response::Power => true,
            Response::Alert | Response::Shutdown => false,
        }
    }

    /// The step that a limit enters with.
    const fn first_limiting(&self) -> Step {
        match self.spec.response {
            Response::Heat => Step::FansFull,
            Response::Power => Step::CapSafe,
            Response::Alert | Response::Shutdown => Step::Alert,
        }
    }

    /// How far a warning climbs. A fan that does not obey makes the cap its last step.
    const fn last_warning(&self, hands: Hands) -> Step {
        match self.spec.response {
            Response::Power | Response::Alert | Response::Shutdown => Step::Alert,
            Response::Heat if hands.fan_stuck => Step::CapSafe,
            Response::Heat if hands.fan => Step::FansFull,
            Response::Heat => Step::Alert,
        }
    }

    /// The next step down within a warning; `None` leads to normal.
    const fn below(&self, step: Step) -> Option<Step> {
        match self.spec.response {
            Response::Heat => step.down(),
            Response::Power | Response::Alert | Response::Shutdown => None,
        }
    }
}

enum Cooling {
    Waits(Raised),
    Released(Raised),
}

impl Raised {
    /// Still over the threshold, and on `next` if there is one.
    fn hot(self, next: Option<Step>, now: Moment) -> Self {
        let stays = Self { calm_since: None, ..self };
        next.map_or(stays, |step| stays.moved(step, now))
    }

    /// Under the threshold.
    fn cool(self, release: Duration, now: Moment) -> Cooling {
        let calm_since = self.calm_since.unwrap_or(now);
        let raised = Self { calm_since: Some(calm_since), ..self };
        if now.since(calm_since.max(self.step_since)) >= release {
            Cooling::Released(raised)
        } else {
            Cooling::Waits(raised)
        }
    }

    const fn moved(self, step: Step, now: Moment) -> Self {
        Self { step, step_since: now, ..self }
    }
}

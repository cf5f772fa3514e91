//! The way of a limit through its states: up as far as the group has gone, each step with the
//! time that it gets to work, and down one step per release time.

use super::{Limit, Reach, Sight};
use crate::sensor::Sensor;
use crate::{Moment, Raised, Response, State, Step, Timing, TripCause};
use core::time::Duration;

/// What the zone of a limit has to act with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Hands {
    pub(crate) fan: bool,
    pub(crate) cap: bool,
    /// A fan whose read-back is not as cool as it was asked to be.
    pub(crate) fan_stuck: bool,
    /// A cap whose read-back is higher than it was asked to be.
    pub(crate) cap_stuck: bool,
}

/// The times that a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) step: Duration,
    pub(crate) release: Duration,
    pub(crate) grace: Duration,
}

impl Pace {
    pub(crate) const fn of(timing: &Timing, grace: Duration) -> Self {
        Self { step: timing.step_time, release: timing.release_after, grace }
    }
}

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
        if reach == Reach::Trip && !self.stands_tripped() {
            return self.trip(sensors, TripCause::Threshold, now);
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
            State::Tripped(_) => {}
        }
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

    fn trip(&mut self, sensors: &[Sensor], cause: TripCause, now: Moment) {
        let threshold = match cause {
            TripCause::Threshold | TripCause::Restored => self.effective.trip,
            TripCause::LadderExhausted => self.effective.limit,
        };
        let reading = self.reading(sensors);
        self.state.transition_to_tripped(reading, threshold.map(|it| it.value), cause, now);
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
        let step = hands.able(stands.max(self.first_limiting()));
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
                let due = now.since(raised.step_since) >= pace.step;
                // Blindness asks for the safe cap anyway; on the ladder it is released slowly.
                let uncapped = self.blind() && raised.step < Step::CapSafe;
                match raised.step.up() {
                    Some(next) => {
                        let next =
                            (due || uncapped || !hands.can(raised.step)).then(|| hands.able(next));
                        self.state = State::Limiting(raised.hot(next, now));
                    }
                    None if due && (hands.fan_stuck || hands.cap_stuck) => {
                        self.trip(sensors, TripCause::LadderExhausted, now);
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
                    if let Some(step) = raised.step.down() {
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

    /// The step that a limit enters with.
    const fn first_limiting(&self) -> Step {
        match self.spec.response {
            Response::Heat => Step::FansFull,
            Response::Power => Step::CapSafe,
        }
    }

    /// How far a warning climbs. A fan that does not obey makes the cap its last step.
    const fn last_warning(&self, hands: Hands) -> Step {
        match self.spec.response {
            Response::Power => Step::Alert,
            Response::Heat if hands.fan_stuck => Step::CapSafe,
            Response::Heat if hands.fan => Step::FansFull,
            Response::Heat => Step::Alert,
        }
    }

    /// The next step down within a warning; `None` leads to normal.
    const fn below(&self, step: Step) -> Option<Step> {
        match self.spec.response {
            Response::Heat => step.down(),
            Response::Power => None,
        }
    }
}

impl Hands {
    /// Whether a step moves anything here.
    const fn can(self, step: Step) -> bool {
        match step {
            Step::Alert => true,
            Step::FansRaised | Step::FansFull => self.fan && !self.fan_stuck,
            Step::CapSafe | Step::CapMin => self.cap && !self.cap_stuck,
        }
    }

    /// The first step from `step` upwards that moves something; the last where none does.
    const fn able(self, step: Step) -> Step {
        let mut step = step;
        while !self.can(step) {
            match step.up() {
                Some(next) => step = next,
                None => return step,
            }
        }
        step
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

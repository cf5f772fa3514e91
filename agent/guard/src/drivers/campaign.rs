//! A switch on its way: asked, watched, asked again, given up.
//!
//! A reset is a request, not a result. A BMC answers at once and switches seconds later, forgets
//! what came at a bad moment, and may say *off* while the machine still stops. So the state alone
//! says that it is done; it is looked at every few seconds, and what changes nothing is sent
//! again, but never while the switch is seen to move, and never where sending twice would do it
//! twice.

use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{DeedError, DeedFault};
use std::time::Duration;

/// A refusal may be a bad moment; two are an answer.
const REFUSALS: u32 = 2;

/// The times of every campaign, from the equipment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) observe: Duration,
    pub(crate) resend: Duration,
    pub(crate) give_up: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Send(ResetType),
    Observe,
    Wait(Duration),
    Ended(Result<PowerState, DeedError>),
}

#[derive(Debug)]
pub(super) struct Campaign {
    verb: ResetType,
    times: Times,
    began: Duration,
    sent: Option<Duration>,
    observed: Option<Duration>,
    state: Option<PowerState>,
    /// It was taken by the equipment at least once.
    taken: bool,
    /// The switch was seen elsewhere than where the verb leads.
    left: bool,
    refusals: u32,
    /// What the equipment said against it last.
    against: Option<DeedError>,
    ended: Option<Result<PowerState, DeedError>>,
}

impl Campaign {
    pub(super) fn new(verb: ResetType, times: Times, now: Duration) -> Self {
        Self {
            verb,
            times,
            began: now,
            sent: None,
            observed: None,
            state: None,
            taken: false,
            left: false,
            refusals: 0,
            against: None,
            ended: None,
        }
    }

    pub(super) const fn verb(&self) -> ResetType {
        self.verb
    }

    /// What is to be done now. Called again at latest after what `Wait` says.
    pub(super) fn step(&mut self, now: Duration) -> Step {
        if let Some(ended) = &self.ended {
            return Step::Ended(ended.clone());
        }
        let Some(sent) = self.sent else {
            self.sent = Some(now);
            self.observed = Some(now);
            return Step::Send(self.verb);
        };
        if now.saturating_sub(self.began) >= self.times.give_up {
            let ended = Err(self.given_up());
            self.ended = Some(ended.clone());
            return Step::Ended(ended);
        }
        if self.may_resend() && now.saturating_sub(sent) >= self.times.resend {
            self.sent = Some(now);
            self.observed = Some(now);
            return Step::Send(self.verb);
        }
        let next = self.observed.unwrap_or(sent) + self.times.observe;
        if now >= next {
            self.observed = Some(now);
            return Step::Observe;
        }
        Step::Wait(next - now)
    }

    /// How long nothing is to be done.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        match (self.sent, self.observed) {
            (Some(sent), Some(observed)) if self.ended.is_none() => {
                let resend = self.may_resend().then_some(sent + self.times.resend);
                let due = (observed + self.times.observe).min(self.began + self.times.give_up);
                resend.map_or(due, |resend| resend.min(due)).saturating_sub(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// The equipment answered what was sent, with the state right after it or without.
    pub(super) fn answered(&mut self, outcome: Result<Option<PowerState>, DeedError>) {
        match outcome {
            Ok(state) => {
                self.taken = true;
                self.against = None;
                if self.verb == ResetType::Nmi {
                    // An interrupt shows in no state.
                    self.ended = Some(Ok(state.or(self.state).unwrap_or(PowerState::On)));
                } else if let Some(state) = state {
                    self.saw(state);
                }
            }
            Err(error) => {
                self.refusals += u32::from(error.kind == DeedFault::Refused);
                if error.kind == DeedFault::Unsupported || self.refusals >= REFUSALS {
                    self.ended = Some(Err(error.clone()));
                }
                self.against = Some(error);
            }
        }
    }

    /// The switch was seen.
    pub(super) fn saw(&mut self, state: PowerState) {
        self.state = Some(state);
        let there = state == self.verb.leads_to();
        self.left |= !there;
        if there && self.taken && (self.left || self.verb.shows()) && self.verb != ResetType::Nmi {
            self.ended = Some(Ok(state));
        }
    }

    fn may_resend(&self) -> bool {
        let moves = matches!(self.state, Some(PowerState::PoweringOn | PowerState::PoweringOff));
        (self.verb.shows() || !self.taken) && !moves
    }

    fn given_up(&self) -> DeedError {
        let seconds = self.times.give_up.as_secs();
        let verb = self.verb.name();
        let seen =
            self.state.map_or("not seen".to_owned(), |state| format!("seen {}", state.name()));
        let message = match &self.against {
            Some(error) => format!("{verb} came to nothing in {seconds} s: {}", error.message),
            None if !self.verb.shows() && !self.left => {
                format!("{verb} was taken, but the switch was On at every look for {seconds} s")
            }
            None => format!("{verb} was taken {seconds} s ago, and the switch is {seen}"),
        };
        DeedError::new(DeedFault::NotConfirmed, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        observe: Duration::from_secs(5),
        resend: Duration::from_secs(30),
        give_up: Duration::from_secs(300),
    };

    /// Runs a campaign second by second against a switch; gives back how it ended, when, and how
    /// often it was sent.
    fn run(
        verb: ResetType,
        mut switch: impl FnMut(u64, bool) -> Result<PowerState, DeedError>,
    ) -> (Result<PowerState, DeedError>, u64, u32) {
        let mut campaign = Campaign::new(verb, TIMES, Duration::ZERO);
        let mut sends = 0;
        for second in 0..1000 {
            loop {
                match campaign.step(Duration::from_secs(second)) {
                    Step::Send(_) => {
                        sends += 1;
                        campaign.answered(switch(second, true).map(Some));
                    }
                    Step::Observe => {
                        if let Ok(state) = switch(second, false) {
                            campaign.saw(state);
                        }
                    }
                    Step::Wait(_) => break,
                    Step::Ended(outcome) => return (outcome, second, sends),
                }
            }
        }
        panic!("it never ended");
    }

    #[test]
    fn success_is_the_state_and_not_the_answer() {
        let on_after = |second| if second >= 11 { PowerState::On } else { PowerState::Off };
        let (outcome, second, sends) = run(ResetType::On, |second, _| Ok(on_after(second)));
        assert_eq!((outcome, second, sends), (Ok(PowerState::On), 15, 1));
    }

    #[test]
    fn what_was_dropped_is_sent_again_and_given_up_in_the_end() {
        let mut sent = 0;
        let (outcome, second, sends) = run(ResetType::On, |_, send| {
            sent += u32::from(send);
            Ok(if sent >= 3 { PowerState::On } else { PowerState::Off })
        });
        assert_eq!((outcome, second, sends), (Ok(PowerState::On), 60, 3));
        let (outcome, second, sends) = run(ResetType::ForceOff, |_, _| Ok(PowerState::On));
        let error = outcome.unwrap_err();
        assert_eq!((error.kind, second, sends), (DeedFault::NotConfirmed, 300, 10));
        assert!(error.message.contains("seen On"), "{error:?}");
    }

    #[test]
    fn nothing_is_sent_to_a_switch_that_moves() {
        let (_, _, sends) = run(ResetType::GracefulShutdown, |second, _| {
            Ok(if second < 200 { PowerState::PoweringOff } else { PowerState::Off })
        });
        assert_eq!(sends, 1);
    }

    #[test]
    fn a_restart_is_sent_once_and_has_to_be_seen_leaving() {
        let (outcome, second, sends) = run(ResetType::ForceRestart, |second, _| {
            Ok(if (5..20).contains(&second) { PowerState::Off } else { PowerState::On })
        });
        assert_eq!((outcome, second, sends), (Ok(PowerState::On), 20, 1));
        let (outcome, _, sends) = run(ResetType::PowerCycle, |_, _| Ok(PowerState::On));
        assert_eq!(sends, 1);
        assert!(outcome.unwrap_err().message.contains("On at every look"));
    }

    #[test]
    fn a_failure_is_tried_again_a_second_refusal_is_an_answer_and_no_such_thing_is_one_at_once() {
        let fail = |kind| DeedError::new(kind, "500");
        let (outcome, second, sends) = run(ResetType::ForceRestart, |second, send| match second {
            0 => Err(fail(DeedFault::Failed)),
            30 if send => Ok(PowerState::On),
            31..40 => Ok(PowerState::Off),
            _ => Ok(PowerState::On),
        });
        assert_eq!((outcome, second, sends), (Ok(PowerState::On), 40, 2));
        let (outcome, second, _) = run(ResetType::On, |_, _| Err(fail(DeedFault::Refused)));
        assert_eq!((outcome.unwrap_err().kind, second), (DeedFault::Refused, 30));
        let (outcome, second, _) = run(ResetType::On, |_, _| Err(fail(DeedFault::Unsupported)));
        assert_eq!((outcome.unwrap_err().kind, second), (DeedFault::Unsupported, 0));
    }

    #[test]
    fn an_interrupt_is_done_when_it_is_taken() {
        let (outcome, second, _) = run(ResetType::Nmi, |_, _| Ok(PowerState::On));
        assert_eq!((outcome, second), (Ok(PowerState::On), 0));
    }
}

//! The actuators of one piece of equipment, as its thread holds them: what is asked of each, what
//! is on its way, and where it was seen.

use super::campaign::{Campaign, Step, Times};
use super::level::CapLevel;
use super::placing;
use crate::grip::Grip;
use crate::sources::Errand;
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{ActuatorEntry, ActuatorState, Deed, DeedError, DeedFault};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{Level, Observed};
use flyball_units::{NoData, Watts};
use std::sync::Arc;
use std::time::Duration;

/// A deed may take so long in the driver, beside the exchanges that it is made of.
const DEED_EXCHANGES: u32 = 4;

#[derive(Debug)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) grip: Arc<Grip>,
    pub(super) effect: Option<u16>,
    kind: ActuatorKind,
    verbs: Vec<ResetType>,
    times: Times,
    /// The number of the last level that was taken up.
    done: u64,
    cap: CapLevel,
    /// A switch on its way, and the errand that sent it there; none where the engine did.
    campaign: Option<(Campaign, Option<u64>)>,
    /// The engine wants the switch so, until it is off.
    shedding: Option<ResetType>,
    /// What the engine wants off was refused: not before then is it sent there again.
    shed_again: Duration,
    state: Option<(ActuatorState, Duration)>,
    told_ineffective: bool,
}

/// Something that a held actuator wants done.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    /// Ask the driver, on behalf of the actuator itself.
    Ask(Deed),
    /// The errand has ended.
    Tell(u64, Result<ActuatorState, DeedError>),
    /// Worth a line in the log.
    Say(String),
    /// The same, and it stands against what is asked.
    Complain(String),
}

impl Held {
    pub(super) fn new(key: &str, entry: &ActuatorEntry, times: Times, poll: Duration) -> Self {
        Self {
            id: placing::id(key, &entry.name),
            name: entry.name.clone(),
            grip: Arc::new(Grip::default()),
            effect: entry.effect,
            kind: entry.kind,
            verbs: entry.verbs.clone(),
            times,
            done: 0,
            cap: CapLevel::new(entry.quantum, entry.max, poll),
            campaign: None,
            shedding: None,
            shed_again: Duration::ZERO,
            state: None,
            told_ineffective: false,
        }
    }

    /// How long a deed of this actuator may take.
    pub(super) fn deadline(timeout: Duration) -> Duration {
        timeout * DEED_EXCHANGES + Duration::from_secs(3)
    }

    /// Takes over from the same actuator before the driver was started anew: what is asked of it
    /// stays asked.
    pub(super) fn inherit(&mut self, before: Self) {
        self.grip = before.grip;
        self.done = before.done;
        self.campaign = before.campaign;
        self.shedding = before.shedding;
        self.cap.inherit(before.cap);
        self.told_ineffective = before.told_ineffective;
    }

    /// Takes up what the engine asks for since the last time.
    pub(super) fn take_asked(&mut self) {
        let Some(asked) = self.grip.asked(self.done) else {
            return;
        };
        self.done = asked.number;
        match asked.level {
            Level::Cap(Watts(watts)) => self.cap.want(watts),
            Level::Down => self.shed(ResetType::GracefulShutdown),
            Level::Off => self.shed(ResetType::ForceOff),
            Level::Free => {
                self.shedding = None;
                // What nobody wants down any more is not told so once more.
                self.campaign.take_if(|(_, errand)| errand.is_none());
            }
            // Fans and processors of equipment are its own.
            Level::Automatic | Level::Duty(_) | Level::Frequency(_) => {}
        }
    }

    fn shed(&mut self, verb: ResetType) {
        if self.shedding.replace(verb) != Some(verb) {
            // Another verb owes nothing to the failure of the one before.
            self.shed_again = Duration::ZERO;
        }
    }

    /// Takes an errand. What is no campaign is asked of the driver as it is.
    pub(super) fn take_errand(&mut self, errand: &Errand, now: Duration) -> Option<Wish> {
        let Deed::Reset(verb) = errand.deed else {
            return None;
        };
        self.overtake(verb, Some(errand.request), now)
    }

    /// What is to be done next for it; called until it gives nothing.
    pub(super) fn next_wish(&mut self, now: Duration) -> Option<Wish> {
        if let Some(watts) = self.cap.send_now(now) {
            return Some(Wish::Ask(Deed::SetLevel(watts)));
        }
        let ineffective = self.cap.is_without_effect(now);
        if std::mem::replace(&mut self.told_ineffective, ineffective) != ineffective {
            return Some(if ineffective {
                Wish::Complain("the cap is set but not effective".to_owned())
            } else {
                Wish::Say("the cap is effective".to_owned())
            });
        }
        if let Some(overtaken) = self.begin_shedding(now) {
            return Some(overtaken);
        }
        let (campaign, request) = self.campaign.as_mut()?;
        match campaign.step(now) {
            Step::Send(verb) => Some(Wish::Ask(Deed::Reset(verb))),
            Step::Observe => Some(Wish::Ask(Deed::Observe)),
            Step::Wait(_) => None,
            Step::Ended(outcome) => {
                let (verb, request) = (campaign.verb(), *request);
                self.campaign = None;
                Some(match (request, outcome) {
                    (Some(request), outcome) => {
                        Wish::Tell(request, outcome.map(ActuatorState::Power))
                    }
                    (None, Ok(state)) => Wish::Say(format!("{}: {}", verb.name(), state.name())),
                    (None, Err(error)) => {
                        self.shed_again = now + self.times.observe;
                        Wish::Complain(error.message)
                    }
                })
            }
        }
    }

    /// Nobody watches the switch any more: gives back the errand that sent it on its way.
    pub(super) fn abandon(&mut self) -> Option<u64> {
        let (_, request) = self.campaign.take()?;
        request
    }

    /// How long it has no wish.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        self.campaign.as_ref().map(|(campaign, _)| campaign.wait(now))
    }

    /// What the engine wants off is sent there again and again, and overtakes everything but a
    /// cut of power that is on its way. Gives back the errand that it has overtaken.
    fn begin_shedding(&mut self, now: Duration) -> Option<Wish> {
        let verb = self.shedding.filter(|verb| self.verbs.contains(verb))?;
        let off = matches!(&self.state, Some((ActuatorState::Power(PowerState::Off), _)));
        let under_way = self.campaign.as_ref().is_some_and(|(campaign, _)| {
            campaign.verb() == verb || campaign.verb() == ResetType::ForceOff
        });
        if off || under_way || now < self.shed_again {
            return None;
        }
        self.overtake(verb, None, now)
    }

    /// Sends the switch on its way, whatever way it is on. Gives back the errand that had sent
    /// it there.
    fn overtake(&mut self, verb: ResetType, request: Option<u64>, now: Duration) -> Option<Wish> {
        let new = Campaign::new(verb, self.times, now);
        let (before, overtaken) = self.campaign.replace((new, request))?;
        let message = format!("{} was overtaken by {}", before.verb().name(), verb.name());
        let error = DeedError::new(DeedFault::NotConfirmed, message);
        Some(Wish::Tell(overtaken?, Err(error)))
    }

    /// The driver has answered what the actuator itself asked for.
    pub(super) fn answered(
        &mut self,
        deed: &Deed,
        outcome: Result<ActuatorState, DeedError>,
        now: Duration,
    ) -> Option<Wish> {
        match deed {
            Deed::SetLevel(_) => {
                self.cap.answered();
                match outcome {
                    Ok(state) => _ = self.saw(state, now),
                    Err(error) => return Some(Wish::Complain(error.message)),
                }
            }
            Deed::Reset(verb) => {
                let state = outcome.map(|state| {
                    self.saw(state.clone(), now);
                    power(&state)
                });
                // The answer to what was overtaken says nothing of what overtook it.
                if let Some((campaign, _)) = &mut self.campaign
                    && campaign.verb() == *verb
                {
                    campaign.answered(state);
                }
            }
            Deed::Observe
            | Deed::ClearLevel
            | Deed::SetLit(_)
            | Deed::SetWord(_)
            | Deed::BootOnce(_) => {
                if let Ok(state) = outcome {
                    self.saw(state, now);
                }
            }
        }
        None
    }

    /// It was seen. True where it stands elsewhere than before.
    pub(super) fn saw(&mut self, state: ActuatorState, now: Duration) -> bool {
        if let (Some((campaign, _)), Some(power)) = (&mut self.campaign, power(&state)) {
            campaign.saw(power);
        }
        self.cap.saw(state.clone(), now);
        let before = self.state.replace((state, now));
        before.map(|(before, _)| before).as_ref() != self.state.as_ref().map(|(state, _)| state)
    }

    pub(super) fn measured(&mut self, watts: Option<f64>) {
        self.cap.measured(watts);
    }

    /// Where it stands, for the engine.
    pub(super) fn observed(&self, now: Duration, stale: Duration) -> Result<Observed, NoData> {
        if self.kind == ActuatorKind::PowerCap {
            return self.cap.observed(now, stale);
        }
        match &self.state {
            None => Err(NoData::NoHistory),
            Some((_, at)) if now.saturating_sub(*at) > stale => Err(NoData::Stale),
            Some((ActuatorState::Power(power), _)) => Ok(Observed::Power(*power)),
            Some((ActuatorState::Unknown(reason), _)) => Err(*reason),
            Some((
                ActuatorState::Level(_)
                | ActuatorState::Automatic
                | ActuatorState::Lit(_)
                | ActuatorState::Word(_),
                _,
            )) => Ok(Observed::Present),
        }
    }
}

fn power(state: &ActuatorState) -> Option<PowerState> {
    match state {
        ActuatorState::Power(power) => Some(*power),
        ActuatorState::Level(_)
        | ActuatorState::Automatic
        | ActuatorState::Lit(_)
        | ActuatorState::Word(_)
        | ActuatorState::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_units::Unit;

    const TIMES: Times = Times {
        observe: Duration::from_secs(5),
        resend: Duration::from_secs(30),
        give_up: Duration::from_secs(60),
    };

    fn switch() -> Held {
        let entry = ActuatorEntry {
            name: "power".into(),
            label: "power".into(),
            kind: ActuatorKind::Switch,
            unit: Unit::One,
            min: 0.0,
            max: 0.0,
            quantum: 0.0,
            verbs: vec![ResetType::On, ResetType::ForceOff, ResetType::GracefulShutdown],
            words: Vec::new(),
            effect: None,
        };
        Held::new("bmc-1", &entry, TIMES, Duration::from_secs(10))
    }

    fn errand(request: u64, verb: ResetType) -> Errand {
        let deed = Deed::Reset(verb);
        Errand { request, actuator: "bmc-1/power".into(), deed, deadline: Duration::MAX }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const ON: ActuatorState = ActuatorState::Power(PowerState::On);
    const OFF: ActuatorState = ActuatorState::Power(PowerState::Off);

    #[test]
    fn an_errand_ends_with_the_state_that_proves_it() {
        let mut held = switch();
        assert_eq!(held.take_errand(&errand(7, ResetType::On), at(0)), None);
        assert_eq!(held.next_wish(at(0)), Some(Wish::Ask(Deed::Reset(ResetType::On))));
        assert_eq!(held.answered(&Deed::Reset(ResetType::On), Ok(OFF), at(1)), None);
        assert_eq!(held.next_wish(at(1)), None);
        assert_eq!(held.next_wish(at(5)), Some(Wish::Ask(Deed::Observe)));
        held.answered(&Deed::Observe, Ok(ON), at(6));
        assert_eq!(held.next_wish(at(6)), Some(Wish::Tell(7, Ok(ON))));
        assert_eq!(held.next_wish(at(6)), None);
    }

    #[test]
    fn a_later_errand_overtakes_an_earlier_one_and_the_earlier_one_is_told() {
        let mut held = switch();
        held.take_errand(&errand(1, ResetType::On), at(0));
        let told = held.take_errand(&errand(2, ResetType::ForceOff), at(1));
        let Some(Wish::Tell(1, Err(error))) = told else { panic!("{told:?}") };
        assert!(error.message.contains("overtaken by ForceOff"), "{error:?}");
    }

    #[test]
    fn what_the_engine_wants_off_is_sent_there_until_it_is_off() {
        let mut held = switch();
        held.saw(ON, at(0));
        held.grip.ask(Level::Off, None);
        held.take_asked();
        let mut sends = 0;
        for second in 0..200 {
            while let Some(wish) = held.next_wish(at(second)) {
                match wish {
                    Wish::Ask(deed) => {
                        sends += u32::from(deed == Deed::Reset(ResetType::ForceOff));
                        let state = if sends < 5 { ON } else { OFF };
                        held.answered(&deed, Ok(state), at(second));
                    }
                    Wish::Tell(..) | Wish::Say(_) | Wish::Complain(_) => {}
                }
            }
        }
        assert_eq!(sends, 5);
        assert_eq!(held.observed(at(200), at(3600)), Ok(Observed::Power(PowerState::Off)));
        held.saw(ON, at(201));
        assert!(matches!(held.next_wish(at(201)), Some(Wish::Ask(Deed::Reset(_)))));
    }

    fn ask(held: &mut Held, level: Level) {
        held.grip.ask(level, None);
        held.take_asked();
    }

    fn asks(verb: ResetType) -> Option<Wish> {
        Some(Wish::Ask(Deed::Reset(verb)))
    }

    #[test]
    fn a_cut_of_power_overtakes_the_orderly_stop_at_once() {
        let mut held = switch();
        held.saw(ON, at(0));
        ask(&mut held, Level::Down);
        assert_eq!(held.next_wish(at(0)), asks(ResetType::GracefulShutdown));
        assert_eq!(held.next_wish(at(1)), None);
        ask(&mut held, Level::Off);
        assert_eq!(held.next_wish(at(2)), asks(ResetType::ForceOff));
        // What the orderly stop is answered late ends nothing of what overtook it.
        let refused = || Err(DeedError::new(DeedFault::Unsupported, "no"));
        held.answered(&Deed::Reset(ResetType::GracefulShutdown), refused(), at(3));
        assert_eq!(held.next_wish(at(3)), None);
        held.answered(&Deed::Reset(ResetType::ForceOff), Ok(OFF), at(4));
        assert_eq!(held.next_wish(at(4)), Some(Wish::Say("ForceOff: Off".into())));
    }

    #[test]
    fn what_is_no_longer_wanted_down_is_not_told_so_again() {
        let mut held = switch();
        held.saw(ON, at(0));
        ask(&mut held, Level::Down);
        assert_eq!(held.next_wish(at(0)), asks(ResetType::GracefulShutdown));
        held.answered(&Deed::Reset(ResetType::GracefulShutdown), Ok(ON), at(0));
        ask(&mut held, Level::Free);
        assert!((1..100).all(|second| held.next_wish(at(second)).is_none()));
    }

    #[test]
    fn an_operators_cut_stands_above_the_engines_orderly_stop_and_an_operators_start_below_it() {
        let mut held = switch();
        held.saw(ON, at(0));
        held.take_errand(&errand(7, ResetType::ForceOff), at(0));
        ask(&mut held, Level::Down);
        assert_eq!(held.next_wish(at(0)), asks(ResetType::ForceOff));
        held.take_errand(&errand(8, ResetType::On), at(1));
        let told = held.next_wish(at(1));
        assert!(matches!(told, Some(Wish::Tell(8, Err(_)))), "{told:?}");
        assert_eq!(held.next_wish(at(1)), asks(ResetType::GracefulShutdown));
    }

    #[test]
    fn how_long_it_waits_is_asked_without_an_effect() {
        let mut held = switch();
        assert_eq!(held.wait(at(0)), None);
        held.take_errand(&errand(7, ResetType::On), at(0));
        assert_eq!(held.wait(at(0)), Some(Duration::ZERO));
        assert_eq!(held.next_wish(at(0)), asks(ResetType::On));
        held.answered(&Deed::Reset(ResetType::On), Ok(OFF), at(1));
        assert_eq!((held.wait(at(2)), held.wait(at(9))), (Some(at(3)), Some(Duration::ZERO)));
        assert_eq!(held.wait(at(31)), Some(Duration::ZERO));
        assert_eq!(held.next_wish(at(31)), asks(ResetType::On));
    }

    #[test]
    fn a_state_that_nobody_has_seen_lately_is_stale() {
        let mut held = switch();
        assert_eq!(held.observed(at(0), at(30)), Err(NoData::NoHistory));
        held.saw(OFF, at(0));
        assert_eq!(held.observed(at(31), at(30)), Err(NoData::Stale));
    }
}

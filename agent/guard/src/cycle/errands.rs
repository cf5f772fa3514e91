//! Things that are done once by others: verbs of switches, settings, and what the ladder asks of
//! the machine itself.

use super::Cycle;
use crate::host::{Job, POWER};
use crate::journal::Entry;
use crate::log::Level as LogLevel;
use crate::sources::Errand;
use crate::words::Now;
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{ActuatorState, Deed, DeedError};
use flyball_guard_messages::{ActuatorKind, EventKind, Severity};
use flyball_safety::{ActuatorId, HostLevel, HostReport, Level, LimitId, Observed};
use flyball_units::{Hertz, NoData, Ratio, Watts};
use std::time::Duration;

/// An errand that is not begun within this is not begun.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);
/// What the engine asserts of the machine's own power is asked again this often.
const ASSERT_EVERY: Duration = Duration::from_secs(30);
/// Errands on their way; more are not sent.
const MAX_ERRANDS: usize = 64;

/// An errand on its way.
#[derive(Debug)]
pub(super) struct OnItsWay {
    request: u64,
    purpose: Purpose,
}

/// What an errand is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Purpose {
    /// A verb that the engine accepted.
    Verb {
        actuator: ActuatorId,
        verb: ResetType,
    },
    /// A level that the engine asserts of the machine's own power.
    Assertion {
        actuator: ActuatorId,
        verb: ResetType,
    },
    Setting {
        actuator: ActuatorId,
        wanted: Option<ActuatorState>,
    },
    Host(HostLevel),
}

impl Cycle {
    /// Sends an errand to whoever carries it out. `None` where nobody does.
    pub(super) fn send(
        &mut self,
        actuator: ActuatorId,
        deed: Deed,
        purpose: Purpose,
        now: Now,
    ) -> Option<u64> {
        if self.errands.len() == MAX_ERRANDS || self.shared.facts.dry_run {
            return None;
        }
        let entry = self.catalog.actuators.get(actuator.index())?;
        self.requests += 1;
        let request = self.requests;
        let deadline = now.mono + BEGUN_WITHIN;
        let errand = Errand { request, actuator: entry.id.clone(), deed, deadline };
        let own = self.own.contains(&actuator.index());
        let sent = match (own, &self.jobs) {
            (true, Some(jobs)) => jobs.try_send(Job::Errand(errand)).is_ok(),
            (true, None) => false,
            (false, _) => self.hands.send(actuator, errand),
        };
        if sent {
            self.errands.push(OnItsWay { request, purpose });
        }
        sent.then_some(request)
    }

    /// A verb that the engine accepted, once.
    pub(super) fn switch(&mut self, actuator: ActuatorId, verb: ResetType, now: Now) {
        self.complaints.forget(actuator);
        let name = self.names.actuator(actuator).to_owned();
        let message = format!("{name} is asked to {verb:?}");
        self.record_plain(EventKind::Switched, Severity::Warning, &name, message, now);
        let deed = Deed::Reset(verb);
        if self.send(actuator, deed, Purpose::Verb { actuator, verb }, now).is_none() {
            let line = format!("{name} can't be asked: nobody is there to do it");
            self.complaints.note(actuator, line.clone());
            self.journal.put(Entry::Log(LogLevel::Error, line));
            self.engine.handle_settled(actuator, false, now.moment());
        }
    }

    /// Takes a level that no holder has a grip for: of the machine's own power, which is an
    /// errand, and of settings, which have none. False where the level is its holder's.
    pub(super) fn asserts(&mut self, actuator: ActuatorId, level: Level, now: Now) -> bool {
        match self.catalog.actuators.get(actuator.index()).map(|entry| entry.kind) {
            Some(ActuatorKind::Fan | ActuatorKind::PowerCap | ActuatorKind::FrequencyCap)
            | None => return false,
            Some(ActuatorKind::Profile | ActuatorKind::Indicator | ActuatorKind::Service) => {
                return true;
            }
            Some(ActuatorKind::Switch) if !self.own.contains(&actuator.index()) => return false,
            Some(ActuatorKind::Switch) => {}
        }
        let verb = match level {
            Level::Down => ResetType::GracefulShutdown,
            Level::Off => ResetType::ForceOff,
            Level::Free
            | Level::Automatic
            | Level::Duty(_)
            | Level::Cap(_)
            | Level::Frequency(_) => {
                self.asserted.retain(|(id, _, _)| *id != actuator);
                return true;
            }
        };
        // A forced end does not wait for the orderly one that is on its way.
        let purpose = Purpose::Assertion { actuator, verb };
        let waits = self.errands.iter().any(|errand| errand.purpose == purpose);
        let lately = |(id, it, at): &(ActuatorId, ResetType, Duration)| {
            (*id, *it) == (actuator, verb) && now.mono < *at + ASSERT_EVERY
        };
        if waits || self.asserted.iter().any(lately) {
            return true;
        }
        self.asserted.retain(|(id, _, _)| *id != actuator);
        self.asserted.push((actuator, verb, now.mono));
        self.tell_driven(actuator, level, now);
        self.send(actuator, Deed::Reset(verb), purpose, now);
        true
    }

    /// What the ladder asks of the machine itself. Comes again each cycle until it is reported.
    pub(super) fn ask_host(&mut self, level: HostLevel, limit: Option<LimitId>, now: Now) {
        let name = limit.map_or_else(String::new, |limit| self.names.limit(limit).to_owned());
        if let (HostLevel::Stopping, Some(limit)) = (level, limit) {
            self.tell_shutdown(limit, now);
        }
        if self.errands.iter().any(|errand| errand.purpose == Purpose::Host(level)) {
            return;
        }
        let (asked, because) = match level {
            HostLevel::Running => ("resume its work", String::new()),
            HostLevel::Quiesced => ("be quiet", format!(" because of {name}")),
            HostLevel::Suspended => ("sleep", format!(" because of {name}")),
            HostLevel::Stopping => ("stop", format!(" because of {name}")),
        };
        let message = format!("the machine is asked to {asked}{because}");
        let severity =
            if level == HostLevel::Running { Severity::Info } else { Severity::Critical };
        self.record_plain(EventKind::HostAsked, severity, host_word(level), message, now);
        if self.shared.facts.dry_run || (level == HostLevel::Running && !self.reaches(level)) {
            self.engine.handle_host(HostReport::Reached(level), now.moment());
            return;
        }
        self.requests += 1;
        let request = self.requests;
        let job = Job::Level { request, level, limit: name };
        let sent = self.reaches(level)
            && self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok());
        if sent {
            self.errands.push(OnItsWay { request, purpose: Purpose::Host(level) });
        } else {
            self.engine.handle_host(HostReport::Failed(level), now.moment());
        }
    }

    fn reaches(&self, level: HostLevel) -> bool {
        self.host.ladder_command(level)
    }

    /// How an errand ended.
    pub(super) fn take_done(
        &mut self,
        request: u64,
        outcome: Result<ActuatorState, DeedError>,
        now: Now,
    ) {
        let Some(index) = self.errands.iter().position(|errand| errand.request == request) else {
            return;
        };
        let OnItsWay { purpose, .. } = self.errands.swap_remove(index);
        if let Err(error) = &outcome {
            let what = match &purpose {
                Purpose::Verb { actuator, .. }
                | Purpose::Assertion { actuator, .. }
                | Purpose::Setting { actuator, .. } => self.names.actuator(*actuator),
                Purpose::Host(level) => host_word(*level),
            };
            let line = format!("{what}: {}", error.message);
            self.journal.put(Entry::Log(LogLevel::Warn, line));
            if let Purpose::Verb { actuator, .. } | Purpose::Assertion { actuator, .. } = &purpose {
                self.complaints.note(*actuator, error.message.clone());
            }
        }
        match purpose {
            Purpose::Verb { actuator, .. } => {
                let reached = outcome.is_ok();
                let goes_down =
                    matches!(outcome, Ok(ActuatorState::Power(PowerState::PoweringOff)));
                if let Ok(state) = outcome {
                    self.take_state(actuator, state, now);
                }
                // A machine that has begun to stop proves the rest by its silence.
                if !goes_down {
                    self.engine.handle_settled(actuator, reached, now.moment());
                }
            }
            Purpose::Assertion { actuator, .. } => {
                if let Ok(state) = outcome {
                    self.take_state(actuator, state, now);
                }
            }
            Purpose::Setting { actuator, wanted } => {
                let verified = match (&outcome, &wanted) {
                    (Ok(state), Some(wanted)) => state == wanted,
                    (Ok(_), None) => true,
                    (Err(_), _) => false,
                };
                self.settle_errand(request, &outcome, verified, now);
                if let Ok(state) = outcome {
                    self.take_state(actuator, state, now);
                }
            }
            Purpose::Host(level) => {
                let report = match outcome {
                    Ok(_) => HostReport::Reached(level),
                    Err(_) => HostReport::Failed(level),
                };
                self.engine.handle_host(report, now.moment());
            }
        }
        self.act(None, now);
    }

    /// Where something was seen to stand.
    pub(super) fn take_state(&mut self, actuator: ActuatorId, state: ActuatorState, now: Now) {
        let Some(entry) = self.catalog.actuators.get_mut(actuator.index()) else {
            return;
        };
        if let Some(observed) = observed(entry.kind, &state) {
            self.engine.handle_readback(actuator, observed, now.moment());
        }
        // A switch's boot source has no state of its own.
        if !matches!(
            (entry.kind, &state),
            (ActuatorKind::Switch, ActuatorState::Word(_) | ActuatorState::Lit(_))
        ) {
            entry.state = Some(state);
        }
    }

    /// The machine's own power and services, which nobody else reads.
    pub(super) fn look_at_own(&mut self, now: Now) {
        for index in self.own.clone() {
            let Ok(place) = u16::try_from(index) else {
                continue;
            };
            let entry = self.catalog.actuators.get(index);
            let seen = entry.and_then(|entry| {
                let state = entry.state.clone().unwrap_or(ActuatorState::Automatic);
                observed(entry.kind, &state)
            });
            if let Some(seen) = seen {
                self.engine.handle_readback(ActuatorId::new(place), seen, now.moment());
            }
        }
    }

    /// The service manager ends the guard while the machine was asked to stop: it has begun.
    pub(super) fn settle_own_stop(&mut self, now: Now) {
        if let Some(actuator) = self.names.actuator_id(POWER)
            && self.engine.switch(actuator).is_some_and(|switch| switch.in_flight.is_some())
        {
            self.settle_verb(actuator, true, now);
        }
    }
}

/// A state in the engine's words; `None` where it says nothing to the engine.
fn observed(kind: ActuatorKind, state: &ActuatorState) -> Option<Result<Observed, NoData>> {
    Some(match (kind, state) {
        (_, ActuatorState::Unknown(reason)) => Err(*reason),
        (ActuatorKind::Switch, ActuatorState::Power(state)) => Ok(Observed::Power(*state)),
        (ActuatorKind::Switch, _) => return None,
        (ActuatorKind::Fan, ActuatorState::Level(duty)) => Ok(Observed::Duty(Ratio(*duty))),
        (ActuatorKind::Fan, ActuatorState::Automatic) => Ok(Observed::Automatic(None)),
        (ActuatorKind::PowerCap, ActuatorState::Level(watts)) => Ok(Observed::Cap(Watts(*watts))),
        (ActuatorKind::FrequencyCap, ActuatorState::Level(hertz)) => {
            Ok(Observed::Frequency(Hertz(*hertz)))
        }
        (ActuatorKind::Profile | ActuatorKind::Indicator | ActuatorKind::Service, _) => {
            Ok(Observed::Present)
        }
        (ActuatorKind::Fan | ActuatorKind::PowerCap | ActuatorKind::FrequencyCap, _) => {
            return None;
        }
    })
}

const fn host_word(level: HostLevel) -> &'static str {
    match level {
        HostLevel::Running => "resume",
        HostLevel::Quiesced => "quiesce",
        HostLevel::Suspended => "suspend",
        HostLevel::Stopping => "shutdown",
    }
}

//! What the engine tells, as records with a sentence.

use super::{amount, level, limit_state};
use crate::claimants::rank;
use crate::hands::{number_of_level, number_of_observed};
use crate::plan::Names;
use flyball_guard_messages::{EventKind as Wire, GuardEvent, Severity};
use flyball_safety::{Event, EventKind, LimitId, SelfTestEnd, StateKind, Step};
use flyball_units::Unit;

pub(crate) fn guard_event(event: &Event, names: &Names) -> GuardEvent {
    match event.kind {
        EventKind::LimitChanged { limit, from, to, reading, threshold } => {
            let unit = names.limit_unit(limit);
            let name = names.limit(limit).to_owned();
            let what = with_amount(reading, unit, |amount| format!(" at {amount}"));
            let bound = with_amount(threshold, unit, |amount| format!(" (threshold {amount})"));
            GuardEvent {
                kind: Wire::LimitState { from: limit_state(from), to: limit_state(to) },
                severity: severity(from, to),
                message: match from == to {
                    true => format!("{name} proves again that it is {}{what}{bound}", to.name()),
                    false => {
                        format!("{name} went from {} to {}{what}{bound}", from.name(), to.name())
                    }
                },
                subject: name,
                reading,
                threshold,
                unit,
            }
        }
        EventKind::StepChanged { limit, from, to, reading } => {
            let name = names.limit(limit);
            let message = format!("{name} now asks for {} instead of {}", ask(to), ask(from));
            let severity = if to > from { Severity::Warning } else { Severity::Info };
            of_limit(Wire::LadderStep, severity, limit, message, reading, names)
        }
        EventKind::FailsafeClimbed { limit } => {
            let name = names.limit(limit);
            let message = format!("{name} has not read for longer than its grace: fans at full");
            of_limit(Wire::FailsafeClimbed, Severity::Critical, limit, message, None, names)
        }
        EventKind::TripCleared { limit, reading } => {
            let message = format!("the trip of {} was cleared", names.limit(limit));
            of_limit(Wire::TripCleared, Severity::Info, limit, message, reading, names)
        }
        EventKind::SensorLost { sensor, reason } => {
            let name = names.sensor(sensor);
            let message = format!("{name} is lost: {}", reason.name());
            plain(Wire::SensorLost, Severity::Warning, name, message)
        }
        EventKind::SensorBack { sensor } => {
            let name = names.sensor(sensor);
            plain(Wire::SensorBack, Severity::Info, name, format!("{name} reads"))
        }
        EventKind::ActuatorStuck { actuator, wanted, observed } => {
            let name = names.actuator(actuator);
            let seen = observed.and_then(Result::ok).and_then(number_of_observed);
            let shown = match observed {
                Some(Ok(_)) => seen.map_or("another control".to_owned(), |seen| seen.to_string()),
                Some(Err(reason)) => reason.name().to_owned(),
                None => "nothing".to_owned(),
            };
            let message = format!("{name} was asked for {} and reads back {shown}", level(wanted));
            GuardEvent {
                reading: seen,
                threshold: number_of_level(wanted),
                ..plain(Wire::ActuatorStuck, Severity::Critical, name, message)
            }
        }
        EventKind::ActuatorBack { actuator } => {
            let name = names.actuator(actuator);
            plain(Wire::ActuatorBack, Severity::Info, name, format!("{name} obeys again"))
        }
        EventKind::PowerChanged { actuator, from, to } => {
            let name = names.actuator(actuator);
            let state = |power: Option<flyball_units::PowerState>| {
                power.map_or("an unknown state", |power| power.name())
            };
            let message = format!("{name} went from {} to {}", state(from), state(to));
            plain(Wire::Switched, Severity::Info, name, message)
        }
        EventKind::VerbEnded { actuator, verb, reached } => {
            let name = names.actuator(actuator);
            let (wire, severity, how) = match reached {
                true => (Wire::Switched, Severity::Info, "came about"),
                false => (Wire::SwitchFailed, Severity::Critical, "did not come about in its time"),
            };
            plain(wire, severity, name, format!("{verb:?} of {name} {how}"))
        }
        EventKind::ArmingExpired { actuator, verb, .. } => {
            let name = names.actuator(actuator);
            let message = format!("{verb:?} of {name} was armed and not confirmed in time");
            plain(Wire::CommandArmed, Severity::Info, name, message)
        }
        EventKind::LockExpired { lock } => {
            plain(Wire::LockReleased, Severity::Info, "guard", format!("lock {} is over", lock.0))
        }
        EventKind::ClaimOver { actuator, origin } => {
            let name = names.actuator(actuator);
            let message = format!("what {} asked of {name} is over", rank(origin));
            plain(Wire::ClaimOver, Severity::Info, name, message)
        }
        EventKind::StepHeld { limit, step } => {
            let name = names.limit(limit);
            let message = format!("{name} would ask for {}, which a person holds off", ask(step));
            of_limit(Wire::StepHeld, Severity::Warning, limit, message, None, names)
        }
        EventKind::HoldOver { limit } => {
            let message = format!("the hold on {} is over", names.limit(limit));
            of_limit(Wire::ClaimOver, Severity::Warning, limit, message, None, names)
        }
        EventKind::SelfTestBegan { actuators } => {
            let message = format!("a self-test of {actuators} fans and caps begins");
            plain(Wire::SelfTestBegan, Severity::Info, "self-test", message)
        }
        EventKind::SelfTestEnded { end } => {
            let passed = end == SelfTestEnd::Passed;
            let message = format!("the self-test ended: {end:?}");
            plain(Wire::SelfTestEnded { passed }, Severity::Info, "self-test", message)
        }
        EventKind::InterlockChanged { interlock, active, holds } => {
            let known = names.interlock(interlock);
            let name = known.map_or("?", |interlock| interlock.name.as_str());
            let reason = known.map_or("", |interlock| interlock.reason.as_str());
            let (severity, message) = match (active, holds) {
                (false, _) => (Severity::Info, format!("{name} stands against nothing any more")),
                (true, Some(_)) => (Severity::Warning, format!("{name} forbids: {reason}")),
                (true, None) => {
                    let message = format!("{name} forbids, because nobody knows: {reason}");
                    (Severity::Warning, message)
                }
            };
            plain(Wire::Interlock { active }, severity, name, message)
        }
        EventKind::Disagreement { limit, spread, apart } => {
            let name = names.limit(limit);
            let how = if apart { "disagree" } else { "agree again" };
            let message = format!("the sensors of {name} {how}: they are {spread} apart");
            plain(Wire::SensorLost, Severity::Warning, name, message)
        }
        EventKind::HostFailed { level } => {
            let message = format!("the machine did not come to {level:?}");
            plain(Wire::HostAsked, Severity::Critical, "guard", message)
        }
        EventKind::EventsLost { count } => {
            let message = format!("{count} events came faster than they could be told");
            plain(Wire::EventsLost, Severity::Warning, "guard", message)
        }
    }
}

/// An event that has a subject and a sentence only.
pub(crate) fn plain(kind: Wire, severity: Severity, subject: &str, message: String) -> GuardEvent {
    let subject = subject.to_owned();
    GuardEvent { kind, severity, subject, message, reading: None, threshold: None, unit: None }
}

fn of_limit(
    kind: Wire,
    severity: Severity,
    limit: LimitId,
    message: String,
    reading: Option<f64>,
    names: &Names,
) -> GuardEvent {
    let unit = names.limit_unit(limit);
    GuardEvent { reading, unit, ..plain(kind, severity, names.limit(limit), message) }
}

fn with_amount(value: Option<f64>, unit: Option<Unit>, say: impl Fn(String) -> String) -> String {
    value.zip(unit).map_or_else(String::new, |(value, unit)| say(amount(value, unit)))
}

/// Upwards a state is as bad as what it leads to; downwards it is news.
fn severity(from: StateKind, to: StateKind) -> Severity {
    match (from, to) {
        (_, StateKind::Tripped | StateKind::Failsafe) => Severity::Critical,
        (_, StateKind::Limiting) => Severity::Warning,
        (StateKind::Limiting | StateKind::Tripped, StateKind::Warning) => Severity::Info,
        (_, StateKind::Warning) => Severity::Warning,
        (_, StateKind::Normal | StateKind::Unknown) => Severity::Info,
    }
}

const fn ask(step: Step) -> &'static str {
    match step {
        Step::Alert => "attention only",
        Step::FansRaised => "raised fans",
        Step::FansFull => "full fans",
        Step::CapSafe => "the safe power cap",
        Step::CapMin => "the lowest power cap",
        Step::Quiesce => "paused plugins and quiet workloads",
        Step::Suspend => "a sleep",
        Step::Shutdown => "an orderly shutdown",
        Step::HardOff => "power cut off",
    }
}

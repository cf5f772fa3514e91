//! The engine's answers in the words that the operator reads.

use super::{Now, amount};
use crate::claimants::{self, Claimants};
use crate::command;
use crate::locks::HeldLock;
use crate::plan::Names;
use flyball_command::{Clamp, Refusal, RefusalKind, Verdict};
use flyball_safety::{
    self as safety, ClampedBy, ClearsWhen, Engine, InterlockId, LockId, Moment, Pacing, Standing,
};
use flyball_units::Unit;

/// Everything that a sentence about an answer is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) names: &'a Names,
    pub(crate) locks: &'a [HeldLock],
    pub(crate) claimants: &'a Claimants,
    pub(crate) dry_run: bool,
    pub(crate) now: Now,
}

impl Teller<'_> {
    /// `unit` is that of what was proposed. What was armed is told by whoever knows the target.
    pub(crate) fn verdict(&self, answer: safety::Verdict, unit: Unit) -> Verdict {
        match answer {
            safety::Verdict::Accepted | safety::Verdict::Armed { .. } => Verdict::Accepted,
            safety::Verdict::Clamped { asked, to, by } => {
                let by = match by {
                    ClampedBy::Limit(limit) => self.names.limit(limit),
                    ClampedBy::Actuator(actuator) => self.names.actuator(actuator),
                };
                Verdict::Clamped(Clamp { asked, to, unit, by: by.to_owned() })
            }
            safety::Verdict::Refused(why) => Verdict::Refused(self.refusal(why, unit)),
        }
    }

    pub(crate) fn refusal(&self, why: safety::Refusal, unit: Unit) -> Refusal {
        let invalid =
            |reason: &str, clears_when: &str| plain(RefusalKind::Invalid, reason, clears_when);
        match why {
            safety::Refusal::Limit(standing) => self.limit(standing, unit),
            safety::Refusal::Range { min, max } => {
                let (min, max) = (amount(min, unit), amount(max, unit));
                let clears_when = format!("it is asked for {min} to {max}");
                invalid(&format!("the actuator takes {min} to {max}"), &clears_when)
            }
            safety::Refusal::NoActuator => invalid(
                "this machine has no such actuator",
                "an actuator is named that the machine has",
            ),
            safety::Refusal::NoLimit => {
                invalid("this machine has no such limit", "a limit is named that it has")
            }
            safety::Refusal::NotTripped => {
                invalid("the limit has not tripped", "there is a trip to clear")
            }
            safety::Refusal::NoVerb => {
                invalid("the switch takes no such verb", "a verb is asked that the switch has")
            }
            safety::Refusal::State(Some(power)) => {
                let name = power.name();
                plain(
                    RefusalKind::WrongState,
                    &format!("the switch stands at {name}, where this can't be asked of it"),
                    "the switch stands where the command expects it",
                )
            }
            safety::Refusal::State(None) => plain(
                RefusalKind::WrongState,
                "nobody knows where the switch stands",
                "the switch has been read again",
            ),
            safety::Refusal::Locked(id) => self.locked(id),
            safety::Refusal::Interlock(id) => self.interlock(id),
            safety::Refusal::TooSoon { until, pacing } => self.too_soon(until, pacing),
            safety::Refusal::LockedOut => plain(
                RefusalKind::WrongState,
                "the switch was energised as often as may be without a person",
                "a person asks for it",
            ),
            safety::Refusal::InFlight { verb, until } => plain(
                RefusalKind::Busy,
                &format!("the switch is in the midst of {verb:?}"),
                &format!("that has come about, or {} have passed", self.seconds_to(until)),
            ),
            safety::Refusal::NotArmed => plain(
                RefusalKind::NotArmed,
                "nothing is armed under that operation: it never was, was confirmed, or its time \
                 is over",
                "the dangerous command is issued again",
            ),
            safety::Refusal::Outranked { by, until, actuator } => {
                self.outranked(by, until, actuator)
            }
            safety::Refusal::Over => {
                invalid("what it asks for would have been over already", "its end is to come")
            }
            safety::Refusal::Testing { until } => plain(
                RefusalKind::Busy,
                "a self-test runs",
                &format!("it has ended, in {} at the latest", self.seconds_to(until)),
            ),
            safety::Refusal::NothingToTest => invalid(
                "no limit of this machine drives a fan or a cap that could be tried",
                "the machine has a fan or a cap, and a limit in its zone",
            ),
            safety::Refusal::NotHeld(step) => invalid(
                &format!("{step:?} of this limit is put off by nobody"),
                "a step from FansRaised to Quiesce is named, of a limit that climbs",
            ),
            safety::Refusal::NotAPerson => plain(
                RefusalKind::Unauthorised,
                "only a person may put a step of the ladder off",
                "a person asks for it",
            ),
            safety::Refusal::HoldSpent => plain(
                RefusalKind::Interlock,
                "holds have lasted as long as they may while this limit is passed",
                "the limit is normal again",
            ),
            safety::Refusal::TooManyArmed => plain(
                RefusalKind::Busy,
                "as many commands wait to be confirmed as the guard remembers",
                "one of them is confirmed or forgotten",
            ),
        }
    }

    fn outranked(
        &self,
        by: safety::Origin,
        until: Option<Moment>,
        actuator: Option<safety::ActuatorId>,
    ) -> Refusal {
        let name = actuator.map_or("", |actuator| self.names.actuator(actuator));
        let issuer = self.claimants.of(name, by);
        let who = match issuer {
            "" => claimants::rank(by).to_owned(),
            issuer => format!("{} ({issuer})", claimants::rank(by)),
        };
        let reason = match name {
            "" => format!("what {who} asked for stands, and has precedence"),
            name => format!("what {who} asked of {name} stands, and has precedence"),
        };
        let clears_when = match until {
            Some(until) => format!("{} have passed, or it is withdrawn", self.seconds_to(until)),
            None => format!("{} withdraws it", claimants::rank(by)),
        };
        plain(RefusalKind::Outranked, &reason, &clears_when)
    }

    fn seconds_to(&self, until: Moment) -> String {
        format!("{:.0} s", until.since(self.now.moment()).as_secs_f64().ceil())
    }

    fn too_soon(&self, until: Moment, pacing: Pacing) -> Refusal {
        let (name, reason) = match pacing {
            Pacing::Restart => (String::new(), "the switch was energised a moment ago".to_owned()),
            Pacing::Group(group) => {
                let name = self.names.group(group);
                let reason = format!("as many of the group {name} have started as may at once");
                (name.to_owned(), reason)
            }
        };
        let clears_when = format!("{} have passed", self.seconds_to(until));
        Refusal { interlock: name, ..plain(RefusalKind::Interlock, &reason, &clears_when) }
    }

    fn locked(&self, id: LockId) -> Refusal {
        let Some(held) = self.locks.iter().find(|held| held.id == id.0) else {
            return plain(RefusalKind::Locked, "a lock stands against it", "the lock is lifted");
        };
        let lock = &held.lock;
        let reason = format!(
            "the lock `{}` of {} stands against it: {}",
            lock.name, lock.owner, lock.reason
        );
        let clears_when = format!("{} lifts the lock `{}`", lock.owner, lock.name);
        Refusal {
            interlock: lock.name.clone(),
            since_ms: Some(held.since_ms),
            ..plain(RefusalKind::Locked, &reason, &clears_when)
        }
    }

    /// The first of the interlock's conditions that doesn't hold proves it.
    fn interlock(&self, id: InterlockId) -> Refusal {
        let Some(name) = self.names.interlock(id) else {
            return plain(RefusalKind::Interlock, "an interlock stands against it", "it holds");
        };
        let mut views = self.engine.conditions(id).zip(&name.conditions);
        let failing = views.find(|(view, _)| view.holds != Some(true));
        let since = self.engine.interlock(id).map(|view| self.now.wall_ms_of(view.since));
        let clears_when = self.interlock_clears_when(id);
        let known = match failing {
            Some((view, condition)) if view.holds.is_none() => {
                format!("; nobody knows whether {}", condition.text)
            }
            Some(_) | None => String::new(),
        };
        Refusal {
            interlock: name.name.clone(),
            reading: failing.and_then(|(view, _)| view.reading),
            limit: failing.and_then(|(view, _)| threshold(view.condition)),
            unit: failing.and_then(|(_, condition)| condition.unit),
            since_ms: since,
            ..plain(RefusalKind::Interlock, &format!("{}{known}", name.reason), &clears_when)
        }
    }

    /// What has to come about for an interlock to stand against nothing.
    pub(crate) fn interlock_clears_when(&self, id: InterlockId) -> String {
        let Some(name) = self.names.interlock(id) else {
            return String::new();
        };
        let views = self.engine.conditions(id).zip(&name.conditions);
        let failing = views.filter(|(view, _)| view.holds != Some(true));
        let texts: Vec<&str> = failing.map(|(_, condition)| condition.text.as_str()).collect();
        if texts.is_empty() { "it stands against nothing".to_owned() } else { texts.join(" and ") }
    }

    pub(crate) fn limit(&self, standing: Standing, asked_unit: Unit) -> Refusal {
        let name = self.names.limit(standing.limit);
        let unit = self.names.limit_unit(standing.limit).unwrap_or(asked_unit);
        let clears_when = match standing.clears_when {
            ClearsWhen::AskedAtMost(most) => {
                format!("it is asked for at most {}", amount(most, asked_unit))
            }
            ClearsWhen::ReadingBelow(value) => {
                format!("{name} reads below {}", amount(value, unit))
            }
            ClearsWhen::ReadingAbove(value) => {
                format!("{name} reads above {}", amount(value, unit))
            }
            ClearsWhen::TripCleared => format!("the trip of {name} is cleared"),
            ClearsWhen::SensorsRead => format!("the sensors of {name} read again"),
        };
        let reads = standing.reading.map_or_else(
            || "has no reading".to_owned(),
            |reading| format!("reads {}", amount(reading, unit)),
        );
        let bound = standing.threshold.map_or_else(String::new, |threshold| {
            format!(", its threshold is {}", amount(threshold, unit))
        });
        Refusal {
            interlock: name.to_owned(),
            reading: standing.reading,
            limit: standing.threshold,
            unit: Some(unit),
            since_ms: Some(self.now.wall_ms_of(standing.since)),
            ..plain(
                RefusalKind::Interlock,
                &format!("{name} stands against it: it {reads}{bound}"),
                &clears_when,
            )
        }
    }
}

fn threshold(condition: safety::Condition) -> Option<f64> {
    match condition {
        safety::Condition::AtLeast { value, .. } | safety::Condition::AtMost { value, .. } => {
            Some(value)
        }
        safety::Condition::Switch { .. } | safety::Condition::Limit { .. } => None,
    }
}

fn plain(kind: RefusalKind, reason: &str, clears_when: &str) -> Refusal {
    *command::refusal(kind, reason, clears_when)
}

//! The engine's answers in the words that the operator reads.

use super::{Now, amount};
use crate::plan::Names;
use flyball_command::{Clamp, Refusal, RefusalKind, Verdict};
use flyball_safety::{self as safety, ClampedBy, ClearsWhen, Standing};
use flyball_units::Unit;

/// `unit` is that of what was proposed.
pub(crate) fn verdict(answer: safety::Verdict, unit: Unit, names: &Names, now: Now) -> Verdict {
    match answer {
        safety::Verdict::Accepted => Verdict::Accepted,
        safety::Verdict::Clamped { asked, to, by } => {
            let by = match by {
                ClampedBy::Limit(limit) => names.limit(limit),
                ClampedBy::Actuator(actuator) => names.actuator(actuator),
            };
            Verdict::Clamped(Clamp { asked, to, unit, by: by.to_owned() })
        }
        safety::Verdict::Armed { .. } => {
            Verdict::Refused(refusal(safety::Refusal::NotArmed, unit, names, now))
        }
        safety::Verdict::Refused(why) => Verdict::Refused(refusal(why, unit, names, now)),
    }
}

pub(crate) fn refusal(why: safety::Refusal, unit: Unit, names: &Names, now: Now) -> Refusal {
    let invalid = |reason: String, clears_when: &str| {
        *crate::command::refusal(RefusalKind::Invalid, &reason, clears_when)
    };
    match why {
        safety::Refusal::Limit(standing) => interlock(standing, unit, names, now),
        safety::Refusal::Range { min, max } => {
            let (min, max) = (amount(min, unit), amount(max, unit));
            let clears_when = format!("it is asked for {min} to {max}");
            invalid(format!("the actuator takes {min} to {max}"), &clears_when)
        }
        safety::Refusal::NoActuator => invalid(
            "this machine has no such actuator".into(),
            "an actuator is named that the machine has",
        ),
        safety::Refusal::NoLimit => {
            invalid("this machine has no such limit".into(), "a limit is named that it has")
        }
        safety::Refusal::NotTripped => {
            invalid("the limit has not tripped".into(), "there is a trip to clear")
        }
        why @ (safety::Refusal::NoVerb
        | safety::Refusal::State(_)
        | safety::Refusal::Locked(_)
        | safety::Refusal::Interlock(_)
        | safety::Refusal::TooSoon { .. }
        | safety::Refusal::LockedOut
        | safety::Refusal::InFlight { .. }
        | safety::Refusal::NotArmed
        | safety::Refusal::TooManyArmed) => {
            invalid(format!("the engine refuses it: {why:?}"), "what stands against it is gone")
        }
    }
}

fn interlock(standing: Standing, asked_unit: Unit, names: &Names, now: Now) -> Refusal {
    let name = names.limit(standing.limit);
    let unit = names.limit_unit(standing.limit).unwrap_or(asked_unit);
    let clears_when = match standing.clears_when {
        ClearsWhen::AskedAtMost(watts) => {
            format!("it is asked for at most {}", amount(watts, asked_unit))
        }
        ClearsWhen::ReadingBelow(value) => format!("{name} reads below {}", amount(value, unit)),
        ClearsWhen::ReadingAbove(value) => format!("{name} reads above {}", amount(value, unit)),
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
        kind: RefusalKind::Interlock,
        interlock: name.to_owned(),
        reading: standing.reading,
        limit: standing.threshold,
        unit: Some(unit),
        since_ms: Some(now.wall_ms_of(standing.since)),
        clears_when,
        reason: format!("{name} stands against it: it {reads}{bound}"),
    }
}

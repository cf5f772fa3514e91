//! Refusals as problems that say what stands against a command, and what clears it.

use super::Aim;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::time::rfc3339_option;
use crate::operations::{Objection, Refusal, RefusalKind, SubmitError};
use serde_json::{Value, json};

/// The machine's refusal.
pub(crate) fn refused(refusal: &Refusal, location: &str, aim: Option<&Aim>) -> Problem {
    let code = match refusal.kind {
        RefusalKind::Interlock => ErrorCode::InterlockActive,
        RefusalKind::Locked => ErrorCode::Locked,
        RefusalKind::Outranked => ErrorCode::Outranked,
        RefusalKind::WrongState => ErrorCode::StateConflict,
        RefusalKind::NotArmed => ErrorCode::ConfirmationExpired,
        RefusalKind::Busy => ErrorCode::Unavailable,
        RefusalKind::Invalid => {
            return Problem::invalid(vec![FieldError::body(
                "actuator",
                "refused_by_machine",
                refusal.reason.clone(),
            )])
            .detail("operation", location);
        }
        RefusalKind::Unauthorised | RefusalKind::Expired | RefusalKind::Replayed => {
            ErrorCode::OperationRefused
        }
    };
    let problem = Problem::new(code, refusal.reason.clone()).detail("operation", location);
    match refusal.kind {
        RefusalKind::Interlock => stands_against(problem, refusal),
        RefusalKind::Locked => locked(stands_against(problem, refusal), refusal, aim),
        RefusalKind::WrongState => state_of(problem, refusal, aim),
        RefusalKind::Outranked => problem.detail("clears_when", refusal.clears_when.clone()),
        _ => problem,
    }
}

fn stands_against(problem: Problem, refusal: &Refusal) -> Problem {
    problem
        .detail("interlock", refusal.interlock.clone())
        .detail("reading", refusal.reading)
        .detail("limit", refusal.limit)
        .detail("unit", refusal.unit.map(flyball_units::Unit::ucum))
        .detail("since", rfc3339_option(refusal.since_ms))
        .detail("clears_when", refusal.clears_when.clone())
        .detail("override_role", Value::Null)
}

/// Whose lock it is, and why it hangs there.
fn locked(problem: Problem, refusal: &Refusal, aim: Option<&Aim>) -> Problem {
    let problem =
        problem.detail("lock", refusal.interlock.clone()).detail("override_role", "superuser");
    let locks = aim.map(|aim| aim.board.locks.as_slice()).unwrap_or_default();
    match locks.iter().find(|held| held.lock.name == refusal.interlock) {
        Some(held) => problem
            .detail("owner", held.lock.owner.clone())
            .detail("reason", held.lock.reason.clone())
            .detail("target", held.lock.target.clone())
            .detail("until", rfc3339_option(held.lock.until_ms)),
        None => problem,
    }
}

/// Where the switches stand now.
fn state_of(problem: Problem, refusal: &Refusal, aim: Option<&Aim>) -> Problem {
    let actuators = aim.map(|aim| aim.board.actuators.as_slice()).unwrap_or_default();
    let states = actuators.iter().filter_map(|actuator| Some((&actuator.id, actuator.state?)));
    let states: serde_json::Map<String, Value> =
        states.take(64).map(|(id, state)| (id.clone(), state.name().into())).collect();
    problem.detail("states", states).detail("clears_when", refusal.clears_when.clone())
}

/// The aggregator's own objection.
pub(crate) fn objected(objection: &Objection) -> Problem {
    let code = match objection {
        Objection::Pace { .. } => ErrorCode::StartPaceExceeded,
        Objection::Budget { .. } => ErrorCode::BudgetExceeded,
        Objection::OwnMachine | Objection::Gateway { .. } | Objection::TooLate { .. } => {
            ErrorCode::OperationRefused
        }
    };
    let problem = Problem::new(code, objection.to_string()).detail("rule", objection.rule());
    match objection {
        Objection::Pace { rack, starts, retry_in_ms } => problem
            .detail("rack", rack.clone())
            .detail("starts_per_minute", *starts)
            .retry_after(retry_in_ms.div_ceil(1_000).max(1)),
        Objection::Budget { rack, exceeded } => problem
            .detail("rack", rack.clone())
            .detail("budget", exceeded.budget)
            .detail("limit", exceeded.watts)
            .detail("reading", exceeded.reckoned_watts)
            .detail("unit", "W")
            .detail("clears_when", "the rack draws less, by a start's worth"),
        Objection::OwnMachine | Objection::Gateway { .. } => problem
            .detail("override_role", "superuser")
            .detail("clears_when", "a superuser gives a justification"),
        Objection::TooLate { not_after_ms } => {
            problem.detail("not_after", rfc3339_option(Some(*not_after_ms)))
        }
    }
}

pub(crate) fn problem(error: SubmitError) -> Problem {
    match &error {
        SubmitError::UnknownDevice(id) => Problem::not_found("device", id),
        SubmitError::TooManyOpen(_) => Problem::new(ErrorCode::Conflict, error.to_string()),
        SubmitError::Ttl(_) => Problem::invalid(vec![FieldError::body(
            "ttl_seconds",
            "out_of_range",
            error.to_string(),
        )]),
        SubmitError::Refused(objection) => objected(objection),
        SubmitError::Sign(flyball_protocol::command::SignatureError::TooLong(bytes)) => {
            let message = format!("makes a command of {bytes} bytes, more than can be signed");
            Problem::invalid(vec![FieldError::body("body", "out_of_range", message)])
        }
        SubmitError::Sign(_) | SubmitError::Store(_) => Problem::internal(error),
    }
}

/// The members of a refusal as an operation or a validation carries them.
pub(crate) fn refusal_details(refusal: &Refusal) -> Value {
    json!({
        "interlock": refusal.interlock,
        "reading": refusal.reading,
        "limit": refusal.limit,
        "unit": refusal.unit.map(flyball_units::Unit::ucum),
        "since": rfc3339_option(refusal.since_ms),
        "clears_when": refusal.clears_when,
    })
}

/// The slug that a refusal has in the registry.
pub(crate) const fn refusal_code(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Interlock => "interlock_active",
        RefusalKind::Locked => "locked",
        RefusalKind::Outranked => "outranked",
        RefusalKind::WrongState => "state_conflict",
        RefusalKind::NotArmed => "confirmation_expired",
        RefusalKind::Busy => "unavailable",
        RefusalKind::Invalid => "validation_error",
        RefusalKind::Unauthorised | RefusalKind::Expired | RefusalKind::Replayed => {
            "operation_refused"
        }
    }
}

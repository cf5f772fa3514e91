//! Commands, from the signed bytes to the file of the actuator.

use super::guarded::{Guarded, organization, wait_for};
use flyball_command::{Action, CommandKey, RefusalKind, Verdict};
use flyball_units::{Ratio, Watts};

const LIMIT_FILE: &str = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";

fn cap(watts: f64) -> Action {
    Action::SetPowerCap { actuator: None, watts: Watts(watts) }
}

fn refusal(verdict: Verdict) -> flyball_command::Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cap_within_the_limits_is_set_and_seen() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    let (operation, command) = guarded.signed(&organization(), cap(100.0));
    assert_eq!(agent.propose(operation, command.clone()), Verdict::Accepted);
    let outcome = agent.next_outcome();
    assert_eq!((outcome.operation, outcome.verified), (operation, true));
    assert_eq!(outcome.observed, Some(100.0));
    assert_eq!(guarded.file(LIMIT_FILE), "100000000");
    // Asked again, the first answer stands, and nothing is done twice.
    assert_eq!(agent.propose(operation, command), Verdict::Accepted);

    let (operation, command) =
        guarded.signed(&organization(), Action::ClearPowerCap { actuator: None });
    assert_eq!(agent.propose(operation, command), Verdict::Accepted);
    assert!(agent.next_outcome().verified);
    assert_eq!(guarded.file(LIMIT_FILE), "150000000");
}

#[test]
fn a_cap_above_the_limit_is_refused_with_everything_that_an_operator_needs() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    for watts in [155.0, 500.0] {
        let (operation, command) = guarded.signed(&organization(), cap(watts));
        let refusal = refusal(agent.propose(operation, command));
        assert_eq!(refusal.kind, RefusalKind::Interlock, "{refusal:?}");
        assert!(refusal.limit.unwrap() >= 150.0 && refusal.reading.is_some(), "{refusal:?}");
        assert!(refusal.since_ms.is_some() && refusal.clears_when.contains("at most"));
        let outcome = agent.next_outcome();
        assert!(matches!(outcome.verdict, Verdict::Refused(_)) && outcome.operation == operation);
    }
    for watts in [1.0, -5.0, f64::NAN] {
        let (operation, command) = guarded.signed(&organization(), cap(watts));
        assert_eq!(refusal(agent.propose(operation, command)).kind, RefusalKind::Invalid);
    }
    assert_eq!(guarded.file(LIMIT_FILE), "150000000");
}

#[test]
fn a_fan_floor_below_what_the_engine_needs_is_clamped() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    let floor = |floor| Action::SetFanFloor { actuator: None, floor: Ratio(floor) };
    let (operation, command) = guarded.signed(&organization(), floor(0.6));
    assert_eq!(agent.propose(operation, command), Verdict::Accepted);
    assert!(agent.next_outcome().verified);
    wait_for("the fan", || guarded.file("class/hwmon/hwmon0/pwm1") == "153");
    let (operation, command) = guarded.signed(&organization(), floor(0.05));
    match agent.propose(operation, command) {
        Verdict::Clamped(clamp) => assert!(clamp.asked == 0.05 && clamp.to > 0.05, "{clamp:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn foreign_repeated_and_unknown_commands_are_refused() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    let (operation, command) = guarded.signed(&CommandKey::from_bytes(&[8; 32]), cap(100.0));
    let foreign = refusal(agent.propose(operation, command));
    assert_eq!(foreign.kind, RefusalKind::Unauthorised);

    let named = Action::SetPowerCap { actuator: Some("toaster".into()), watts: Watts(100.0) };
    let (operation, command) = guarded.signed(&organization(), named);
    let unknown = refusal(agent.propose(operation, command));
    assert_eq!(unknown.kind, RefusalKind::Invalid);
    assert!(unknown.reason.contains("toaster"));

    let (operation, command) = guarded.signed(&organization(), cap(100.0));
    assert_eq!(agent.propose(operation, command.clone()), Verdict::Accepted);
    guarded.kill();
    guarded.run();
    let mut agent = guarded.agent();
    let repeated = refusal(agent.propose(operation, command));
    assert_eq!(repeated.kind, RefusalKind::Replayed);
    let outcome = agent.next_outcome();
    assert_eq!((outcome.operation, outcome.verdict), (operation, Verdict::Refused(repeated)));
}

//! What an actuator says of a level: its own steps are the level, and something else is not.

use super::guarded::{Guarded, wait_for};
use super::machine::{CAP, Driver, lay_machine};
use flyball_command::{Action, RefusalKind, Verdict};
use flyball_guard_messages::EventKind;
use flyball_units::Watts;

fn cap(watts: f64) -> Action {
    Action::SetPowerCap { actuator: None, watts: Watts(watts) }
}

const QUICK: &str = "[timing]\nrelease_after_s = 1\nassert_every_s = 1\n";

#[test]
fn a_cap_in_the_hardwares_own_steps_is_the_cap_and_one_below_its_least_is_never_written() {
    let mut guarded = Guarded::laid_out(QUICK, lay_machine);
    // Firmware counts in steps of 0.65 W.
    let steps = |text: &str| Some((text.parse::<u64>().unwrap() / 650_000 * 650_000).to_string());
    let driver = Driver::behind(guarded.sysfs(CAP), steps);
    guarded.run();
    guarded.settle();
    let mut agent = guarded.agent();
    let before = driver.taken();
    for watts in [9.9, 1.0, 0.0, -45.0, 400.1, f64::INFINITY] {
        let (_, verdict) = guarded.propose(&mut agent, cap(watts));
        let Verdict::Refused(refusal) = verdict else { panic!("{watts}: {verdict:?}") };
        assert_ne!(refusal.kind, RefusalKind::Busy, "{refusal:?}");
    }
    let raised = |written: &[String]| {
        let written = written.iter().map(|text| text.parse::<u64>().unwrap());
        written.filter(|uw| !(10_000_000..=400_000_000).contains(uw)).count()
    };
    assert_eq!(raised(&driver.taken()), 0, "{before:?} then {:?}", driver.taken());

    let (operation, verdict) = guarded.propose(&mut agent, cap(45.0));
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert_eq!((outcome.verified, outcome.observed), (true, Some(44.85)), "{outcome:?}");
    assert_eq!(guarded.file(CAP), "44850000");
}

#[test]
fn a_cap_that_is_taken_and_stands_at_nothing_is_none() {
    let mut guarded = Guarded::laid_out(QUICK, lay_machine);
    guarded.run();
    guarded.settle();
    wait_for("the cap to be given back", || guarded.file(CAP) == "400000000");
    let _driver = Driver::behind(guarded.sysfs(CAP), |_| Some("0".to_owned()));
    let mut agent = guarded.agent();
    let (operation, verdict) = guarded.propose(&mut agent, cap(250.0));
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert!(!outcome.verified, "0 W are not 250 W: {outcome:?}");
    let mut agent = guarded.agent();
    let told = agent.next_event(|event| event.kind == EventKind::ActuatorStuck);
    assert!(told.message.contains("250"), "{}", told.message);
}

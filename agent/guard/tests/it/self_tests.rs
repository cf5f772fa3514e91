//! Self-tests: through the real path, from the order to the file of the actuator and back.

use super::guarded::{Guarded, wait_for};
use flyball_command::{Action, RefusalKind, Verdict};
use flyball_guard_messages::EventKind;
use serde_json::Value;

const PWM: &str = "class/hwmon/hwmon0/pwm1";
const LIMIT_FILE: &str = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";
const QUICK: &str = "[timing]\nstep_time_s = 1\nrelease_after_s = 2\n";

fn test(guarded: &Guarded) -> (bool, String) {
    let socket = guarded.socket();
    guarded.ask(&["self-test", "--socket", socket.to_str().unwrap()])
}

fn tested(guarded: &Guarded) -> Value {
    guarded.status()["inventory"]["self_test"].clone()
}

fn text(guarded: &Guarded) -> String {
    guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1
}

#[test]
fn a_self_test_takes_fans_and_caps_all_the_way_and_back_and_is_remembered() {
    let mut guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.settle();
    let mut agent = guarded.agent();
    assert!(text(&guarded).contains("never tested"));
    let before = guarded.file(LIMIT_FILE);
    let (operation, verdict) = guarded.propose(&mut agent, Action::SelfTest);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(text(&guarded).contains("RUNS: fans go to full"));
    wait_for("the fan at full", || guarded.file(PWM) == "255");
    wait_for("the cap at its lowest", || guarded.file(LIMIT_FILE) != before);
    let outcome = agent.outcome_of(operation);
    assert!(outcome.verified, "{outcome:?}");
    wait_for("the cap as it was", || guarded.file(LIMIT_FILE) == before);
    let ended = tested(&guarded);
    assert_eq!(ended["last"]["end"], "Passed", "{ended:#}");
    let trials = ended["last"]["trials"].as_array().unwrap();
    assert!(trials.len() >= 2 && trials.iter().all(|it| it["took_ms"].is_u64()), "{ended:#}");
    assert!(ended["due_ms"].is_null() && ended["overdue"] == false);
    guarded.kill();
    guarded.run();
    assert_eq!(tested(&guarded)["last"], ended["last"]);
    assert!(text(&guarded).contains("obeyed"), "{}", text(&guarded));
}

#[test]
fn a_person_at_the_machine_waits_for_its_end() {
    let guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.settle();
    let (passed, said) = test(&guarded);
    assert!(passed && said.contains("done"), "{said}");
    let socket = guarded.socket();
    let lock = ["order", "--socket", socket.to_str().unwrap(), "lock", "set", "x", "--owner", "me"];
    let (done, said) = guarded.ask(&[&lock[..], &["--reason", "why"]].concat());
    assert!(done, "{said}");
    let (passed, said) = test(&guarded);
    assert!(!passed && said.contains("the lock `x` of me stands against it"), "{said}");
}

#[test]
fn a_limit_that_is_not_calm_breaks_it_off_and_keeps_it_from_beginning() {
    let mut guarded = Guarded::board_with_policy(1.0, "[timing]\nstep_time_s = 5\n");
    guarded.settle();
    let mut agent = guarded.agent();
    let (operation, verdict) = guarded.propose(&mut agent, Action::SelfTest);
    assert_eq!(verdict, Verdict::Accepted);
    guarded.order(serde_json::json!({ "fault": "sensor_missing", "target": "temp1" }));
    assert!(!agent.outcome_of(operation).verified);
    let broken = tested(&guarded);
    let why = broken["aborted"]["message"].as_str().unwrap().to_owned();
    assert!(why.contains("is not calm"), "{why}");
    let (_, verdict) = guarded.propose(&mut agent, Action::SelfTest);
    match verdict {
        Verdict::Refused(refusal) => assert_eq!(refusal.kind, RefusalKind::Interlock),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_breaks_it_off_and_is_obeyed() {
    let mut guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.settle();
    let mut agent = guarded.agent();
    let (operation, verdict) = guarded.propose(&mut agent, Action::SelfTest);
    assert_eq!(verdict, Verdict::Accepted);
    let cap = Action::SetPowerCap { actuator: None, watts: flyball_units::Watts(100.0) };
    let (_, verdict) = guarded.propose(&mut agent, cap);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(!agent.outcome_of(operation).verified);
    wait_for("the cap", || guarded.file(LIMIT_FILE) == "100000000");
    let broken = tested(&guarded);
    assert!(broken["last"].is_null() && broken["aborted"]["end"] == "Aborted", "{broken:#}");
}

#[test]
fn the_policy_asks_for_one_at_the_start_once_a_boot() {
    let policy = format!("{QUICK}[self_test]\nevery_days = 30\n");
    let mut guarded = Guarded::board_with_policy(1.0, &policy);
    let mut agent = guarded.agent();
    let ended = |kind: EventKind| matches!(kind, EventKind::SelfTestEnded { .. });
    let event = agent.next_event(|event| ended(event.kind));
    assert_eq!(event.kind, EventKind::SelfTestEnded { passed: true }, "{}", event.message);
    let last = tested(&guarded);
    assert!(last["due_ms"].as_u64() > last["last"]["ended_ms"].as_u64(), "{last:#}");
    guarded.stop();
    guarded.run();
    guarded.settle();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(tested(&guarded)["last"], last["last"]);
}

#[test]
fn a_policy_that_asks_for_them_later_is_followed_without_a_restart() {
    let guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.settle();
    assert!(tested(&guarded)["due_ms"].is_null());
    let mut agent = guarded.agent();
    let policy = format!("{QUICK}[self_test]\nevery_days = 30\n");
    std::fs::write(guarded.path("policy.toml"), policy).unwrap();
    let event = agent.next_event(|event| matches!(event.kind, EventKind::SelfTestEnded { .. }));
    assert_eq!(event.kind, EventKind::SelfTestEnded { passed: true }, "{}", event.message);
}

#[test]
fn an_actuator_that_does_not_obey_fails_it() {
    let guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.settle();
    guarded.order(serde_json::json!({ "fault": "pwm_stuck", "target": "fan1" }));
    let (passed, said) = test(&guarded);
    assert!(!passed, "{said}");
}

#[test]
fn a_dry_run_is_loud_and_tests_nothing() {
    let mut guarded = Guarded::board_with_policy(1.0, QUICK);
    guarded.stop();
    guarded.run_with(&["--dry-run"]);
    guarded.settle();
    let mut agent = guarded.agent();
    assert!(text(&guarded).starts_with("!!! DRY RUN"), "{}", text(&guarded));
    let status = guarded.status();
    assert_eq!((&status["dry_run"], &status["inventory"]["dry_run"]), (&true.into(), &true.into()));
    let event = agent.next_event(|event| event.kind == EventKind::GuardStarted);
    assert!(event.message.contains("DRY RUN"), "{event:?}");
    let (_, verdict) = guarded.propose(&mut agent, Action::SelfTest);
    assert!(matches!(verdict, Verdict::Refused(why) if why.kind == RefusalKind::WrongState));
    let before = guarded.file(LIMIT_FILE);
    let cap = Action::SetPowerCap { actuator: None, watts: flyball_units::Watts(60.0) };
    let (operation, verdict) = guarded.propose(&mut agent, cap);
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert!(!outcome.verified, "{outcome:?}");
    assert_eq!(guarded.file(LIMIT_FILE), before);
}

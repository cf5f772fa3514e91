//! Limits that hold with nobody but the guard.

use super::guarded::{Guarded, wait_for};
use flyball_guard_messages::{EventKind, LimitState};
use serde_json::json;

/// A tight policy, so that the ladder is seen whole within a test's time.
const TIGHT: &str = r#"
[timing]
step_time_s = 2
release_after_s = 2
[[zone]]
name = "board"
grace_s = 2
[[limit]]
name = "package"
sensors = ["simboard@*/temp1:package"]
warning_celsius = 55
limit_celsius = 60
trip_celsius = 62
"#;

fn celsius(guarded: &Guarded, key: &str) -> f64 {
    guarded.truth()[key].as_f64().unwrap()
}

#[test]
fn a_machine_without_hardware_is_guarded_all_the_same() {
    let guarded = Guarded::bare();
    let status = guarded.status();
    assert_eq!(
        (status["series"].as_u64(), status["inventory"]["limits"].as_array().unwrap().len()),
        (Some(0), 0)
    );
    let mut agent = guarded.agent();
    let first = agent.next_tick();
    assert_eq!(first % 1000, 0);
    assert_eq!(agent.next_tick(), first + 1000);
    assert!(guarded.log().contains("there is no sensor on this machine"));
}

#[test]
fn a_board_whose_fans_seize_is_capped_then_tripped_and_stays_under_critical() {
    let guarded = Guarded::board_with_policy(10.0, TIGHT);
    guarded.settle();
    let cap = |guarded: &Guarded| guarded.truth()["cap_watts"].as_f64().unwrap();
    let full = cap(&guarded);
    guarded.order(json!({ "load_watts": 150 }));
    guarded.seize_all_fans();
    wait_for("the cap", || cap(&guarded) < full);
    wait_for("the trip", || guarded.limit_state("package") == "Tripped");
    let lowest = guarded.truth()["min_cap_watts"].as_f64().unwrap();
    wait_for("the lowest cap", || cap(&guarded) <= lowest + 0.5);
    let then = celsius(&guarded, "elapsed_s");
    wait_for("two minutes of the board", || celsius(&guarded, "elapsed_s") > then + 120.0);
    assert!(celsius(&guarded, "peak_celsius") < celsius(&guarded, "critical_celsius"));
    assert_eq!(guarded.limit_state("package"), "Tripped", "a trip does not clear by itself");

    // Nobody was attached; what happened is there, in order.
    let mut agent = guarded.agent();
    let mut states = Vec::new();
    while states.last() != Some(&LimitState::Tripped) {
        let event = agent.next_event(|event| event.subject == "package");
        if let EventKind::LimitState { to, .. } = event.kind {
            states.push(to);
        }
    }
    let normal = states.iter().position(|state| *state == LimitState::Normal).unwrap();
    let limiting = states.iter().position(|state| *state == LimitState::Limiting).unwrap();
    assert!(normal < limiting, "{states:?}");
}

#[test]
fn a_sensor_that_vanishes_brings_failsafe_and_no_trip_and_comes_back() {
    let guarded = Guarded::board_with_policy(1.0, TIGHT);
    guarded.settle();
    guarded.order(json!({ "fault": "sensor_missing", "target": "temp1" }));
    wait_for("failsafe", || guarded.limit_state("package") == "Failsafe");
    wait_for("the fans", || guarded.truth()["fans"][0]["duty"].as_f64().unwrap() >= 0.79);
    guarded.order(json!({ "heal": "all" }));
    wait_for("normal", || guarded.limit_state("package") == "Normal");
}

#[test]
fn a_fan_that_takes_no_write_is_told_and_the_cap_takes_its_place() {
    let guarded = Guarded::board_with_policy(10.0, TIGHT);
    guarded.settle();
    for fan in 1..=guarded.truth()["fans"].as_array().unwrap().len() {
        guarded.order(json!({ "fault": "pwm_stuck", "target": format!("fan{fan}") }));
    }
    guarded.seize_all_fans();
    guarded.order(json!({ "load_watts": 150 }));
    let mut agent = guarded.agent();
    agent.next_event(|event| event.kind == EventKind::ActuatorStuck);
    wait_for("the cap", || celsius(&guarded, "cap_watts") < 150.0);
    assert!(celsius(&guarded, "peak_celsius") < celsius(&guarded, "critical_celsius"));
}

#[test]
fn a_policy_with_faults_is_not_taken_and_the_hardware_is_guarded() {
    let guarded = Guarded::board_with_policy(1.0, "[[limit]]\nname = \"x\"\nsensor = [\"*\"]\n");
    let log = guarded.log();
    assert!(log.contains("line 3: `sensor` is no key here"), "{log}");
    assert!(log.contains("line 1: a limit needs at least one of"), "{log}");
    assert_eq!(guarded.limit("temp1:package")["layer"], "factory");
    let mut agent = guarded.agent();
    agent.next_event(|event| event.kind == EventKind::PolicyRejected);
}

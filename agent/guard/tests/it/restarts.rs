//! What outlives the process: trips, counters, and the levels that were the machine's own.

use super::guarded::{Guarded, organization, wait_for};
use flyball_command::{Action, RefusalKind, Verdict};
use serde_json::json;

/// Trips at a temperature that the board reaches in a moment.
const EASY: &str = r#"
[timing]
step_time_s = 2
release_after_s = 1
[[limit]]
name = "package"
sensors = ["simboard@*/temp1:package"]
limit_celsius = 45
trip_celsius = 46
"#;

fn clear() -> Action {
    Action::ClearTrip { limit: "package".into(), reason: "looked at it".into() }
}

#[test]
fn a_trip_survives_kill_9_and_is_cleared_only_when_it_is_cool() {
    let mut guarded = Guarded::board_with_policy(5.0, EASY);
    guarded.order(json!({ "load_watts": 150 }));
    guarded.seize_all_fans();
    wait_for("the trip", || guarded.limit_state("package") == "Tripped");
    let mut agent = guarded.agent();
    let (operation, command) = guarded.signed(&organization(), clear());
    match agent.propose(operation, command) {
        Verdict::Refused(refusal) => assert_eq!(refusal.kind, RefusalKind::Interlock),
        other => panic!("{other:?}"),
    }
    guarded.kill();
    guarded.run();
    assert_eq!(guarded.limit_state("package"), "Tripped");
    guarded.order(json!({ "heal": "all", "load_watts": 5 }));
    let cool = || guarded.truth()["die_celsius"].as_f64().unwrap() < 38.0;
    wait_for("the board to cool", cool);
    let mut agent = guarded.agent();
    wait_for("the trip to be cleared", || {
        let (operation, command) = guarded.signed(&organization(), clear());
        agent.propose(operation, command) == Verdict::Accepted
    });
    guarded.kill();
    guarded.run();
    wait_for("normal", || guarded.limit_state("package") == "Normal");
}

#[test]
fn trips_that_cannot_be_read_all_stand_until_they_are_cleared() {
    let mut guarded = Guarded::board_with_policy(5.0, EASY);
    guarded.order(json!({ "load_watts": 5 }));
    guarded.settle();
    guarded.kill();
    std::fs::write(guarded.path("state/latches.toml"), "[[latch]]\nlimit = \"pack").unwrap();
    guarded.run();
    let can_trip = |guarded: &Guarded| {
        let limits = guarded.status()["inventory"]["limits"].as_array().unwrap().clone();
        limits.into_iter().filter(|limit| !limit["trip"].is_null()).collect::<Vec<_>>()
    };
    assert_eq!(guarded.limit_state("package"), "Tripped");
    assert!(can_trip(&guarded).iter().all(|limit| limit["state"] == "Tripped"));
    let journal = || std::fs::read_to_string(guarded.path("state/journal.jsonl")).unwrap();
    wait_for("the event", || journal().contains("LatchesLost"));
    let kept = std::fs::read_to_string(guarded.path("state/latches.damaged.toml")).unwrap();
    assert!(kept.ends_with("pack"));
    wait_for("the new latches", || {
        let text = std::fs::read_to_string(guarded.path("state/latches.toml")).unwrap();
        text.matches("[[latch]]").count() == can_trip(&guarded).len()
    });
    guarded.kill();
    guarded.run();
    assert_eq!(guarded.limit_state("package"), "Tripped");
}

#[test]
fn fans_go_back_to_the_firmware_at_the_end_even_after_a_kill_9_between() {
    let mut guarded = Guarded::board(1.0);
    let mode = |guarded: &Guarded| guarded.file("class/hwmon/hwmon0/pwm1_enable");
    guarded.order(json!({ "fault": "sensor_missing", "target": "temp1" }));
    wait_for("the fan to be taken", || mode(&guarded) == "1");
    let originals = guarded.path("state/originals.toml");
    wait_for("the originals", || {
        std::fs::read_to_string(&originals).is_ok_and(|text| text.contains("/pwm1"))
    });
    guarded.kill();
    assert_eq!(mode(&guarded), "1");
    guarded.run();
    guarded.stop();
    assert_eq!(mode(&guarded), "2");
    assert!(!guarded.socket().exists());
}

#[test]
fn a_second_guard_on_the_same_socket_is_turned_away() {
    let guarded = Guarded::board(1.0);
    let output = std::process::Command::new(super::guarded::GUARD)
        .args(["run", "--socket"])
        .arg(guarded.socket())
        .arg("--state")
        .arg(guarded.path("other"))
        .arg("--sysfs-root")
        .arg(guarded.path("nowhere"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("another guard listens on"), "{said}");
}

#[test]
fn the_journal_tells_the_run_from_its_start_to_its_stop() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    guarded.stop();
    let journal = std::fs::read_to_string(guarded.path("state/journal.jsonl")).unwrap();
    assert!(journal.lines().next().unwrap().contains("GuardStarted"));
    assert!(journal.contains("GuardStopping"));
}

//! Fans that stand, and fans that somebody else moves too.

use super::guarded::{Guarded, wait_for};
use super::machine::{CAP, CHIP, lay_machine};
use flyball_guard_messages::{EventKind, LimitState};
use std::thread;
use std::time::Duration;

const STALL: &str = r#"
[timing]
step_time_s = 1
release_after_s = 1
[[limit]]
name = "fan-1-stalled"
sensors = ["chip/fan1"]
limit_rpm = 300
response = "heat"
hold_s = 2
gate_fan = "chip/pwm1"
gate_duty = 0.3
"#;

fn pwm(guarded: &Guarded, number: u32) -> String {
    guarded.file(&format!("{CHIP}/pwm{number}"))
}

fn mode(guarded: &Guarded, number: u32) -> String {
    guarded.file(&format!("{CHIP}/pwm{number}_enable"))
}

const WARM: &str = r#"
[timing]
step_time_s = 1
release_after_s = 1
[[limit]]
name = "board"
sensors = ["chip/temp1"]
warning_celsius = 60
limit_celsius = 80
"#;

#[test]
fn a_fan_that_somebody_else_takes_back_again_and_again_is_told_and_not_fought_over() {
    let mut guarded = Guarded::laid_out(WARM, lay_machine);
    guarded.run();
    guarded.settle();
    wait_for("the fan to be given back", || mode(&guarded, 1) == "2");
    guarded.show(&format!("{CHIP}/temp1_input"), "65000");
    let told = |guarded: &Guarded| guarded.log().contains("somebody else drives chip/pwm1");
    wait_for("the rival to be told", || {
        // As a daemon does that sets its own mode once a second.
        if mode(&guarded, 1) == "1" {
            thread::sleep(Duration::from_secs(1));
            guarded.show(&format!("{CHIP}/pwm1_enable"), "2");
        }
        told(&guarded)
    });
    guarded.show(&format!("{CHIP}/pwm1_enable"), "2");
    // A dozen cycles in which it would have been written again.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(mode(&guarded, 1), "2");
    assert!(!guarded.log().contains("somebody else drives chip/pwm2"));

    guarded.show(&format!("{CHIP}/temp1_input"), "85000");
    wait_for("the new level", || mode(&guarded, 1) == "1" && pwm(&guarded, 1) == "255");
}

#[test]
fn a_fan_that_stands_while_it_is_told_to_turn_is_the_cause_and_the_others_make_it_good() {
    let mut guarded = Guarded::laid_out(STALL, lay_machine);
    guarded.run();
    guarded.settle();
    wait_for("the fans to be given back", || mode(&guarded, 1) == "2" && mode(&guarded, 2) == "2");
    guarded.show(&format!("{CHIP}/pwm1"), "40");
    guarded.show(&format!("{CHIP}/pwm2"), "102");
    guarded.show(&format!("{CHIP}/fan1_input"), "0");
    // Longer than its hold: a fan that is told to rest is no stalled one.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(guarded.limit_state("fan-1-stalled"), "Normal");
    assert_eq!(pwm(&guarded, 2), "102");

    let mut agent = guarded.agent();
    guarded.show(&format!("{CHIP}/pwm1"), "128");
    let told = agent.next_event(|event| {
        event.subject == "fan-1-stalled"
            && matches!(event.kind, EventKind::LimitState { to: LimitState::Limiting, .. })
    });
    assert!(told.message.contains("at 0 rpm (threshold 300 rpm)"), "{}", told.message);
    wait_for("the other fan", || pwm(&guarded, 2) == "255");
    wait_for("the safe cap", || guarded.file(CAP).parse::<u64>().unwrap() < 400_000_000);
    wait_for("the smallest cap", || guarded.file(CAP) == "10000000");
    assert_eq!(guarded.limit_state("temp1"), "Normal", "nothing has become hot");

    guarded.show(&format!("{CHIP}/fan1_input"), "1500");
    wait_for("the end of it", || guarded.limit_state("fan-1-stalled") == "Normal");
    wait_for("the cap to be given back", || guarded.file(CAP) == "400000000");
}

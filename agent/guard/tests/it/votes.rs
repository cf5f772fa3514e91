//! Redundant sensors, from three that vote to none.

use super::guarded::{Guarded, wait_for};
use super::machine::{CHIP, lay_machine};
use flyball_guard_messages::EventKind;
use std::fs;
use std::thread;
use std::time::Duration;

const INLET: &str = r#"
[timing]
step_time_s = 30
release_after_s = 1
stale_after_s = 1
[[limit]]
name = "inlet"
sensors = ["chip/temp1", "chip/temp2", "chip/temp3"]
vote = "two-of-three"
tolerance_celsius = 5
limit_celsius = 60
trip_celsius = 90
"#;

fn show(guarded: &Guarded, celsius: [Option<u32>; 3]) {
    for (number, celsius) in (1..).zip(celsius) {
        let path = format!("{CHIP}/temp{number}_input");
        match celsius {
            Some(celsius) => guarded.show(&path, &format!("{celsius}000")),
            None => _ = fs::remove_file(guarded.sysfs(&path)),
        }
    }
}

fn is(guarded: &Guarded, state: &str) {
    wait_for(state, || guarded.limit_state("inlet") == state);
}

/// The longest that a change may take to be believed, and then some.
fn settle() {
    thread::sleep(Duration::from_secs(3));
}

#[test]
fn three_sensors_vote_two_of_which_any_counts_one_decides_and_none_is_failsafe() {
    let mut guarded = Guarded::laid_out(INLET, lay_machine);
    guarded.run();
    let mut agent = guarded.agent();
    let (cool, hot) = (Some(41), Some(70));
    is(&guarded, "Normal");

    // Two of three.
    show(&guarded, [hot, cool, cool]);
    let told = agent.next_event(|event| event.message.contains("disagree"));
    assert_eq!(told.subject, "inlet", "{told:?}");
    settle();
    assert_eq!(guarded.limit_state("inlet"), "Normal", "one of three is outvoted");
    show(&guarded, [hot, hot, cool]);
    is(&guarded, "Limiting");
    show(&guarded, [cool; 3]);
    is(&guarded, "Normal");

    // The third is lost: any one of two.
    show(&guarded, [cool, cool, None]);
    agent.next_event(|event| event.kind == EventKind::SensorLost);
    settle();
    is(&guarded, "Normal");
    show(&guarded, [hot, cool, None]);
    is(&guarded, "Limiting");
    show(&guarded, [cool, cool, None]);
    is(&guarded, "Normal");

    // The second is lost: the last one decides.
    show(&guarded, [cool, None, None]);
    settle();
    is(&guarded, "Normal");
    show(&guarded, [hot, None, None]);
    is(&guarded, "Limiting");
    show(&guarded, [cool, None, None]);
    is(&guarded, "Normal");

    // None is left: nobody takes that for cool.
    show(&guarded, [None; 3]);
    is(&guarded, "Failsafe");
    wait_for("the fans", || guarded.file(&format!("{CHIP}/pwm1")).parse::<u32>().unwrap() >= 204);
    show(&guarded, [cool; 3]);
    is(&guarded, "Normal");
}

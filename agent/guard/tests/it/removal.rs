//! Hardware that is pulled out for good, and a policy that is changed while the guard runs.

use super::guarded::{Guarded, wait_for};
use super::machine::{CHIP, lay, lay_machine};
use flyball_guard_messages::EventKind;
use std::fs;

const CARD: &str = "class/hwmon/hwmon1";

fn plug(folder: &std::path::Path) {
    for (name, text) in [("name", "card"), ("temp1_input", "35000"), ("temp1_crit", "90000")] {
        lay(folder, &[(&format!("{CARD}/{name}"), text)]);
    }
}

#[test]
fn what_was_pulled_out_is_named_with_what_to_do_and_the_policy_lets_it_go_without_a_restart() {
    let quick = "[timing]\nrelease_after_s = 1\n";
    let mut guarded = Guarded::laid_out(quick, |folder| {
        lay_machine(folder);
        plug(folder);
    });
    guarded.run();
    guarded.settle();
    let given_back = |guarded: &Guarded| guarded.file(&format!("{CHIP}/pwm1_enable")) == "2";
    wait_for("the fans to be given back", || given_back(&guarded));
    let mut agent = guarded.agent();
    fs::remove_dir_all(guarded.sysfs(CARD)).unwrap();
    wait_for("failsafe", || guarded.limit_state("card/temp1") == "Failsafe");
    let told = agent.next_event(|event| event.message.contains("put it back"));
    assert!(told.message.contains("missing_ok = [\"card/temp1\"]"), "{}", told.message);
    let shown = |guarded: &Guarded| {
        guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1
    };
    assert!(shown(&guarded).contains("note: card/temp1 is gone"), "{}", shown(&guarded));

    let policy = guarded.path("policy.toml");
    fs::write(&policy, format!("missing_ok = [\"card/*\"]\n{quick}")).unwrap();
    agent.next_event(|event| event.kind == EventKind::PolicyTaken);
    wait_for("the fans to be given back", || given_back(&guarded));
    assert_ne!(guarded.limit_state("card/temp1"), "Failsafe");
    assert!(!shown(&guarded).contains("card/temp1 is gone"), "{}", shown(&guarded));

    // One with faults changes nothing, and says where they are.
    fs::write(&policy, "missing_okay = [\"card/*\"]\n").unwrap();
    let told = agent.next_event(|event| event.kind == EventKind::PolicyRejected);
    assert!(told.message.contains("line 1: `missing_okay` is no key here"), "{}", told.message);
    assert_ne!(guarded.limit_state("card/temp1"), "Failsafe");

    // A limit that is added watches from then on; what takes a restart says so.
    let tight = "[timing]\ncycle_ms = 500\nrelease_after_s = 1\n[[limit]]\nname = \"inlet\"\n\
                 sensors = [\"chip/temp3\"]\nlimit_celsius = 40\n";
    fs::write(&policy, format!("missing_ok = [\"card/*\"]\n{tight}")).unwrap();
    let told = agent.next_event(|event| event.kind == EventKind::PolicyTaken);
    assert!(told.message.contains("these take a restart: cycle_ms"), "{}", told.message);
    wait_for("the new limit", || guarded.limit_state("inlet") == "Limiting");
    plug(&guarded.path(""));
    wait_for("the card", || guarded.limit_state("card/temp1") == "Normal");
}

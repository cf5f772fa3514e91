//! A machine behind a BMC, through the real guard, the real driver and an emulator that others
//! wrote.

use super::guarded::{Guarded, wait_for};
use flyball_command::{Action, PowerState, RefusalKind, ResetType, Verdict};
use flyball_harness::counterparts::RedfishBmc;
use serde_json::Value;
use std::fs;

fn behind(bmc: &RedfishBmc) -> Guarded {
    let text = format!(
        "[[equipment]]\nkey = \"bmc-1\"\ndriver = \"redfish\"\naddress = \"{}\"\n\
         system = \"node-a\"\npoll_s = 1\nobserve_s = 0.5\n",
        bmc.address()
    );
    let guarded = Guarded::tree(|folder| {
        fs::write(folder.join("equipment.toml"), &text).unwrap();
    });
    wait_for("the BMC's switch", || switch(&guarded).is_some_and(|s| s["state"] == "Off"));
    guarded
}

fn switch(guarded: &Guarded) -> Option<Value> {
    let status = guarded.status();
    let actuators = status["inventory"]["actuators"].as_array().unwrap();
    actuators.iter().find(|actuator| actuator["id"] == "bmc-1/power").cloned()
}

fn reset(reset: ResetType, expected: Option<PowerState>) -> Action {
    Action::Reset { switch: "bmc-1/power".into(), reset, expected }
}

#[test]
fn a_machine_behind_a_bmc_is_switched_on_and_with_two_hands_off() {
    let bmc = RedfishBmc::start().unwrap();
    let mut guarded = behind(&bmc);
    let mut agent = guarded.agent();
    let wrong = reset(ResetType::On, Some(PowerState::On));
    let (_, verdict) = guarded.propose(&mut agent, wrong);
    let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
    assert_eq!(refusal.kind, RefusalKind::WrongState, "{refusal:?}");

    let on = reset(ResetType::On, Some(PowerState::Off));
    let (operation, verdict) = guarded.propose(&mut agent, on);
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert_eq!((outcome.state, outcome.verified), (Some(PowerState::On), true), "{outcome:?}");

    let off = reset(ResetType::ForceOff, Some(PowerState::On));
    let (armed, verdict) = guarded.propose(&mut agent, off);
    assert!(matches!(verdict, Verdict::Armed(_)), "{verdict:?}");
    assert_eq!(switch(&guarded).unwrap()["state"], "On");
    let (_, verdict) = guarded.propose(&mut agent, Action::Confirm { operation: armed });
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(armed);
    assert_eq!((outcome.state, outcome.verified), (Some(PowerState::Off), true), "{outcome:?}");
}

#[test]
fn equipment_has_its_own_sensors_and_is_told_lost_and_back() {
    let bmc = RedfishBmc::start().unwrap();
    let guarded = behind(&bmc);
    let state = || guarded.status()["inventory"]["equipment"][0]["state"].clone();
    wait_for("the BMC to be connected", || state() == "Connected");
    let status = guarded.status();
    assert_eq!(status["inventory"]["equipment"][0]["serial"], "437XR1138R2");
    let limits = status["inventory"]["limits"].as_array().unwrap();
    assert!(limits.iter().any(|limit| limit["sensors"][0] == "bmc-1/cpu-temp"), "{limits:#?}");
    bmc.process().signal(rustix::process::Signal::STOP).unwrap();
    wait_for("the BMC to be lost", || state()["Unreachable"]["reason"].is_string());
    bmc.process().signal(rustix::process::Signal::CONT).unwrap();
    wait_for("the BMC to be back", || state() == "Connected");
}

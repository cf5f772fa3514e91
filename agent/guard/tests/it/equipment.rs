//! A machine behind a BMC, through the real guard, the real driver and an emulator that others
//! wrote.

use super::agent::Agent;
use super::guarded::{Guarded, wait_for};
use super::machine::{CHIP, lay_machine};
use flyball_command::{Action, PowerState, RefusalKind, ResetType, Verdict};
use flyball_harness::counterparts::RedfishBmc;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The equipment file for one of the BMC's machines.
fn equipment(bmc: &RedfishBmc, system: &str) -> String {
    format!(
        "[[equipment]]\nkey = \"bmc-1\"\ndriver = \"redfish\"\naddress = \"{}\"\n\
         system = \"{system}\"\npoll_s = 1\nobserve_s = 0.5\n",
        bmc.address()
    )
}

fn behind(bmc: &RedfishBmc) -> Guarded {
    let text = equipment(bmc, "node-a");
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

/// What the BMC itself says of a machine.
fn ask_bmc(bmc: &RedfishBmc, system: &str) -> Value {
    let host = bmc.address().replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    let request = format!(
        "GET /redfish/v1/Systems/{system} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn a_machine_starts_once_from_where_it_is_told_and_from_nowhere_else() {
    let bmc = RedfishBmc::start().unwrap();
    let mut guarded = behind(&bmc);
    let mut agent = guarded.agent();
    let source =
        |source: &str| Action::SetBootOnce { switch: "bmc-1/power".into(), source: source.into() };
    let (_, verdict) = guarded.propose(&mut agent, source("Floppy of a stranger"));
    let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
    assert_eq!(refusal.kind, RefusalKind::Invalid, "{refusal:?}");
    assert!(refusal.reason.contains("Pxe"), "{refusal:?}");
    let (operation, verdict) = guarded.propose(&mut agent, source("Pxe"));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(agent.outcome_of(operation).verdict, Verdict::Accepted);
    let boot = &ask_bmc(&bmc, RedfishBmc::NODE_A)["Boot"];
    assert_eq!(boot["BootSourceOverrideTarget"], "Pxe", "{boot}");
    assert_eq!(switch(&guarded).unwrap()["state"], "Off", "nothing is switched by it");
}

/// Asks as often as a patient person does.
fn until_accepted(guarded: &mut Guarded, agent: &mut Agent, action: &Action) {
    let mut verdict = guarded.propose(agent, action.clone()).1;
    for _ in 0..30 {
        if verdict == Verdict::Accepted {
            return;
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
        verdict = guarded.propose(agent, action.clone()).1;
    }
    panic!("{verdict:?}");
}

/// The machine has no way to stop by itself: its zone's ladder ends at the switch that feeds it.
const CUT_OFF: &str = r#"
[timing]
step_time_s = 1
release_after_s = 1
[[zone]]
name = "board"
hard_off_switch = "bmc-1/power"
hard_off_after_s = 1
[[limit]]
name = "board"
sensors = ["chip/temp1"]
limit_celsius = 80
trip_celsius = 90
"#;

#[test]
fn the_top_of_the_ladder_cuts_power_through_a_switch_and_it_stays_off_with_the_trip() {
    let bmc = RedfishBmc::start().unwrap();
    let text = equipment(&bmc, "node-b");
    let mut guarded = Guarded::laid_out(CUT_OFF, |folder| {
        lay_machine(folder);
        fs::write(folder.join("equipment.toml"), &text).unwrap();
    });
    guarded.run();
    let state = |guarded: &Guarded| switch(guarded).map(|switch| switch["state"].clone());
    wait_for("the machine that is on", || state(&guarded) == Some(json!("On")));
    wait_for("its sensors", || guarded.limit_state("board") == "Normal");
    guarded.show(&format!("{CHIP}/temp1_input"), "95000");
    wait_for("the trip", || guarded.limit_state("board") == "Tripped");
    wait_for("the cut", || ask_bmc(&bmc, RedfishBmc::NODE_B)["PowerState"] == "Off");
    wait_for("its sight", || state(&guarded) == Some(json!("Off")));
    let latches = fs::read_to_string(guarded.path("state/latches.toml")).unwrap();
    assert!(latches.contains("board"), "{latches}");

    // Cool again and tripped still: nobody switches it on before the trip is cleared.
    guarded.show(&format!("{CHIP}/temp1_input"), "41000");
    let mut agent = guarded.agent();
    let (_, verdict) = guarded.propose(&mut agent, reset(ResetType::On, None));
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    assert_eq!(switch(&guarded).unwrap()["state"], "Off");
    let clear = Action::ClearTrip { limit: "board".into(), reason: "the fan is back".into() };
    until_accepted(&mut guarded, &mut agent, &clear);
    wait_for("the end of the trip", || guarded.limit_state("board") == "Normal");
    assert!(
        !guarded.path("state/latches.toml").exists() || {
            let latches = fs::read_to_string(guarded.path("state/latches.toml")).unwrap();
            !latches.contains("board")
        }
    );
}

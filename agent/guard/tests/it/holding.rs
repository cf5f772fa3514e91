//! What holds the machine: locks, interlocks, the fleet's layer, two hands, and commands that act
//! on the host itself.

use super::agent::Agent;
use super::guarded::{Guarded, wait_for};
use flyball_command::{
    Action, FleetLimit, Lock, OperationId, PowerState, RefusalKind, ResetType, ServiceVerb, Verdict,
};
use flyball_guard_messages::{EventKind, FromAgent, FromGuard};
use flyball_units::Watts;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A program that writes down how it was called, and plays the init system.
fn script(folder: &Path) -> String {
    let path = folder.join("hook");
    let state = folder.join("frozen");
    let text = format!(
        "#!/bin/sh\necho \"$@ level=$FLYBALL_LEVEL\" >> {calls}\ncase \"$1\" in\n\
         freeze) touch {state};;\nthaw) rm -f {state};;\n\
         show) echo ActiveState=active; test -e {state} && echo FreezerState=frozen;;\n\
         fail) exit 3;;\nesac\nexit 0\n",
        calls = folder.join("calls").display(),
        state = state.display(),
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn policy(folder: &Path) -> String {
    let hook = script(folder);
    format!(
        r#"
[host]
quiesce = ["{hook}", "quiesce"]
resume = ["{hook}", "resume"]
shutdown = ["{hook}", "poweroff"]
restart = ["{hook}", "fail"]
[services]
allow = ["batch.service"]
command = ["{hook}"]
[timing]
step_time_s = 1
release_after_s = 1
[[zone]]
name = "board"
quiesce_within_s = 5
[[limit]]
name = "package"
sensors = ["simboard@*/temp1:package"]
limit_celsius = 60
[[interlock]]
name = "cool-room"
reason = "the machine restarts only while its package is below 40 °C"
targets = ["host/power"]
[[interlock.condition]]
sensor = "simboard@*/temp1:package"
at_most = 40
hysteresis = 1
"#
    )
}

fn calls(guarded: &Guarded) -> String {
    fs::read_to_string(guarded.path("calls")).unwrap_or_default()
}

fn lock(target: Option<&str>) -> Lock {
    Lock {
        name: "maintenance".into(),
        owner: "technician@example.org".into(),
        reason: "the fan tray is out".into(),
        target: target.map(str::to_owned),
        until_ms: None,
        holds_levels: true,
    }
}

fn release(owner: &str, justification: Option<&str>) -> Action {
    Action::ReleaseLock {
        lock: "maintenance".into(),
        owner: owner.into(),
        justification: justification.map(str::to_owned),
    }
}

fn cap(watts: f64) -> Action {
    Action::SetPowerCap { actuator: None, watts: Watts(watts) }
}

fn power(reset: ResetType) -> Action {
    Action::Reset { switch: "host/power".into(), reset, expected: Some(PowerState::On) }
}

fn kind(verdict: &Verdict) -> Option<RefusalKind> {
    match verdict {
        Verdict::Refused(refusal) => Some(refusal.kind),
        _ => None,
    }
}

fn validate(agent: &mut Agent, action: Action) -> Verdict {
    agent.send(&FromAgent::Validate { request: 7, action });
    loop {
        if let FromGuard::Validated { request, verdict } = agent.receive().unwrap() {
            assert_eq!(request, 7);
            return verdict;
        }
    }
}

#[test]
fn a_lock_stands_over_a_kill_and_is_lifted_by_its_owner_or_with_a_reason() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    assert_eq!(guarded.propose(&mut agent, Action::SetLock(lock(None))).1, Verdict::Accepted);
    guarded.kill();
    guarded.run();
    guarded.settle();
    let mut agent = guarded.agent();
    let (_, refused) = guarded.propose(&mut agent, cap(100.0));
    let Verdict::Refused(refusal) = &refused else { panic!("{refused:?}") };
    assert_eq!((refusal.kind, refusal.interlock.as_str()), (RefusalKind::Locked, "maintenance"));
    assert!(refusal.reason.contains("the fan tray is out"), "{refusal:?}");
    let held = &guarded.status()["inventory"]["locks"][0];
    assert_eq!(held["lock"]["owner"], "technician@example.org");

    let (_, verdict) = guarded.propose(&mut agent, release("somebody@example.org", None));
    assert_eq!(kind(&verdict), Some(RefusalKind::Locked));
    let broken = release("somebody@example.org", Some("nobody is there, the tray is back"));
    assert_eq!(guarded.propose(&mut agent, broken).1, Verdict::Accepted);
    agent.next_event(|event| {
        event.kind == EventKind::LockReleased && event.message.contains("the tray is back")
    });
    assert_eq!(guarded.propose(&mut agent, cap(100.0)).1, Verdict::Accepted);
    guarded.kill();
    guarded.run();
    assert_eq!(guarded.status()["inventory"]["locks"], json!([]));
}

#[test]
fn an_interlock_refuses_with_its_reason_until_its_condition_holds() {
    let mut guarded = Guarded::board_with_files(10.0, policy);
    guarded.order(json!({ "load_watts": 60 }));
    let interlock = |guarded: &Guarded| guarded.status()["inventory"]["interlocks"][0].clone();
    wait_for("the interlock", || interlock(&guarded)["conditions"][0]["holds"] == json!(false));
    let mut agent = guarded.agent();
    let (_, verdict) = guarded.propose(&mut agent, power(ResetType::GracefulRestart));
    let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
    assert_eq!((refusal.kind, refusal.interlock.as_str()), (RefusalKind::Interlock, "cool-room"));
    assert!(refusal.reason.contains("below 40 °C"), "{refusal:?}");
    assert!(refusal.reading.unwrap() > 40.0 && refusal.limit == Some(40.0), "{refusal:?}");
    let shown = guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1;
    assert!(shown.contains("FORBIDS cool-room: the machine restarts only"), "{shown}");

    guarded.order(json!({ "load_watts": 5 }));
    wait_for("the room to cool", || interlock(&guarded)["active"] == json!(false));
    let answer = validate(&mut agent, power(ResetType::GracefulRestart));
    assert_eq!(answer, Verdict::Accepted);
    assert!(!calls(&guarded).contains("fail"), "nothing moves for a question");
    // Its command fails: that is told, and the operation is not verified.
    let (operation, verdict) = guarded.propose(&mut agent, power(ResetType::GracefulRestart));
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert!(!outcome.verified, "{outcome:?}");
    assert!(calls(&guarded).contains("fail"));
}

#[test]
fn the_machine_is_asked_to_stop_by_its_command_and_by_nothing_else() {
    let mut guarded = Guarded::board_with_files(1.0, policy);
    guarded.settle();
    let mut agent = guarded.agent();
    let wrong = Action::Reset {
        switch: "host/power".into(),
        reset: ResetType::GracefulShutdown,
        expected: Some(PowerState::Off),
    };
    assert_eq!(kind(&guarded.propose(&mut agent, wrong).1), Some(RefusalKind::WrongState));
    let (_, verdict) = guarded.propose(&mut agent, power(ResetType::ForceOff));
    assert_eq!(kind(&verdict), Some(RefusalKind::Invalid), "a machine can't cut its own power");
    assert_eq!(calls(&guarded), "");
    let (_, verdict) = guarded.propose(&mut agent, power(ResetType::GracefulShutdown));
    assert_eq!(verdict, Verdict::Accepted);
    wait_for("the command", || calls(&guarded).contains("poweroff"));
    wait_for("the state", || {
        let status = guarded.status();
        let actuators = status["inventory"]["actuators"].as_array().unwrap().clone();
        let own = actuators.into_iter().find(|each| each["id"] == "host/power").unwrap();
        own["state"] == "PoweringOff"
    });
}

#[test]
fn services_of_the_allow_list_are_paused_and_seen_paused_and_others_are_not_touched() {
    let mut guarded = Guarded::board_with_files(1.0, policy);
    guarded.settle();
    let mut agent = guarded.agent();
    let service = |name: &str, verb| Action::SetService { service: name.into(), verb };
    let foreign = service("sshd.service", ServiceVerb::Stop);
    assert_eq!(kind(&guarded.propose(&mut agent, foreign).1), Some(RefusalKind::Invalid));
    assert_eq!(calls(&guarded), "");
    let paused = service("batch.service", ServiceVerb::Pause);
    let (operation, verdict) = guarded.propose(&mut agent, paused);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(agent.outcome_of(operation).verified);
    assert!(calls(&guarded).starts_with("freeze batch.service"), "{}", calls(&guarded));
    let resumed = service("batch.service", ServiceVerb::Resume);
    let (operation, _) = guarded.propose(&mut agent, resumed);
    assert!(agent.outcome_of(operation).verified);
}

#[test]
fn a_limit_that_stays_passed_quiets_the_host_and_lets_it_resume() {
    let guarded = Guarded::board_with_files(10.0, policy);
    guarded.settle();
    for fan in 1..=guarded.truth()["fans"].as_array().unwrap().len() {
        guarded.order(json!({ "fault": "fan_seized", "target": format!("fan{fan}") }));
    }
    guarded.order(json!({ "load_watts": 150 }));
    wait_for("the quiet", || calls(&guarded).contains("quiesce level=Quiesced"));
    guarded.order(json!({ "heal": "all", "load_watts": 5 }));
    wait_for("the work", || calls(&guarded).contains("resume level=Running"));
    assert!(!calls(&guarded).contains("poweroff"), "{}", calls(&guarded));
}

#[test]
fn the_fleet_tightens_over_restarts_and_what_would_loosen_is_named_and_without_effect() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let before = guarded.limit("temp1:package");
    let name = before["name"].as_str().unwrap().to_owned();
    let trip = before["trip"].as_f64().unwrap();
    let fleet = |limit_at: f64, trip: f64| Action::SetFleetLimits {
        limits: vec![
            FleetLimit {
                limit: name.clone(),
                warning: None,
                limit_at: Some(limit_at),
                trip: Some(trip),
            },
            FleetLimit {
                limit: "elsewhere".into(),
                warning: Some(1.0),
                limit_at: None,
                trip: None,
            },
        ],
    };
    let mut agent = guarded.agent();
    let hostile = fleet(70.0, trip + 20.0);
    assert_eq!(guarded.propose(&mut agent, hostile).1, Verdict::Accepted);
    let told = agent.next_event(|event| event.kind == EventKind::PolicyTaken);
    assert!(told.message.contains("would loosen: trip of"), "{}", told.message);
    assert!(told.message.contains("not on this machine: elsewhere"), "{}", told.message);
    let in_force = |guarded: &Guarded| {
        let limit = guarded.limit("temp1:package");
        (limit["limit"].as_f64(), limit["trip"].as_f64(), limit["layer"].clone())
    };
    assert_eq!(in_force(&guarded), (Some(70.0), Some(trip), json!("fleet")));
    let (_, unsound) = guarded.propose(&mut agent, fleet(80.0, 60.0));
    assert_eq!(kind(&unsound), Some(RefusalKind::Invalid));
    guarded.kill();
    guarded.run();
    assert_eq!(in_force(&guarded), (Some(70.0), Some(trip), json!("fleet")));
    let mut agent = guarded.agent();
    let silent = Action::SetFleetLimits { limits: Vec::new() };
    assert_eq!(guarded.propose(&mut agent, silent).1, Verdict::Accepted);
    assert_eq!(in_force(&guarded).1, Some(trip));
    assert_ne!(in_force(&guarded).0, Some(70.0));
}

#[test]
fn what_is_not_armed_is_not_confirmed() {
    let mut guarded = Guarded::board_with_files(1.0, policy);
    guarded.settle();
    let mut agent = guarded.agent();
    let confirm = Action::Confirm { operation: OperationId(uuid::Uuid::from_u128(99)) };
    assert_eq!(kind(&validate(&mut agent, confirm.clone())), Some(RefusalKind::NotArmed));
    assert_eq!(kind(&guarded.propose(&mut agent, confirm).1), Some(RefusalKind::NotArmed));
}

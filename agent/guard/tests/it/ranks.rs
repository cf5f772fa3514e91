//! Who has their way: a person at the machine, a remote operator, an automation.

use super::agent::Agent;
use super::guarded::{Guarded, organization, wait_for};
use flyball_command::{Action, HeldStep, Lock, Origin, RefusalKind, Verdict};
use flyball_guard_messages::{FromAgent, encode};
use flyball_units::Watts;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

const LIMIT_FILE: &str = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";

fn order(guarded: &Guarded, words: &[&str]) -> (bool, String) {
    let socket = guarded.socket();
    let mut all = vec!["order", "--socket", socket.to_str().unwrap()];
    all.extend(words);
    guarded.ask(&all)
}

fn cap(watts: f64) -> Action {
    Action::SetPowerCap { actuator: None, watts: Watts(watts) }
}

fn ask_as(
    guarded: &mut Guarded,
    agent: &mut Agent,
    origin: Origin,
    until_ms: Option<u64>,
    action: Action,
) -> Verdict {
    let (operation, command) = guarded.signed_as(&organization(), |command| {
        (command.origin, command.until_ms, command.action) = (origin, until_ms, action);
    });
    agent.propose(operation, command)
}

fn refusal(verdict: Verdict) -> flyball_command::Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_at_the_machine_outranks_a_remote_operator_and_says_for_how_long() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    assert_eq!(
        ask_as(&mut guarded, &mut agent, Origin::Remote, None, cap(110.0)),
        Verdict::Accepted
    );
    let (done, said) = order(&guarded, &["cap", "90", "--for", "600"]);
    assert!(done && said.contains("done: it reads back 90"), "{said}");
    assert_eq!(guarded.file(LIMIT_FILE), "90000000");
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Remote, None, cap(120.0)));
    assert_eq!(why.kind, RefusalKind::Outranked);
    assert!(
        why.reason.contains("a person at the machine") && why.reason.contains("uid 0"),
        "{why:?}"
    );
    assert!(why.clears_when.contains("s have passed"), "{why:?}");
    let status = guarded.status();
    let actuators = status["inventory"]["actuators"].as_array().unwrap();
    let claimed = actuators.iter().find(|it| !it["claims"].as_array().unwrap().is_empty());
    let claims = &claimed.unwrap()["claims"];
    assert_eq!((&claims[0]["origin"], &claims[0]["value"]), (&"Local".into(), &90.0.into()));
    assert_eq!(claims[1]["issuer"], "operator@example.org");
    // Withdrawn at the machine, what the remote operator asked for takes effect again.
    let (done, said) = order(&guarded, &["cap"]);
    assert!(done, "{said}");
    assert_eq!(guarded.file(LIMIT_FILE), "110000000");
    let text = guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1;
    assert!(text.contains("asked: remote 110 by operator@example.org"), "{text}");
}

#[test]
fn an_automation_gives_way_to_everybody_and_its_end_is_kept() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    let soon = guarded.wall_ms() + 2_000;
    let verdict = ask_as(&mut guarded, &mut agent, Origin::Remote, Some(soon), cap(100.0));
    assert_eq!(verdict, Verdict::Accepted);
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Automation, None, cap(80.0)));
    assert_eq!(why.kind, RefusalKind::Outranked);
    assert!(why.reason.contains("operator@example.org"), "{why:?}");
    wait_for("the end of the cap", || guarded.file(LIMIT_FILE) == "150000000");
    let verdict = ask_as(&mut guarded, &mut agent, Origin::Automation, None, cap(80.0));
    assert_eq!(verdict, Verdict::Accepted);
    wait_for("the automation's cap", || guarded.file(LIMIT_FILE) == "80000000");
    agent.next_event(|event| event.message.contains("a remote operator asked of"));
}

#[test]
fn a_signed_command_is_never_a_local_persons() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let mut agent = guarded.agent();
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Local, None, cap(100.0)));
    assert_eq!(why.kind, RefusalKind::Unauthorised);
    assert_eq!(guarded.file(LIMIT_FILE), "150000000");
}

#[test]
fn orders_come_by_the_control_socket_alone_which_is_its_owners() {
    let guarded = Guarded::board(1.0);
    guarded.settle();
    wait_for("the cap to be free", || guarded.file(LIMIT_FILE) == "150000000");
    let control = guarded.socket().with_extension("control");
    let mode = std::fs::metadata(&control).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut agent = guarded.agent();
    let order = FromAgent::Order { action: cap(50.0), person: "agent".into(), until_ms: None };
    agent.send(&order);
    wait_for("the agent to be sent away", || guarded.log().contains("before it was attached"));
    // Nor does the control socket serve an agent.
    let mut guest = UnixStream::connect(&control).unwrap();
    let version = flyball_guard_messages::VERSION;
    let attach = FromAgent::Attach { version, run: None, after: 0 };
    guest.write_all(&encode(&attach).unwrap()).unwrap();
    let mut rest = Vec::new();
    guest.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!(guarded.file(LIMIT_FILE), "150000000");
}

#[test]
fn a_lock_that_was_set_at_the_machine_is_not_lifted_by_its_owners_name_from_afar() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let lock = ["lock", "set", "tray", "--owner", "technician", "--reason", "hands in the tray"];
    let (done, said) = order(&guarded, &lock);
    assert!(done, "{said}");
    let mut agent = guarded.agent();
    let lift = |justification: Option<&str>| Action::ReleaseLock {
        lock: "tray".into(),
        owner: "technician".into(),
        justification: justification.map(str::to_owned),
    };
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Remote, None, lift(None)));
    assert_eq!(why.kind, RefusalKind::Outranked);
    // Over a restart too.
    guarded.stop();
    guarded.run();
    let mut agent = guarded.agent();
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Remote, None, lift(None)));
    assert!(why.reason.contains("set at the machine"), "{why:?}");
    let (done, said) = order(&guarded, &["lock", "lift", "tray", "--owner", "technician"]);
    assert!(done, "{said}");
    let again = Lock {
        name: "tray".into(),
        owner: "technician".into(),
        reason: "again".into(),
        target: None,
        until_ms: None,
        holds_levels: false,
    };
    let set = ask_as(&mut guarded, &mut agent, Origin::Remote, None, Action::SetLock(again));
    assert_eq!(set, Verdict::Accepted);
    let lifted = ask_as(&mut guarded, &mut agent, Origin::Remote, None, lift(None));
    assert_eq!(lifted, Verdict::Accepted);
}

#[test]
fn what_makes_no_sense_is_refused_at_the_machine_too() {
    let guarded = Guarded::board(1.0);
    guarded.settle();
    for (words, why) in [
        (&["cap", "500"][..], "clears when it is asked for at most"),
        (&["cap", "90", "--for", "0"], "over already"),
        (&["switch", "toaster", "On"], "has no actuator `toaster`"),
        (&["switch", "toaster", "Toast"], "no verb of a switch"),
        (&["clear", "nothing", "--reason", "x"], "no such limit"),
        (&["confirm", "00000000-0000-0000-0000-000000000001"], "nothing is armed"),
        (&["hold", "nothing", "--reason", "x"], "no such limit"),
        (&["release", "nothing"], "no such limit"),
    ] {
        let (done, said) = order(&guarded, words);
        assert!(!done && said.contains(why), "{words:?}: {said}");
    }
}

const QUIET: &str = r#"
[timing]
step_time_s = 1
release_after_s = 2
hold_at_most_s = 5
[host]
quiesce = ["/bin/true"]
resume = ["/bin/true"]
[[zone]]
name = "board"
quiesce_within_s = 2
"#;

#[test]
fn a_hold_puts_quiet_off_up_to_its_bound_and_no_remote_word_reaches_further() {
    let mut guarded = Guarded::board_with_policy(1.0, QUIET);
    guarded.settle();
    let mut agent = guarded.agent();
    let limits = guarded.status();
    let limits = limits["inventory"]["limits"].as_array().unwrap().clone();
    let heat = limits.iter().find(|it| it["kind"] == "Temperature" && !it["trip"].is_null());
    let limit = heat.unwrap()["name"].as_str().unwrap().to_owned();
    let hold = Action::HoldLadder {
        limit: limit.clone(),
        from: HeldStep::Quiesce,
        reason: "the backup ends in a minute".into(),
    };
    let end = Some(guarded.wall_ms() + 3_600_000);
    // A hold is a person's, and has an end.
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Automation, end, hold.clone()));
    assert_eq!(why.kind, RefusalKind::Unauthorised);
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Remote, None, hold.clone()));
    assert!(why.reason.contains("needs an end"), "{why:?}");
    match ask_as(&mut guarded, &mut agent, Origin::Remote, end, hold) {
        Verdict::Clamped(clamp) => assert!(clamp.to <= 5.0 && clamp.asked > 3_000.0, "{clamp:?}"),
        other => panic!("{other:?}"),
    }
    let held = guarded.limit(&limit)["hold"].clone();
    assert_eq!((&held["from"], &held["origin"]), (&"Quiesce".into(), &"Remote".into()));
    assert_eq!(held["reason"], "the backup ends in a minute");
    let (done, said) =
        order(&guarded, &["hold", &limit, "--from", "CapSafe", "--reason", "x", "--for", "2"]);
    assert!(done, "{said}");
    let release = Action::ReleaseLadder { limit: limit.clone() };
    let why = refusal(ask_as(&mut guarded, &mut agent, Origin::Remote, None, release));
    assert_eq!(why.kind, RefusalKind::Outranked);
    wait_for("the end of the hold", || guarded.limit(&limit)["hold"].is_null());
}

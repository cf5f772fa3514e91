//! An aggregator that means harm: nothing passes a limit, and nothing starves the loop.

use super::agent::Agent;
use super::guarded::{Guarded, organization, wait_for};
use flyball_command::{Action, CommandKey, DeviceId, RefusalKind, Verdict};
use flyball_guard_messages::{FromAgent, FromGuard};
use flyball_units::{Ratio, Watts};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const LIMIT_FILE: &str = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";

fn cap(watts: f64) -> Action {
    Action::SetPowerCap { actuator: None, watts: Watts(watts) }
}

fn kind(verdict: &Verdict) -> Option<RefusalKind> {
    match verdict {
        Verdict::Refused(refusal) => Some(refusal.kind),
        _ => None,
    }
}

#[test]
fn old_repeated_and_foreign_commands_move_nothing() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let before = guarded.file(LIMIT_FILE);
    let mut agent = guarded.agent();
    let foreign_key = CommandKey::from_bytes(&[9; 32]);
    let old = guarded.signed_as(&organization(), |command| {
        (command.action, command.not_after_ms) = (cap(60.0), 1_000);
    });
    let elsewhere = guarded.signed_as(&organization(), |command| {
        (command.action, command.device) = (cap(60.0), DeviceId(Uuid::from_u128(1)));
    });
    let foreign = guarded.signed(&foreign_key, cap(60.0));
    let other_operation = guarded.signed_as(&organization(), |command| {
        command.operation = flyball_command::OperationId(Uuid::from_u128(77_777));
        command.action = cap(60.0);
    });
    let (operation, mut torn) = guarded.signed(&organization(), cap(60.0));
    torn.bytes[3] ^= 1;
    for ((operation, command), expected) in [
        (old, RefusalKind::Expired),
        (elsewhere, RefusalKind::Unauthorised),
        (foreign, RefusalKind::Unauthorised),
        (other_operation, RefusalKind::Unauthorised),
        ((operation, torn), RefusalKind::Unauthorised),
    ] {
        assert_eq!(kind(&agent.propose(operation, command)), Some(expected));
    }
    let older = guarded.signed(&organization(), cap(149.0));
    let newer = guarded.signed(&organization(), cap(150.0));
    assert_eq!(agent.propose(newer.0, newer.1), Verdict::Accepted);
    assert_eq!(kind(&agent.propose(older.0, older.1)), Some(RefusalKind::Replayed));
    assert_eq!(guarded.file(LIMIT_FILE), before);
}

/// Ten thousand proposals within seconds, most of them beyond what any limit allows.
#[test]
#[expect(clippy::disallowed_methods, reason = "a flood takes real time")]
fn ten_thousand_proposals_pass_no_limit_and_starve_nothing() {
    let mut guarded = Guarded::board(1.0);
    guarded.settle();
    let key = organization();
    let signed: Vec<_> = (0..400_u32)
        .map(|number| {
            let action = match number % 4 {
                0 => cap(500.0),
                1 => cap(150.0),
                2 => Action::SetFanFloor { actuator: None, floor: Ratio(0.0) },
                _ => Action::ClearTrip { limit: "none".into(), reason: "because".into() },
            };
            let (operation, command) = guarded.signed(&key, action);
            FromAgent::Propose { operation, command }
        })
        .collect();
    let flood: Vec<_> = signed.iter().cycle().take(10_000).cloned().collect();
    let cycles = |guarded: &Guarded| guarded.status()["cycles"].as_u64().unwrap();
    let (before, began) = (cycles(&guarded), Instant::now());
    let mut agent = guarded.agent();
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    let (mut sent, mut answered, mut last) = (0, 0, began);
    while answered < flood.len() {
        // As fast as the socket takes them, without ever letting it fill up for good.
        while sent < flood.len() && sent - answered < 400 {
            agent.send(&flood[sent]);
            sent += 1;
        }
        assert!(last.elapsed() < Duration::from_secs(60), "{answered} of {sent} are answered");
        if let FromGuard::Verdict { verdict, .. } = agent.receive().unwrap() {
            (answered, last) = (answered + 1, Instant::now());
            let word = match &verdict {
                Verdict::Refused(refusal) => format!("{:?}", refusal.kind),
                Verdict::Accepted => "Accepted".into(),
                Verdict::Clamped(_) => "Clamped".into(),
                Verdict::Armed(_) => "Armed".into(),
            };
            *answers.entry(word).or_default() += 1;
        }
    }
    let took = began.elapsed();
    eprintln!("10,000 proposals in {took:?}: {answers:?}");
    assert!(answers.get("Busy").is_some_and(|busy| *busy > 0), "{answers:?}");
    let watts = guarded.truth()["cap_watts"].as_f64().unwrap();
    assert!(watts <= 150.0, "{watts}");
    let status = guarded.status();
    assert!(status["cycle_p999_ms"].as_f64().unwrap() < 50.0, "{status}");
    let due = took.as_secs_f64() * 4.0;
    let done = (cycles(&guarded) - before) as f64;
    assert!(done > due * 0.8, "{done} cycles of {due}");
    assert_eq!(guarded.limit_state("temp1:package"), "Normal");
    // Afterwards it obeys as ever.
    std::thread::sleep(Duration::from_secs(1));
    let mut agent = Agent::attach(&guarded.socket(), None, 0);
    wait_for("an ordinary answer", || {
        guarded.propose(&mut agent, cap(120.0)).1 == Verdict::Accepted
    });
}

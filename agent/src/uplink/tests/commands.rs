//! Commands on their way to the guard, and the words that come back.

use super::*;
use flyball_protocol::command::{OperationId, Refusal, RefusalKind, SignedCommand, Verdict};
use flyball_protocol::message::PendingCommand;
use uuid::Uuid;

fn command(number: u128, not_after_ms: u64) -> PendingCommand {
    PendingCommand {
        operation: OperationId(Uuid::from_u128(number)),
        not_after_ms,
        command: SignedCommand { bytes: vec![1], signature: vec![2] },
    }
}

#[tokio::test]
async fn a_command_goes_to_the_guard_once_and_its_verdict_comes_back() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    for number in [1, 1, 2] {
        peer.say(&ControlDown::Command(command(number, u64::MAX - 1))).await;
    }
    for number in [1, 2] {
        let Ask::Propose { operation, .. } = rig.asked().await else { panic!() };
        assert_eq!(operation, command(number, 0).operation);
        rig.news.send(News::Verdict { operation, verdict: Verdict::Accepted }).await.unwrap();
        let told = peer
            .control(|message| match message {
                ControlUp::Verdict { operation, verdict } => Some((operation, verdict)),
                _ => None,
            })
            .await;
        assert_eq!(told, (operation, Verdict::Accepted));
    }
}

#[tokio::test]
async fn what_came_with_a_welcome_that_ended_the_connection_is_not_done() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    let (acked, pending) = (Ranges::new(), vec![command(1, u64::MAX - 1)]);
    peer.say(&ControlDown::Welcome { version: 1, acked, pending, now_ms: 0 }).await;
    assert_eq!(peer.closed().await, close::MALFORMED);
    let mut peer = rig.peer().await;
    peer.say(&ControlDown::Command(command(2, u64::MAX - 1))).await;
    let Ask::Propose { operation, .. } = rig.asked().await else { panic!() };
    assert_eq!(operation, command(2, 0).operation, "the first that was proposed");
}

#[tokio::test]
async fn a_command_that_the_guard_had_taken_before_ends_with_its_word() {
    let rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Plugins(_)).then_some(())).await;
    let operation = command(1, 0).operation;
    let verdict = Verdict::Refused(Refusal {
        kind: RefusalKind::Replayed,
        interlock: String::new(),
        reading: None,
        limit: None,
        unit: None,
        since_ms: None,
        clears_when: "a new command is issued".into(),
        reason: "its counter has been taken up already".into(),
    });
    rig.news.send(News::Verdict { operation, verdict: verdict.clone() }).await.unwrap();
    let told = peer
        .control(|message| match message {
            ControlUp::Verdict { operation, verdict } => Some((operation, verdict)),
            _ => None,
        })
        .await;
    assert_eq!(told, (operation, verdict));
}

#[tokio::test]
async fn a_command_past_its_time_ends_in_the_agent_with_an_outcome_that_is_kept() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.aggregator.accept().await;
    let (acked, pending) = (Ranges::new(), vec![command(1, 5)]);
    peer.say(&ControlDown::Welcome { version: 1, acked, pending, now_ms: 0 }).await;
    let Some(Order::Outcome(outcome)) = soon(rig.orders.recv()).await else { panic!() };
    assert_eq!(outcome.operation, command(1, 5).operation);
    let Verdict::Refused(refusal) = outcome.verdict else { panic!() };
    assert_eq!(refusal.kind, RefusalKind::Expired);
    rig.asks.close();
    assert!(!matches!(rig.asks.recv().await, Some(Ask::Propose { .. })));
}

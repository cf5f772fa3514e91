//! Every entry once: repeated, restarted, in any order.

use super::rig::{Rig, block, entry};
use flyball_aggregator::audit::{AuditQuery, Decision};
use flyball_aggregator::telemetry::EventQuery;
use flyball_protocol::entry::EntryBody;
use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
use flyball_protocol::sync::{Ranges, Seq};

const START_MS: u64 = 1_795_298_300_000;

#[tokio::test]
async fn a_repeated_entry_is_acknowledged_again_and_stored_once() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    let entry = block(1, START_MS, &[(0, START_MS, Ok(40.0))]);
    for _ in 0..3 {
        agent.send(entry.clone()).await;
    }
    agent.acknowledged(1).await;
    agent.send(entry).await;
    assert_eq!(agent.acknowledgement().await, Ranges::from_iter([Seq(1)]));
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 1);
}

#[tokio::test]
async fn another_body_under_a_committed_number_is_kept_aside_and_audited_once() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    agent.acknowledged(1).await;
    // Of the same length: only its bytes tell it from the first.
    let other = block(1, START_MS, &[(0, START_MS, Ok(41.0))]);
    for _ in 0..3 {
        agent.send(other.clone()).await;
    }
    agent.send(block(2, START_MS + 10_000, &[(0, START_MS + 10_000, Ok(42.0))])).await;
    agent.acknowledged(2).await;
    assert_eq!(rig.quarantined("checksum"), 1);
    let query =
        AuditQuery { action: Some("telemetry.commit".into()), limit: 9, ..AuditQuery::default() };
    let audited = rig.app.store.audit(&query).await.unwrap();
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0].entry.decision, Decision::Refused);
    assert_eq!(audited[0].entry.details["seq"], 1);
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 2);
}

#[tokio::test]
async fn two_bodies_under_one_number_at_once_do_not_end_the_connection() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    agent.lane().await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0)), (1, START_MS, Ok(1.0))])).await;
    agent.send(block(2, START_MS + 10_000, &[(0, START_MS + 10_000, Ok(42.0))])).await;
    agent.acknowledged(2).await;
    assert_eq!(rig.quarantined("checksum"), 1);
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 2);
}

#[tokio::test]
async fn a_restart_resumes_what_is_committed_in_one_round_trip() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    for seq in [1, 2, 4] {
        let start_ms = START_MS + seq * 10_000;
        agent.send(block(seq, start_ms, &[(0, start_ms, Ok(40.0))])).await;
    }
    agent.acknowledged(2).await;
    let rig = rig.restart().await;
    let mut agent = rig.agent(&identity, 7).await;
    let known = Ranges::from_iter([1, 2, 4].map(Seq));
    assert_eq!(agent.acked(), known);
    // Everything again, and what was missing.
    for seq in 1..=4 {
        let start_ms = START_MS + seq * 10_000;
        agent.send(block(seq, start_ms, &[(0, start_ms, Ok(40.0))])).await;
    }
    assert_eq!(agent.acknowledged(4).await, Ranges::from_iter((1..=4).map(Seq)));
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 4);
    // A number of another epoch is another entry.
    assert_eq!(rig.agent(&identity, 8).await.acked(), Ranges::new());
}

#[tokio::test]
async fn entries_of_many_agents_go_in_few_transactions() {
    let rig = Rig::start().await;
    let mut agents = Vec::new();
    for _ in 0..4 {
        let identity = rig.enrol().await;
        agents.push(rig.agent(&identity, 1).await);
    }
    for agent in &mut agents {
        for seq in 1..=50 {
            let start_ms = START_MS + seq * 10_000;
            agent.send(block(seq, start_ms, &[(0, start_ms, Ok(40.0))])).await;
        }
    }
    for agent in &mut agents {
        agent.acknowledged(50).await;
    }
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 200);
    assert!(rig.app.metrics.commits.get() < 200, "{}", rig.app.metrics.commits.get());
}

#[tokio::test]
async fn events_are_listed_newest_first_and_page_by_page() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    for seq in 1..=5 {
        let event = GuardEvent {
            kind: EventKind::SensorLost,
            severity: if seq % 2 == 0 { Severity::Critical } else { Severity::Info },
            subject: format!("s{seq}"),
            message: "the sensor is gone".into(),
            reading: None,
            threshold: None,
            unit: None,
        };
        agent.send(entry(seq, &EntryBody::Event { at_ms: START_MS + seq, event })).await;
    }
    agent.acknowledged(5).await;
    let mut query = EventQuery { device: Some(identity.device), limit: 3, ..EventQuery::default() };
    let mut subjects = Vec::new();
    loop {
        let events = rig.app.telemetry.events(&query).await.unwrap();
        let Some(last) = events.last() else { break };
        query.before = Some((last.at_ms, last.id));
        subjects.extend(events.into_iter().map(|event| event.subject));
    }
    assert_eq!(subjects, ["s5", "s4", "s3", "s2", "s1"]);
    query = EventQuery { severity: Some(Severity::Warning), before: None, ..query };
    let worse = rig.app.telemetry.events(&query).await.unwrap();
    assert_eq!(worse.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["s4", "s2"]);
}

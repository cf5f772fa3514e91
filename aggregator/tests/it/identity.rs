//! Who a machine is: renewed under way, and in one place only.

use super::rig::{Agent, Identity, NOW_MS, Rig};
use flyball_aggregator::audit::{AuditEntry, Decision};
use flyball_aggregator::telemetry::event::EventQuery;
use flyball_protocol::message::{ControlDown, ControlUp, close};

/// Asks for another certificate over the agent's connection.
async fn renew(agent: &mut Agent, identity: &Identity) -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
    agent.say(&ControlUp::Renew { csr: csr.der().to_vec() }).await;
    match agent.down.next().await.unwrap() {
        ControlDown::Renewed { certificate } => identity.renewed(certificate, key.serialize_der()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_renewed_certificate_takes_over_and_the_old_one_ends_once_it_is_shown() {
    let rig = Rig::start().await;
    let old = rig.enrol().await;
    let mut agent = rig.agent(&old, 1).await;
    let new = renew(&mut agent, &old).await;
    agent.connection.close(0_u32.into(), b"");
    let agent = rig.agent(&old, 1).await;
    agent.connection.close(0_u32.into(), b"");
    let agent = rig.agent(&new, 1).await;
    agent.connection.close(0_u32.into(), b"");
    let refused = rig.connect(flyball_protocol::message::ALPN, Some(&old)).await.unwrap();
    assert_eq!(super::rig::code(&refused.closed().await), u64::from(close::REVOKED));
    assert_eq!(rig.refusals("outdated_certificate"), 1);
    rig.agent(&new, 1).await;
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_answered_and_the_session_goes_on() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    for _ in 0..6 {
        agent.say(&ControlUp::Renew { csr: vec![1, 2, 3] }).await;
        let answer = agent.down.next().await.unwrap();
        assert!(matches!(answer, ControlDown::NotRenewed { .. }), "{answer:?}");
    }
    assert!(rig.app.sessions.is_online(identity.device));
}

#[tokio::test]
async fn a_machine_that_moved_and_left_its_old_connection_open_is_let_in() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut first = rig.agent(&identity, 1).await;
    let _second = rig.agent(&identity, 1).await;
    // An answer to another question is none.
    first.say(&ControlUp::Echo { number: 1 }).await;
    assert_eq!(first.closed_with().await, u64::from(close::REPLACED));
    assert!(rig.app.sessions.is_online(identity.device));
}

#[tokio::test]
async fn an_identity_in_two_places_is_shut_out_and_told_of_until_it_is_released() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut first = rig.agent(&identity, 1).await;
    let second = rig.agent(&identity, 1).await;
    let ControlDown::Echo { number } = first.down.next().await.unwrap() else { panic!() };
    first.say(&ControlUp::Echo { number }).await;
    assert_eq!(first.closed_with().await, u64::from(close::REFUSED));
    assert_eq!(second.closed_with().await, u64::from(close::REFUSED));
    let query = EventQuery { device: Some(identity.device), limit: 10, ..EventQuery::default() };
    let events = rig.app.telemetry.events(&query).await.unwrap();
    assert_eq!(events.iter().map(|event| &*event.kind).collect::<Vec<_>>(), ["device.quarantined"]);
    let third = rig.connect(flyball_protocol::message::ALPN, Some(&identity)).await.unwrap();
    assert_eq!(super::rig::code(&third.closed().await), u64::from(close::REFUSED));
    let entry = AuditEntry {
        at_ms: NOW_MS,
        actor: "test".into(),
        action: "device.release".into(),
        target: format!("device:{}", identity.device),
        decision: Decision::Allowed,
        details: serde_json::Value::Null,
        ..AuditEntry::default()
    };
    assert!(rig.app.fleet.release(identity.device, &entry).await.unwrap());
    assert!(!rig.app.fleet.release(identity.device, &entry).await.unwrap());
    rig.agent(&identity, 1).await;
}

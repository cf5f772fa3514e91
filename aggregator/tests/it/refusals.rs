//! What a peer must not do, and that nobody else suffers from it.

use super::rig::{Agent, Rig, block, code, entry, hello, send};
use flyball_aggregator::telemetry::{EventQuery, Severity};
use flyball_protocol::entry::{Entry, EntryBody, Gap, GapScope};
use flyball_protocol::message::{
    ALPN, ALPN_ENROL, ControlDown, ControlUp, EnrolRefusal, EnrolReply, Hello, StreamKind, close,
};
use flyball_protocol::series::{Reader, SeriesRef};
use flyball_protocol::sync::Seq;
use flyball_units::NoData;
use quinn::ConnectionError;

const START_MS: u64 = 1_795_298_300_000;

/// A good agent that sends before and after what a bad one does.
async fn witness(rig: &Rig) -> Agent {
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    agent.acknowledged(1).await;
    agent
}

async fn still_served(mut witness: Agent) {
    witness.send(block(2, START_MS + 10_000, &[(0, START_MS + 10_000, Ok(41.0))])).await;
    witness.acknowledged(2).await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let rig = Rig::start().await;
    let witness = witness(&rig).await;
    let forged = rig.enrol().await.forged();
    // The handshake's last word may come after the client thinks that it stands.
    let error = match rig.connect(ALPN, Some(&forged)).await {
        Ok(connection) => connection.closed().await,
        Err(error) => error,
    };
    assert!(matches!(error, ConnectionError::ConnectionClosed(_)), "{error:?}");
    assert_eq!(rig.refusals("handshake"), 1);
    still_served(witness).await;
}

#[tokio::test]
async fn a_peer_without_a_certificate_may_only_enrol() {
    let rig = Rig::start().await;
    let connection = rig.connect(ALPN, None).await.unwrap();
    assert_eq!(code(&connection.closed().await), u64::from(close::REFUSED));
    assert_eq!(rig.refusals("no_certificate"), 1);
}

#[tokio::test]
async fn a_token_enrols_one_machine_and_no_second() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let (first, _) = rig.ask(&token).await;
    assert!(matches!(first, EnrolReply::Enrolled { .. }));
    let (second, _) = rig.ask(&token).await;
    assert_eq!(second, EnrolReply::Refused(EnrolRefusal::UsedToken));
    assert_eq!(rig.refusals("used_token"), 1);
    let foreign = token.replace("fbt1.", "fbt1.x");
    let (unknown, _) = rig.ask(&foreign).await;
    assert_eq!(unknown, EnrolReply::Refused(EnrolRefusal::UnknownToken));
}

#[tokio::test]
async fn a_revoked_device_loses_its_connection_and_gets_no_other() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let agent = rig.agent(&identity, 1).await;
    assert!(rig.app.fleet.revoke(identity.device).await.unwrap());
    assert_eq!(agent.closed_with().await, u64::from(close::REVOKED));
    let connection = rig.connect(ALPN, Some(&identity)).await.unwrap();
    assert_eq!(code(&connection.closed().await), u64::from(close::REVOKED));
}

#[tokio::test]
async fn a_second_connection_of_a_device_replaces_the_first() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let first = rig.agent(&identity, 1).await;
    first.connection.close(close::DONE.into(), b"it moves");
    let mut second = rig.agent(&identity, 1).await;
    second.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    second.acknowledged(1).await;
    assert!(rig.app.sessions.is_online(identity.device));
}

#[tokio::test]
async fn a_frame_of_2_gib_by_its_header_ends_its_connection_alone() {
    let rig = Rig::start().await;
    let witness = witness(&rig).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    agent.lane().await.0.write_all(&0x8000_0000_u32.to_le_bytes()).await.unwrap();
    assert_eq!(agent.closed_with().await, u64::from(close::FRAME_TOO_LARGE));
    assert_eq!(rig.refusals("frame_too_large"), 1);
    still_served(witness).await;
}

#[tokio::test]
async fn a_torn_frame_ends_its_connection_alone() {
    let rig = Rig::start().await;
    let witness = witness(&rig).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let lane = &mut agent.lane().await.0;
    lane.write_all(&[200, 0, 0, 0, 1, 2, 3]).await.unwrap();
    lane.finish().unwrap();
    assert_eq!(agent.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("torn_frame"), 1);
    still_served(witness).await;
}

#[tokio::test]
async fn bytes_that_are_no_message_end_their_connection_alone() {
    let rig = Rig::start().await;
    let witness = witness(&rig).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    agent.control.write_all(&[3, 0, 0, 0, 99, 99, 99]).await.unwrap();
    assert_eq!(agent.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("malformed_message"), 1);
    still_served(witness).await;
}

#[tokio::test]
async fn a_stream_of_an_unknown_kind_is_refused() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let agent = rig.agent(&identity, 1).await;
    let (mut up, _down) = agent.connection.open_bi().await.unwrap();
    up.write_all(&[77]).await.unwrap();
    assert_eq!(agent.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("unknown_stream"), 1);
}

#[tokio::test]
async fn a_version_that_is_not_spoken_here_is_told_so() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let connection = rig.connect(ALPN, Some(&identity)).await.unwrap();
    let (mut control, down) = connection.open_bi().await.unwrap();
    control.write_all(&[StreamKind::Control as u8]).await.unwrap();
    let hello = Hello { min_version: 200, max_version: 201, ..hello(1) };
    send(&mut control, &ControlUp::Hello(hello)).await;
    let refused = super::rig::Messages::new(down).next().await.unwrap();
    let ControlDown::Refused { reason } = refused else { panic!("{refused:?}") };
    assert!(reason.contains("200 to 201"), "{reason}");
    assert_eq!(code(&connection.closed().await), u64::from(close::VERSION));
}

#[tokio::test]
async fn a_machine_that_describes_itself_at_length_is_refused() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let connection = rig.connect(ALPN, Some(&identity)).await.unwrap();
    let (mut control, _down) = connection.open_bi().await.unwrap();
    control.write_all(&[StreamKind::Control as u8]).await.unwrap();
    let mut hello = hello(1);
    hello.machine.serial = Some("x".repeat(257));
    send(&mut control, &ControlUp::Hello(hello)).await;
    assert_eq!(code(&connection.closed().await), u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("machine"), 1);
    let device = rig.app.fleet.device(identity.device).await.unwrap().unwrap();
    assert_eq!(device.machine.serial, None);
}

#[tokio::test]
async fn an_enrolment_that_is_no_message_is_refused() {
    let rig = Rig::start().await;
    let connection = rig.connect(ALPN_ENROL, None).await.unwrap();
    let (mut up, _down) = connection.open_bi().await.unwrap();
    up.write_all(&0x8000_0000_u32.to_le_bytes()).await.unwrap();
    assert_eq!(code(&connection.closed().await), u64::from(close::FRAME_TOO_LARGE));
}

#[tokio::test]
async fn an_entry_that_was_damaged_on_its_way_ends_its_connection() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let good = block(1, START_MS, &[(0, START_MS, Ok(40.0))]);
    agent.send(Entry { checksum: good.checksum ^ 1, ..good }).await;
    assert_eq!(agent.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("damaged_entry"), 1);
    // So does a number that no database can count to.
    let mut agent = rig.agent(&identity, 1).await;
    let body = block(1, START_MS, &[(0, START_MS, Ok(40.0))]).body;
    agent.send(Entry::new(Seq(1 << 63), body)).await;
    assert_eq!(agent.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(rig.refusals("damaged_entry"), 2);
}

#[tokio::test]
async fn entries_that_cannot_be_read_are_kept_aside_and_block_nothing() {
    let rig = Rig::start().await;
    let gap = |from_ms, to_ms, scope| {
        let (reason, note) = (NoData::Overflow, String::new());
        entry(1, &EntryBody::Gap(Gap { from_ms, to_ms, scope, reason, note }))
    };
    let cases = [
        ("malformed_entry", Entry::new(Seq(1), vec![200, 1, 2, 3])),
        ("malformed_entry", entry(1, &EntryBody::Block(vec![1, 2, 3]))),
        ("malformed_entry", gap(2000, 1000, GapScope::Reader(Reader::Guard))),
        ("malformed_entry", gap(1000, 2000, GapScope::Series(vec![SeriesRef(1); 2]))),
        ("malformed_entry", gap(1000, 2000, GapScope::Series(vec![SeriesRef(1); 4097]))),
        ("unknown_series", block(1, START_MS, &[(9, START_MS, Ok(1.0))])),
        ("unknown_series", gap(1000, 2000, GapScope::Series(vec![SeriesRef(7)]))),
    ];
    let cases_count = cases.len() as u64;
    for (at, (label, broken)) in (0_u64..).zip(cases) {
        let before = rig.quarantined(label);
        let identity = rig.enrol().await;
        let mut agent = rig.agent(&identity, at).await;
        agent.send(broken.clone()).await;
        agent.send(block(2, START_MS, &[(0, START_MS, Ok(40.0))])).await;
        agent.acknowledged(2).await;
        // Once more, on another connection: it is known, and nothing is told twice.
        let mut again = rig.agent(&identity, at).await;
        again.send(broken).await;
        again.acknowledged(1).await;
        assert_eq!(rig.quarantined(label), before + 1, "{label}");
        let query = EventQuery {
            device: Some(identity.device),
            severity: Some(Severity::Critical),
            limit: 9,
            ..EventQuery::default()
        };
        let events = rig.app.telemetry.events(&query).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["entry.quarantined"], "{label}");
    }
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, cases_count);
}

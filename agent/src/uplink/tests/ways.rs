//! The same conversation where UDP is blocked.

use super::*;
use flyball_link::Transport;
use flyball_protocol::message::ALPN;

#[tokio::test]
async fn where_udp_is_blocked_the_same_is_said_over_tls_and_tcp() {
    let authority = Authority::new();
    let aggregator = Aggregator::without_udp(&authority, ALPN).await;
    let mut rig = Rig::of(authority, aggregator, 2, RETRY_QUIC_MS);
    let mut peer = rig.peer().await;
    assert_eq!(peer.connection.transport(), Transport::Tcp);
    assert_eq!(seqs(&peer.entries(2).await.1, StreamKind::Backfill), [1, 2]);
    rig.append(3);
    assert_eq!(seqs(&peer.entries(3).await.1, StreamKind::Fresh), [3, 4, 5]);
    peer.ack(1, 5).await;
    rig.trimmed().await;
    let (_writer, mut events) = peer.job(&request(1000)).await;
    job_event(&mut events).await;
    assert_eq!(job_event(&mut events).await, JobEvent::Done);
}

#[tokio::test]
async fn frames_that_are_none_end_a_connection_over_tcp_with_their_code() {
    let authority = Authority::new();
    let aggregator = Aggregator::without_udp(&authority, ALPN).await;
    let rig = Rig::of(authority, aggregator, 0, RETRY_QUIC_MS);
    let mut peer = rig.peer().await;
    peer.say_bytes(&0x8000_0000_u32.to_le_bytes()).await;
    assert_eq!(peer.closed().await, close::FRAME_TOO_LARGE);
}

#[tokio::test]
async fn a_farewell_over_tcp_says_why_it_goes() {
    let authority = Authority::new();
    let aggregator = Aggregator::without_udp(&authority, ALPN).await;
    let mut rig = Rig::of(authority, aggregator, 0, RETRY_QUIC_MS);
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Inventory(_)).then_some(())).await;
    rig.farewell.take().unwrap().send(()).unwrap();
    assert_eq!(peer.closed().await, close::SHUTDOWN);
    soon(rig.uplink).await.unwrap();
}

#[tokio::test]
async fn quic_is_taken_up_again_once_udp_is_open_and_nothing_is_lost() {
    let authority = Authority::new();
    let aggregator = Aggregator::without_udp(&authority, ALPN).await;
    let mut rig = Rig::of(authority, aggregator, 1, 500);
    let mut first = rig.peer().await;
    first.entries(1).await;
    let authority = &rig.authority;
    rig.aggregator = rig.aggregator.unblocked(authority);
    let mut second = rig.aggregator.accept().await;
    assert_eq!(second.connection.transport(), Transport::Quic);
    assert_eq!(first.closed().await, close::DONE);
    second.welcome(&Ranges::new()).await;
    assert_eq!(seqs(&second.entries(1).await.1, StreamKind::Backfill), [1]);
    second.ack(1, 1).await;
    rig.trimmed().await;
}

//! Several aggregators: another is gone to where one is not to be trusted, dies or falls silent.

use super::*;

#[tokio::test]
async fn another_address_is_tried_where_one_is_not_to_be_trusted() {
    let stranger = Aggregator::listen(&Authority::new());
    let (unheard, _) = mpsc::channel(16);
    let rig = Rig::with(0, waiting_runner(unheard), |mut servers| {
        servers.insert(0, stranger.address());
        servers
    });
    stranger.refused().await;
    assert_eq!(rig.aggregator.accept().await.hello.machine.hostname, "rig");
}

#[tokio::test]
async fn another_replica_takes_over_the_same_epoch_when_one_dies() {
    let authority = Authority::new();
    let other = Aggregator::listen(&authority);
    let first = Aggregator::listen(&authority);
    let rig = Rig::among(authority, first, 2, RETRY_QUIC_MS, &[other.address()]);
    let mut peer = rig.peer().await;
    peer.entries(2).await;
    peer.ack(1, 1).await;
    peer.connection.close(close::SHUTDOWN, b"");
    let mut peer = other.accept().await;
    assert_eq!(peer.hello.epoch, Epoch(7));
    peer.welcome(&range(1, 1)).await;
    assert_eq!(seqs(&peer.entries(1).await.1, StreamKind::Backfill), [2]);
}

#[tokio::test]
async fn a_replica_that_falls_silent_is_left_within_seconds() {
    let authority = Authority::new();
    let other = Aggregator::listen(&authority);
    let first = Aggregator::listen(&authority);
    let mut rig = Rig::among(authority, first, 0, RETRY_QUIC_MS, &[other.address()]);
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Inventory(_)).then_some(())).await;
    // Its sockets go without a word, as with its machine.
    rig.aggregator.fall_silent();
    rig.append(1);
    assert_eq!(other.accept().await.hello.epoch, Epoch(7));
}

//! Entries of the spool: two lanes, what was cut off, and the epoch they belong to.

use super::*;
use flyball_protocol::message::LaneUp;

#[tokio::test]
async fn old_entries_go_behind_their_definitions_on_one_lane_and_new_ones_on_the_other() {
    let mut rig = Rig::start(3);
    let mut peer = rig.peer().await;
    let (kind, first) = peer.lane().await;
    assert_eq!(kind, StreamKind::Backfill);
    let LaneUp::Series(definitions) = first else { panic!("{first:?}") };
    assert_eq!(definitions[0].metric, "hw.temperature");
    let (_, old) = peer.entries(3).await;
    assert_eq!(seqs(&old, StreamKind::Backfill), [1, 2, 3]);
    rig.append(2);
    let (again, new) = peer.entries(2).await;
    assert_eq!(again, definitions, "each lane is told what it refers to");
    assert_eq!(seqs(&new, StreamKind::Fresh), [4, 5]);
    peer.ack(1, 5).await;
    rig.trimmed().await;
}

#[tokio::test]
async fn what_was_cut_off_is_sent_again_and_what_is_committed_is_not() {
    let mut rig = Rig::start(4);
    let mut peer = rig.peer().await;
    peer.entries(4).await;
    peer.connection.close(0_u32, b"cut");
    let mut peer = rig.aggregator.accept().await;
    peer.welcome(&range(2, 3)).await;
    let (_, entries) = peer.entries(2).await;
    assert_eq!(seqs(&entries, StreamKind::Backfill), [1, 4]);
    peer.ack(1, 4).await;
    rig.trimmed().await;
    rig.append(1);
    assert_eq!(seqs(&peer.entries(1).await.1, StreamKind::Fresh), [5]);
}

#[tokio::test]
async fn an_aggregator_that_knows_more_than_the_spool_gave_begins_a_new_epoch() {
    let rig = Rig::start(2);
    let mut peer = rig.aggregator.accept().await;
    peer.welcome(&range(1, 9)).await;
    let mut peer = rig.aggregator.accept().await;
    assert_ne!(peer.hello.epoch, Epoch(7));
    assert_eq!(rig.spool.epoch(), peer.hello.epoch);
    peer.welcome(&Ranges::new()).await;
    assert_eq!(seqs(&peer.entries(2).await.1, StreamKind::Backfill), [1, 2]);
}

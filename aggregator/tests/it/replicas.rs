//! What only a server can do: be shared by replicas, and go away for a while.

use super::rig::{Agent, Rig, block, fan_floor};
use flyball_aggregator::clock::Clock;
use flyball_aggregator::history::{HistoryError, HistorySettings};
use flyball_aggregator::operations::OperationState;
use flyball_harness::counterparts::Postgres;
use flyball_protocol::command::Verdict;
use flyball_protocol::entry::Entry;
use flyball_protocol::message::{ControlDown, ControlUp};
use flyball_protocol::sync::{Ranges, Seq};
use std::time::Duration;

const START_MS: u64 = 1_795_298_300_000;
const BLOCKS: &str = "SELECT count(*) FROM blocks";
/// Blocks that lie in no day's partition.
const ASTRAY: &str = "SELECT count(*) FROM blocks_rest";
/// The days' tables.
const TABLES: &str = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'blocks'::regclass";

fn entry(seq: u64) -> Entry {
    let start_ms = START_MS + seq * 10_000;
    block(seq, start_ms, &[(0, start_ms, Ok(40.0)), (2, start_ms, Ok(0.5))])
}

async fn send(agent: &mut Agent, seqs: impl Iterator<Item = u64>) {
    for seq in seqs {
        agent.send(entry(seq)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_that_reach_two_replicas_at_once_are_stored_once() {
    let one = Rig::start().await;
    let two = one.replica().await;
    // An agent whose connection was cut and came up at the other replica, its old one not yet
    // known to be dead, and a neighbour that does the same the other way round.
    let (left, right) = (one.enrol().await, one.enrol().await);
    let mut agents = [
        one.agent(&left, 7).await,
        two.agent(&left, 7).await,
        two.agent(&right, 9).await,
        one.agent(&right, 9).await,
    ];
    let [a, b, c, d] = &mut agents;
    let all = || 1..=60;
    tokio::join!(send(a, all()), send(b, all()), send(c, all()), send(d, all().rev()));
    for agent in &mut agents {
        agent.acknowledged(60).await;
    }
    // The neighbour's last words are another body under a number that stands.
    let other = block(5, START_MS, &[(0, START_MS, Ok(41.0))]);
    agents[2].send(other).await;
    agents[2].acknowledgement().await;
    assert_eq!((one.quarantined("checksum"), two.quarantined("checksum")), (0, 1));
    for epoch in [(&left, 7), (&right, 9)] {
        let again = one.agent(epoch.0, epoch.1).await;
        assert_eq!(again.acked(), (1..=60).map(Seq).collect::<Ranges>());
    }
    assert_eq!((one.number(BLOCKS).await, one.number(ASTRAY).await), (120, 0));
}

#[tokio::test]
async fn a_replica_with_a_history_of_its_own_is_refused() {
    let one = Rig::start().await;
    let two = one.replica().await;
    one.app.history.recognise_at_start().await.unwrap();
    let refused = two.app.history.recognise_at_start().await.unwrap_err();
    assert!(matches!(refused, HistoryError::Foreign(_)), "{refused:?}");
}

#[tokio::test]
async fn a_command_reaches_the_machine_through_the_replica_that_it_is_connected_to() {
    let one = Rig::start().await;
    let two = one.replica().await;
    let identity = one.enrol().await;
    let mut agent = two.agent(&identity, 1).await;
    let submitted = one.app.operations.submit(fan_floor(identity.device)).await.unwrap();
    assert_eq!(submitted.state, OperationState::Queued);
    let Some(ControlDown::Command(command)) = agent.down.next().await else {
        panic!("no command came");
    };
    assert_eq!(command.operation, submitted.id);
    let verdict = ControlUp::Verdict { operation: submitted.id, verdict: Verdict::Accepted };
    agent.say(&verdict).await;
    let running = async {
        loop {
            let operation = one.app.operations.operation(submitted.id).await.unwrap().unwrap();
            if operation.verdict == Some(Verdict::Accepted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_one_replica_takes_back_ends_the_connection_to_another() {
    let one = Rig::start().await;
    let two = one.replica().await;
    let identity = one.enrol().await;
    let agent = two.agent(&identity, 1).await;
    assert!(one.app.fleet.revoke(identity.device).await.unwrap());
    agent.closed_with().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_under_traffic_loses_nothing_that_was_acknowledged() {
    let mut server = Postgres::start().unwrap();
    let rig = Rig::on_server(&server).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    // What defines series is not waited for: its session would end.
    let mut sent = 1;
    send(&mut agent, 1..=sent).await;
    agent.acknowledged(sent).await;
    for crash in [false, true, false] {
        send(&mut agent, sent + 1..=sent + 10).await;
        if crash {
            server.crash().unwrap();
        } else {
            server.stop().unwrap();
        }
        send(&mut agent, sent + 11..=sent + 20).await;
        sent += 20;
        server.go().unwrap();
        agent.acknowledged(sent).await;
    }
    let acked: Ranges = (1..=sent).map(Seq).collect();
    assert_eq!(rig.agent(&identity, 7).await.acked(), acked);
    assert_eq!(rig.number(BLOCKS).await, sent);
}

#[tokio::test]
async fn a_days_table_goes_once_its_blocks_are_history() {
    // Noon of yesterday: no midnight, with tables of its own, comes in between.
    let now_ms = Clock::System.now_ms();
    let clock = Clock::manual(now_ms - now_ms % 86_400_000 - 43_200_000);
    let rig = Rig::with_history(clock.clone(), |_| HistorySettings::default()).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    let old_ms = clock.now_ms() - 10 * 86_400_000;
    agent.send(block(1, old_ms, &[(0, old_ms, Ok(40.0))])).await;
    agent.acknowledged(1).await;
    let before = rig.number(TABLES).await;
    clock.advance(Duration::from_secs(21 * 60));
    assert_eq!(rig.app.history.pass().await.unwrap().blocks, 1);
    assert_eq!(rig.number(TABLES).await, before - 1);
    // What comes for that day still finds a place.
    agent.send(block(2, old_ms + 10_000, &[(0, old_ms + 10_000, Ok(41.0))])).await;
    agent.acknowledged(2).await;
    assert_eq!((rig.number(TABLES).await, rig.number(ASTRAY).await), (before, 0));
}

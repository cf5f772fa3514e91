//! The history from outside: in a bucket that speaks S3, which is PyPI's moto, and without room.

use super::rig::{Rig, block, entry};
use flyball_aggregator::clock::Clock;
use flyball_aggregator::fleet::DeviceId;
use flyball_aggregator::history::budget::Room;
use flyball_aggregator::history::{Budget, History, HistoryError, HistorySettings, Tier, Wanted};
use flyball_harness::counterparts::Bucket;
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::message::close;
use flyball_protocol::series::Reader;
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::NoData;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

/// A while ago: the two hours from here are past.
const START_MS: u64 = 1_790_000_000_000;
/// Until blocks that came now may become history.
const SETTLED: Duration = Duration::from_secs(21 * 60);

fn settings(bucket: &Bucket, state: &Path) -> HistorySettings {
    let credentials = state.join("credentials.toml");
    std::fs::write(&credentials, "access_key_id = \"a\"\nsecret_access_key = \"b\"\n").unwrap();
    HistorySettings {
        store: Some(format!("s3://{}/of/flyball", Bucket::NAME)),
        endpoint: Some(bucket.address()),
        credentials_file: Some(credentials),
        ..HistorySettings::default()
    }
}

fn now() -> Clock {
    Clock::manual(Clock::System.now_ms())
}

/// How many samples the segments of a machine have.
async fn samples(history: &History, device: DeviceId) -> usize {
    let to_ms = START_MS * 2;
    let wanted = Wanted { device, from_ms: 0, to_ms, series: &[], tier: Tier::Samples };
    let mut found = 0;
    history
        .for_each_segment::<HistoryError>(&wanted, |segment| {
            for part in segment.parts() {
                found += segment.samples(&part).unwrap().len();
            }
            Ok(())
        })
        .await
        .unwrap();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_lie_in_a_bucket_and_blocks_stay_while_it_is_away() {
    let bucket = Bucket::start().unwrap();
    let clock = now();
    let rig = Rig::with_history(clock.clone(), |state| settings(&bucket, state)).await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    for seq in 1..=3 {
        let start_ms = START_MS + seq * 10_000;
        let samples = [(0, start_ms, Ok(40.0)), (0, start_ms + 1000, Ok(41.5))];
        agent.send(block(seq, start_ms, &samples)).await;
    }
    agent.acknowledged(3).await;
    clock.advance(SETTLED);
    let pass = rig.app.history.pass().await.unwrap();
    assert_eq!((pass.segments, pass.blocks, pass.left), (1, 3, 0));
    assert_eq!(samples(&rig.app.history, identity.device).await, 6);
    // A bucket that is gone costs nothing but time: what is not there yet stays where it was.
    agent.send(block(4, START_MS + 60_000, &[(0, START_MS + 60_000, Ok(42.0))])).await;
    agent.acknowledged(4).await;
    clock.advance(SETTLED);
    bucket.process().signal(Signal::KILL).unwrap();
    let pass = rig.app.history.pass().await.unwrap();
    assert_eq!((pass.segments, pass.left), (0, 1));
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 4);
    // One that keeps failing is left alone for a while, and the metrics say so.
    for _ in 0..5 {
        rig.app.history.pass().await.unwrap();
    }
    let open = format!(
        "outbound_circuit_state{{kind=\"objects\",target=\"s3://{}/of/flyball\"}} 2",
        Bucket::NAME
    );
    let text = rig.app.metrics.expose().unwrap();
    assert!(text.contains(&open), "{text}");
}

/// The parts of segments that lie on this machine's disk.
fn parts_on_disk(state: &Path) -> usize {
    let files = |folder: std::fs::DirEntry| std::fs::read_dir(folder.path()).unwrap().count();
    std::fs::read_dir(state.join("cache/history")).unwrap().flatten().map(files).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_once_is_answered_after_a_restart_while_the_bucket_is_away() {
    let bucket = Bucket::start().unwrap();
    let clock = now();
    let rig = Rig::with_history(clock.clone(), |state| settings(&bucket, state)).await;
    let state = &rig.app.config.state;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    agent.acknowledged(1).await;
    clock.advance(SETTLED);
    assert_eq!(rig.app.history.pass().await.unwrap().segments, 1);
    // Its tail was kept when it was written; its samples are by reading them.
    until(|| parts_on_disk(state) == 1).await;
    assert_eq!(samples(&rig.app.history, identity.device).await, 1);
    until(|| parts_on_disk(state) == 2).await;
    bucket.process().signal(Signal::KILL).unwrap();
    let settings = settings(&bucket, state);
    let again = History::open(rig.app.store.clone(), clock, &settings, state).unwrap();
    assert_eq!(samples(&again, identity.device).await, 1);
}

/// Waits until it is so, for ten seconds at most.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is not so after ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_known_by_its_mark_and_another_place_in_it_is_refused() {
    let bucket = Bucket::start().unwrap();
    let rig = Rig::with_history(now(), |state| settings(&bucket, state)).await;
    rig.app.history.recognise_at_start().await.unwrap();
    let state = &rig.app.config.state;
    let beside = |settings: &HistorySettings| {
        History::open(rig.app.store.clone(), rig.app.clock.clone(), settings, state).unwrap()
    };
    let mut settings = settings(&bucket, state);
    beside(&settings).recognise().await.unwrap();
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    agent.acknowledged(1).await;
    rig.app.clock.advance(SETTLED);
    assert_eq!(rig.app.history.pass().await.unwrap().segments, 1);
    let elsewhere = format!("s3://{}/of/another", Bucket::NAME);
    settings.store = Some(elsewhere.clone());
    let refused = beside(&settings).recognise_at_start().await.unwrap_err();
    assert!(matches!(refused, HistoryError::Foreign(_)), "{refused:?}");
    assert!(refused.to_string().starts_with(&elsewhere), "{refused}");
}

#[tokio::test]
async fn without_room_blocks_are_refused_and_what_else_comes_is_taken() {
    let budget = Budget { bytes: Some(1), ..Budget::default() };
    let settings = HistorySettings { budget, ..HistorySettings::default() };
    let rig = Rig::with_history(now(), |_| settings).await;
    let identity = rig.enrol().await;
    assert_eq!(rig.app.history.judge_room().await.unwrap(), Room::Full);
    let mut agent = rig.agent(&identity, 7).await;
    let gap = EntryBody::Gap(Gap {
        from_ms: START_MS,
        to_ms: START_MS + 1000,
        scope: GapScope::Reader(Reader::Agent),
        reason: NoData::NotRunning,
        note: String::new(),
    });
    agent.send(entry(1, &gap)).await;
    agent.acknowledged(1).await;
    agent.send(block(2, START_MS, &[(0, START_MS, Ok(40.0))])).await;
    assert_eq!(agent.closed_with().await, u64::from(close::REFUSED));
    assert_eq!(rig.refusals("no_room"), 1);
    assert_eq!(rig.app.store.counts().await.unwrap().blocks, 0);
    // The agent comes again and still has it.
    let agent = rig.agent(&identity, 7).await;
    assert_eq!(agent.acked(), Ranges::from_iter([Seq(1)]));
}

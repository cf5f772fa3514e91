//! Jobs over streams of their own.

use super::*;
use flyball_link::ReadError;

#[tokio::test]
async fn a_job_runs_and_its_events_come_back() {
    let rig = Rig::start(0);
    let peer = rig.peer().await;
    let (_writer, mut events) = peer.job(&request(1000)).await;
    let progress = JobEvent::Progress { done: 1, total: None, note: "dot".into() };
    assert_eq!(job_event(&mut events).await, progress);
    assert_eq!(job_event(&mut events).await, JobEvent::Done);
}

#[tokio::test]
async fn a_job_whose_stream_is_dropped_is_cancelled() {
    let (cancelled, mut heard) = mpsc::channel(16);
    let rig = Rig::with(0, waiting_runner(cancelled), |servers| servers);
    let peer = rig.peer().await;
    let (_writer, mut events) = peer.job(&request(0)).await;
    job_event(&mut events).await;
    drop(events);
    soon(heard.recv()).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_brings_no_job_is_reset_and_nothing_else_suffers() {
    let mut rig = Rig::start(0);
    let mut peer = rig.peer().await;
    let (mut send, mut receive) = soon(peer.connection.open_bi()).await.unwrap();
    soon(send.write_all(&0x8000_0000_u32.to_le_bytes())).await.unwrap();
    let reset = soon(receive.read_chunk(16)).await.unwrap_err();
    assert!(matches!(reset, ReadError::Reset(close::FRAME_TOO_LARGE)), "{reset}");
    rig.append(1);
    peer.entries(1).await;
}

//! The control stream: what is told over it, and what ends the connection.

use super::*;

#[tokio::test]
async fn the_first_words_say_who_speaks_and_how_far_its_spool_is() {
    let rig = Rig::start(3);
    let peer = rig.aggregator.accept().await;
    assert_eq!((peer.hello.epoch, peer.hello.next_seq), (Epoch(7), Seq(4)));
    assert_eq!(peer.hello.machine.hostname, "rig");
    assert!(!peer.hello.guard_attached);
}

#[tokio::test]
async fn inventory_and_processes_are_told_over_the_control_stream() {
    let rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Inventory(_)).then_some(())).await;
    peer.control(|message| matches!(message, ControlUp::Plugins(_)).then_some(())).await;
    let process = Process { pid: 1, name: "init".into(), cpu_percent: 0.5, memory_bytes: 7 };
    rig.processes.send(vec![process.clone()]).await.unwrap();
    let told = peer
        .control(|message| match message {
            ControlUp::Processes(processes) => Some(processes),
            _ => None,
        })
        .await;
    assert_eq!(told, [process]);
}

#[tokio::test]
async fn a_guard_that_comes_or_goes_behind_the_first_words_is_told() {
    let rig = Rig::start(0);
    let mut peer = rig.aggregator.accept().await;
    assert!(!peer.hello.guard_attached);
    // Before the welcome nothing can be said; it is told behind it.
    rig.attach_guard().await;
    peer.welcome(&Ranges::new()).await;
    let told = |message| match message {
        ControlUp::Guard { attached, simulated } => Some((attached, simulated)),
        _ => None,
    };
    let simulated = board().simulated;
    assert_eq!(peer.control(told).await, (true, simulated));
    rig.news.send(News::Detached).await.unwrap();
    assert_eq!(peer.control(told).await, (false, simulated));
    rig.attach_guard().await;
    assert_eq!(peer.control(told).await, (true, simulated));
}

#[tokio::test]
async fn frames_that_are_none_end_the_connection_with_their_code() {
    let rig = Rig::start(0);
    let cases: [(&[u8], u32); 3] = [
        (&0x8000_0000_u32.to_le_bytes(), close::FRAME_TOO_LARGE),
        (&[1, 0, 0, 0, 0x7f], close::MALFORMED),
        (&[2, 0, 0, 0, 3, 3], close::MALFORMED),
    ];
    for (bytes, code) in cases {
        let mut peer = rig.peer().await;
        peer.say_bytes(bytes).await;
        assert_eq!(peer.closed().await, code, "{bytes:?}");
    }
    let mut peer = rig.peer().await;
    peer.say_bytes(&[9, 0, 0, 0, 1]).await;
    peer.finish_control();
    assert_eq!(peer.closed().await, close::MALFORMED, "a torn frame");
}

#[tokio::test]
async fn a_version_that_was_not_offered_ends_the_connection() {
    let rig = Rig::start(0);
    let mut peer = rig.aggregator.accept().await;
    let (acked, pending) = (Ranges::new(), Vec::new());
    peer.say(&ControlDown::Welcome { version: 9, acked, pending, now_ms: 0 }).await;
    assert_eq!(peer.closed().await, close::VERSION);
}

#[tokio::test]
async fn a_farewell_waits_for_what_is_under_way_and_says_why_it_goes() {
    let mut rig = Rig::start(2);
    let mut peer = rig.peer().await;
    peer.entries(2).await;
    rig.append(1);
    rig.farewell.take().unwrap().send(()).unwrap();
    peer.entries(1).await;
    peer.ack(1, 3).await;
    assert_eq!(peer.closed().await, close::SHUTDOWN);
    soon(rig.uplink).await.unwrap();
}

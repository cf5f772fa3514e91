use super::machine::enrol;
use super::rig::{Rig, VIEWER};
use super::sockets::{close_code, next_json, open, sampled, say};
use crate::access::Role;
use crate::live::Live;
use crate::store::EntryKey;
use crate::telemetry::NoData;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

#[tokio::test]
async fn a_stream_greets_answers_pings_and_delivers_what_was_asked_for() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&token)).await.unwrap();
    let hello = next_json(&mut socket).await;
    assert_eq!(hello["type"], "connected");
    assert_eq!(hello["data"]["stats"]["online_clients"], 0);
    say(&mut socket, json!({ "type": "ping" })).await;
    let pong = next_json(&mut socket).await;
    assert_eq!((&pong["type"], &pong["timestamp"]), (&json!("pong"), &json!(1_795_298_300.0)));

    let topic = format!("readings:{device}");
    say(&mut socket, json!({ "id": 1, "type": "subscribe", "topics": [topic, "events"] })).await;
    assert_eq!(next_json(&mut socket).await, json!({ "type": "result", "id": 1, "ok": true }));
    let snapshot = next_json(&mut socket).await;
    assert_eq!((&snapshot["type"], &snapshot["topic"]), (&json!("snapshot"), &json!(topic)));
    let sampled = vec![
        sampled(device, 4, vec![(1_000, Ok(41.5))]),
        sampled(device, 5, vec![(1_000, Err(NoData::Missing))]),
    ];
    rig.app.live.publish(Live::readings(device, EntryKey::for_test(1, 1), sampled));
    assert_eq!(
        next_json(&mut socket).await,
        json!({
            "type": "delta",
            "topic": topic,
            "seq": 1,
            "data": {
                "device_id": device.0,
                "points": [
                    { "series": "4", "t": 1_000, "v": 41.5 },
                    { "series": "5", "t": 1_000, "v": null, "no_data": "missing" },
                ],
            },
        })
    );
    rig.app.live.publish(Live::Device { device, online: true, at_ms: 1 });
    let presence = next_json(&mut socket).await;
    assert_eq!(presence["type"], "client_status_changed");
    assert_eq!(next_json(&mut socket).await["type"], "client_update");
    say(&mut socket, json!({ "id": 2, "type": "subscribe", "topics": ["weather"] })).await;
    let refused = next_json(&mut socket).await;
    assert_eq!((&refused["id"], &refused["ok"]), (&json!(2), &json!(false)));
    say(&mut socket, json!("what")).await;
    assert_eq!(next_json(&mut socket).await["type"], "error");
}

#[tokio::test]
async fn a_ticket_opens_one_stream() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    // The listener has tickets of its own.
    let address = rig.listen().await;
    let head = format!(
        "POST /api/v1/auth/ws-ticket HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["data"]["expires_in"], 30);
    let path = format!("/api/v1/stream?ticket={}", body["data"]["ticket"].as_str().unwrap());
    let mut socket = open(address, &path, None).await.unwrap();
    assert_eq!(next_json(&mut socket).await["type"], "connected");
    let again = open(address, &path, None).await.unwrap_err();
    assert!(matches!(again, tungstenite::Error::Http(response) if response.status() == 401));
}

#[tokio::test]
async fn a_stream_without_a_sign_in_is_closed_and_one_with_it_is_not() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let address = rig.listen().await;
    let mut wrong = open(address, "/ws", None).await.unwrap();
    say(&mut wrong, json!({ "type": "auth", "token": "x" })).await;
    assert_eq!(close_code(&mut wrong).await, 4401);
    let mut right = open(address, "/ws", None).await.unwrap();
    say(&mut right, json!({ "type": "auth", "token": token })).await;
    assert_eq!(next_json(&mut right).await["type"], "connected");
    assert!(open(address, "/ws", Some("x")).await.is_err());
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_token() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&token)).await.unwrap();
    next_json(&mut socket).await;
    let answer = rig.post("/api/v1/auth/logout").by(&token).json(&json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(close_code(&mut socket).await, 4401);

    let tokens = rig.sign_in("/api/auth/login", VIEWER, super::rig::PASSWORD).await.json();
    let token = tokens["tokens"]["access_token"].as_str().unwrap();
    let mut socket = open(address, "/ws", Some(token)).await.unwrap();
    next_json(&mut socket).await;
    rig.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(close_code(&mut socket).await, 4401);
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&token)).await.unwrap();
    next_json(&mut socket).await;
    say(&mut socket, json!({ "type": "subscribe", "topics": ["readings:*"] })).await;
    assert_eq!(next_json(&mut socket).await["ok"], true);
    let sampled = vec![sampled(device, 4, vec![(1_000, Ok(41.5)); 400])];
    for seq in 0..4_000 {
        let entry = EntryKey::for_test(1, seq);
        rig.app.live.publish(Live::readings(device, entry, sampled.clone()));
    }
    let mut dropped = 0;
    let mut delivered = 0;
    while dropped + delivered < 4_000 {
        let message = next_json(&mut socket).await;
        match message["type"].as_str().unwrap() {
            "gap" => dropped += message["dropped"].as_u64().unwrap(),
            "delta" => delivered += 1,
            "bookmark" => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(dropped + delivered, 4_000);
    assert!(dropped > 0);
}

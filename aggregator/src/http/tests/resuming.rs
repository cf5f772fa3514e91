//! Streams that go on where they were: after a pause, after a restart, as server-sent events.

use super::machine::enrol;
use super::rig::{NOW_MS, Rig};
use super::sockets::{Socket, next_json, next_of, open, sampled, say};
use crate::fleet::DeviceId;
use crate::live::Live;
use crate::store::{Arrival, ArrivalBody, DeviceKey, EntryKey, EpochKey};
use crate::telemetry::{Kind, NoData, Reader, Sampled, Severity, Unit};
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::guard::{EventKind, GuardEvent};
use flyball_protocol::series::{SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A machine that commits, with a series of its own.
pub(super) struct Source {
    id: DeviceId,
    device: DeviceKey,
    epoch: EpochKey,
    series: i64,
    seq: u64,
}

impl Source {
    async fn new(rig: &Rig) -> Self {
        Self::of(rig, enrol(rig).await).await
    }

    pub(super) async fn of(rig: &Rig, id: DeviceId) -> Self {
        let opened = rig.app.store.open_epoch(id, Epoch(1), NOW_MS).await.unwrap().unwrap();
        let definition = SeriesDef {
            number: SeriesRef(0),
            metric: "hw.temperature".into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: vec![("hw.id".into(), "cpu".into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        };
        let (device, epoch) = (opened.device, opened.epoch);
        let defined = rig.app.store.define_series(device, epoch, &[definition], NOW_MS).await;
        let series = defined.unwrap()[0].1.id.0;
        Self { id, device, epoch, series, seq: 0 }
    }

    async fn commit(&mut self, rig: &Rig, body: ArrivalBody) -> EntryKey {
        self.seq += 1;
        let Self { id, device, epoch, .. } = *self;
        let seq = Seq(self.seq);
        let arrival = Arrival { id, device, epoch, seq, checksum: 1, raw: vec![1], body };
        rig.app.store.commit(&[arrival], NOW_MS).await.unwrap();
        EntryKey { epoch, seq }
    }

    /// A sample, committed and not published: whoever was away has missed it.
    pub(super) async fn sample(
        &mut self,
        rig: &Rig,
        at_ms: u64,
        value: Result<f64, NoData>,
    ) -> EntryKey {
        let mut block = BlockBuilder::new(at_ms, 1_000);
        block.push(SeriesRef(0), at_ms, value).unwrap();
        let data = block.build().unwrap().encode();
        self.commit(rig, ArrivalBody::Block { from_ms: at_ms, to_ms: at_ms, data }).await
    }

    pub(super) async fn event(&mut self, rig: &Rig, subject: &str) {
        let event = GuardEvent {
            kind: EventKind::SensorLost,
            severity: Severity::Info,
            subject: subject.into(),
            message: String::new(),
            reading: None,
            threshold: None,
            unit: None,
        };
        self.commit(rig, ArrivalBody::Event { at_ms: NOW_MS, event }).await;
    }
}

/// A stream that has said hello.
async fn stream(rig: &Rig, token: &str) -> Socket {
    let address = rig.listen().await;
    let mut socket = open(address, "/api/v1/stream", Some(token)).await.unwrap();
    assert_eq!(next_json(&mut socket).await["type"], "connected");
    socket
}

async fn resume(socket: &mut Socket, topics: &[&str], token: &str) {
    say(socket, json!({ "id": 1, "type": "subscribe", "topics": topics, "resume": token })).await;
    assert_eq!(next_of(socket, "result").await["ok"], true);
}

#[tokio::test]
async fn a_stream_goes_on_after_a_restart_with_what_it_missed_and_tells_nothing_twice() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let mut source = Source::new(&rig).await;
    source.sample(&rig, 1_000, Ok(40.0)).await;
    source.event(&rig, "told").await;
    let mut socket = stream(&rig, &token).await;
    let readings = format!("readings:{}", source.id);
    let topics = [readings.as_str(), "events"];
    say(&mut socket, json!({ "type": "subscribe", "topics": topics })).await;
    let bookmark = next_of(&mut socket, "bookmark").await;
    let bookmark = bookmark["token"].as_str().unwrap();
    drop(socket);

    source.sample(&rig, 2_000, Ok(41.0)).await;
    source.event(&rig, "missed").await;
    let rig = rig.restarted().await;
    let entry = source.sample(&rig, 3_000, Err(NoData::Missing)).await;
    let mut socket = stream(&rig, &token).await;
    resume(&mut socket, &topics, bookmark).await;
    let mut points = Vec::new();
    for _ in 0..2 {
        let delta = next_of(&mut socket, "delta").await;
        assert_eq!(delta["topic"], readings);
        points.extend(delta["data"]["points"].as_array().unwrap().clone());
    }
    let series = source.series.to_string();
    assert_eq!(
        points,
        [
            json!({ "series": series, "t": 2_000, "v": 41.0 }),
            json!({ "series": series, "t": 3_000, "v": null, "no_data": "missing" }),
        ]
    );
    let event = next_of(&mut socket, "event").await;
    assert_eq!((&event["topic"], &event["data"]["subject"]), (&json!("events"), &json!("missed")));
    // The commit that was replayed is published late, the next one is new.
    let again = vec![sampled(source.id, source.series, vec![(3_000, Err(NoData::Missing))])];
    rig.app.live.publish(Live::readings(source.id, entry, again));
    let entry = source.sample(&rig, 4_000, Ok(42.0)).await;
    let fresh = vec![sampled(source.id, source.series, vec![(4_000, Ok(42.0))])];
    rig.app.live.publish(Live::readings(source.id, entry, fresh));
    let delta = next_of(&mut socket, "delta").await;
    assert_eq!(delta["data"]["points"], json!([{ "series": series, "t": 4_000, "v": 42.0 }]));
}

#[tokio::test]
async fn a_bookmark_that_is_too_old_or_not_ours_asks_for_a_new_start() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let mut source = Source::new(&rig).await;
    source.event(&rig, "one").await;
    let mut socket = stream(&rig, &token).await;
    say(&mut socket, json!({ "type": "subscribe", "topics": ["operations"] })).await;
    let bookmark = next_of(&mut socket, "bookmark").await;
    let bookmark = bookmark["token"].as_str().unwrap().to_owned();
    resume(&mut socket, &["events"], "AAAA").await;
    let resync = next_of(&mut socket, "resync_required").await;
    assert_eq!(resync["reason"], "unknown_token");
    // The access token lives as long as the bookmark: a new sign-in, then the old bookmark.
    rig.clock.advance(Duration::from_secs(16 * 60));
    let tokens = rig.sign_in("/api/auth/login", super::rig::ADMIN, super::rig::PASSWORD).await;
    let token = tokens.json()["tokens"]["access_token"].as_str().unwrap().to_owned();
    let mut socket = stream(&rig, &token).await;
    resume(&mut socket, &["events"], &bookmark).await;
    assert_eq!(next_of(&mut socket, "resync_required").await["reason"], "too_old");
}

#[tokio::test]
async fn state_is_told_as_added_and_then_changed_no_sooner_than_was_asked() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let mut socket = stream(&rig, &token).await;
    let topic = "metrics:metric=hw.temperature";
    say(
        &mut socket,
        json!({
            "type": "subscribe", "topics": [topic], "mode": "state", "min_interval_ms": 400,
        }),
    )
    .await;
    assert_eq!(next_of(&mut socket, "result").await["ok"], true);
    let publish = |at_ms: u64| {
        let sampled = vec![sampled(device, 4, vec![(at_ms, Ok(40.0)), (at_ms + 1, Ok(41.0))])];
        let entry = EntryKey { epoch: EpochKey::for_test(1), seq: Seq(at_ms) };
        rig.app.live.publish(Live::readings(device, entry, sampled));
    };
    publish(1_000);
    let first = next_of(&mut socket, "delta").await;
    assert_eq!(first["topic"], topic);
    let state = |at_ms: u64| json!({ "4": { "device_id": device.0, "t": at_ms, "v": 41.0 } });
    assert_eq!(first["data"], json!({ "a": state(1_001), "c": {} }));
    for at_ms in [2_000, 3_000, 4_000] {
        publish(at_ms);
    }
    let second = next_of(&mut socket, "delta").await;
    assert_eq!(second["seq"], 2);
    assert_eq!(second["data"], json!({ "a": {}, "c": state(4_001) }), "the newest of three");
}

#[tokio::test]
async fn what_was_erased_is_taken_back_from_streams_and_from_the_newest_values() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let measured = |at_ms: u64| {
        let sampled = vec![sampled(device, 4, vec![(at_ms, Ok(40.0))])];
        rig.app.latest.update(sampled.iter().filter_map(Sampled::newest));
        let entry = EntryKey { epoch: EpochKey::for_test(1), seq: Seq(at_ms) };
        rig.app.live.publish(Live::readings(device, entry, sampled));
    };
    let mut socket = stream(&rig, &token).await;
    let topics = [format!("readings:{device}"), "metrics:unit=Cel".into(), "metrics:unit=W".into()];
    say(&mut socket, json!({ "type": "subscribe", "topics": topics, "mode": "state" })).await;
    assert_eq!(next_of(&mut socket, "result").await["ok"], true);
    measured(1_000);
    for topic in &topics[..2] {
        let told = next_of(&mut socket, "delta").await;
        assert_eq!((&told["topic"], &told["data"]["a"]["4"]["t"]), (&json!(topic), &json!(1_000)));
    }
    let path = format!("/api/v1/devices/{device}/telemetry");
    let erased = rig.ask(axum::http::Method::DELETE, &path).by(&token).send().await;
    assert_eq!(erased.status, 200);
    assert!(rig.app.latest.of(device).is_empty());
    for topic in &topics[..2] {
        let told = next_of(&mut socket, "delta").await;
        assert_eq!(told["topic"], json!(topic));
        assert_eq!(told["data"], json!({ "a": {}, "c": {}, "r": ["4"] }));
    }
    measured(2_000);
    let again = next_of(&mut socket, "delta").await;
    assert_eq!(again["data"]["a"]["4"]["t"], 2_000, "as for the first time: {again}");
}

/// The next server-sent event that has that name, as its fields.
async fn next_event(lines: &mut (impl AsyncBufReadExt + Unpin), kind: &str) -> (String, Value) {
    let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(10), lines.read_line(&mut line)).await;
        assert_ne!(read.unwrap().unwrap(), 0, "the stream ended");
        let line = line.trim_end();
        if let Some(value) = line.strip_prefix("event: ") {
            name = value.to_owned();
        } else if let Some(value) = line.strip_prefix("id: ") {
            id = value.to_owned();
        } else if let Some(value) = line.strip_prefix("data: ") {
            data = serde_json::from_str(value).unwrap();
        } else if line.is_empty() && name == kind {
            return (id, data);
        }
    }
}

async fn events_of(rig: &Rig, token: &str, more: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(rig.listen().await).await.unwrap();
    let head = format!(
        "GET /api/v1/stream/sse?topics=events HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer {token}\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    BufReader::new(stream)
}

#[tokio::test]
async fn server_sent_events_go_on_from_the_last_id_that_the_browser_saw() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let mut source = Source::new(&rig).await;
    let mut lines = events_of(&rig, &token, "").await;
    next_event(&mut lines, "connected").await;
    let (id, _) = next_event(&mut lines, "bookmark").await;
    drop(lines);
    source.event(&rig, "meanwhile").await;
    let mut lines = events_of(&rig, &token, &format!("last-event-id: {id}\r\n")).await;
    let (_, event) = next_event(&mut lines, "event").await;
    assert_eq!(event["data"]["subject"], "meanwhile");
    assert_eq!(rig.get("/api/v1/stream/sse?topics=events").send().await.status, 401);
    assert_eq!(rig.get("/api/v1/stream/sse").by(&token).send().await.status, 400);
    let wrong = rig.get("/api/v1/stream/sse?topics=weather").by(&token).send().await;
    assert!(wrong.text.contains("`weather` is no topic"), "{}", wrong.text);
}

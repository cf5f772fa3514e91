//! Questions about what was measured, over the API, on samples that the store has committed.

use super::machine::enrol;
use super::rig::{NOW_MS, Rig};
use crate::fleet::DeviceId;
use crate::store::{Arrival, ArrivalBody};
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use flyball_units::{Kind, NoData, Unit};
use serde_json::{Value, json};

/// The samples end here, a minute after they begin.
const END_MS: u64 = NOW_MS / 60_000 * 60_000;
pub(super) const BEGIN_MS: u64 = END_MS - 60_000;

fn definitions() -> Vec<SeriesDef> {
    let define = |number, metric: &str, kind, unit, id: &str| SeriesDef {
        number: SeriesRef(number),
        metric: metric.into(),
        kind,
        unit,
        attributes: vec![("hw.id".into(), id.into()), ("rack".into(), "r12".into())],
        cadence_ms: 1_000,
        reader: Reader::Guard,
    };
    vec![
        define(0, "hw.temperature", Kind::Temperature, Unit::Celsius, "cpu"),
        define(1, "hw.temperature", Kind::Temperature, Unit::Celsius, "board, left"),
        define(2, "hw.energy", Kind::Energy, Unit::Joule, "psu"),
    ]
}

/// A minute of a machine: temperatures that rise by a degree a second from `base`, and an energy
/// counter of 100 W that begins anew after half of it. One of the temperatures is stale from
/// 10 s to 20 s.
pub(super) async fn measured(rig: &Rig, base: f64) -> DeviceId {
    let device = enrol(rig).await;
    let opened = rig.app.store.open_epoch(device, Epoch(1), NOW_MS).await.unwrap().unwrap();
    let (key, epoch) = (opened.device, opened.epoch);
    rig.app.store.define_series(key, epoch, &definitions(), NOW_MS).await.unwrap();
    let mut arrivals = Vec::new();
    for block in 0..6_u64 {
        let start_ms = BEGIN_MS + block * 10_000;
        let mut builder = BlockBuilder::new(start_ms, 10_000);
        for second in block * 10..(block + 1) * 10 {
            let (at_ms, seconds) = (BEGIN_MS + second * 1_000, second as f64);
            let stale = (10..20).contains(&second);
            let energy = if second < 30 { seconds } else { seconds - 30.0 } * 100.0;
            let readings =
                [Ok(base + seconds), if stale { Err(NoData::Stale) } else { Ok(base) }, Ok(energy)];
            for (number, reading) in (0..).zip(readings) {
                builder.push(SeriesRef(number), at_ms, reading).unwrap();
            }
        }
        arrivals.push(Arrival {
            id: device,
            device: key,
            epoch,
            seq: Seq(block + 1),
            checksum: 1,
            raw: Vec::new(),
            body: ArrivalBody::Block {
                from_ms: start_ms,
                to_ms: start_ms + 9_000,
                data: builder.build().unwrap().encode(),
            },
        });
    }
    rig.app.store.commit(&arrivals, NOW_MS).await.unwrap();
    device
}

async fn two() -> (Rig, String, [DeviceId; 2]) {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let devices = [measured(&rig, 20.0).await, measured(&rig, 50.0).await];
    (rig, token, devices)
}

fn minute() -> String {
    format!("from={BEGIN_MS}&to={END_MS}")
}

#[tokio::test]
async fn series_of_all_machines_are_walked_by_a_cursor() {
    let (rig, token, devices) = two().await;
    let mut found = Vec::new();
    let mut path = "/api/v1/series?limit=4".to_owned();
    for _ in 0..2 {
        let page = rig.get(&path).by(&token).send().await.json();
        found.extend(page["data"].as_array().unwrap().clone());
        path = page["links"]["next"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!((found.len(), path.as_str()), (6, ""));
    assert_eq!(found[0]["device_id"], devices[0].to_string());
    for (filter, count) in [
        ("reading_type=TEMPERATURE", 4),
        ("metric=hw.energy", 2),
        ("labels=hw.id%3Dcpu", 2),
        ("labels=hw.id%20in%20(cpu,psu),rack%3Dr12", 4),
        ("labels=!rack", 0),
        (&format!("device={}", devices[1]), 3),
    ] {
        let page = rig.get(&format!("/api/v1/series?{filter}")).by(&token).send().await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn readings_are_answered_across_machines() {
    let (rig, token, devices) = two().await;
    let path = format!("/api/v1/readings?{}&labels=hw.id%3Dcpu&step=30s&aggregate=max", minute());
    let answer = rig.get(&path).by(&token).send().await.json();
    let of = |at: usize| (&answer["data"][at]["device_id"], &answer["data"][at]["points"]);
    let points = |base: f64| json!([[BEGIN_MS, base + 29.0], [BEGIN_MS + 30_000, base + 59.0]]);
    assert_eq!(of(0), (&json!(devices[0]), &points(20.0)));
    assert_eq!(of(1), (&json!(devices[1]), &points(50.0)));
}

#[tokio::test]
async fn groups_are_put_together_step_by_step() {
    let (rig, token, _) = two().await;
    let ask = |rest: &str| format!("/api/v1/readings:aggregate?{}&{rest}", minute());
    let get = async |rest: &str| rig.get(&ask(rest)).by(&token).send().await.json();
    let points = |answer: &Value, at: usize| {
        let of = |point: &Value| point[1].as_f64();
        let points = answer["data"][0]["results"][at]["points"].as_array().unwrap();
        points.iter().map(of).collect::<Vec<_>>()
    };
    let all = "metric=hw.temperature&labels=hw.id%3Dcpu&group_by=metric&step=30s";
    let answer = get(&format!("{all}&aggregate=avg,min,max,count,p50")).await;
    assert_eq!(answer["data"][0]["group"], json!({ "metric": "hw.temperature" }));
    assert_eq!(points(&answer, 0), [Some(49.5), Some(79.5)]);
    assert_eq!(points(&answer, 1), [Some(20.0), Some(50.0)]);
    assert_eq!(points(&answer, 2), [Some(79.0), Some(109.0)]);
    assert_eq!(points(&answer, 3), [Some(60.0), Some(60.0)]);
    assert_eq!(points(&answer, 4), [Some(49.5), Some(79.5)]);
    assert_eq!(answer["data"][0]["coverage"], json!([1.0, 1.0]));
    // The counter begins anew at 30 s; what it shows there is what it gained since.
    let answer = get("metric=hw.energy&group_by=all&step=1m&aggregate=increase,rate").await;
    assert_eq!(points(&answer, 0), [Some(2.0 * 5_800.0)]);
    let rate = points(&answer, 1)[0].unwrap();
    assert!((rate - 2.0 * 5_800.0 / 59.0).abs() < 1e-9, "{rate}");
    assert_eq!(answer["data"][0]["results"][1]["unit"], "J/s");
    // What is missing is told: a gap with its reason, and how much of each step is there.
    let answer = get("labels=hw.id%3Dboard&step=10s&aggregate=avg").await;
    assert_eq!(answer["data"], json!([]));
    let answer = get("metric=hw.temperature&group_by=hw.id&points=6&aggregate=avg").await;
    let board = answer["data"].as_array().unwrap();
    let board = board.iter().find(|group| group["group"]["hw.id"] == "board, left").unwrap();
    assert_eq!(board["coverage"], json!([1.0, 0.0, 1.0, 1.0, 1.0, 1.0]));
    assert_eq!(board["results"][0]["points"][1], json!([BEGIN_MS + 10_000, null]));
    let gap =
        json!({ "from_ms": BEGIN_MS + 10_000, "to_ms": BEGIN_MS + 19_000, "reason": "stale" });
    assert_eq!(board["gaps"], json!([gap]));
}

#[tokio::test]
async fn a_body_asks_what_a_query_string_does() {
    let (rig, token, devices) = two().await;
    let body = json!({
        "device": devices[0], "reading_type": "temperature", "labels": "hw.id in (cpu)",
        "from": BEGIN_MS.to_string(), "to": END_MS.to_string(), "step": "1m",
        "aggregate": ["last", "sum"], "group_by": ["device"],
    });
    let answer = rig.post("/api/v1/readings:aggregate").by(&token).json(&body).await.json();
    let group = &answer["data"][0];
    assert_eq!(group["group"], json!({ "device": devices[0] }));
    assert_eq!(group["results"][0]["points"], json!([[BEGIN_MS, 79.0]]));
    assert_eq!(group["results"][1]["points"], json!([[BEGIN_MS, 2_970.0]]));
    assert_eq!(group["attributes"]["rack"], "r12");
}

#[tokio::test]
async fn questions_that_are_wrong_or_too_large_say_where() {
    let (rig, token, _) = two().await;
    for (query, status, slug) in [
        ("readings?labels=a%20b", 422, "validation_error"),
        ("readings?series=all", 422, "validation_error"),
        ("readings?aggregate=mean", 422, "validation_error"),
        ("readings:aggregate?group_by=,", 422, "validation_error"),
        ("readings:aggregate?points=0", 422, "validation_error"),
        ("readings:aggregate?points=5&step=1s", 422, "validation_error"),
        ("readings:aggregate?from=0&step=1s", 422, "too_many_points"),
        ("readings:aggregate?step=10ms", 422, "validation_error"),
        ("series?cursor=x", 400, "invalid_cursor"),
    ] {
        let answer = rig.get(&format!("/api/v1/{query}")).by(&token).send().await;
        assert_eq!(answer.refusal(), (status, slug.into()), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_in_the_form_that_is_wanted() {
    let (rig, token, devices) = two().await;
    let path = format!("/api/v1/readings?{}&metric=hw.temperature", minute());
    let ask = async |path: &str, accept: &str| {
        rig.get(path).by(&token).header("accept", accept).send().await
    };
    let csv = ask(&path, "text/csv").await;
    assert_eq!(csv.header("content-type"), "text/csv");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"readings.csv\"");
    // A header, and a record for each tick of each series.
    assert_eq!(csv.text.lines().count(), 1 + 2 * 2 * 60);
    // Whoever compresses asks a stream once more after its end.
    let ask_for = rig.get(&path).by(&token).header("accept", "text/csv");
    let gzip = ask_for.header("accept-encoding", "gzip").send().await;
    assert_eq!((gzip.status.as_u16(), gzip.header("content-encoding")), (200, "gzip"));
    assert_eq!(&gzip.bytes[..2], [0x1f, 0x8b]);
    assert_eq!(csv.text.matches(",stale\r\n").count(), 2 * 10);
    assert_eq!(csv.text.matches(&devices[1].to_string()).count(), 2 * 60);
    let lines = ask(&path, "application/x-ndjson").await;
    assert_eq!(lines.text.lines().count(), 2 * 2 * 60);
    let first: Value = serde_json::from_str(lines.text.lines().next().unwrap()).unwrap();
    // Machines come in the order of their ids, which are made by chance.
    let value = first["value"].as_f64().unwrap();
    assert!([20.0, 50.0].contains(&value) && first["labels"]["hw.id"] == "cpu", "{first}");
    let parquet = ask(&path, "application/vnd.apache.parquet").await;
    assert!(parquet.bytes.starts_with(b"PAR1") && parquet.bytes.ends_with(b"PAR1"));
    let refused = ask(&path, "application/xml").await;
    assert_eq!(refused.refusal(), (406, "not_acceptable".into()));
    assert_eq!(refused.json()["details"]["available"].as_array().unwrap().len(), 4);
    let path = format!("/api/v1/readings:aggregate?{}&labels=hw.id%3Dcpu&step=30s", minute());
    let table = ask(&format!("{path}&group_by=metric&aggregate=avg,rate"), "text/csv").await;
    let expected =
        "time,{metric=hw.temperature} avg [Cel],{metric=hw.temperature} rate [Cel/s]\r\n";
    assert!(table.text.starts_with(expected), "{}", table.text);
    assert_eq!(table.text.lines().nth(1).unwrap().split(',').nth(1), Some("49.5"));
}

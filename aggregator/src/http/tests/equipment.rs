//! Equipment as devices of their own, and what the aggregator itself refuses.

use super::board::board;
use super::machine::{arm_the_destructive, enrol, guarded, guarded_as, own_host};
use super::rig::{NOW_MS, Rig, VIEWER};
use crate::access::Role;
use crate::audit::AuditQuery;
use crate::fleet::{DeviceId, equipment_id};
use crate::store::{Arrival, ArrivalBody};
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::command::{Action, PowerState, ResetType, Verdict};
use flyball_protocol::guard::{EQUIPMENT_ATTRIBUTE, EventKind, GuardEvent, LimitState, Severity};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use flyball_units::{Kind, Unit, Watts};
use serde_json::{Value, json};

#[tokio::test]
async fn equipment_is_listed_under_its_gateway_and_says_how_it_is_reached() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    let other = enrol(&rig).await;
    let list = |path: &'static str| rig.get(path).by(&token).send();
    let page = list("/api/v1/devices").await.json();
    assert_eq!(page["meta"]["total"], 5);
    let told: Vec<_> = page["data"].as_array().unwrap().iter().map(|d| d["kind"].clone()).collect();
    assert_eq!(told, ["simulated", "bmc", "pdu", "ups", "simulated"]);
    let (bmc, ups) = (&page["data"][1], &page["data"][3]);
    assert_eq!(bmc["id"], equipment_id(machine.device, "bmc-1").to_string());
    assert_eq!(bmc["gateway"], machine.device.to_string());
    assert_eq!((&bmc["status"], &bmc["machine"]), (&json!("online"), &Value::Null));
    assert_eq!(bmc["equipment"]["serial"], "42");
    assert_eq!(
        (&ups["status"], &ups["equipment"]["state"]),
        (&json!("offline"), &json!("unreachable"))
    );
    assert_eq!(ups["equipment"]["reason"], "timed out");
    let pdus = list("/api/v1/devices?kind=pdu").await.json();
    assert_eq!((&pdus["meta"]["total"], &pdus["data"][0]["name"]), (&json!(1), &json!("pdu-1")));
    let behind = format!("/api/v1/devices?gateway={other}");
    assert_eq!(rig.get(&behind).by(&token).send().await.json()["meta"]["total"], 0);
    assert_eq!(list("/api/v1/devices?kind=toaster").await.status, 422);
    // Its gateway goes, and takes the way to it along.
    rig.app.sessions.revoke(machine.device);
    let path = format!("/api/v1/devices/{}", equipment_id(machine.device, "bmc-1"));
    let detail = rig.get(&path).by(&token).send().await.json()["data"].clone();
    assert_eq!(detail["status"], "offline");
    let ids: Vec<_> =
        detail["actuators"].as_array().unwrap().iter().map(|a| a["id"].clone()).collect();
    assert_eq!(ids, ["bmc-1/power", "bmc-1/cap", "bmc-1/light"]);
}

#[tokio::test]
async fn a_command_for_equipment_is_signed_for_its_gateway_by_the_full_name() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), arm_the_destructive).await;
    let (bmc, pdu) = (equipment_id(machine.device, "bmc-1"), equipment_id(machine.device, "pdu-1"));
    let power = |id| format!("/api/v1/devices/{id}/power");
    let ask = |path: String, body: Value| {
        let ask = rig.post(&path).by(&token);
        async move { ask.json(&body).await }
    };
    let on = ask(power(bmc), json!({ "reset_type": "On", "expected_state": "Off" })).await;
    let target = on.json()["data"]["target"].clone();
    assert_eq!(target["device_id"], bmc.to_string());
    assert_eq!(
        (&target["gateway_id"], &target["actuator"]),
        (&json!(machine.device.to_string()), &json!("bmc-1/power"))
    );
    assert_eq!(ask(power(bmc), json!({ "cap_watts": 300 })).await.status, 202);
    let outlet = json!({ "reset_type": "On", "switch": "outlet-4" });
    assert_eq!(ask(power(pdu), outlet).await.status, 202);
    let which = ask(power(pdu), json!({ "reset_type": "On" })).await;
    assert_eq!(which.status, 422);
    assert!(which.json()["message"].as_str().unwrap().contains("pdu-1/outlet-4"), "{}", which.text);
    assert_eq!(
        machine.asked(),
        [
            Action::Reset {
                switch: "bmc-1/power".into(),
                reset: ResetType::On,
                expected: Some(PowerState::Off),
            },
            Action::SetPowerCap { actuator: Some("bmc-1/cap".into()), watts: Watts(300.0) },
            Action::Reset { switch: "pdu-1/outlet-4".into(), reset: ResetType::On, expected: None },
        ]
    );
    // Another piece's part is not reached through this one.
    let foreign = json!({ "reset_type": "On", "switch": "pdu-1/outlet-4" });
    assert_eq!(ask(power(bmc), foreign).await.status, 202);
    let Action::Reset { switch, .. } = machine.asked().remove(3) else { panic!() };
    assert_eq!(switch, "bmc-1/pdu-1/outlet-4");
    let of = |id| format!("/api/v1/operations?device={id}");
    let total = |answer: Value| answer["meta"]["total"].clone();
    assert_eq!(total(rig.get(&of(bmc)).by(&token).send().await.json()), 3);
    assert_eq!(total(rig.get(&of(machine.device)).by(&token).send().await.json()), 4);
}

#[tokio::test]
async fn equipment_that_is_named_no_longer_takes_no_command() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    rig.app.store.equipment_reported(machine.device, &[], true, 5).await.unwrap();
    let bmc = equipment_id(machine.device, "bmc-1");
    let path = format!("/api/v1/devices/{bmc}/power");
    let answer = rig.post(&path).by(&token).json(&json!({ "reset_type": "On" })).await;
    assert_eq!(answer.refusal(), (409, "state_conflict".into()));
    let detail = rig.get(&format!("/api/v1/devices/{bmc}")).by(&token).send().await.json();
    assert_eq!(detail["data"]["equipment"]["state"], "removed");
    let total = rig.get("/api/v1/devices").by(&token).send().await.json()["meta"]["total"].clone();
    assert_eq!(total, 1);
    assert_eq!(machine.asked(), []);
}

#[tokio::test]
async fn the_own_machine_is_taken_down_by_a_superuser_who_says_why_alone() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded_as(&rig, own_host(), board(), |_| Some(Verdict::Accepted)).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let mut body = json!({ "reset_type": "GracefulShutdown" });
    let refused = rig.post(&path).by(&token).json(&body).await;
    assert_eq!(refused.refusal(), (409, "operation_refused".into()));
    assert_eq!(refused.json()["details"]["rule"], "own_machine");
    assert_eq!(machine.asked(), []);
    body["justification"] = "the house is being moved".into();
    assert_eq!(rig.post(&path).by(&token).json(&body).await.status, 202);
    // What it manages for others is not the machine itself.
    let bmc = format!("/api/v1/devices/{}/power", equipment_id(machine.device, "bmc-1"));
    let off = json!({ "reset_type": "GracefulShutdown" });
    assert_eq!(rig.post(&bmc).by(&token).json(&off).await.status, 202);
    assert_eq!(machine.asked().len(), 2);
    let query =
        AuditQuery { action: Some("operation.validate".into()), limit: 5, ..AuditQuery::default() };
    let rows = rig.app.store.audit(&query).await.unwrap();
    let rules: Vec<_> = rows.iter().map(|row| row.entry.details["rule"].clone()).collect();
    assert_eq!(rules, ["break_glass", "own_machine"]);
    assert_eq!(rows[0].entry.details["justification"], "the house is being moved");
}

#[tokio::test]
async fn what_equipment_is_reached_through_is_switched_off_only_with_a_reason() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let mut body = json!({ "reset_type": "GracefulShutdown" });
    let refused = rig.post(&path).by(&token).json(&body).await;
    assert_eq!(refused.refusal(), (409, "operation_refused".into()));
    let details = refused.json()["details"].clone();
    assert_eq!(
        (&details["rule"], &details["override_role"]),
        (&json!("gateway"), &json!("superuser"))
    );
    assert_eq!(machine.asked(), []);
    let restart = json!({ "reset_type": "GracefulRestart" });
    assert_eq!(rig.post(&path).by(&token).json(&restart).await.status, 202);
    body["justification"] = "the rack is taken down with it".into();
    assert_eq!(rig.post(&path).by(&token).json(&body).await.status, 202);
    assert_eq!(machine.asked().len(), 2);
}

#[tokio::test]
async fn more_starts_than_the_feed_takes_are_refused_with_when_to_come_again() {
    let rig = Rig::with(|config| config.safety.energising_per_minute = 2).await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let on = json!({ "reset_type": "On" });
    for _ in 0..2 {
        assert_eq!(rig.post(&path).by(&token).json(&on).await.status, 202);
    }
    let refused = rig.post(&path).by(&token).json(&on).await;
    assert_eq!(refused.refusal(), (409, "start_pace_exceeded".into()));
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(refused.json()["details"]["starts_per_minute"], 2);
    let validate = format!("/api/v1/devices/{}/actions:validate", machine.device);
    let body = json!({ "action": "power", "reset_type": "On" });
    let said = rig.post(&validate).by(&token).json(&body).await.json()["data"].clone();
    assert_eq!((&said["verdict"], &said["by"]), (&json!("refused"), &json!("aggregator")));
    let off = json!({ "reset_type": "GracefulShutdown" });
    let bmc = format!("/api/v1/devices/{}/power", equipment_id(machine.device, "bmc-1"));
    assert_eq!(rig.post(&bmc).by(&token).json(&off).await.status, 202);
    let query =
        AuditQuery { action: Some("operation.validate".into()), limit: 5, ..AuditQuery::default() };
    let rows = rig.app.store.audit(&query).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.details["rule"], "start_pace");
    assert_eq!(machine.asked().len(), 3);
}

#[tokio::test]
async fn what_is_older_than_its_callers_own_end_is_refused() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let path = |end: u64| format!("/api/v1/devices/{}/power?not_after={end}", machine.device);
    let now_ms = rig.clock.now_ms();
    let body = json!({ "reset_type": "On" });
    let late = rig.post(&path(now_ms)).by(&token).json(&body).await;
    assert_eq!(late.refusal(), (409, "operation_refused".into()));
    assert_eq!(late.json()["details"]["rule"], "not_after");
    let in_time = rig.post(&path(now_ms + 5_000)).by(&token).json(&body).await;
    assert_eq!(in_time.json()["data"]["not_after"], "2026-11-21T21:58:25.000Z");
    let path = format!("/api/v1/devices/{}/power?not_after=soon", machine.device);
    assert_eq!(rig.post(&path).by(&token).json(&body).await.status, 422);
}

#[tokio::test]
async fn a_revoked_certificate_ends_the_connection_and_is_audited() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    let path = format!("/api/v1/devices/{}/certificate", machine.device);
    assert_eq!(rig.get(&path).by(&token).send().await.json()["data"]["revoked_at"], Value::Null);
    let viewer = rig.token(VIEWER, Role::Viewer).await;
    let refused = rig.ask(axum::http::Method::DELETE, &path).by(&viewer).send().await;
    assert_eq!(refused.refusal(), (403, "forbidden".into()));
    for _ in 0..2 {
        let answer = rig.ask(axum::http::Method::DELETE, &path).by(&token).send().await;
        assert_eq!(answer.status, 200);
        assert!(answer.json()["data"]["revoked_at"].is_string());
    }
    assert!(!rig.app.sessions.is_online(machine.device));
    let power = format!("/api/v1/devices/{}/power", machine.device);
    let answer = rig.post(&power).by(&token).json(&json!({ "cap_watts": 5 })).await;
    assert_eq!(answer.refusal(), (404, "not_found".into()));
    let query =
        AuditQuery { action: Some("device.revoke".into()), limit: 5, ..AuditQuery::default() };
    assert_eq!(rig.app.store.audit(&query).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_brings_the_readings_of_what_it_is_about() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    remember(&rig, machine.device).await;
    let get = |path: String| rig.get(&path).by(&token).send();
    let of = |id, query: &str| format!("/api/v1/devices/{id}/events?{query}");
    let all = get(of(machine.device, "")).await.json()["data"].clone();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[0]["readings"], Value::Null);
    // Its equipment's are those of its limits and its parts.
    let pdu = equipment_id(machine.device, "pdu-1");
    let theirs = get(of(pdu, "")).await.json()["data"].clone();
    let subjects: Vec<_> =
        theirs.as_array().unwrap().iter().map(|e| e["subject"].clone()).collect();
    assert_eq!(subjects, ["pdu-1/outlet-4", "inlet"]);
    let kinds = get(of(machine.device, "kind=limit.*,lock.set")).await.json()["data"].clone();
    assert_eq!(kinds.as_array().unwrap().len(), 2);
    let with = get(of(pdu, "subject=inlet&include=readings&window_seconds=2")).await.json();
    let around = &with["data"][0]["readings"][0];
    assert_eq!(around["series"]["attributes"]["hw.id"], "pdu-1/inlet");
    let at_ms = NOW_MS - 5_000;
    let ticks: Vec<_> = around["points"].as_array().unwrap().iter().map(|p| p[0].clone()).collect();
    assert_eq!(ticks, (0..5).map(|n| json!(at_ms - 2_000 + n * 1_000)).collect::<Vec<_>>());
    for wrong in [
        "include=all",
        "window_seconds=0",
        "window_seconds=601",
        "include=readings&limit=21",
        "kind=",
    ] {
        let answer = get(format!("/api/v1/events?{wrong}")).await;
        assert_eq!(answer.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn a_gateways_readings_leave_its_equipments_out_unless_they_are_asked_for() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    remember(&rig, machine.device).await;
    let pdu = equipment_id(machine.device, "pdu-1");
    let read = |id, query: &str| {
        let range = format!("from={}&to={NOW_MS}", NOW_MS - 10_000);
        let path = format!("/api/v1/devices/{id}/readings?{range}&{query}");
        let ask = rig.get(&path).by(&token).send();
        async move {
            let data = ask.await.json()["data"].clone();
            let ids = data.as_array().unwrap().iter();
            ids.map(|one| one["series"]["attributes"]["hw.id"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(read(machine.device, "").await, ["cpu/temp1"]);
    assert_eq!(read(machine.device, "include=equipment").await, ["cpu/temp1", "pdu-1/inlet"]);
    assert_eq!(read(pdu, "reading_type=TEMPERATURE").await, ["pdu-1/inlet"]);
    assert_eq!(read(pdu, "reading_type=POWER").await, Vec::<Value>::new());
    let detail = rig.get(&format!("/api/v1/devices/{pdu}")).by(&token).send().await.json();
    let series = detail["data"]["series"].as_array().unwrap().clone();
    assert_eq!((series.len(), &series[0]["reading_type"]), (1, &json!("TEMPERATURE")));
    // Another's series is not to be had by its number.
    let foreign = rig.get(&format!("/api/v1/devices/{}", machine.device)).by(&token).send().await;
    let foreign = foreign.json()["data"]["series"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(read(pdu, &format!("series={foreign}")).await, Vec::<Value>::new());
}

/// Ten seconds of two temperatures, one of them a PDU's, and three events.
async fn remember(rig: &Rig, device: DeviceId) {
    let opened = rig.app.store.open_epoch(device, Epoch(1), NOW_MS).await.unwrap().unwrap();
    let define = |number, attributes: &[(&str, &str)]| SeriesDef {
        number: SeriesRef(number),
        metric: "hw.temperature".into(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: attributes.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        cadence_ms: 1_000,
        reader: Reader::Guard,
    };
    let equipment = [(EQUIPMENT_ATTRIBUTE, "pdu-1"), ("hw.id", "pdu-1/inlet")];
    let series = [define(0, &[("hw.id", "cpu/temp1")]), define(1, &equipment)];
    rig.app.store.define_series(opened.device, opened.epoch, &series, NOW_MS).await.unwrap();
    let from_ms = NOW_MS - 10_000;
    let mut builder = BlockBuilder::new(from_ms, 10_000);
    for tick in 0..10 {
        for number in [0, 1] {
            builder.push(SeriesRef(number), from_ms + tick * 1_000, Ok(20.0)).unwrap();
        }
    }
    let data = builder.build().unwrap().encode();
    let to_ms = from_ms + 9_000;
    let event = |at_ms, kind, subject: &str| ArrivalBody::Event {
        at_ms,
        event: GuardEvent {
            kind,
            severity: Severity::Warning,
            subject: subject.into(),
            message: "something happened".into(),
            reading: None,
            threshold: None,
            unit: None,
        },
    };
    let warned = EventKind::LimitState { from: LimitState::Normal, to: LimitState::Warning };
    let bodies = [
        ArrivalBody::Block { from_ms, to_ms, data },
        event(NOW_MS - 5_000, warned, "inlet"),
        event(NOW_MS - 4_000, EventKind::LockSet, "pdu-1/outlet-4"),
        event(NOW_MS - 3_000, EventKind::SensorLost, "cpu/temp1"),
    ];
    let arrivals: Vec<_> = (1..)
        .zip(bodies)
        .map(|(seq, body)| Arrival {
            id: device,
            device: opened.device,
            epoch: opened.epoch,
            seq: Seq(seq),
            checksum: 1,
            raw: Vec::new(),
            body,
        })
        .collect();
    rig.app.store.commit(&arrivals, NOW_MS).await.unwrap();
}

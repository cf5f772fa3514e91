//! Idle machines are asked to save power by their own guards, and their past is told.

use super::board::board;
use super::machine::{Connected, enrol, guarded, own_host};
use super::rig::{ADMIN, NOW_MS, PASSWORD, Rig};
use super::sockets::{next_of, open};
use super::telemetry::measured;
use crate::app::idle::look;
use axum::http::Method;
use flyball_protocol::command::{Action, Verdict};
use flyball_protocol::guard::{Actuator, ActuatorKind, Inventory as Board};
use serde_json::{Value, json};
use std::time::Duration;

/// With a platform profile as the kernel offers it.
fn profiled() -> Board {
    let mut board = board();
    let platform = Actuator {
        id: "host/platform".into(),
        kind: ActuatorKind::Profile,
        equipment: None,
        state: None,
        verbs: Vec::new(),
        profile: Some("performance".into()),
        profiles: ["low-power", "balanced", "performance"].map(String::from).to_vec(),
        ..board.actuators[0].clone()
    };
    board.actuators.push(platform);
    board
}

async fn post(rig: &Rig, token: &str, path: &str, body: &Value) -> Value {
    let answer = rig.post(&format!("/api/system/{path}")).by(token).json(body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json()
}

async fn status(rig: &Rig, token: &str) -> Value {
    let answer = rig.get("/api/system/idle/status").by(token).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The only machine's.
async fn state_of(rig: &Rig) -> &'static str {
    rig.app.store.all_managed().await.unwrap()[0].state.name()
}

/// A token of the administrator's that has not expired.
async fn again(rig: &Rig) -> String {
    let answer = rig.sign_in("/api/v1/auth/login", ADMIN, PASSWORD).await;
    answer.json()["data"]["tokens"]["access_token"].as_str().unwrap().to_owned()
}

async fn after(rig: &Rig, seconds: u64) {
    rig.clock.advance(Duration::from_secs(seconds));
    look(&rig.app).await.unwrap();
}

fn words(machine: &Connected) -> Vec<String> {
    let word = |action: Action| match action {
        Action::SetProfile { actuator, profile } => {
            assert_eq!(actuator, "host/platform");
            profile
        }
        other => panic!("{other:?}"),
    };
    machine.asked().into_iter().map(word).collect()
}

#[tokio::test]
async fn a_machine_nobody_uses_is_asked_to_save_power_and_woken_by_use() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, profiled(), |_| Some(Verdict::Accepted)).await;
    let before = status(&rig, &token).await;
    assert_eq!((&before["idle_enabled"], &before["acts"]), (&json!(false), &json!(false)));
    assert!(before["reason"].as_str().unwrap().contains("not managed"));
    let config = json!({ "enabled": true, "power_mode": "balanced", "idle_timeout_minutes": 30 });
    let told = post(&rig, &token, "idle/config", &config).await;
    assert_eq!(told, json!({ "success": true, "message": "Idle configuration updated" }));
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&token)).await.unwrap();
    next_of(&mut socket, "connected").await;
    for (seconds, state) in
        [(29, "active"), (1, "warm"), (270, "cool"), (1_500, "cold"), (5_400, "dormant")]
    {
        after(&rig, seconds).await;
        assert_eq!(state_of(&rig).await, state);
    }
    let turned = next_of(&mut socket, "idle_state_changed").await;
    assert_eq!(
        (&turned["data"]["from_state"], &turned["data"]["to_state"]),
        (&json!("active"), &json!("warm"))
    );
    // Cool's words are none of this machine's but the last.
    let asked = ["balanced", "balanced", "low-power", "low-power", "low-power"];
    assert_eq!(words(&machine), asked);
    let token = again(&rig).await;
    let shown = status(&rig, &token).await;
    assert_eq!((&shown["acts"], &shown["reason"]), (&json!(true), &Value::Null));
    assert_eq!(shown["last_action"]["profile"], "low-power");
    let operation = shown["last_action"]["operation_id"].as_str().unwrap();
    let operation = rig.get(&format!("/api/v1/operations/{operation}")).by(&token).send().await;
    assert_eq!(operation.json()["data"]["kind"], "profile.set");
    let beat = json!({ "client_id": "tab", "status": "active" });
    rig.post("/api/clients/heartbeat").by(&token).json(&beat).await;
    after(&rig, 1).await;
    assert_eq!(status(&rig, &token).await["current_state"], "active");
    assert_eq!(words(&machine).last().map(String::as_str), Some("balanced"));
    let history = rig.get("/api/system/idle/history?limit=2").by(&token).send().await.json();
    assert_eq!(history["history"][0]["to_state"], "active");
    assert_eq!(history["history"][1]["to_state"], "dormant");
}

#[tokio::test]
async fn a_machine_is_kept_awake_by_a_claim_with_an_end() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, profiled(), |_| Some(Verdict::Accepted)).await;
    post(&rig, &token, "idle/config", &json!({ "enabled": true, "power_mode": "presentation" }))
        .await;
    let forced = post(&rig, &token, "idle/force-state", &json!({ "state": "cold" })).await;
    assert_eq!((&forced["current_state"], &forced["next_state"]), (&json!("cold"), &Value::Null));
    let awake = post(&rig, &token, "idle/keep-awake", &json!({ "duration_minutes": 60 })).await;
    assert_eq!(
        (&awake["acts"], &awake["keep_awake_until"]),
        (&json!(true), &json!("2026-11-21T22:58:20.000Z"))
    );
    assert_eq!(status(&rig, &token).await["current_state"], "active");
    let told = words(&machine).len();
    after(&rig, 3_599).await;
    assert_eq!(state_of(&rig).await, "active");
    let token = again(&rig).await;
    assert_eq!(words(&machine).len(), told);
    let free = post(&rig, &token, "idle/cancel-keep-awake", &json!({})).await;
    assert_eq!((&free["acts"], &free["keep_awake_until"]), (&json!(true), &Value::Null));
    // Nobody has used it since it was enabled.
    assert_eq!(status(&rig, &token).await["current_state"], "cool");
    let none = post(&rig, &token, "idle/cancel-keep-awake", &json!({})).await;
    assert_eq!(none["acts"], false);
}

#[tokio::test]
async fn a_machine_that_cannot_act_says_so_and_is_asked_when_it_is_back() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let bare = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    post(&rig, &token, "idle/config", &json!({ "enabled": true })).await;
    after(&rig, 30).await;
    let shown = status(&rig, &token).await;
    assert_eq!((&shown["current_state"], &shown["acts"]), (&json!("warm"), &json!(false)));
    assert!(shown["reason"].as_str().unwrap().contains("no power profile"));
    assert_eq!(bare.asked(), []);
    let awake = post(&rig, &token, "idle/keep-awake", &json!({ "duration_seconds": 90 })).await;
    assert_eq!(awake["acts"], false);
    assert!(awake["reason"].as_str().unwrap().contains("no power profile"));
    for (path, body, field) in [
        ("keep-awake", json!({ "duration_minutes": 0 }), "duration_minutes"),
        ("keep-awake", json!({ "duration_seconds": 86_401 }), "duration_seconds"),
        ("keep-awake", json!({ "duration_minutes": 1, "duration_seconds": 1 }), "duration_seconds"),
        ("keep-awake", json!({}), "duration_minutes"),
        ("force-state", json!({ "state": "asleep" }), "state"),
        ("config", json!({ "power_mode": "turbo" }), "power_mode"),
        ("config", json!({ "idle_timeout_minutes": 0 }), "idle_timeout_minutes"),
        ("config", json!({ "enable": true }), "enable"),
    ] {
        let answer = rig.post(&format!("/api/system/idle/{path}")).by(&token).json(&body).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{path} {body}");
    }
}

#[tokio::test]
async fn a_power_profile_of_ones_own_decides_over_a_machine() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, profiled(), |_| Some(Verdict::Accepted)).await;
    let body = json!({
        "name": "Night", "thresholds_seconds": { "warm": 5, "cool": 10, "cold": 20, "dormant": 40 },
        "profiles": { "active": "performance", "cold": "low-power" },
    });
    let made = rig.post("/api/system/profiles").by(&token).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").to_owned();
    let made = made.json();
    let id = made["profile"]["id"].as_str().unwrap();
    assert_eq!(made["profile"]["is_active"], true);
    let twin = rig.post("/api/system/profiles").by(&token).json(&body).await;
    assert_eq!(twin.refusal(), (409, "conflict".into()));
    let modes = rig.get("/api/system/idle/modes").by(&token).send().await.json();
    assert_eq!(modes["modes"].as_array().unwrap().len(), 6);
    post(&rig, &token, "idle/config", &json!({ "enabled": true, "power_mode": id })).await;
    for seconds in [5, 5, 10] {
        after(&rig, seconds).await;
    }
    // What stands is not asked for, and a state without a word leaves the machine as it is.
    assert_eq!(words(&machine), ["low-power"]);
    let used = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(used.status, 409);
    let mut slower = body.clone();
    slower["thresholds_seconds"]["dormant"] = json!(400);
    let replaced = rig.ask(Method::PUT, &path).by(&token).json(&slower).await;
    assert_eq!(replaced.json()["profile"]["thresholds_seconds"]["dormant"], 400);
    slower["thresholds_seconds"]["warm"] = json!(500);
    let wrong = rig.ask(Method::PUT, &path).by(&token).json(&slower).await;
    assert_eq!(wrong.json()["field_errors"][0]["field"], "thresholds_seconds");
    post(&rig, &token, "idle/config", &json!({ "power_mode": "balanced" })).await;
    let gone = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(gone.json()["deleted"], true);
    let list = rig.get("/api/system/profiles").by(&token).send().await.json();
    assert_eq!(list["profiles"], json!([]));
    assert_eq!(rig.ask(Method::DELETE, &path).by(&token).send().await.status, 404);
}

#[tokio::test]
async fn a_machines_past_is_told_by_the_hour_the_day_and_the_week() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = measured(&rig, 40.0).await;
    rig.clock.advance(Duration::from_secs(1));
    for (path, key) in
        [("hourly?hours=2", "history"), ("daily?days=2", "history"), ("summary", "summary")]
    {
        let answer = rig.get(&format!("/api/system/history/{path}")).by(&token).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let body = answer.json();
        let point = if key == "history" {
            assert_eq!(
                (&body["total"], &body["device_id"]),
                (&json!(2), &json!(device.to_string()))
            );
            assert_eq!(body["history"][0]["temperature"], Value::Null);
            &body["history"][1]
        } else {
            &body["summary"]
        };
        let spread = json!({ "avg": 69.5, "min": 40.0, "max": 99.0 });
        assert_eq!(
            (&point["temperature"], &point["cpu_percent"]),
            (&spread, &Value::Null),
            "{path}"
        );
    }
    let v1 = rig.get(&format!("/api/v1/devices/{device}/history?step=day&count=1")).by(&token);
    assert_eq!(v1.send().await.json()["data"][0]["temperature"]["max"], 99.0);
    for query in ["hourly?hours=0", "daily?days=367", "summary?days=32"] {
        let answer = rig.get(&format!("/api/system/history/{query}")).by(&token).send().await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{query}");
    }
}

#[tokio::test]
async fn a_machines_availability_is_told_for_the_time_that_is_known() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let path = format!("/api/v1/devices/{device}/health-history");
    let none = rig.get(&path).by(&token).send().await.json();
    assert_eq!(
        (&none["data"]["availability"], &none["data"]["periods"]),
        (&Value::Null, &json!([]))
    );
    for (ago_s, online) in [(400, true), (300, false), (200, true)] {
        let at_ms = NOW_MS - ago_s * 1_000;
        let (store, instance) = (&rig.app.store, rig.app.instance);
        if online {
            store.device_connected(device, &own_host(), true, instance, at_ms).await.unwrap();
        } else {
            store.device_left(device, instance, at_ms).await.unwrap();
        }
    }
    let told = rig.get(&path).by(&token).send().await.json();
    assert_eq!(
        (&told["data"]["availability"], &told["data"]["offline_seconds"]),
        (&json!(0.75), &json!(100.0))
    );
    let states: Vec<&Value> =
        told["data"]["periods"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(json!(states), json!(["online", "offline", "online"]));
    for query in ["from=yesterday", "from=20&to=10", "from=10&to=2026-11-21T21:58:20Z"] {
        let answer = rig.get(&format!("{path}?{query}")).by(&token).send().await;
        assert_eq!(answer.json()["field_errors"][0]["field"], "from", "{query}");
    }
}

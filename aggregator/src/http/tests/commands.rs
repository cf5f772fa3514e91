use super::machine::{connect, enrol};
use super::rig::Rig;
use crate::audit::AuditQuery;
use flyball_protocol::command::{Clamp, Refusal, RefusalKind, Verdict};
use flyball_units::Unit;
use serde_json::{Value, json};
use uuid::Uuid;

fn interlock() -> Verdict {
    Verdict::Refused(Refusal {
        kind: RefusalKind::Interlock,
        interlock: "board power".into(),
        reading: Some(182.5),
        limit: Some(150.0),
        unit: Some(Unit::Watt),
        since_ms: Some(1_795_298_000_000),
        clears_when: "the board draws under 150 W".into(),
        reason: "a cap of 900 W is above the limit of 150 W".into(),
    })
}

#[tokio::test]
async fn an_accepted_cap_is_202_with_the_operations_address() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = connect(&rig, Vec::new(), Verdict::Accepted, |_| Vec::new()).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let answer = rig.post(&path).by(&token).json(&json!({ "cap_watts": 120.0 })).await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    assert_eq!(body["data"]["kind"], "power.cap.set");
    assert_eq!(body["data"]["state"], "running");
    assert_eq!(body["data"]["target"]["value"], 120.0);
    let operation = rig.get(answer.header("location")).by(&token).send().await.json();
    assert_eq!(operation["data"]["id"], body["data"]["id"]);
}

#[tokio::test]
async fn a_clamped_floor_says_how_far_it_went() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let clamp = Clamp { asked: 0.1, to: 0.6, unit: Unit::One, by: "cpu".into() };
    let machine = connect(&rig, Vec::new(), Verdict::Clamped(clamp), |_| Vec::new()).await;
    let path = format!("/api/v1/devices/{}/thermal", machine.device);
    let answer = rig.post(&path).by(&token).json(&json!({ "fan_floor": 0.1 })).await;
    assert_eq!(answer.status, 202);
    let result = answer.json()["data"]["result"].clone();
    assert_eq!((&result["clamped_to"], &result["by"]), (&json!(0.6), &json!("cpu")));
}

#[tokio::test]
async fn a_refused_cap_is_409_with_what_stands_against_it() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = connect(&rig, Vec::new(), interlock(), |_| Vec::new()).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let answer = rig.post(&path).by(&token).json(&json!({ "cap_watts": 900 })).await;
    assert_eq!(answer.refusal(), (409, "interlock_active".into()));
    let mut details = answer.json()["details"].clone();
    let operation = details["operation"].take();
    assert_eq!(
        details,
        json!({
            "operation": null,
            "interlock": "board power",
            "reading": 182.5,
            "limit": 150.0,
            "unit": "W",
            "since": "2026-11-21T21:53:20.000Z",
            "clears_when": "the board draws under 150 W",
            "override_role": null,
        })
    );
    let operation = rig.get(operation.as_str().unwrap()).by(&token).send().await.json();
    assert_eq!(operation["data"]["state"], "refused");
    assert_eq!(operation["data"]["errors"][0]["details"]["interlock"], "board power");
    let query = AuditQuery { limit: 20, ..AuditQuery::default() };
    let rows = rig.app.store.audit(&query).await.unwrap();
    let decisions: Vec<_> = rows
        .iter()
        .filter(|row| row.entry.action.starts_with("operation."))
        .map(|row| row.entry.decision.name())
        .collect();
    assert!(decisions.contains(&"refused"), "{rows:#?}");
}

#[tokio::test]
async fn a_machine_that_is_away_gets_it_later() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let path = format!("/api/v1/devices/{device}/power");
    let answer = rig.post(&path).by(&token).json(&json!({ "cap_watts": null })).await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    assert_eq!(
        (&body["data"]["state"], &body["data"]["kind"]),
        (&json!("queued"), &json!("power.cap.clear"))
    );
    let list = format!("/api/v1/operations?device={device}");
    assert_eq!(rig.get(&list).by(&token).send().await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn bodies_that_ask_for_nothing_possible_are_refused() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    for (what, body, slug) in [
        ("power", json!({}), "missing_field"),
        ("power", json!({ "cap_watts": -1 }), "validation_error"),
        ("power", json!({ "cap_watts": "150" }), "validation_error"),
        ("power", json!({ "cap_watts": 1, "actuator": "" }), "validation_error"),
        ("power", json!({ "cap_watt": 1 }), "validation_error"),
        ("power", json!({ "cap_watts": 1, "ttl_seconds": 0 }), "validation_error"),
        ("thermal", json!({ "fan_floor": 1.1 }), "validation_error"),
        ("thermal", json!({}), "missing_field"),
    ] {
        let path = format!("/api/v1/devices/{device}/{what}");
        let answer = rig.post(&path).by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (422, slug.to_owned()), "{what} {body}");
    }
    let path = format!("/api/v1/devices/{}/power", Uuid::from_u128(9));
    let answer = rig.post(&path).by(&token).json(&json!({ "cap_watts": 1 })).await;
    assert_eq!(answer.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_repeated_key_has_its_effect_once() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    let path = format!("/api/v1/devices/{device}/power");
    let ask = |key: &'static str, body: Value| {
        let ask = rig.post(&path).by(&token).header("idempotency-key", key);
        async move { ask.json(&body).await }
    };
    let first = ask("k-1", json!({ "cap_watts": 100 })).await;
    let second = ask("k-1", json!({ "cap_watts": 100 })).await;
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.header("location"), first.header("location"));
    let other = ask("k-1", json!({ "cap_watts": 101 })).await;
    assert_eq!(other.refusal(), (422, "idempotency_mismatch".into()));
    let named = rig.post(&path).by(&token).header("idempotency-key", "k-1");
    let named = named.header("x-client-name", "other").json(&json!({ "cap_watts": 100 })).await;
    assert_eq!(named.refusal(), (422, "idempotency_mismatch".into()));
    let third = ask("k-2", json!({ "cap_watts": 100 })).await;
    assert_ne!(third.json()["data"]["id"], first.json()["data"]["id"]);
    // What was refused before it had an effect may be mended under the same key.
    assert_eq!(ask("k-3", json!({})).await.status, 422);
    assert_eq!(ask("k-3", json!({ "cap_watts": 1 })).await.status, 202);
    let list = rig.get("/api/v1/operations").by(&token).send().await.json();
    assert_eq!(list["meta"]["total"], 3);
}

#[tokio::test]
async fn a_command_waits_a_day_and_stands_a_year_at_most() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = connect(&rig, Vec::new(), Verdict::Accepted, |_| Vec::new()).await;
    let device = format!("/api/v1/devices/{}", machine.device);
    let cap = json!({ "cap_watts": 120.0 });
    let long = json!({ "cap_watts": 120.0, "ttl_seconds": 86_401 });
    let tried = json!({ "action": "power", "cap_watts": 120.0, "ttl_seconds": 86_401 });
    for (path, body, field) in [
        ("power", &long, "ttl_seconds"),
        ("actions:validate", &tried, "ttl_seconds"),
        ("power?stands_for=31622401", &cap, "stands_for"),
    ] {
        let answer = rig.post(&format!("{device}/{path}")).by(&token).json(body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{path}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{path}");
    }
    let year = format!("{device}/power?stands_for=31622400");
    assert_eq!(rig.post(&year).by(&token).json(&cap).await.status, 202);
}

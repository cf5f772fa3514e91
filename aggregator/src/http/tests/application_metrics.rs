//! What applications report of themselves: kept once, listed newest first, summed up.

use super::rig::{Answer, NOW_MS, Rig, VIEWER};
use crate::access::Role;
use crate::http::time::rfc3339;
use serde_json::{Value, json};

/// As the document shows it.
fn sent() -> Value {
    json!({
        "id": "metric-id",
        "client_id": "device-uuid",
        "client_name": "Chrome on macOS",
        "timestamp": "2024-01-15T12:30:00Z",
        "memory_mb": 512,
        "cpu_percent": 45.2,
        "network_latency_ms": 25,
        "custom_metrics": {
            "stt_latency": 150, "llm_ttft": 280, "tts_ttfb": 120, "e2e_latency": 450,
        },
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = sent();
    change(&mut body);
    body
}

async fn report(rig: &Rig, token: &str, body: &Value) -> Answer {
    rig.post("/api/metrics").by(token).json(body).await
}

async fn list(rig: &Rig, token: &str, query: &str) -> Value {
    let answer = rig.get(&format!("/api/metrics{query}")).by(token).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn any_role_reports_and_the_report_comes_back_over_a_restart() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let answer = report(&rig, &token, &sent()).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "success": true })));
    let rig = rig.restarted().await;
    let body = list(&rig, &token, "").await;
    assert_eq!((&body["success"], &body["total"]), (&json!(true), &json!(1)));
    let shown = with(|it| {
        it["timestamp"] = json!("2024-01-15T12:30:00.000Z");
        it["memory_mb"] = json!(512.0);
        it["network_latency_ms"] = json!(25.0);
        it["custom_metrics"] = json!({
            "stt_latency": 150.0, "llm_ttft": 280.0, "tts_ttfb": 120.0, "e2e_latency": 450.0,
        });
    });
    assert_eq!(body["metrics"], json!([shown]));
}

#[tokio::test]
async fn the_same_id_again_is_success_and_stored_once() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for memory_mb in [512, 640] {
        let answer = report(&rig, &token, &with(|it| it["memory_mb"] = json!(memory_mb))).await;
        assert_eq!(answer.json(), json!({ "success": true }));
    }
    let body = list(&rig, &token, "").await;
    assert_eq!((&body["total"], &body["metrics"][0]["memory_mb"]), (&json!(1), &json!(512.0)));
}

#[tokio::test]
async fn what_is_absent_is_given_or_stays_absent() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for body in [json!({ "client_id": "tab" }), json!({ "client_id": "tab", "memory_mb": null })] {
        assert_eq!(report(&rig, &token, &body).await.status, 200);
    }
    let body = list(&rig, &token, "").await;
    let (one, other) = (&body["metrics"][0], &body["metrics"][1]);
    assert_ne!(one["id"], other["id"]);
    assert!(one["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(one["timestamp"], rfc3339(NOW_MS));
    for field in ["client_name", "memory_mb", "cpu_percent", "network_latency_ms"] {
        assert_eq!(one[field], Value::Null, "{field}");
    }
    assert_eq!(one["custom_metrics"], json!({}));
    let none = json!({
        "memory_mb": null, "cpu_percent": null, "network_latency_ms": null,
        "custom_metrics": {}, "custom_metrics_left_out": 0,
    });
    assert_eq!(body["aggregates"], none);
}

#[tokio::test]
async fn a_client_is_listed_alone_newest_first_and_summed_up() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for (client, minute, memory_mb) in
        [("tab", 2, 200), ("phone", 5, 900), ("tab", 3, 300), ("tab", 1, 100)]
    {
        let body = with(|it| {
            it["id"] = json!(format!("{client}-{minute}"));
            it["client_id"] = json!(client);
            it["timestamp"] = json!(format!("2024-01-15T13:0{minute}:00+01:00"));
            it["memory_mb"] = json!(memory_mb);
            it["custom_metrics"] = json!({ "stt_latency": memory_mb / 2 });
        });
        assert_eq!(report(&rig, &token, &body).await.status, 200);
    }
    let everyone = list(&rig, &token, "").await;
    assert_eq!((&everyone["total"], &everyone["metrics"][0]["id"]), (&json!(4), &json!("phone-5")));
    let tab = list(&rig, &token, "?client_id=tab&limit=2").await;
    let ids: Vec<&Value> =
        tab["metrics"].as_array().unwrap().iter().map(|report| &report["id"]).collect();
    assert_eq!((json!(ids), &tab["total"]), (json!(["tab-3", "tab-2"]), &json!(3)));
    // Of the two that are shown, not of all three.
    let memory = json!({
        "count": 2, "min": 200.0, "max": 300.0, "mean": 250.0, "p50": 250.0, "p95": 295.0,
        "latest": 300.0,
    });
    assert_eq!(tab["aggregates"]["memory_mb"], memory);
    assert_eq!(tab["aggregates"]["custom_metrics"]["stt_latency"]["latest"], 150.0);
    assert_eq!(list(&rig, &token, "?client_id=none").await["metrics"], json!([]));
}

#[tokio::test]
async fn a_wrong_report_names_its_field_and_is_not_kept() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let ahead = rfc3339(NOW_MS + 3_600_000);
    for (field, value, says) in [
        ("id", json!(""), "1 to 128 characters"),
        ("id", json!(7), "wrong type"),
        ("client_id", json!("a\u{0}b"), "control character"),
        ("client_name", json!("x".repeat(129)), "1 to 128 characters"),
        ("timestamp", json!("yesterday"), "RFC 3339"),
        ("timestamp", json!("1705321800"), "RFC 3339"),
        ("timestamp", json!(ahead), "3600 s ahead"),
        ("memory_mb", json!(-1), "from 0"),
        ("cpu_percent", json!("45.2"), "wrong type"),
        ("network_latency_ms", json!(1e301), "from 0"),
        ("custom_metrics", json!({ "": 1 }), "is no name"),
        ("custom_metrics", json!({ "a": 1e301 }), "`a` has to be a number"),
        ("custom_metrics", json!([1]), "wrong type"),
    ] {
        let answer = report(&rig, &token, &with(|it| it[field] = value.clone())).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{field}: {value}");
        let body = answer.json();
        assert_eq!(body["field_errors"][0]["field"], field, "{value}");
        let message = body["field_errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(says), "{field}: {message}");
    }
    let many: serde_json::Map<String, Value> =
        (0..33).map(|n| (format!("m{n}"), json!(n))).collect();
    let answer = report(&rig, &token, &with(|it| it["custom_metrics"] = many.into())).await;
    assert!(answer.json()["message"].as_str().unwrap().contains("has 33 metrics, at most 32"));
    let numberless = with(|it| it["custom_metrics"] = json!({ "ttft": null }));
    let answer = report(&rig, &token, &numberless).await;
    assert_eq!(answer.json()["field_errors"][0]["field"], "custom_metrics.ttft");
    let camel = with(|it| it["memoryMb"] = json!(1));
    let answer = report(&rig, &token, &camel).await;
    assert_eq!(answer.refusal(), (400, "validation_error".into()));
    assert_eq!(answer.json()["field_errors"][0]["field"], "memoryMb");
    assert_eq!(list(&rig, &token, "").await["total"], 0);
}

#[tokio::test]
async fn what_is_missing_no_json_or_too_long_has_the_documents_code() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let answer = report(&rig, &token, &json!({ "memory_mb": 512 })).await;
    assert_eq!(answer.refusal(), (400, "missing_field".into()));
    assert_eq!(answer.json()["code"], "MISSING_FIELD");
    assert_eq!(answer.json()["field_errors"][0]["field"], "client_id");
    for text in ["{", r#"{ "client_id": "tab", "memory_mb": NaN }"#, r#"{ "memory_mb": 1e999 }"#] {
        let ask = rig.post("/api/metrics").by(&token).header("content-type", "application/json");
        assert_eq!(ask.body(text).await.refusal(), (400, "invalid_json".into()), "{text}");
    }
    let long = with(|it| it["client_name"] = json!("x".repeat(33 * 1024)));
    let answer = report(&rig, &token, &long).await;
    assert_eq!(answer.refusal(), (413, "payload_too_large".into()));
    assert_eq!(answer.json()["details"]["max_bytes"], 32 * 1024);
}

#[tokio::test]
async fn a_query_out_of_bounds_names_its_parameter() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=many", "limit"),
        ("client_id=", "client_id"),
        ("client_id=a%00b", "client_id"),
    ] {
        let answer = rig.get(&format!("/api/metrics?{query}")).by(&token).send().await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{query}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn without_a_token_one_reports_only_with_the_flat_dialects_role() {
    let rig = Rig::start().await;
    let answer = rig.post("/api/metrics").json(&sent()).await;
    assert_eq!(answer.refusal(), (401, "unauthorized".into()));
    let rig = Rig::with(|config| config.flat.anonymous_role = Some("viewer".into())).await;
    let answer = rig.post("/api/metrics").header("host", "localhost:8766").json(&sent()).await;
    assert_eq!(answer.json(), json!({ "success": true }));
}

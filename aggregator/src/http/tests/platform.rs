//! What applications send of themselves besides metrics, who sees it, and what it comes to.

use super::rig::{Answer, Rig, VIEWER};
use super::sockets::{next_json, next_of, open, say};
use crate::access::Role;
use crate::app::platform::{Watch, announce};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// As the document shows it.
fn sent() -> Value {
    json!({
        "id": "log-entry-id",
        "timestamp": "2024-01-15T12:30:00Z",
        "level": "INFO",
        "label": "SessionManager",
        "message": "Session started",
        "file": "session.ts",
        "function": "startSession",
        "line": 123,
        "metadata": { "session_id": "session-uuid" },
        "client_id": "device-uuid",
        "client_name": "Chrome on macOS",
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = sent();
    change(&mut body);
    body
}

async fn log(rig: &Rig, token: &str, body: &Value) -> Answer {
    rig.post("/api/logs").by(token).json(body).await
}

async fn ask(rig: &Rig, token: &str, path: &str) -> Value {
    let answer = rig.get(path).by(token).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_log_entry_comes_back_over_a_restart_and_is_stored_once() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    for stored in [1, 0] {
        let answer = log(&rig, &token, &sent()).await;
        let told = json!({ "success": true, "stored": stored });
        assert_eq!((answer.status.as_u16(), answer.json()), (200, told));
    }
    let rig = rig.restarted().await;
    let body = ask(&rig, &token, "/api/logs").await;
    let shown = with(|it| it["timestamp"] = json!("2024-01-15T12:30:00.000Z"));
    assert_eq!((&body["logs"], &body["total"]), (&json!([shown]), &json!(1)));
    let stats = ask(&rig, &token, "/api/stats").await;
    assert_eq!((&stats["total_logs_received"], &stats["online_clients"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn several_entries_come_at_once_named_by_headers_and_are_filtered() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let entry = |minute: u32, level: &str, label: &str| {
        let timestamp = format!("2024-01-15T12:0{minute}:00Z");
        let message = format!("At {minute} of {label}");
        json!({ "timestamp": timestamp, "level": level, "label": label, "message": message })
    };
    let body = json!([entry(1, "info", "A"), entry(2, "warn", "A"), entry(3, "ERROR", "B")]);
    for path in ["/log", "/api/log"] {
        let ask =
            rig.post(path).by(&token).header("x-client-id", "tab").header("x-client-name", "Tab");
        assert_eq!(ask.json(&body).await.json()["stored"], 3, "{path}");
    }
    for (query, found) in [
        ("", 6),
        ("?level=warning", 2),
        ("?label=B", 2),
        ("?since=2024-01-15T12:02:00Z", 4),
        ("?since=1705320180", 2),
        ("?q=of%20b", 2),
        ("?client_id=tab&level=INFO", 2),
        ("?client_id=other", 0),
    ] {
        assert_eq!(
            ask(&rig, &token, &format!("/api/logs{query}")).await["total"],
            found,
            "{query}"
        );
    }
    let one = ask(&rig, &token, "/api/logs?limit=1").await;
    assert_eq!((one["logs"].as_array().unwrap().len(), &one["total"]), (1, &json!(6)));
    assert_eq!(
        (&one["logs"][0]["label"], &one["logs"][0]["client_name"]),
        (&json!("B"), &json!("Tab"))
    );
    let mut next = "/api/v1/logs?limit=4".to_owned();
    let mut walked = 0;
    while !next.is_empty() {
        let page = ask(&rig, &token, &next).await;
        walked += page["data"].as_array().unwrap().len();
        next = page["links"]["next"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(walked, 6);
}

#[tokio::test]
async fn a_wrong_entry_names_its_field_and_nothing_of_its_request_is_kept() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for (field, value) in [
        ("id", json!("")),
        ("timestamp", json!("yesterday")),
        ("timestamp", json!("2099-01-01T00:00:00Z")),
        ("level", json!("loud")),
        ("label", json!("x".repeat(257))),
        ("message", json!("x".repeat(16 * 1024 + 1))),
        ("message", json!("a\u{0}b")),
        ("line", json!(-1)),
        ("metadata", json!([1])),
        ("metadata", json!({ "a": "x".repeat(16 * 1024) })),
        ("client_name", json!("a\nb")),
        ("more", json!(1)),
    ] {
        let wrong = with(|it| it[field] = value.clone());
        for (body, place) in [(wrong.clone(), ""), (json!([sent(), wrong]), "1.")] {
            let answer = log(&rig, &token, &body).await;
            assert_eq!(answer.refusal(), (400, "validation_error".into()), "{field}: {value}");
            assert_eq!(answer.json()["field_errors"][0]["field"], format!("{place}{field}"));
        }
    }
    for body in [json!({ "client_id": "tab" }), json!([{ "message": "x", "client_id": null }])] {
        let answer = log(&rig, &token, &body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    let many: Vec<Value> = (0..1001).map(|_| json!({ "message": "x", "client_id": "a" })).collect();
    assert!(
        log(&rig, &token, &many.into()).await.json()["message"].as_str().unwrap().contains("1000")
    );
    assert_eq!(log(&rig, &token, &json!([])).await.json()["stored"], 0);
    for query in ["limit=0", "limit=5001", "level=loud", "since=x", "q=%00"] {
        let answer = rig.get(&format!("/api/logs?{query}")).by(&token).send().await;
        let field = query.split('=').next().unwrap();
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{query}");
    }
    assert_eq!(ask(&rig, &token, "/api/logs").await["total"], 0);
}

#[tokio::test]
async fn a_user_sees_what_they_sent_and_nothing_of_anybody_else() {
    let rig = Rig::start().await;
    let admin = rig.admin().await;
    let [one, other] = ["one@example.org", "other@example.org"];
    let one = rig.token(one, Role::User).await;
    let other = rig.token(other, Role::User).await;
    for token in [&admin, &one] {
        // The same names are another's, and another entry.
        assert_eq!(log(&rig, token, &sent()).await.json()["stored"], 1);
        let report = json!({ "id": "a", "client_id": "device-uuid", "memory_mb": 5 });
        assert_eq!(rig.post("/api/metrics").by(token).json(&report).await.status, 200);
    }
    for (token, seen) in [(&admin, 2), (&one, 1), (&other, 0)] {
        for path in ["/api/logs", "/api/metrics", "/api/clients"] {
            assert_eq!(ask(&rig, token, path).await["total"], seen, "{path}");
        }
        let walked = ask(&rig, token, "/api/v1/logs").await;
        assert_eq!(walked["data"].as_array().unwrap().len(), seen);
    }
    let refused = rig.ask(Method::DELETE, "/api/logs").by(&one).send().await;
    assert_eq!(refused.refusal(), (403, "forbidden".into()));
    let cleared = rig.ask(Method::DELETE, "/api/logs").by(&admin).send().await;
    assert_eq!(cleared.json(), json!({ "success": true, "cleared_count": 2 }));
    assert_eq!(ask(&rig, &admin, "/api/logs").await["total"], 0);
    assert_eq!(ask(&rig, &admin, "/api/stats").await["total_logs_received"], 2);
    let rows = ask(&rig, &admin, "/api/v1/audit?action=logs.clear").await;
    assert_eq!(rows["data"][0]["details"]["cleared_count"], 2);
}

#[tokio::test]
async fn past_its_bound_the_log_forgets_what_came_first() {
    let rig = Rig::with(|config| config.logs.keep_entries = 3).await;
    let token = rig.admin().await;
    for number in 0..5 {
        let body = with(|it| it["id"] = json!(number.to_string()));
        assert_eq!(log(&rig, &token, &body).await.status, 200);
    }
    let body = ask(&rig, &token, "/api/logs").await;
    let ids: Vec<&Value> = body["logs"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!((json!(ids), &body["total"]), (json!(["4", "3", "2"]), &json!(3)));
}

#[tokio::test]
async fn a_client_is_online_idle_and_offline_by_what_it_said_last() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let beat = json!({
        "client_id": "device-uuid", "client_name": "Chrome on macOS",
        "status": "online", "memory_mb": 512, "cpu_percent": 45.2,
    });
    let answer = rig.post("/api/clients/heartbeat").by(&token).json(&beat).await;
    let told = json!({ "success": true, "server_time": "2026-11-21T21:58:20.000Z" });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, told));
    assert_eq!(log(&rig, &token, &sent()).await.status, 200);
    let clients = ask(&rig, &token, "/api/clients").await;
    let shown = json!({
        "client_id": "device-uuid", "client_name": "Chrome on macOS", "kind": "application",
        "status": "online", "last_heartbeat": "2026-11-21T21:58:20.000Z",
        "created_at": "2026-11-21T21:58:20.000Z", "logs_sent": 1, "metrics_sent": 0,
        "memory_mb": 512.0, "cpu_percent": 45.2,
    });
    assert_eq!((&clients["clients"], &clients["total"]), (&json!([shown]), &json!(1)));
    for (later_s, status) in [(60, "online"), (1, "idle"), (240, "offline")] {
        rig.clock.advance(Duration::from_secs(later_s));
        let page = ask(&rig, &token, "/api/v1/clients?per_page=1").await;
        assert_eq!(
            (&page["data"][0]["status"], &page["meta"]["total"]),
            (&json!(status), &json!(1))
        );
    }
    for (field, value) in
        [("client_id", json!("")), ("memory_mb", json!(-1)), ("status", json!("a\nb"))]
    {
        let mut body = beat.clone();
        body[field] = value;
        let answer = rig.post("/api/clients/heartbeat").by(&token).json(&body).await;
        assert_eq!(answer.json()["field_errors"][0]["field"], field);
    }
    let answer = rig.post("/api/clients/heartbeat").by(&token).json(&json!({})).await;
    assert_eq!(answer.refusal(), (400, "missing_field".into()));
    let named = rig.post("/api/clients/heartbeat").by(&token).header("x-client-id", "tab");
    assert_eq!(named.json(&json!({})).await.status, 200);
}

#[tokio::test]
async fn instances_of_one_database_are_listed_as_servers() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    announce(&rig.app).await.unwrap();
    let servers = ask(&rig, &token, "/api/servers").await;
    let server = &servers["servers"][0];
    assert_eq!((&server["status"], &server["current"]), (&json!("online"), &json!(true)));
    assert_eq!(server["url"], "http://127.0.0.1:8766");
    assert_eq!(ask(&rig, &token, "/api/stats").await["registered_servers"], 1);
    rig.clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&rig, &token, "/api/servers").await["servers"][0]["status"], "offline");
    assert_eq!(ask(&rig, &token, "/api/stats").await["registered_servers"], 0);
    let user = rig.token("one@example.org", Role::User).await;
    assert_eq!(rig.get("/api/servers").by(&user).send().await.status, 403);
}

#[tokio::test]
async fn a_stream_hears_of_applications_under_both_names() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let user = rig.token("one@example.org", Role::User).await;
    let address = rig.listen().await;
    let mut all = open(address, "/ws", Some(&token)).await.unwrap();
    let mut own = open(address, "/ws", Some(&user)).await.unwrap();
    for socket in [&mut all, &mut own] {
        assert_eq!(next_json(socket).await["type"], "connected");
    }
    let mut watch = Watch::default();
    watch.look(&rig.app).await.unwrap();
    assert_eq!(log(&rig, &token, &sent()).await.status, 200);
    for name in ["log_received", "log"] {
        assert_eq!(next_of(&mut all, name).await["data"]["message"], "Session started");
    }
    let report = json!({ "id": "a", "client_id": "tab", "memory_mb": 5 });
    for (id, told) in [("a", true), ("a", false), ("b", true)] {
        let mut report = report.clone();
        report["id"] = json!(id);
        rig.post("/api/metrics").by(&token).json(&report).await;
        if told {
            for name in ["metrics_received", "metrics"] {
                assert_eq!(next_of(&mut all, name).await["data"]["id"], id);
            }
        }
    }
    watch.look(&rig.app).await.unwrap();
    rig.clock.advance(Duration::from_secs(301));
    let told = next_of(&mut all, "client_update").await;
    assert_eq!(told["data"]["status"], "online");
    watch.look(&rig.app).await.unwrap();
    for _ in 0..2 {
        loop {
            let told = next_of(&mut all, "client_status_changed").await;
            if told["data"]["status"] == "offline" {
                break;
            }
        }
    }
    rig.ask(Method::DELETE, "/api/logs").by(&token).send().await;
    assert_eq!(next_of(&mut all, "logs_cleared").await["data"]["cleared_count"], 1);
    // Nothing of that was the other's; what they send themselves is the first that they hear.
    assert_eq!(log(&rig, &user, &sent()).await.status, 200);
    let heard = next_json(&mut own).await;
    assert_eq!(heard["type"], "log_received");
    say(&mut own, json!({ "type": "ping" })).await;
    assert_eq!(next_of(&mut own, "pong").await["type"], "pong");
}

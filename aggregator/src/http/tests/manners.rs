//! What attackers send, and what they get for it.

use super::rig::{ADMIN, NOW_MS, PASSWORD, Rig};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The status line that `head` is answered with; empty where it is cut off.
async fn raw(address: SocketAddr, head: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may have had enough before the end.
    let _ = stream.write_all(head).await;
    let mut answer = vec![0; 4096];
    let read = timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bytes_that_split_or_end_a_line_get_nowhere() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    for head in [
        b"GET /livez\0 HTTP/1.1\r\nhost: x\r\n\r\n".as_slice(),
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx-a: b\0c\r\n\r\n",
        b"GET /li\rvez HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nbad name: y\r\n\r\n",
        b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}",
    ] {
        let status = raw(address, head).await;
        assert!(status.is_empty() || status.starts_with("HTTP/1.1 400"), "{status}: {head:?}");
    }
    for path in [
        "/api/v1/devices/%00",
        "/api/v1/a%0d%0aset-cookie:%20x=y",
        "/%2e%2e%2fetc/passwd",
        "/..%5c..%5cx",
    ] {
        let answer = rig.get(path).send().await;
        assert!([401, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        assert!(answer.headers.get("set-cookie").is_none());
    }
    let answer = rig.get("/health").header("x-request-id", "a%0d%0ab").send().await;
    assert_ne!(answer.header("x-request-id"), "a%0d%0ab");
}

#[tokio::test]
async fn heads_beyond_their_bound_are_refused() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    let long = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-a: b\r\n".repeat(200));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(200_000));
    for head in [long, many, path] {
        let status = raw(address, head.as_bytes()).await;
        let refused = ["", "HTTP/1.1 431", "HTTP/1.1 414", "HTTP/1.1 400"];
        assert!(refused.iter().any(|start| status.starts_with(start)), "{status}");
        assert!(!status.contains("200"), "{status}");
    }
}

#[tokio::test]
async fn json_that_goes_deep_is_no_json_here() {
    let rig = Rig::start().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{{\"email\":{}1{}}}", open.repeat(50_000), close.repeat(50_000));
        let ask = rig.post("/api/v1/auth/login").header("content-type", "application/json");
        assert_eq!(ask.body(body).await.refusal(), (400, "invalid_json".into()));
    }
}

#[tokio::test]
async fn a_spoofed_address_neither_escapes_the_limit_nor_reaches_the_audit_trail() {
    let rig = Rig::start().await;
    rig.admin().await;
    let body =
        json!({ "email": ADMIN, "password": "wrong horse", "device": { "fingerprint": "f" } });
    let mut last = 0;
    for number in 0..8 {
        let lie = format!("192.0.2.{number}");
        let ask = rig.post("/api/v1/auth/login").from("198.51.100.7:999");
        let ask = ask.header("x-forwarded-for", &lie).header("forwarded", &format!("for={lie}"));
        last = ask.json(&body).await.status.as_u16();
    }
    assert_eq!(last, 429);
    let rows = rig
        .app
        .store
        .audit(&crate::audit::AuditQuery { limit: 200, ..Default::default() })
        .await
        .unwrap();
    assert!(rows.iter().all(|row| !row.entry.details.to_string().contains("192.0.2.")));
    assert!(rows.iter().any(|row| row.entry.address == Some("198.51.100.7".parse().unwrap())));
}

#[tokio::test]
async fn behind_a_configured_proxy_each_client_has_its_own_limit() {
    let rig =
        Rig::with(|config| config.proxies.trusted = vec!["10.0.0.0/8".parse().unwrap()]).await;
    for number in 0..30 {
        let ask = rig.get("/health").from("10.0.0.1:999");
        let client = format!("192.0.2.{number}");
        assert_eq!(ask.header("x-forwarded-for", &client).send().await.status, 200, "{number}");
    }
}

#[tokio::test]
async fn limits_are_raised_and_switched_off_by_configuration() {
    let raised = Rig::with(|config| config.limits.unauthenticated.burst = 40).await;
    let off = Rig::with(|config| config.limits.enabled = false).await;
    for number in 0..41 {
        let status = raised.get("/health").send().await.status;
        assert_eq!(status.as_u16(), if number < 40 { 200 } else { 429 }, "{number}");
        let answer = off.get("/health").send().await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-limit")), (200, ""));
    }
}

#[tokio::test]
async fn keys_of_repeated_requests_are_bounded_and_expire() {
    let rig = Rig::with(|config| {
        config.limits.enabled = false;
        config.limits.idempotency_keys_per_user = 20;
        config.limits.idempotency_keys = 50;
    })
    .await;
    let token = rig.admin().await;
    let body = json!({ "name": "rack" });
    let make = |token: String, key: String| {
        let ask = rig.post("/api/v1/enrolment-tokens").by(&token).header("idempotency-key", &key);
        let body = body.clone();
        async move { ask.json(&body).await }
    };
    for number in 0..20 {
        assert_eq!(make(token.clone(), number.to_string()).await.status, 201, "{number}");
    }
    let full = make(token.clone(), "one more".into()).await;
    assert_eq!(full.refusal(), (429, "rate_limit_exceeded".into()));
    assert_eq!(make(token.clone(), "3".into()).await.header("idempotency-replayed"), "true");
    // A day later they are gone.
    rig.clock.advance(Duration::from_secs(25 * 3_600));
    let answer = rig.sign_in("/api/v1/auth/login", ADMIN, PASSWORD).await.json();
    let token = answer["data"]["tokens"]["access_token"].as_str().unwrap().to_owned();
    assert_eq!(make(token, "one more".into()).await.status, 201);
}

#[tokio::test]
async fn keys_of_repeated_requests_beyond_the_bound_of_all_leave_the_oldest_out() {
    use crate::store::{Begun, KeptAnswer, KeyBounds};
    let rig = Rig::start().await;
    let store = &rig.app.store;
    let bounds = KeyBounds { per_owner: 1_000, in_all: 100 };
    let kept = KeptAnswer { status: 200, headers: Vec::new(), body: Vec::new() };
    // One in 64 looks after the bound of all; each owner has one key.
    for number in 0..600_u32 {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        let owner = number.to_string();
        let begun = store
            .begin_idempotent(&key, &[1; 32], &owner, bounds, NOW_MS + u64::from(number))
            .await;
        assert_eq!(begun.unwrap(), Begun::New);
        store.keep_answer(&key, &kept).await.unwrap();
    }
    let count = store.tamper("UPDATE idempotency SET headers = headers".into()).await.unwrap();
    assert!(count <= 100 + 64, "{count}");
}

#[test]
fn a_file_has_the_time_that_a_slow_line_needs_and_nothing_else_has() {
    let mib = 1024 * 1024;
    let seconds = |path: &str, bytes: u64| crate::http::patience(path, bytes).as_secs();
    assert_eq!(seconds("/api/v1/plugins", 32 * mib), 30 + 512);
    assert_eq!(seconds("/api/curricula/import", mib), 46);
    assert_eq!(seconds("/api/curricula", 0), 30);
    assert_eq!(seconds("/api/v1/devices", 32 * mib), 30);
}

//! Attacks on a listening server, sent as bytes over TCP where a client library would not send
//! them.

use super::rig::{ADMIN, PASSWORD, Rig};
use crate::access::Role;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const ME: &str = "/api/v1/auth/me";

/// All that comes back until the other side closes.
async fn until_closed(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may have had enough before the end.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the end is awaited");
    String::from_utf8_lossy(&answer).into_owned()
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn a_request_that_is_hidden_in_another_ones_body_is_never_answered() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    let hidden = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let login = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\n";
    for lengths in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity",
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
    ] {
        let text =
            until_closed(address, format!("{login}{lengths}\r\n\r\n0\r\n\r\n{hidden}").as_bytes())
                .await;
        assert!(answers(&text) <= 1, "{lengths}: {text}");
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{lengths}: {text}");
    }
}

#[tokio::test]
async fn no_spelling_of_a_path_leaves_the_folder_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let console = folder.path().join("console");
    std::fs::create_dir(&console).unwrap();
    std::fs::write(console.join("index.html"), "the console").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "outside").unwrap();
    let rig = Rig::with(|config| {
        config.limits.enabled = false;
        config.console_dir = Some(console.clone());
    })
    .await;
    let address = rig.listen().await;
    for start in ["", "/api/docs", "/api/v1/docs", "/api/media", "/assets", "/index.html"] {
        for up in ["../", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "....//", "%252e%252e%252f"] {
            for path in [format!("{start}/{up}secret.txt"), format!("{start}/{up}{up}secret.txt")] {
                let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
                let text = until_closed(address, ask.as_bytes()).await;
                assert!(text.starts_with("HTTP/1.1 4"), "{path}: {text}");
                assert!(!text.contains("outside"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn json_nested_a_hundred_thousand_deep_is_refused_and_the_server_lives_on() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    let body = "[".repeat(100_000);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/json\r\n";
    let ask = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let text = until_closed(address, ask.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    let live = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(until_closed(address, live).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_held_by_its_address_whatever_names_it_tries() {
    let rig = Rig::start().await;
    rig.admin().await;
    let device = json!({ "fingerprint": "f" });
    let mut refused = 0;
    for number in 0..40 {
        let body = json!({
            "email": format!("user{number}@example.org"), "password": "wrong", "device": device,
        });
        let answer = rig.post("/api/v1/auth/login").from("198.51.100.9:1").json(&body).await;
        refused += u32::from(answer.status == 429);
    }
    assert_eq!(refused, 35);
    let body = json!({ "email": ADMIN, "password": PASSWORD, "device": device });
    let other = rig.post("/api/v1/auth/login").from("198.51.100.10:1").json(&body).await;
    assert_eq!(other.status, 200, "another address is not held");
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_that_says_it_needs_no_signature_or_is_changed_is_no_token() {
    let rig = Rig::with(|config| config.limits.enabled = false).await;
    let token = rig.token("viewer@example.org", Role::Viewer).await;
    assert_eq!(rig.get(ME).by(&token).send().await.status, 200);
    let parts: Vec<_> = token.split('.').collect();
    let (head, claims, signature) = (read(parts[0]), read(parts[1]), parts[2]);
    let mut forged = Vec::new();
    for algorithm in ["none", "None", "HS512", "RS256"] {
        let mut head = head.clone();
        head["alg"] = json!(algorithm);
        for signature in ["", signature] {
            forged.push(format!("{}.{}.{signature}", part(&head), parts[1]));
        }
    }
    let names = claims.as_object().unwrap().keys().cloned();
    for name in names.chain(["aud".into(), "role".into()]) {
        let mut claims = claims.clone();
        claims[name.as_str()] = json!("superuser");
        forged.push(format!("{}.{}.{signature}", parts[0], part(&claims)));
    }
    for token in forged {
        let answer = rig.get(ME).by(&token).send().await;
        assert_eq!(answer.refusal(), (401, "invalid_token".into()), "{token}");
    }
}

#[tokio::test]
async fn a_token_signed_by_this_servers_own_key_for_another_audience_is_no_token() {
    let rig = Rig::start().await;
    let token = rig.token("viewer@example.org", Role::Viewer).await;
    let parts: Vec<_> = token.split('.').collect();
    let (head, claims) = (read(parts[0]), read(parts[1]));
    let keys = rig.app.store.signing_keys("access-token").await.unwrap();
    let key = keys.iter().find(|key| head["kid"] == key.kid.as_str()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.secret);
    let sign = |claims: &Value| {
        let text = format!("{}.{}", parts[0], part(claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
        format!("{text}.{signature}")
    };
    assert_eq!(rig.get(ME).by(&sign(&claims)).send().await.status, 200, "the key is the server's");
    for (name, value) in [
        ("aud", json!("flyball-console")),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("iss", json!("another")),
        ("exp", json!(null)),
        ("exp", json!("never")),
        ("sub", json!(null)),
    ] {
        let mut claims = claims.clone();
        claims[name] = value.clone();
        let answer = rig.get(ME).by(&sign(&claims)).send().await;
        assert_eq!(answer.refusal(), (401, "invalid_token".into()), "{name}: {value}");
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The kind and the payload of every frame in what came back.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        frames.push((head[3], payload));
        bytes = rest;
    }
    frames
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_their_connection_and_no_other() {
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    const ENHANCE_YOUR_CALM: u32 = 11;
    const CANCEL: u32 = 8;
    let rig = Rig::start().await;
    let address = rig.listen().await;
    // GET http://x/api/v1/devices in HPACK's static table and literals.
    let path = b"/api/v1/devices";
    let mut head = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    head.extend(path);
    head.extend([0x01, 1, b'x']);
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..20_000 {
        let stream = number * 2 + 1;
        // The head ends both the headers and the stream.
        flood.extend(frame(HEADERS, 0b101, stream, &head));
        flood.extend(frame(RESET, 0, stream, &CANCEL.to_be_bytes()));
    }
    let (reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let sending = tokio::spawn(async move { writer.write_all(&flood).await });
    let mut reader = reader;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, reader.read_to_end(&mut answer)).await.expect("the end is awaited");
    let _ = sending.await.unwrap();
    let said = frames(&answer);
    let (_, last) = said.iter().rfind(|(kind, _)| *kind == GO_AWAY).expect("the server says why");
    assert_eq!(u32::from_be_bytes(last[4..8].try_into().unwrap()), ENHANCE_YOUR_CALM);
    let live = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let other = until_closed(address, live).await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
}

use super::rig::Rig;
use axum::http::Method;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn an_unknown_address_is_a_problem_of_its_dialect() {
    let rig = Rig::start().await;
    let v1 = rig.get("/api/v1/nothing").header("x-request-id", "r-1").send().await;
    assert_eq!(v1.header("content-type"), "application/problem+json");
    insta::assert_snapshot!(serde_json::to_string_pretty(&v1.json()).unwrap(), @r#"
    {
      "type": "not_found",
      "title": "Not Found",
      "status": 404,
      "detail": "there is nothing at /api/v1/nothing",
      "instance": "/api/v1/nothing",
      "status_code": 404,
      "error": "not_found",
      "code": "NOT_FOUND",
      "message": "there is nothing at /api/v1/nothing",
      "details": {},
      "timestamp": 1795298300000,
      "field_errors": [],
      "request_id": "r-1",
      "retryable": false,
      "recovery": "Check the address and the id."
    }
    "#);
    let flat = rig.get("/api/nothing").header("x-request-id", "r-1").send().await;
    assert_eq!(flat.header("content-type"), "application/json");
    insta::assert_snapshot!(serde_json::to_string_pretty(&flat.json()).unwrap(), @r#"
    {
      "type": "not_found",
      "title": "Not Found",
      "status": 404,
      "detail": "there is nothing at /api/nothing",
      "instance": "/api/nothing",
      "status_code": 404,
      "error": "not_found",
      "code": "NOT_FOUND",
      "message": "there is nothing at /api/nothing",
      "details": {},
      "timestamp": 1795298300000,
      "field_errors": [],
      "request_id": "r-1",
      "retryable": false,
      "recovery": "Check the address and the id."
    }
    "#);
}

#[tokio::test]
async fn every_rejection_goes_through_the_same_renderer() {
    let rig = Rig::start().await;
    let long = "x".repeat(2 * 1024 * 1024);
    for prefix in ["/api/v1", "/api"] {
        let login = format!("{prefix}/auth/login");
        let is_v1 = prefix == "/api/v1";
        let invalid = if is_v1 { 422 } else { 400 };
        for (kind, body, status, slug) in [
            ("application/json", "{", 400, "invalid_json"),
            ("application/json", "", 400, "invalid_json"),
            ("application/json", "[]", invalid, "validation_error"),
            ("application/json", r#"{"email":7}"#, invalid, "validation_error"),
            ("text/plain", "{}", 415, "unsupported_media_type"),
            ("application/json", long.as_str(), 413, "payload_too_large"),
        ] {
            rig.clock.advance(Duration::from_secs(60));
            let ask = rig.post(&login).header("content-type", kind);
            let answer = ask.body(body.to_owned()).await;
            let start = &body[..body.len().min(20)];
            assert_eq!(answer.refusal(), (status, slug.to_owned()), "{login} {start}");
            let body = answer.json();
            assert_eq!(body["code"], slug.to_uppercase());
            assert_eq!(body["instance"], login);
            assert_eq!(body["request_id"], answer.header("x-request-id"));
        }
        let answer = rig.ask(Method::PUT, &login).send().await;
        assert_eq!(answer.refusal(), (405, "method_not_allowed".into()));
        assert_eq!(answer.header("allow"), "POST");
    }
}

#[tokio::test]
async fn what_a_parser_says_of_itself_stays_inside() {
    let rig = Rig::start().await;
    let ask = rig.post("/api/v1/auth/login").header("content-type", "application/json");
    let answer = ask.body("{\n  \"email\": tru }").await;
    assert_eq!(answer.json()["message"], "the body is no valid JSON at line 2, column 15");
    let body = serde_json::json!({ "email": "a", "password": "b", "device": { "name": 7 } });
    let answer = rig.post("/api/v1/auth/login").json(&body).await;
    assert_eq!(answer.json()["field_errors"][0]["pointer"], "/device/name");
    for word in ["serde", "invalid type", "expected", "struct"] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_where_it_is_harmless() {
    let rig = Rig::start().await;
    for (given, kept) in [("abc-1.2_3", true), ("a b", false), ("<x>", false), ("", false)] {
        let answer = rig.get("/health").header("x-request-id", given).send().await;
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
    }
}

#[tokio::test]
async fn the_version_is_echoed_and_another_one_refused() {
    let rig = Rig::start().await;
    let answer = rig.get("/health").send().await;
    assert_eq!(answer.header("x-api-version"), "1");
    assert_eq!(rig.get("/health").header("x-api-version", "1").send().await.status, 200);
    let answer = rig.get("/health").header("x-api-version", "2").send().await;
    assert_eq!(answer.refusal(), (400, "unsupported_version".into()));
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_safe() {
    let rig = Rig::start().await;
    for path in ["/health", "/api/v1/nothing", "/", "/livez"] {
        let answer = rig.get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src"), "{path}");
    }
}

#[tokio::test]
async fn only_listed_origins_are_allowed() {
    let rig = Rig::with(|config| config.cors.origins = vec!["https://ui.example.org".into()]).await;
    for (origin, allowed) in [("https://ui.example.org", true), ("https://evil.example.org", false)]
    {
        let ask = rig.ask(Method::OPTIONS, "/api/v1/devices").header("origin", origin);
        let answer = ask.header("access-control-request-method", "GET").send().await;
        let header = answer.header("access-control-allow-origin");
        assert_eq!(header == origin, allowed, "{origin}");
    }
}

#[tokio::test]
async fn a_body_of_100_mib_is_refused_before_it_is_read() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        100 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = stream.read_exact(&mut answer);
    tokio::time::timeout(Duration::from_secs(5), read).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_bound() {
    let rig = Rig::start().await;
    let address = rig.listen().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut incoming, mut outgoing) = stream.into_split();
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    outgoing.write_all(head.as_bytes()).await.unwrap();
    let writing = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(65_536));
        // Ends with an error once the other side has had enough.
        for _ in 0..1600 {
            if outgoing.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
    });
    let mut answer = vec![0; 12];
    let read = incoming.read_exact(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    drop(incoming);
    writing.await.unwrap();
}

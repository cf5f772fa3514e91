//! Several requests in one: each by itself, as its caller, and never more than is bounded.

use super::rig::{Rig, VIEWER};
use crate::access::Role;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/batch-requests";

fn get(id: &str, path: &str) -> Value {
    json!({ "id": id, "method": "GET", "path": path })
}

#[tokio::test]
async fn each_part_has_its_own_status_in_the_order_of_the_requests() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for parallel in [false, true] {
        let body = json!({ "parallel": parallel, "requests": [
            get("me", "/api/v1/auth/me"),
            get("none", "/api/v1/operations/nothing"),
            { "id": "made", "method": "POST", "path": "/api/v1/enrolment-tokens",
              "headers": { "Idempotency-Key": format!("k-{parallel}") }, "body": { "name": "rack 3" } },
            get("wrong", "/api/v1/events?limit=0"),
        ] });
        let answer = rig.post(PATH).by(&token).json(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let responses = answer.json()["data"]["responses"].clone();
        let told: Vec<_> = responses
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (part["id"].as_str().unwrap(), part["status"].as_u64().unwrap()))
            .collect();
        assert_eq!(told, [("me", 200), ("none", 404), ("made", 201), ("wrong", 422)]);
        assert!(responses[0]["body"]["data"].to_string().contains(super::rig::ADMIN));
        assert_eq!(responses[1]["body"]["error"], "not_found");
        assert!(responses[2]["headers"]["location"].is_string());
        assert_ne!(
            responses[0]["headers"]["x-request-id"],
            responses[1]["headers"]["x-request-id"]
        );
    }
}

#[tokio::test]
async fn a_part_may_what_its_caller_may_and_counts_against_the_callers_limit() {
    let rig = Rig::start().await;
    let token = rig.token(VIEWER, Role::Viewer).await;
    let part = get("audit", "/api/v1/audit");
    let answer = rig.post(PATH).by(&token).json(&json!({ "requests": [part] })).await;
    assert_eq!(answer.json()["data"]["responses"][0]["status"], 403);
    let many: Vec<_> = (0..50).map(|n| get(&n.to_string(), "/api/v1/auth/me")).collect();
    let mut refused = 0;
    for _ in 0..3 {
        let answer = rig.post(PATH).by(&token).json(&json!({ "requests": many })).await.json();
        let parts = answer["data"]["responses"].as_array().cloned().unwrap_or_default();
        refused += parts.iter().filter(|part| part["status"] == 429).count();
    }
    // A hundred at once, the batches among them.
    assert!(refused >= 2, "{refused}");
    let answer = rig.post(PATH).by(&token).json(&json!({ "requests": many })).await;
    assert_eq!(answer.status, 429);
    assert_eq!(rig.post(PATH).json(&json!({ "requests": many })).await.status, 401);
}

#[tokio::test]
async fn a_batch_that_is_wrong_names_the_part_and_does_nothing() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let with = |part: Value| json!({ "requests": [get("a", "/api/v1/auth/me"), part] });
    let many: Vec<_> = (0..51).map(|n| get(&n.to_string(), "/api/v1/auth/me")).collect();
    let headers = |name: &str, value: &str| json!({ "id": "b", "method": "GET", "path": "/api/v1/auth/me", "headers": { name: value } });
    for (body, field) in [
        (json!({ "requests": [] }), "requests"),
        (json!({ "requests": many }), "requests"),
        (with(get("a", "/api/v1/auth/me")), "requests.1.id"),
        (with(get("b", PATH)), "requests.1.path"),
        (with(get("b", "/api/v1/stream/sse")), "requests.1.path"),
        (with(get("b", "/ws")), "requests.1.path"),
        (with(get("b", "https://example.org/api/v1/auth/me")), "requests.1.path"),
        (with(get("b", "/api/v1/a\r\nb")), "requests.1.path"),
        (
            with(json!({ "id": "b", "method": "CONNECT", "path": "/api/v1/auth/me" })),
            "requests.1.method",
        ),
        (with(headers("authorization", "Bearer x")), "requests.1.headers"),
        (with(headers("x-forwarded-for", "192.0.2.1")), "requests.1.headers"),
        (with(headers("accept", "a\r\nx: y")), "requests.1.headers"),
    ] {
        let answer = rig.post(PATH).by(&token).json(&body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{body}");
    }
}

//! What each route shows, and what it says to input that is wrong.

use super::machine::enrol;
use super::rig::Rig;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn health_has_the_shape_of_each_document() {
    let rig = Rig::start().await;
    let flat = rig.get("/health").send().await.json();
    assert_eq!(flat["status"], "healthy");
    assert_eq!(flat["uptime_seconds"], 0);
    assert_eq!(flat["server_time"], "2026-11-21T21:58:20.000Z");
    let desktop = rig.get("/api/health").send().await.json();
    assert_eq!((&desktop["status"], &desktop["data"]["version"]), (&json!("ok"), &json!("0.1.0")));
    let v1 = rig.get("/api/v1/health").send().await.json();
    assert_eq!(v1["data"]["status"], "healthy");
    assert_eq!(rig.get("/livez").send().await.text, "ok\n");
    let engine = rig.app.store.engine();
    assert_eq!(rig.get("/readyz").send().await.text, format!("ready, {engine}, http\n"));
}

#[tokio::test]
async fn devices_are_listed_and_shown() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let id = enrol(&rig).await;
    let list = rig.get("/api/v1/devices?per_page=5").by(&token).send().await.json();
    assert_eq!(list["meta"]["total"], 1);
    assert_eq!(list["data"][0]["kind"], "simulated");
    assert_eq!(list["data"][0]["status"], "offline");
    let path = format!("/api/v1/devices/{id}");
    let one = rig.get(&path).by(&token).send().await.json();
    assert_eq!(one["data"]["machine"]["hostname"], "board");
    assert_eq!(one["data"]["series"], json!([]));
    assert_eq!(one["links"]["self"], path);
    for sub in ["limits", "readings"] {
        let answer = rig.get(&format!("{path}/{sub}")).by(&token).send().await;
        assert_eq!((answer.status.as_u16(), &answer.json()["data"]), (200, &json!([])), "{sub}");
    }
}

#[tokio::test]
async fn ids_that_name_nothing_are_not_found() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let none = Uuid::from_u128(7);
    for path in [
        format!("/api/v1/devices/{none}"),
        "/api/v1/devices/rack-3".into(),
        format!("/api/v1/devices/{none}/limits"),
        format!("/api/v1/devices/{none}/readings"),
        format!("/api/v1/operations/{none}"),
        "/api/curricula/none".into(),
        "/api/curricula/none/full".into(),
        "/api/import/sources/none".into(),
        "/api/import/sources/none/courses".into(),
        format!("/api/import/jobs/{none}"),
        "/api/system/metrics".into(),
        format!("/api/system/snapshot?device={none}"),
    ] {
        let answer = rig.get(&path).by(&token).send().await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{path}");
    }
}

#[tokio::test]
async fn queries_out_of_bounds_name_their_field() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let id = enrol(&rig).await;
    for (path, field) in [
        ("/api/v1/devices?page=0".into(), "page"),
        ("/api/v1/devices?per_page=201".into(), "per_page"),
        ("/api/v1/devices?per_page=many".into(), "per_page"),
        ("/api/v1/devices?pageSize=0".into(), "pageSize"),
        ("/api/v1/events?limit=0".into(), "limit"),
        ("/api/v1/events?severity=loud".into(), "severity"),
        ("/api/v1/events?from=yesterday".into(), "from"),
        ("/api/v1/operations?device=rack".into(), "device"),
        (format!("/api/v1/devices/{id}/readings?reading_type=NOISE"), "reading_type"),
        (format!("/api/v1/devices/{id}/readings?from=2"), ""),
        (format!("/api/v1/devices/{id}/readings?step=often"), "step"),
        (format!("/api/v1/devices/{id}/readings?aggregate=mode"), "aggregate"),
        (format!("/api/v1/devices/{id}/readings?series=a"), "series"),
        (format!("/api/v1/devices/{id}/readings?from=20&to=10"), "from"),
    ] {
        let answer = rig.get(&path).by(&token).send().await;
        if field.is_empty() {
            continue;
        }
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{path}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{path}");
    }
    for path in ["/api/v1/events?cursor=x", "/api/v1/audit?cursor=x"] {
        let answer = rig.get(path).by(&token).send().await;
        assert_eq!(answer.refusal(), (400, "invalid_cursor".into()), "{path}");
    }
}

#[tokio::test]
async fn enrolment_tokens_are_shown_once_listed_and_revoked() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let body = json!({ "name": "rack 3", "ttl_seconds": 600 });
    let made = rig.post("/api/v1/enrolment-tokens").by(&token).json(&body).await;
    assert_eq!(made.status, 201);
    let text = made.json()["data"]["token"].as_str().unwrap().to_owned();
    assert!(text.starts_with("fbt1."));
    let path = made.header("location").to_owned();
    let list = rig.get("/api/v1/enrolment-tokens").by(&token).send().await;
    assert!(!list.text.contains(&text));
    assert_eq!(list.json()["data"][0]["name"], "rack 3");
    let revoked = rig.ask(axum::http::Method::DELETE, &path).by(&token).send().await;
    assert_eq!(revoked.json()["data"]["revoked"], true);
    let again = rig.ask(axum::http::Method::DELETE, &path).by(&token).send().await;
    assert_eq!(again.refusal(), (404, "not_found".into()));
    for body in [json!({ "ttl_seconds": 0 }), json!({ "name": "" }), json!({ "nam": "x" })] {
        let answer = rig.post("/api/v1/enrolment-tokens").by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{body}");
    }
}

#[tokio::test]
async fn the_audit_trail_is_walked_by_cursor() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let first = rig.get("/api/v1/audit?limit=1").by(&token).send().await;
    let body = first.json();
    assert_eq!(body["data"][0]["action"], "auth.login");
    assert!(first.header("link").contains("rel=\"next\""));
    let next = body["links"]["next"].as_str().unwrap().to_owned();
    let second = rig.get(&next).by(&token).send().await.json();
    assert_eq!(second["data"][0]["action"], "user.create");
    assert_eq!(second["meta"]["next_cursor"], Value::Null);
}

#[tokio::test]
async fn lists_of_an_empty_house_are_empty() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for (path, key) in [
        ("/api/clients", "clients"),
        ("/api/curricula", "curricula"),
        ("/api/plugins", "plugins"),
        ("/api/import/sources", "sources"),
        ("/api/import/jobs", "jobs"),
    ] {
        let body = rig.get(path).by(&token).send().await.json();
        assert_eq!((&body["success"], &body[key]), (&json!(true), &json!([])), "{path}");
    }
    let stats = rig.get("/api/stats").by(&token).send().await.json();
    assert_eq!((&stats["online_clients"], &stats["registered_servers"]), (&json!(0), &json!(0)));
    assert!(stats.get("success").is_none());
    for path in ["/api/v1/events", "/api/v1/operations", "/api/v1/plugins", "/api/v1/curricula"] {
        assert_eq!(rig.get(path).by(&token).send().await.json()["data"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn the_console_is_served_or_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().to_owned();
    let rig = Rig::with(|config| config.console_dir = Some(dist.clone())).await;
    let page = rig.get("/").send().await;
    assert!(page.text.contains("cargo xtask console"), "{}", page.text);

    std::fs::create_dir(dist.join("assets")).unwrap();
    std::fs::write(dist.join("index.html"), "<p>console").unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    let page = rig.get("/").send().await;
    assert_eq!((page.text.as_str(), page.header("cache-control")), ("<p>console", "no-cache"));
    let known = rig.get("/").header("if-none-match", page.header("etag")).send().await;
    assert_eq!(known.status, 304);
    for path in ["/assets/../../etc/passwd", "/%2e%2e/secret", "/assets/", "/nothing.js"] {
        assert_eq!(rig.get(path).send().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_exposition_is_open_on_loopback_and_asks_elsewhere() {
    let rig = Rig::start().await;
    let answer = rig.get("/metrics").send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert!(answer.text.contains("flyball_agents_connected 0"));
    let open_metrics = "application/openmetrics-text;version=1.0.0,text/plain;q=0.3,*/*;q=0.2";
    let answer = rig.get("/metrics").header("accept", open_metrics).send().await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    assert!(answer.text.ends_with("# EOF\n"));
    let open = Rig::with(|config| config.api = "0.0.0.0:8766".parse().unwrap()).await;
    assert_eq!(open.get("/metrics").send().await.status, 401);
}

#[tokio::test]
async fn the_exposition_tells_how_long_the_database_takes_and_what_caches_answer() {
    let rig = Rig::start().await;
    rig.admin().await;
    let text = rig.get("/metrics").send().await.text;
    let count = |line: &str| -> u64 {
        let found = text.lines().find_map(|text| text.strip_prefix(line));
        found.unwrap_or_else(|| panic!("no {line} in {text}")).trim().parse().unwrap()
    };
    let engine = rig.app.store.engine();
    for operation in ["read", "wait", "write"] {
        let labels = format!(r#"db_system_name="{engine}",db_operation_name="{operation}""#);
        let line = format!("db_client_operation_duration_seconds_count{{{labels}}}");
        assert!(count(&line) > 0, "{operation}");
    }
    for cache in ["devices", "tenancy", "blocks", "dictionaries", "history_tails"] {
        count(&format!(r#"flyball_cache_requests_total{{cache="{cache}",result="hit"}}"#));
    }
}

#[tokio::test]
async fn the_exposition_counts_requests_by_their_route_and_never_by_their_address() {
    let rig = Rig::start().await;
    rig.get("/health").send().await;
    for number in 0..3 {
        rig.get(&format!("/api/v1/devices/{number}")).send().await;
        rig.get(&format!("/made-up/{number}")).send().await;
    }
    let text = rig.get("/metrics").send().await.text;
    let count = |labels: &str| {
        let line = format!("http_server_request_duration_seconds_count{{{labels}}} ");
        text.lines().find_map(|text| text.strip_prefix(&line)).map(str::to_owned)
    };
    let labels = |route: &str, class: &str| {
        format!(
            r#"http_request_method="GET",http_route="{route}",http_response_status_class="{class}""#
        )
    };
    assert_eq!(count(&labels("/health", "2xx")).as_deref(), Some("1"), "{text}");
    assert_eq!(count(&labels("/api/v1/devices/{id}", "4xx")).as_deref(), Some("3"), "{text}");
    assert_eq!(count(&labels("unmatched", "4xx")).as_deref(), Some("3"), "{text}");
    assert!(text.contains(r#"le="0.005","#), "{text}");
}

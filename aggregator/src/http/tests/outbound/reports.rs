use crate::access::Role;
use crate::http::tests::rig::{NOW_MS, Rig};
use crate::http::tests::telemetry::{BEGIN_MS, measured};
use crate::outbound::run_due;
use serde_json::{Value, json};

async fn made(rig: &Rig, token: &str, body: &Value) -> (String, Value) {
    let answer = rig.post("/api/v1/reports").by(token).json(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = answer.header("location").to_owned();
    let before = rig.get(&path).by(token).send().await.json();
    assert_eq!(before["data"]["state"], "queued");
    run_due(&rig.app).await.unwrap();
    let after = rig.get(&path).by(token).send().await.json();
    assert_eq!(after["data"]["state"], "succeeded", "{after}");
    let content = rig.get(&format!("{path}/content")).by(token).send().await;
    assert_eq!(content.status, 200, "{}", content.text);
    (path, content.json()["data"].clone())
}

fn minute(kind: &str) -> Value {
    json!({
        "kind": kind,
        "from": crate::clock::rfc3339(BEGIN_MS),
        "to": crate::clock::rfc3339(BEGIN_MS + 60_000),
    })
}

#[tokio::test]
async fn a_minute_of_a_machine_is_reckoned_as_its_readings_say() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = measured(&rig, 20.0).await;
    // A counter of 100 W that began anew: 29 s and 29 s of it were seen, 5.8 kJ.
    let (_, energy) = made(&rig, &token, &minute("energy")).await;
    let row = &energy["rows"][0];
    assert_eq!(row[3], "counter", "{energy}");
    let kwh = row[4].as_f64().unwrap();
    assert!((0.0016..=0.0017).contains(&kwh), "{energy}");
    // One rises from 20 to 79 by a degree a second, one stands at 20.
    let mut question = minute("temperature");
    question["limit_celsius"] = json!(40.0);
    let (_, temperature) = made(&rig, &token, &question).await;
    let rows = temperature["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        json!([rows[0][3], rows[0][4], rows[0][5], rows[0][6]]),
        json!([20.0, 49.5, 79.0, 1.0])
    );
    assert_eq!(
        json!([rows[1][3], rows[1][4], rows[1][5], rows[1][6]]),
        json!([20.0, 20.0, 20.0, 0.0])
    );
    let mut question = minute("availability");
    question["device_id"] = json!(device.to_string());
    question["from"] = json!(crate::clock::rfc3339(BEGIN_MS - 60_000));
    let (_, availability) = made(&rig, &token, &question).await;
    assert_eq!(availability["rows"][0][2], 50.0, "{availability}");
}

#[tokio::test]
async fn a_report_comes_as_a_page_and_as_a_table_and_nothing_in_it_is_a_formula() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = measured(&rig, 20.0).await;
    let sql = format!(
        "INSERT INTO events (device, at_ms, kind, severity, subject, message, reading)
         SELECT key, {BEGIN_MS}, 'limit.tripped', 2, '@cpu', '=HYPERLINK(\"http://x\")<b>', -3.5
         FROM devices WHERE id = '{device}'"
    );
    rig.app.store.tamper(sql).await.unwrap();
    let (path, content) = made(&rig, &token, &minute("events")).await;
    assert_eq!(content["rows"].as_array().unwrap().len(), 1, "{content}");
    let as_type = async |media_type: &str| {
        rig.get(&format!("{path}/content")).by(&token).header("accept", media_type).send().await
    };
    let table = as_type("text/csv").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.header("content-disposition").ends_with(".csv\""));
    let line = table.text.lines().nth(1).unwrap();
    assert!(line.contains(",'@cpu,\"'=HYPERLINK(\"\"http://x\"\")<b>\",-3.5"), "{line}");
    let page = as_type("text/html").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text.contains("&lt;b&gt;") && !page.text.contains("<b>"), "{}", page.text);
    assert_eq!(as_type("image/png").await.refusal(), (406, "not_acceptable".into()));
}

#[tokio::test]
async fn a_viewer_has_reports_of_a_device_and_not_of_everything() {
    let rig = Rig::start().await;
    let (admin, viewer) = (rig.admin().await, rig.token("v@example.org", Role::Viewer).await);
    let device = measured(&rig, 20.0).await;
    let answer = rig.post("/api/v1/reports").by(&viewer).json(&minute("energy")).await;
    assert_eq!(answer.refusal(), (403, "forbidden".into()));
    let mut of_one = minute("energy");
    of_one["device_id"] = json!(device.to_string());
    made(&rig, &viewer, &of_one).await;
    let (path, _) = made(&rig, &admin, &minute("energy")).await;
    assert_eq!(rig.get(&path).by(&viewer).send().await.status, 404);
    let list = rig.get("/api/v1/reports").by(&viewer).send().await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_range_that_makes_no_sense_is_refused() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let now = crate::clock::rfc3339(NOW_MS);
    for (body, field) in [
        (json!({ "kind": "energy" }), "from"),
        (json!({ "kind": "energy", "from": now, "to": now }), "from"),
        (json!({ "kind": "energy", "from": "yesterday" }), "from"),
        (json!({ "kind": "energy", "from": now, "last_seconds": 5 }), "from"),
        (json!({ "kind": "energy", "last_seconds": 0 }), "last_seconds"),
        (json!({ "kind": "energy", "from": "1990-01-01T00:00:00Z" }), "from"),
        (json!({ "kind": "weather", "last_seconds": 60 }), "kind"),
    ] {
        let answer = rig.post("/api/v1/reports").by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{body}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{body}: {}", answer.text);
    }
}

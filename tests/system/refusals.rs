//! What is refused over the API, in which words, and that nothing else suffers.

use crate::until::until;
use flyball_harness::fleet::Fleet;
use serde_json::json;

#[test]
fn the_edge_clamps_and_refuses_and_bad_input_is_answered_in_words() {
    let fleet = Fleet::up(2).unwrap();
    let board = fleet.ready().unwrap().devices[1].id.clone();
    let api = fleet.api().unwrap();
    let cap = until("the board's actuators are known", 30, || {
        let device = api.get(&format!("/api/v1/devices/{board}")).map_err(|e| format!("{e:#}"))?;
        device.body["data"]["actuators"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["kind"] == "power_cap"))
            .and_then(|cap| cap["max"].as_f64())
            .ok_or_else(|| device.body.to_string())
    });
    // Start-up is failsafe: proposals count once the board is known to be cool.
    until("the board's limits are normal", 60, || {
        let limits = api.get(&format!("/api/v1/devices/{board}/limits")).unwrap().body;
        let all = limits["data"].as_array().cloned().unwrap_or_default();
        let calm = !all.is_empty() && all.iter().all(|limit| limit["state"] == "normal");
        if calm { Ok(()) } else { Err(limits.to_string()) }
    });

    let refused = api
        .post(&format!("/api/v1/devices/{board}/power"), &json!({"cap_watts": cap * 10.0}))
        .unwrap();
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(refused.body["type"], "interlock_active");
    let details = &refused.body["details"];
    for field in ["interlock", "reading", "limit", "unit", "since", "clears_when", "override_role"]
    {
        assert!(details.get(field).is_some(), "{field} is missing: {details}");
    }
    assert!(details["limit"].as_f64().is_some() && !details["clears_when"].is_null(), "{details}");

    let clamped =
        api.post(&format!("/api/v1/devices/{board}/thermal"), &json!({"fan_floor": 0.0})).unwrap();
    assert_eq!(clamped.status, 202, "{}", clamped.body);
    let text = clamped.body.to_string();
    assert!(text.contains("clamped_to"), "{text}");
    assert!(clamped.location.unwrap().starts_with("/api/v1/operations/"));

    let accepted = api
        .post(&format!("/api/v1/devices/{board}/power"), &json!({"cap_watts": cap * 0.8}))
        .unwrap();
    assert_eq!(accepted.status, 202, "{}", accepted.body);
    let operation = accepted.location.unwrap();
    until("the operation succeeds by its read-back", 60, || {
        let body = api.get(&operation).unwrap().body;
        if body["data"]["state"] == "succeeded" { Ok(()) } else { Err(body.to_string()) }
    });

    let audit = api.get("/api/v1/audit?limit=200").unwrap();
    let text = audit.body.to_string();
    assert!(text.contains("power.cap.set") && text.contains("refused"), "{text}");

    let bad = api.post_raw("/api/v1/enrolment-tokens", b"{\"name\": ").unwrap();
    assert!([400, 422].contains(&bad.status), "{}", bad.body);
    assert_eq!(bad.body["type"], "invalid_json", "{}", bad.body);
    // The server may answer and close before it has read all of it.
    match api.post_raw("/api/v1/enrolment-tokens", &vec![b' '; 100 << 20]) {
        Ok(large) => assert_eq!(large.status, 413, "{}", large.body),
        Err(error) => println!("the server closed on 100 MiB: {error:#}"),
    }
    assert_eq!(api.get("/health").unwrap().status, 200);
}

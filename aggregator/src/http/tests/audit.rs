//! The audit trail: what its rows say, and that nobody rewrites it unnoticed.

use super::machine::enrol;
use super::rig::{ADMIN, Rig, VIEWER};
use crate::access::{OrganizationId, Role};
use crate::audit::{AuditEntry, AuditQuery, Decision};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const NOON_MS: u64 = 1_700_000_000_000;

fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        at_ms: NOON_MS + number,
        actor: ADMIN.into(),
        action: format!("test.{number}"),
        target: "thing".into(),
        details: json!({ "number": number, "password": "hunter2" }),
        ..AuditEntry::default()
    }
}

/// A house with ten rows of our own behind those of the start.
async fn with_rows() -> (Rig, String) {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    for number in 1..=10 {
        rig.app.store.add_audit(&entry(number)).await.unwrap();
    }
    (rig, token)
}

async fn verify(rig: &Rig, token: &str) -> Value {
    rig.clock.advance(Duration::from_secs(1));
    rig.get("/api/v1/audit/verify").by(token).send().await.json()["data"].clone()
}

async fn id_of(rig: &Rig, number: u64) -> i64 {
    let action = Some(format!("test.{number}"));
    let query = AuditQuery { action, limit: 1, ..AuditQuery::default() };
    rig.app.store.audit(&query).await.unwrap()[0].id
}

#[tokio::test]
async fn whoever_edits_removes_inserts_or_moves_a_row_is_found() {
    let columns = "at_ms, actor, action, target, decision, details, request_id, organization,
        session, address, change, position, hash";
    for (deed, statements, fault, at) in [
        ("edits", vec!["UPDATE audit SET actor = 'x' WHERE id = {5}".to_owned()], "altered", 5),
        (
            "hides a session",
            vec!["UPDATE audit SET session = 's' WHERE id = {5}".into()],
            "altered",
            5,
        ),
        ("removes", vec!["DELETE FROM audit WHERE id = {5}".into()], "out_of_place", 6),
        ("removes the last", vec!["DELETE FROM audit WHERE id = {10}".into()], "cut_off", 9),
        (
            "inserts",
            vec![
                "UPDATE audit SET id = id + 100 WHERE id > {5}".into(),
                format!(
                    "INSERT INTO audit (id, {columns}) SELECT {{5}} + 1, {columns} FROM audit WHERE id = {{5}}"
                ),
            ],
            "out_of_place",
            0,
        ),
        (
            "adds one beside the chain",
            vec![
                "INSERT INTO audit (id, at_ms, actor, action, target, decision, details)
                  VALUES ({10} + 1, 1, 'x', 'x', 'x', 'allowed', '{}')"
                    .into(),
            ],
            "unchained",
            0,
        ),
        (
            "moves",
            vec![
                "UPDATE audit SET id = 1000 WHERE id = {5}".into(),
                "UPDATE audit SET id = {5} WHERE id = {6}".into(),
                "UPDATE audit SET id = {6} WHERE id = 1000".into(),
            ],
            "out_of_place",
            5,
        ),
    ] {
        let (rig, token) = with_rows().await;
        let whole = verify(&rig, &token).await;
        assert_eq!((&whole["intact"], &whole["first_broken"]), (&json!(true), &Value::Null));
        let mut ids = Vec::new();
        for number in [5, 6, 9, 10] {
            ids.push((number, id_of(&rig, number).await));
        }
        for statement in statements {
            let statement = ids.iter().fold(statement, |statement, (number, id)| {
                statement.replace(&format!("{{{number}}}"), &id.to_string())
            });
            assert!(rig.app.store.tamper(statement).await.unwrap() > 0, "{deed}");
        }
        let found = verify(&rig, &token).await;
        assert_eq!(found["intact"], false, "{deed}");
        assert_eq!(found["first_broken"]["fault"], fault, "{deed}: {found}");
        if let Some((_, id)) = ids.iter().find(|(number, _)| *number == at) {
            assert_eq!(found["first_broken"]["id"], id.to_string(), "{deed}");
        }
    }
}

#[tokio::test]
async fn each_organization_has_its_chain_and_a_device_writes_into_that_of_its_own() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let organization = OrganizationId(Uuid::from_u128(9));
    let device = enrol(&rig).await;
    let place = format!(
        "INSERT INTO placements (device, organization, body, created_at_ms, updated_at_ms)
         VALUES ('{device}', '{organization}', '{{}}', 1, 1)"
    );
    rig.app.store.tamper(place).await.unwrap();
    for number in 1..=3 {
        let target = format!("device:{device}");
        rig.app.store.add_audit(&AuditEntry { target, ..entry(number) }).await.unwrap();
    }
    rig.app.store.add_audit(&entry(4)).await.unwrap();
    let path = format!("/api/v1/audit?organization={organization}");
    let list = rig.get(&path).by(&token).send().await.json();
    let positions: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|row| &row["position"]).collect();
    assert_eq!(positions, [&json!(3), &json!(2), &json!(1)]);
    let whole = verify(&rig, &token).await;
    assert_eq!((&whole["intact"], &whole["chains"]), (&json!(true), &json!(2)));
    let moved = format!(
        "UPDATE audit SET organization = NULL WHERE organization = '{organization}' AND position = 3"
    );
    rig.app.store.tamper(moved).await.unwrap();
    assert_eq!(verify(&rig, &token).await["intact"], false);
}

#[tokio::test]
async fn rows_from_before_the_chain_are_chained_at_the_first_start_and_only_then() {
    let (rig, token) = with_rows().await;
    for statement in [
        "UPDATE audit SET position = NULL, hash = NULL",
        "DELETE FROM audit_heads",
        "INSERT INTO audit_backlog (last) SELECT max(id) FROM audit",
    ] {
        rig.app.store.tamper(statement.into()).await.unwrap();
    }
    let rig = rig.restarted().await;
    assert_eq!(verify(&rig, &token).await["intact"], true);
    let unchained = "UPDATE audit SET position = NULL, hash = NULL WHERE action = 'test.10'";
    rig.app.store.tamper(unchained.into()).await.unwrap();
    let rig = rig.restarted().await;
    assert_eq!(verify(&rig, &token).await["first_broken"]["fault"], "unchained");
}

#[tokio::test]
async fn two_replicas_that_audit_at_once_make_one_chain() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let config = rig.app.config.clone();
    let other = crate::app::App::open(config, rig.clock.clone()).await.unwrap();
    let write = |store: crate::store::Store| async move {
        for number in 1..=20 {
            store.add_audit(&entry(number)).await.unwrap();
        }
    };
    tokio::join!(
        tokio::spawn(write(rig.app.store.clone())),
        tokio::spawn(write(other.store.clone())),
        tokio::spawn(write(rig.app.store.clone())),
    )
    .0
    .unwrap();
    let whole = verify(&rig, &token).await;
    assert_eq!(whole["intact"], true, "{whole}");
    assert!(whole["rows"].as_u64().unwrap() >= 60);
    other.store.close().await;
}

#[tokio::test]
async fn a_row_says_who_from_where_and_under_which_sign_in_and_no_secret() {
    let (rig, token) = with_rows().await;
    let viewer = rig.token(VIEWER, Role::Viewer).await;
    let ask = rig.get("/api/v1/audit").by(&viewer).from("192.0.2.7:1000");
    assert_eq!(ask.header("x-request-id", "r-7").send().await.status, 403);
    let list = rig.get("/api/v1/audit?decision=refused").by(&token).send().await.json();
    let row = &list["data"][0];
    assert_eq!((&row["actor"], &row["address"]), (&json!(VIEWER), &json!("192.0.2.7")));
    assert_eq!((&row["request_id"], &row["decision"]), (&json!("r-7"), &json!("refused")));
    assert!(row["session"].is_string(), "{row}");
    let own = rig.get("/api/v1/audit?target=thing&limit=1").by(&token).send().await.json();
    assert_eq!(own["data"][0]["details"], json!({ "number": 10, "password": "***" }));
    let mut changed = entry(11)
        .changing(&json!({ "name": "a", "token": 1 }), &json!({ "name": "b", "token": 2 }));
    changed.decision = Decision::Clamped;
    rig.app.store.add_audit(&changed).await.unwrap();
    let shown = rig.get("/api/v1/audit?decision=clamped").by(&token).send().await.json();
    assert_eq!(
        shown["data"][0]["change"],
        json!({ "name": { "before": "a", "after": "b" }, "token": { "before": "***", "after": "***" } })
    );
}

#[tokio::test]
async fn rows_are_found_by_actor_action_target_decision_and_time() {
    let (rig, token) = with_rows().await;
    for (query, count) in [
        ("target=thing", 10),
        ("target=thing&from=1700000000003&to=1700000000005", 2),
        ("action=test.3", 1),
        ("actor=nobody", 0),
        ("target=thing&decision=failed", 0),
    ] {
        let list = rig.get(&format!("/api/v1/audit?{query}")).by(&token).send().await.json();
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
    for (query, field) in [
        ("decision=maybe", "decision"),
        ("from=noon", "from"),
        ("from=1700000000005&to=1700000000003", "from"),
    ] {
        let answer = rig.get(&format!("/api/v1/audit?{query}")).by(&token).send().await;
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_user_and_its_list_alone() {
    let (rig, token) = with_rows().await;
    let other = rig.token("other@example.org", Role::Superuser).await;
    let first = rig.get("/api/v1/audit?target=thing&limit=4").by(&token).send().await.json();
    let cursor = first["meta"]["next_cursor"].as_str().unwrap();
    let path = |query: &str| format!("/api/v1/audit?{query}limit=5&cursor={cursor}");
    let next = rig.get(&path("target=thing&")).by(&token).send().await.json();
    assert_eq!(next["data"][0]["action"], "test.6");
    let other_letter = if cursor.starts_with('A') { 'B' } else { 'A' };
    for (path, who) in [
        (path("target=thing&"), &other),
        (path(""), &token),
        (path("target=other&"), &token),
        (format!("/api/v1/events?cursor={cursor}"), &token),
        (path("target=thing&").replace(cursor, &format!("{other_letter}{}", &cursor[1..])), &token),
    ] {
        let answer = rig.get(&path).by(who).send().await;
        assert_eq!(answer.refusal(), (400, "invalid_cursor".into()), "{path}");
    }
}

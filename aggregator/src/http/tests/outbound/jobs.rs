use crate::access::Role;
use crate::http::tests::rig::{NOW_MS, Rig};
use crate::jobs::{JobKind, Jobs, NewJob};
use crate::outbound::run_due;
use crate::store::Store;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn reseal(id: u128) -> NewJob {
    NewJob {
        id: Uuid::from_u128(id),
        kind: JobKind::Reseal,
        organization: None,
        target: None,
        parameters: json!({}),
        secret: None,
        schedule: None,
        requested_by: "test".into(),
        created_by: None,
    }
}

/// Another replica's jobs on the same store.
fn replica(rig: &Rig) -> Jobs {
    let store: Store = rig.app.store.clone();
    Jobs::new(store, rig.clock.clone(), rig.app.sealing.clone())
}

#[tokio::test]
async fn two_replicas_never_hold_one_job_and_the_dead_ones_is_taken_over() {
    let rig = Rig::start().await;
    let (one, other) = (replica(&rig), replica(&rig));
    for id in 1..=20 {
        one.queue(reseal(id)).await.unwrap();
    }
    let mut claimed = Vec::new();
    for _ in 0..10 {
        let (a, b) = tokio::join!(one.claim(), other.claim());
        claimed.extend([a.unwrap().unwrap().id, b.unwrap().unwrap().id]);
    }
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 20);
    assert_eq!(other.claim().await.unwrap(), None);
    // Nobody prolongs the leases: they are over after their time, and not before.
    rig.clock.advance(Duration::from_secs(29));
    assert_eq!(other.claim().await.unwrap(), None);
    rig.clock.advance(Duration::from_secs(2));
    let taken = other.claim().await.unwrap().unwrap();
    assert_eq!(taken.attempt, 2);
}

#[tokio::test]
async fn a_job_survives_a_restart_and_is_seen_to_its_end() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let id = rig.app.jobs.queue(reseal(1)).await.unwrap().id;
    let path = format!("/api/v1/jobs/{id}");
    assert_eq!(rig.get(&path).by(&token).send().await.json()["data"]["state"], "queued");
    let rig = rig.restarted().await;
    run_due(&rig.app).await.unwrap();
    let job = rig.get(&path).by(&token).send().await.json();
    assert_eq!(job["data"]["state"], "succeeded", "{job}");
    assert_eq!(job["data"]["percent_complete"], 100.0);
    assert_eq!(job["data"]["result"], json!({ "resealed": 0, "unreadable": 0 }));
    let list = rig.get("/api/v1/jobs?state=succeeded&kind=reseal").by(&token).send().await.json();
    assert_eq!(list["meta"]["total"], 1);
    let wrong = rig.get("/api/v1/jobs?state=sleeping").by(&token).send().await;
    assert_eq!(wrong.refusal(), (422, "validation_error".into()));
}

#[tokio::test]
async fn a_queued_job_is_cancelled_and_tried_again_and_one_that_ended_is_not() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let id = rig.app.jobs.queue(reseal(1)).await.unwrap().id;
    let act = async |what: &str| {
        rig.post(&format!("/api/v1/jobs/{id}/{what}")).by(&token).json(&json!({})).await
    };
    assert_eq!(act("retry").await.refusal(), (409, "state_conflict".into()));
    assert_eq!(act("cancel").await.json()["data"]["state"], "cancelled");
    run_due(&rig.app).await.unwrap();
    assert_eq!(act("cancel").await.refusal(), (409, "state_conflict".into()));
    assert_eq!(act("retry").await.json()["data"]["state"], "queued");
    run_due(&rig.app).await.unwrap();
    let job = rig.get(&format!("/api/v1/jobs/{id}")).by(&token).send().await.json();
    assert_eq!(job["data"]["state"], "succeeded");
}

#[tokio::test]
async fn a_schedule_makes_one_job_at_its_time_however_many_replicas_look() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let body = json!({
        "name": "hourly", "kind": "report", "every_seconds": 3600,
        "report": { "kind": "availability", "last_seconds": 3600 },
    });
    let made = rig.post("/api/v1/schedules").by(&token).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    assert!(rig.app.jobs.make_due().await.unwrap().is_empty());
    // The server was away for three hours: one job comes of it.
    rig.clock.advance(Duration::from_secs(3 * 3600));
    let (one, other) = (replica(&rig), replica(&rig));
    let (a, b) = tokio::join!(one.make_due(), other.make_due());
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
    let path = format!("/api/v1/schedules/{id}");
    let token = rig
        .sign_in("/api/v1/auth/login", super::super::rig::ADMIN, super::super::rig::PASSWORD)
        .await
        .json()["data"]["tokens"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = rig.get(&path).by(&token).send().await;
    let next = crate::clock::rfc3339(NOW_MS + 4 * 3_600_000);
    assert_eq!(shown.json()["data"]["next_at"], next);
    run_due(&rig.app).await.unwrap();
    let job = shown.json()["data"]["last_job_id"].as_str().unwrap().to_owned();
    let report = rig.get(&format!("/api/v1/reports/{job}")).by(&token).send().await.json();
    assert_eq!(report["data"]["state"], "succeeded", "{report}");
    // A change needs the version that was read.
    let at = json!({
        "name": "nightly", "kind": "report", "at": "03:30", "days": ["monday"],
        "report": { "kind": "events", "last_seconds": 86400 }, "enabled": false,
    });
    let put = || rig.ask(axum::http::Method::PUT, &path).by(&token);
    assert_eq!(put().json(&at).await.refusal().0, 428);
    assert_eq!(put().header("if-match", "\"9\"").json(&at).await.refusal().0, 412);
    let put = put().header("if-match", shown.header("etag")).json(&at).await.json();
    assert_eq!(put["data"]["at"], "03:30");
    assert_eq!(put["data"]["next_at"], json!(null));
    let delete = rig.ask(axum::http::Method::DELETE, &path).by(&token).header("if-match", "*");
    assert_eq!(delete.send().await.status, 200);
    assert_eq!(rig.get(&path).by(&token).send().await.status, 404);
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_refused_field_by_field() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let manager = rig.token("manager@example.org", Role::OrgAdmin).await;
    for (body, field) in [
        (
            json!({ "name": "", "kind": "backup", "every_seconds": 60, "passphrase": "long enough it is" }),
            "name",
        ),
        (json!({ "name": "a", "kind": "backup", "every_seconds": 60 }), "passphrase"),
        (
            json!({ "name": "a", "kind": "backup", "every_seconds": 5, "passphrase": "long enough it is" }),
            "every_seconds",
        ),
        (
            json!({ "name": "a", "kind": "backup", "at": "25:00", "passphrase": "long enough it is" }),
            "at",
        ),
        (json!({ "name": "a", "kind": "dance", "every_seconds": 60 }), "kind"),
        (json!({ "name": "a", "kind": "report", "every_seconds": 60 }), "report"),
        (
            json!({ "name": "a", "kind": "report", "every_seconds": 60, "report": { "kind": "energy" } }),
            "report.last_seconds",
        ),
        (
            json!({ "name": "a", "kind": "report", "every_seconds": 60, "at": "03:00", "report": { "kind": "energy", "last_seconds": 60 } }),
            "every_seconds",
        ),
    ] {
        let answer = rig.post("/api/v1/schedules").by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{body}");
        assert_eq!(answer.json()["field_errors"][0]["field"], field, "{body}");
    }
    let body = json!({ "name": "a", "kind": "backup", "every_seconds": 60, "passphrase": "long enough it is" });
    let answer = rig.post("/api/v1/schedules").by(&manager).json(&body).await;
    assert_eq!(answer.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn after_a_rotation_of_the_keys_a_job_seals_everything_anew() {
    let rig = Rig::start().await;
    let mail =
        crate::mail::Mail { to: "a@example.org".into(), subject: "s".into(), text: "t".into() };
    for _ in 0..3 {
        rig.app.mail.queue(mail.clone()).await.unwrap();
    }
    rig.app.sealing.rotate().unwrap();
    let id = rig.app.jobs.queue(reseal(1)).await.unwrap().id;
    run_due(&rig.app).await.unwrap();
    let job = rig.app.jobs.job(id).await.unwrap().unwrap();
    assert_eq!(job.result, Some(json!({ "resealed": 3, "unreadable": 0 })));
    let values = rig.app.store.sealed_values(("mail", "text"), "", 10).await.unwrap();
    for (id, sealed) in values {
        assert!(rig.app.sealing.is_current(&sealed));
        assert_eq!(
            *rig.app.sealing.open_sealed(&format!("mail.text:{id}"), &sealed).unwrap(),
            b"t"
        );
    }
}

#[tokio::test]
async fn an_organizations_manager_sees_its_jobs_and_no_others() {
    use crate::access::OrganizationId;
    let rig = Rig::start().await;
    let manager = rig.token("manager@example.org", Role::User).await;
    let organization = Uuid::from_u128(77);
    let sql = format!(
        "INSERT INTO role_bindings (id, \"user\", role, scope_kind, scope, created_at_ms, updated_at_ms)
         SELECT '{}', id, 'org_admin', 'organization', '{organization}', 0, 0 FROM users
         WHERE email = 'manager@example.org'",
        Uuid::from_u128(78)
    );
    rig.app.store.tamper(sql).await.unwrap();
    rig.app.accounts.reconsider();
    rig.clock.advance(Duration::from_secs(5));
    let own = NewJob { organization: Some(OrganizationId(organization)), ..reseal(1) };
    let other = NewJob { organization: Some(OrganizationId(Uuid::from_u128(79))), ..reseal(2) };
    for job in [own, other, reseal(3)] {
        rig.app.jobs.queue(job).await.unwrap();
    }
    let list = rig.get("/api/v1/jobs").by(&manager).send().await.json();
    assert_eq!(list["meta"]["total"], 1, "{list}");
    assert_eq!(list["data"][0]["id"], Uuid::from_u128(1).to_string());
    for (id, status) in [(1, 200), (2, 404), (3, 404)] {
        let path = format!("/api/v1/jobs/{}", Uuid::from_u128(id));
        assert_eq!(rig.get(&path).by(&manager).send().await.status, status, "{id}");
        let cancel = rig.post(&format!("{path}/cancel")).by(&manager).json(&json!({})).await;
        assert_eq!(cancel.status, status, "{id}");
    }
}

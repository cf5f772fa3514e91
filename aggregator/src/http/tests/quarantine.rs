//! A machine that was shut out because its identity was in two places.

use super::board::board;
use super::machine::{enrol, guarded};
use super::rig::{ADMIN, Answer, NOW_MS, Rig, VIEWER};
use crate::access::Role;
use crate::audit::AuditQuery;
use crate::fleet::{DeviceId, equipment_id};
use crate::telemetry::Severity;
use crate::telemetry::event::{Event, EventId, TWO_PLACES};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const SHUT_OUT: &str = "2026-11-21T21:58:20.000Z";

async fn quarantine(rig: &Rig, device: DeviceId) {
    let event = Event {
        id: EventId(0),
        device,
        at_ms: NOW_MS,
        kind: TWO_PLACES.into(),
        severity: Severity::Critical,
        subject: "identity".into(),
        message: "it spoke from two places".into(),
        reading: None,
        threshold: None,
        unit: None,
    };
    rig.app.store.quarantine_device(device, event).await.unwrap().unwrap();
}

async fn release(rig: &Rig, token: &str, id: impl std::fmt::Display) -> Answer {
    rig.post(&format!("/api/v1/devices/{id}/release")).by(token).send().await
}

#[tokio::test]
async fn a_quarantined_machine_says_so_and_is_let_in_once_by_an_administrator() {
    let rig = Rig::start().await;
    let (token, viewer) = (rig.admin().await, rig.token(VIEWER, Role::Viewer).await);
    let device = enrol(&rig).await;
    let path = format!("/api/v1/devices/{device}");
    let shut_out = async || rig.get(&path).by(&token).send().await.json()["data"].clone();
    assert_eq!(shut_out().await["quarantined_at"], Value::Null);
    quarantine(&rig, device).await;
    assert_eq!(shut_out().await["quarantined_at"], SHUT_OUT);
    assert_eq!(release(&rig, &viewer, device).await.refusal(), (403, "forbidden".into()));
    assert_eq!(shut_out().await["quarantined_at"], SHUT_OUT);

    rig.clock.advance(Duration::from_secs(60));
    let released = release(&rig, &token, device).await;
    assert_eq!(released.status, 200);
    let released = &released.json()["data"];
    assert_eq!(released["id"], device.to_string());
    assert_eq!(released["quarantined_at"], Value::Null);
    assert_eq!(released["updated_at"], "2026-11-21T21:59:20.000Z");
    assert!(!rig.app.store.standing(device).await.unwrap().unwrap().quarantined);

    let again = release(&rig, &token, device).await;
    assert_eq!(again.refusal(), (409, "conflict".into()));
    let message = again.json()["detail"].clone();
    assert_eq!(message, format!("the device `{device}` is not quarantined"));
    let query =
        AuditQuery { action: Some("device.release".into()), limit: 5, ..AuditQuery::default() };
    let rows = rig.app.store.audit(&query).await.unwrap();
    assert_eq!(rows.len(), 1);
    let entry = &rows[0].entry;
    assert_eq!((&*entry.actor, &*entry.target), (ADMIN, &*format!("device:{device}")));
    assert_eq!(entry.details, json!({ "quarantined_at_ms": NOW_MS }));
}

#[tokio::test]
async fn a_release_that_is_repeated_with_its_key_has_the_answer_of_the_first() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    quarantine(&rig, device).await;
    let path = format!("/api/v1/devices/{device}/release");
    for _ in 0..2 {
        let ask = rig.post(&path).by(&token).header("idempotency-key", "release-1");
        let answer = ask.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["data"]["quarantined_at"], Value::Null);
    }
}

#[tokio::test]
async fn who_is_no_machine_cannot_be_released_and_equipment_is_out_with_its_gateway() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    let pdu = equipment_id(machine.device, "pdu-1");
    quarantine(&rig, machine.device).await;
    assert_eq!(
        release(&rig, &token, Uuid::from_u128(7)).await.refusal(),
        (404, "not_found".into())
    );
    assert_eq!(release(&rig, &token, pdu).await.refusal(), (409, "conflict".into()));
    let shown = rig.get(&format!("/api/v1/devices/{pdu}")).by(&token).send().await;
    assert_eq!(shown.json()["data"]["quarantined_at"], SHUT_OUT);
}

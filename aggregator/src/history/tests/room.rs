//! How much room there is, judged by every pass.

use super::*;
use crate::audit::AuditQuery;

#[tokio::test]
async fn a_full_room_is_judged_and_audited_once() {
    let budget = Budget { bytes: Some(1), ..Budget::default() };
    let rig = Rig::with(HistorySettings { budget, ..HistorySettings::default() }).await;
    assert_eq!(rig.history.room(), budget::Room::Free);
    for _ in 0..2 {
        assert_eq!(rig.history.judge_room().await.unwrap(), budget::Room::Full);
    }
    let query =
        AuditQuery { action: Some("history.room".into()), limit: 9, ..AuditQuery::default() };
    let rows = rig.store.audit(&query).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.details["to"], "full");
    assert_eq!(rig.history.metrics().room.get(), 2);
}

#[tokio::test]
async fn a_pass_whose_work_fails_has_judged_the_room() {
    let budget = Budget { bytes: Some(1), ..Budget::default() };
    let mut rig = Rig::with(HistorySettings { budget, ..HistorySettings::default() }).await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.store.tamper("DROP TABLE compaction_leases".into()).await.unwrap();
    rig.history.pass().await.unwrap_err();
    assert_eq!(rig.history.room(), budget::Room::Full);
}

#[tokio::test]
async fn what_a_pass_has_made_is_in_the_judgement_at_its_end() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    assert_eq!(rig.history.metrics().segments.get(), 1);
}

//! What goes with age, and what goes at once.

use super::*;
use crate::audit::AuditQuery;

#[tokio::test]
async fn samples_go_before_minutes_and_minutes_before_hours() {
    let retention = Retention { samples_days: 2, minutes_days: 4, hours_days: 6 };
    let mut rig = Rig::with(HistorySettings { retention, ..HistorySettings::default() }).await;
    rig.measure(DAY_MS, DAY_MS + 120_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    let wanted = Wanted {
        device: rig.device,
        from_ms: 0,
        to_ms: u64::MAX / 4,
        series: &rig.series.clone(),
        tier: Tier::Minutes,
    };
    let mut seen = Vec::new();
    for days in [1, 3, 5, 7] {
        rig.at(DAY_MS + days * 24 * HOUR_MS);
        rig.pass().await;
        let mut of_day = (0, 0, 0);
        rig.history
            .for_each_segment::<HistoryError>(&wanted, |segment| {
                let part = segment.part(rig.series[1]).unwrap();
                let minutes = segment.minutes(&part).unwrap();
                let hours = segment.hours(&part).unwrap();
                assert_eq!(hours[0].count, 120);
                of_day = (part.samples, minutes.len(), hours.len());
                Ok(())
            })
            .await
            .unwrap();
        seen.push(of_day);
    }
    assert_eq!(seen, [(120, 2, 1), (0, 2, 1), (0, 0, 1), (0, 0, 0)]);
    assert!(rig.rows().await.is_empty());
    assert_eq!(rig.objects(), 0);
}

#[tokio::test]
async fn the_organizations_retention_stands_before_the_configurations() {
    let rig = Rig::start().await;
    assert_eq!(rig.history.retention().await.unwrap(), Retention::default());
    let own = Retention { samples_days: 1, minutes_days: 2, hours_days: 3 };
    rig.history.set_retention(Some(own)).await.unwrap();
    assert_eq!(rig.history.retention().await.unwrap(), own);
    let contradiction = Retention { samples_days: 9, ..own };
    rig.history.set_retention(Some(contradiction)).await.unwrap_err();
    rig.history.set_retention(None).await.unwrap();
    assert_eq!(rig.history.retention().await.unwrap(), Retention::default());
}

#[tokio::test]
async fn erasing_a_device_leaves_nothing_of_it_but_the_audit_row() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    rig.measure(DAY_MS + 2 * HOUR_MS, DAY_MS + 2 * HOUR_MS + 60_000).await;
    assert_eq!(rig.ticks().await.1.len(), 60);
    assert!(rig.history.erase(rig.device, "admin@example.org", Some("r-1")).await.unwrap());
    assert_eq!(rig.ticks().await, (vec![], vec![]));
    rig.pass().await;
    assert_eq!(rig.objects(), 0);
    let query =
        AuditQuery { action: Some("telemetry.erase".into()), limit: 9, ..AuditQuery::default() };
    let rows = rig.store.audit(&query).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.actor, "admin@example.org");
    // What comes again is known and stays away.
    let again = rig.arrival(DAY_MS, vec![1]);
    assert_eq!(rig.store.commit(&[again], DAY_MS).await.unwrap(), [Committed::Repeated]);
    let stranger = DeviceId(Uuid::from_u128(8));
    assert!(!rig.history.erase(stranger, "admin@example.org", None).await.unwrap());
}

//! Days whose segments become one.

use super::*;

#[tokio::test]
async fn late_blocks_make_a_further_segment_and_the_day_becomes_one() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.measure(DAY_MS + 2 * HOUR_MS, DAY_MS + 2 * HOUR_MS + 60_000).await;
    rig.at(DAY_MS + 5 * HOUR_MS);
    rig.pass().await;
    assert_eq!(rig.rows().await.len(), 2);
    rig.measure(DAY_MS + 60_000, DAY_MS + 120_000).await;
    assert_eq!(rig.pass().await.segments, 1);
    assert_eq!(rig.rows().await.len(), 3);
    let all = rig.ticks().await.1;
    assert_eq!(all.len(), 180);
    rig.at(DAY_MS + 26 * HOUR_MS);
    assert_eq!(rig.pass().await.merged, 1);
    let rows = rig.rows().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].window,
        Window { device: rig.device, from_ms: DAY_MS, to_ms: DAY_MS + 24 * HOUR_MS }
    );
    assert_eq!(rig.ticks().await.1, all);
    rig.at(DAY_MS + 28 * HOUR_MS);
    rig.pass().await;
    assert_eq!(rig.objects(), 1);
}

#[tokio::test]
async fn a_day_is_merged_again_an_hour_after_what_came_late() {
    let mut rig = Rig::start().await;
    for start_ms in [DAY_MS, DAY_MS + 2 * HOUR_MS] {
        rig.measure(start_ms, start_ms + 10_000).await;
    }
    rig.at(DAY_MS + 5 * HOUR_MS);
    rig.pass().await;
    rig.at(DAY_MS + 25 * HOUR_MS - 1);
    assert_eq!(rig.pass().await.merged, 0);
    rig.at(DAY_MS + 25 * HOUR_MS);
    assert_eq!(rig.pass().await.merged, 1);
    rig.measure(DAY_MS + 60_000, DAY_MS + 70_000).await;
    let pass = rig.pass().await;
    assert_eq!((pass.segments, pass.merged), (1, 0));
    rig.at(DAY_MS + 26 * HOUR_MS - 1);
    assert_eq!(rig.pass().await.merged, 0);
    rig.at(DAY_MS + 26 * HOUR_MS);
    assert_eq!(rig.pass().await.merged, 1);
    assert_eq!((rig.rows().await.len(), rig.ticks().await.1.len()), (1, 30));
}

#[tokio::test]
async fn days_that_are_too_large_to_be_merged_stand_in_nobodys_way() {
    let mut rig = Rig::start().await;
    for (hours, passed) in [(&[0, 2][..], 8), (&[24, 26, 28], 35)] {
        for hour in hours {
            rig.measure(DAY_MS + hour * HOUR_MS, DAY_MS + hour * HOUR_MS + 10_000).await;
        }
        rig.at(DAY_MS + passed * HOUR_MS);
        // Merging waits an hour for what comes late.
        rig.history.compact(&mut Pass::default()).await.unwrap();
    }
    let bytes: usize = rig.rows().await[..2].iter().map(|row| row.layout.bytes).sum();
    let days = |max_bytes| {
        let scattered = Scattered {
            before_ms: DAY_MS + 48 * HOUR_MS,
            made_by_ms: DAY_MS + 48 * HOUR_MS,
            max_bytes,
        };
        let store = &rig.store;
        async move { store.scattered_windows(24 * HOUR_MS, &scattered, 9).await.unwrap() }
    };
    let larger = days(u64::MAX / 4).await;
    assert_eq!(
        larger.iter().map(|day| day.from_ms).collect::<Vec<_>>(),
        [DAY_MS, DAY_MS + 24 * HOUR_MS]
    );
    assert_eq!(days(bytes as u64).await, larger[..1]);
    assert!(days(bytes as u64 - 1).await.is_empty());
}

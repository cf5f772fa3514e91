//! Compactions that are cut off, or in each other's way.

use super::*;

#[tokio::test]
async fn a_compaction_cut_off_at_any_step_leaves_every_sample_exactly_once() {
    for steps in 0..=3 {
        let mut rig = Rig::start().await;
        rig.measure(DAY_MS, DAY_MS + 60_000).await;
        rig.at(DAY_MS + 3 * HOUR_MS);
        let all = rig.ticks().await.0;
        let draft = rig.draft().await;
        if steps > 0 {
            rig.history.note(&draft).await.unwrap();
        }
        if steps > 1 {
            rig.history.put(&draft).await.unwrap();
        }
        if steps > 2 {
            assert_eq!(rig.history.publish(&draft).await.unwrap(), Published::Done);
        }
        let (blocks, segments) = rig.ticks().await;
        assert_eq!(
            (blocks, segments),
            if steps > 2 { (vec![], all.clone()) } else { (all.clone(), vec![]) }
        );
        // The next process does it again, and clears away what the first one left.
        let settings = HistorySettings::default();
        let folder = rig.fresh.path().to_owned();
        rig.history =
            History::open(rig.store.clone(), rig.clock.clone(), &settings, &folder).unwrap();
        rig.pass().await;
        assert_eq!(rig.ticks().await, (vec![], all));
        rig.at(DAY_MS + 5 * HOUR_MS);
        rig.pass().await;
        assert_eq!((rig.rows().await.len(), rig.objects()), (1, 1), "after {steps} steps");
    }
}

#[tokio::test]
async fn of_two_that_compact_the_same_blocks_one_wins() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    let (first, second) = (rig.draft().await, rig.draft().await);
    for draft in [&first, &second] {
        rig.history.note(draft).await.unwrap();
        rig.history.put(draft).await.unwrap();
    }
    assert_eq!(rig.history.publish(&second).await.unwrap(), Published::Done);
    assert_eq!(rig.history.publish(&first).await.unwrap(), Published::Overtaken);
    assert_eq!(rig.ticks().await.1.len(), 60);
    // A note that was collected in the meantime publishes nothing either.
    rig.at(DAY_MS + 5 * HOUR_MS);
    rig.pass().await;
    assert_eq!(rig.history.publish(&first).await.unwrap(), Published::Overtaken);
    assert_eq!(rig.objects(), 1);
}

#[tokio::test]
async fn a_lease_keeps_other_replicas_off_a_device_until_it_ends() {
    let rig = Rig::start().await;
    let lease =
        |holder: &'static str, now_ms| rig.store.lease(rig.device, holder, now_ms, now_ms + 1000);
    assert!(lease("a", 1000).await.unwrap());
    assert!(lease("a", 1500).await.unwrap());
    assert!(!lease("b", 2499).await.unwrap());
    assert!(lease("b", 2500).await.unwrap());
    rig.store.release_lease(rig.device, "a").await.unwrap();
    assert!(!lease("a", 2600).await.unwrap());
    rig.store.release_lease(rig.device, "b").await.unwrap();
    assert!(lease("a", 2600).await.unwrap());
}

//! Which blocks become segments, and when.

use super::*;

#[tokio::test]
async fn past_blocks_become_a_segment_and_the_present_ones_stay() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS + 2 * HOUR_MS - 120_000, DAY_MS + 2 * HOUR_MS + 60_000).await;
    let before = rig.ticks().await;
    assert_eq!((before.0.len(), before.1.len()), (180, 0));
    rig.at(DAY_MS + 2 * HOUR_MS + 11 * 60_000);
    let pass = rig.pass().await;
    assert_eq!((pass.segments, pass.blocks, pass.left), (1, 12, 0));
    let (blocks, segments) = rig.ticks().await;
    assert_eq!(segments, before.0[..120]);
    assert_eq!(blocks, before.0[120..]);
    assert_eq!(rig.rows().await[0].samples, 120 * u64::from(SERIES));
    // Nothing is left to do.
    assert!(!rig.pass().await.has_done_something());
    // A repetition of what went into the segment is known.
    rig.seq = 1;
    let again = rig.arrival(DAY_MS, vec![1]);
    let answers = rig.store.commit(&[again], DAY_MS).await.unwrap();
    assert_eq!(answers, [Committed::Repeated]);
}

#[tokio::test]
async fn a_day_that_was_delivered_when_it_was_over_becomes_one_segment_at_once() {
    let mut rig = Rig::start().await;
    for hour in [0, 9, 23, 24, 25] {
        rig.measure(DAY_MS + hour * HOUR_MS, DAY_MS + hour * HOUR_MS + 60_000).await;
    }
    rig.at(DAY_MS + 27 * HOUR_MS);
    let pass = rig.pass().await;
    assert_eq!((pass.segments, pass.merged, pass.blocks), (2, 0, 30));
    let rows = rig.rows().await;
    let windows: Vec<_> = rows.iter().map(|row| row.window.to_ms - row.window.from_ms).collect();
    assert_eq!(windows, [24 * HOUR_MS, 2 * HOUR_MS]);
    assert_eq!(rig.ticks().await.1.len(), 5 * 60);
    assert!(!rig.pass().await.has_done_something());
}

#[tokio::test]
async fn what_an_export_has_not_sent_stays_for_a_week() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.store.move_export_cursor("slow", 2, rig.clock.now_ms()).await.unwrap();
    let newest = rig.store.newest_block().await.unwrap();
    rig.store.move_export_cursor("quick", newest, rig.clock.now_ms()).await.unwrap();
    assert_eq!(rig.pass().await.blocks, 2);
    assert!(!rig.pass().await.has_done_something());
    rig.at(DAY_MS + 3 * HOUR_MS + 7 * 24 * HOUR_MS);
    assert_eq!(rig.pass().await.blocks, 0);
    rig.at(rig.clock.now_ms() + 1);
    assert_eq!(rig.pass().await.blocks, 4);
}

#[tokio::test]
async fn what_came_lately_stays_until_no_bookmark_goes_back_behind_it() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.arrives_at_ms = rig.clock.now_ms();
    rig.measure(DAY_MS + 60_000, DAY_MS + 120_000).await;
    assert_eq!(rig.pass().await.blocks, 6);
    rig.at(DAY_MS + 3 * HOUR_MS + 20 * 60_000 - 1);
    assert_eq!(rig.pass().await.blocks, 0);
    rig.at(DAY_MS + 3 * HOUR_MS + 20 * 60_000);
    assert_eq!(rig.pass().await.blocks, 6);
}

#[tokio::test]
async fn a_number_is_not_given_twice_though_every_block_is_history() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    let newest = rig.store.newest_block().await.unwrap();
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    assert_eq!(rig.store.newest_block().await.unwrap(), 0);
    rig.measure(DAY_MS + 60_000, DAY_MS + 70_000).await;
    assert!(rig.store.newest_block().await.unwrap() > newest);
}

#[tokio::test]
async fn a_block_that_cannot_be_read_stays_and_is_not_tried_again() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.commit(DAY_MS + 60_000, b"no block".to_vec()).await;
    let mut stranger = BlockBuilder::new(DAY_MS, 10_000);
    stranger.push(SeriesRef(99), DAY_MS, Ok(1.0)).unwrap();
    rig.commit(DAY_MS, stranger.build().unwrap().encode()).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    let pass = rig.pass().await;
    assert_eq!((pass.blocks, pass.set_aside), (6, 2));
    assert!(!rig.pass().await.has_done_something());
    let mut left = 0;
    let count = |_| {
        left += 1;
        Ok::<(), StoreError>(())
    };
    rig.store.for_each_block(rig.device, 0, u64::MAX / 4, count).await.unwrap();
    assert_eq!(left, 2);
    // It goes when its samples would go.
    let kept = Retention { samples_days: 1, minutes_days: 1, hours_days: 1 };
    rig.history.set_retention(Some(kept)).await.unwrap();
    rig.at(DAY_MS + 26 * HOUR_MS);
    rig.pass().await;
    let count = |_| Err::<(), StoreError>(StoreError::Sql(sqlx::Error::RowNotFound));
    rig.store.for_each_block(rig.device, 0, u64::MAX / 4, count).await.unwrap();
}

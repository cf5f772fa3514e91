mod mark;

use super::compactor::{Draft, Gathering, Pass};
use super::*;
use crate::audit::AuditQuery;
use crate::fleet::tests::device;
use crate::store::fresh::Fresh;
use crate::store::{Arrival, ArrivalBody, Committed, EpochKey, Published};
use flyball_protocol::block::{BlockBuilder, Cell};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use flyball_units::{Kind, NoData, Unit};
use uuid::Uuid;

const DAY_MS: u64 = 1_795_219_200_000;
const HOUR_MS: u64 = 3_600_000;
const SERIES: u32 = 3;

/// One aggregator's history over a database, with one machine that sends.
struct Rig {
    fresh: Fresh,
    store: Store,
    clock: Clock,
    history: History,
    device: DeviceId,
    key: crate::store::DeviceKey,
    epoch: EpochKey,
    series: Vec<SeriesId>,
    seq: u64,
    arrives_at_ms: u64,
}

impl Rig {
    async fn start() -> Self {
        Self::with(HistorySettings::default()).await
    }

    async fn with(settings: HistorySettings) -> Self {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let clock = Clock::manual(DAY_MS);
        let history = History::open(store.clone(), clock.clone(), &settings, fresh.path());
        let device = device(Uuid::from_u128(7));
        store.add_device(&device).await.unwrap();
        let open = store.open_epoch(device.id, Epoch(1), DAY_MS).await.unwrap().unwrap();
        let definitions: Vec<SeriesDef> = (0..SERIES).map(definition).collect();
        let defined =
            store.define_series(open.device, open.epoch, &definitions, DAY_MS).await.unwrap();
        Self {
            fresh,
            clock,
            history: history.unwrap(),
            device: device.id,
            key: open.device,
            epoch: open.epoch,
            series: defined.iter().map(|(_, series)| series.id).collect(),
            seq: 0,
            arrives_at_ms: DAY_MS,
            store,
        }
    }

    /// Commits blocks of ten seconds from `from_ms` to `to_ms`.
    async fn measure(&mut self, from_ms: u64, to_ms: u64) {
        for start_ms in (from_ms..to_ms).step_by(10_000) {
            let mut builder = BlockBuilder::new(start_ms, 10_000);
            for tick_ms in (start_ms..start_ms + 10_000).step_by(1000) {
                for series in 0..SERIES {
                    builder.push(SeriesRef(series), tick_ms, reading(series, tick_ms)).unwrap();
                }
            }
            self.commit(start_ms, builder.build().unwrap().encode()).await;
        }
    }

    async fn commit(&mut self, from_ms: u64, data: Vec<u8>) -> Committed {
        self.seq += 1;
        let arrival = self.arrival(from_ms, data);
        self.store.commit(&[arrival], self.arrives_at_ms).await.unwrap().remove(0)
    }

    fn arrival(&self, from_ms: u64, data: Vec<u8>) -> Arrival {
        Arrival {
            id: self.device,
            device: self.key,
            epoch: self.epoch,
            seq: Seq(self.seq),
            checksum: crc32fast::hash(&data),
            raw: Vec::new(),
            body: ArrivalBody::Block { from_ms, to_ms: from_ms + 9000, data },
        }
    }

    fn at(&self, now_ms: u64) {
        let now = self.clock.now_ms();
        self.clock.advance(Duration::from_millis(now_ms - now));
    }

    async fn pass(&self) -> Pass {
        self.history.pass().await.unwrap()
    }

    async fn rows(&self) -> Vec<SegmentRow> {
        self.store.segments(self.device, 0, u64::MAX / 4).await.unwrap()
    }

    /// Ticks that blocks hold, and ticks that segments hold, of the first series.
    async fn ticks(&self) -> (Vec<u64>, Vec<u64>) {
        let mut of_blocks = Vec::new();
        self.store
            .for_each_block::<StoreError>(self.device, 0, u64::MAX / 4, |block| {
                if let Ok(block) = flyball_protocol::block::Block::decode(&block.data) {
                    of_blocks.extend(block.groups.iter().flat_map(|group| group.ticks_ms()));
                }
                Ok(())
            })
            .await
            .unwrap();
        let mut of_segments = Vec::new();
        let wanted = Wanted {
            device: self.device,
            from_ms: 0,
            to_ms: u64::MAX / 4,
            series: &self.series[..1],
            tier: Tier::Samples,
        };
        self.history
            .for_each_segment::<HistoryError>(&wanted, |segment| {
                let part = segment.part(self.series[0]).unwrap();
                for (at_ms, cell) in segment.samples(&part).unwrap() {
                    assert_eq!(cell, Cell::from(reading(0, at_ms)));
                    of_segments.push(at_ms);
                }
                Ok(())
            })
            .await
            .unwrap();
        (of_blocks, of_segments)
    }

    fn objects(&self) -> usize {
        let devices = std::fs::read_dir(self.fresh.path().join("history")).unwrap();
        devices
            .map(|device| device.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| std::fs::read_dir(path).unwrap().count())
            .sum()
    }

    async fn draft(&self) -> Draft {
        let settled = self.history.settled().await.unwrap();
        let windows = self.store.past_windows(2 * HOUR_MS, 0, &settled, 9).await.unwrap();
        let blocks = Gathering::Blocks(settled);
        self.history.draft(&windows[0], blocks, &mut Pass::default()).await.unwrap()
    }
}

fn definition(number: u32) -> SeriesDef {
    SeriesDef {
        number: SeriesRef(number),
        metric: "test.value".into(),
        kind: Kind::Count,
        unit: Unit::One,
        attributes: vec![("number".into(), number.to_string())],
        cadence_ms: 1000,
        reader: Reader::Agent,
    }
}

fn reading(series: u32, tick_ms: u64) -> Result<f64, NoData> {
    let second = tick_ms / 1000 % 100_000;
    match series {
        0 if second.is_multiple_of(97) => Err(NoData::Busy),
        0 => Ok((second % 613) as f64 / 10.0),
        1 => Ok(second as f64 * 4096.0),
        _ => Ok(3.25),
    }
}

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
    rig.fresh.drop_table("compaction_leases").await;
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

#[tokio::test]
async fn a_damaged_segment_is_an_error_that_names_its_object() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    let row = rig.rows().await.remove(0);
    let path = rig.fresh.path().join("history").join(&row.object);
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length - 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let wanted = Wanted {
        device: rig.device,
        from_ms: 0,
        to_ms: u64::MAX / 4,
        series: &[],
        tier: Tier::Hours,
    };
    let error =
        rig.history.for_each_segment::<HistoryError>(&wanted, |_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains(&row.object), "{error}");
}

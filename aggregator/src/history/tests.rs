//! The history over a database: one machine measures, and passes go over what it sent.

use super::compactor::{Draft, Gathering, Pass};
use super::*;
use crate::fleet::tests::device;
use crate::store::fresh::Fresh;
use crate::store::{Arrival, ArrivalBody, Committed, EpochKey, Published};
use flyball_protocol::block::{BlockBuilder, Cell};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use flyball_units::{Kind, NoData, Unit};
use uuid::Uuid;

mod compaction;
mod mark;
mod merging;
mod publication;
mod reading;
mod retention;
mod room;

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

//! What a stream missed, read from the store page by page, so that it can go on where it was.

use super::bookmark::{Bookmark, Resync};
use crate::fleet::{DeviceId, equipment_id, subject};
use crate::operations::Operation;
use crate::store::{CommittedBlock, EntryKey, EpochKey, Store, StoreError};
use crate::telemetry::{Event, Sampled, SeriesId, SeriesInfo};
use flyball_protocol::block::{Cell, Outline};
use flyball_protocol::series::SeriesRef;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Blocks of one page: a moment's work, and some hundred thousand samples at most.
const PAGE_BLOCKS: u32 = 20;
const PAGE_EVENTS: u32 = 200;
/// What a stream may have missed; of more, asking for the range is the cheaper way.
const MAX_BLOCKS: u32 = 5_000;
const MAX_EVENTS: i64 = 10_000;
const MAX_OPERATIONS: u32 = 1_000;
/// Devices whose series are kept at hand.
const MAX_DEVICES: usize = 64;

/// The series of one device by the numbers that its blocks know them by.
type Numbers = HashMap<(EpochKey, SeriesRef), (DeviceId, Arc<SeriesInfo>)>;

/// One step of going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Events { after: i64 },
    Operations { since_ms: u64 },
    Blocks { after: i64 },
}

/// What a step has found, and the next one where there is more.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) found: Found,
    pub(super) next: Option<Step>,
}

#[derive(Debug)]
pub(super) enum Found {
    Events(Vec<Event>),
    Operations(Vec<Operation>),
    /// By device, in the order of their commits.
    Readings(Vec<(DeviceId, Vec<Sampled>)>),
}

/// What was read so far, so that what is published meanwhile is not told twice.
#[derive(Debug, Default)]
pub(super) struct Replay {
    entries: HashSet<EntryKey>,
    event: i64,
    numbers: HashMap<DeviceId, Numbers>,
}

impl Replay {
    /// Can a stream go on from `bookmark`, with readings if it follows any?
    pub(super) async fn check(
        store: &Store,
        token: &str,
        now_ms: u64,
        with_readings: bool,
    ) -> Result<Bookmark, Resync> {
        let failed = |error: StoreError| {
            tracing::error!(error = %crate::http::error::error_chain(&error), "a stream can't go on");
            Resync::StoreFailed
        };
        let committed = store.watermark().await.map_err(failed)?;
        let bookmark = Bookmark::read(token, now_ms, committed)?;
        if committed.event - bookmark.told.event > MAX_EVENTS {
            return Err(Resync::TooMuch);
        }
        if with_readings {
            let blocks = store.blocks_since(bookmark.told.block, MAX_BLOCKS + 1).await;
            if blocks.map_err(failed)? > u64::from(MAX_BLOCKS) {
                return Err(Resync::TooMuch);
            }
        }
        Ok(bookmark)
    }

    pub(super) const fn has_told_event(&self, event: &Event) -> bool {
        event.id.0 <= self.event
    }

    pub(super) fn has_told_entry(&self, entry: &EntryKey) -> bool {
        self.entries.contains(entry)
    }

    /// Reads what `step` names. `wants` says whose blocks are worth opening.
    pub(super) async fn read(
        &mut self,
        store: &Store,
        step: Step,
        wants: impl Fn(DeviceId) -> bool,
    ) -> Result<Page, StoreError> {
        match step {
            Step::Events { after } => {
                let events = store.events_after(after, PAGE_EVENTS).await?;
                let last = events.last().map(|event| event.id.0);
                self.event = self.event.max(last.unwrap_or(after));
                let next = last.map(|after| Step::Events { after });
                Ok(Page { found: Found::Events(events), next })
            }
            Step::Operations { since_ms } => {
                let operations = store.operations_moved_since(since_ms, MAX_OPERATIONS).await?;
                Ok(Page { found: Found::Operations(operations), next: None })
            }
            Step::Blocks { after } => {
                let blocks = store.blocks_after(after, PAGE_BLOCKS).await?;
                let mut found = Vec::new();
                for block in &blocks {
                    if self.entries.len() < MAX_BLOCKS as usize {
                        self.entries.insert(block.entry);
                    }
                    found.extend(self.open(store, block, &wants).await?);
                }
                let next = blocks.last().map(|block| Step::Blocks { after: block.id });
                Ok(Page { found: Found::Readings(found), next })
            }
        }
    }

    /// What a block holds, by device. A block that can't be read was told of when it came.
    async fn open(
        &mut self,
        store: &Store,
        committed: &CommittedBlock,
        wants: &impl Fn(DeviceId) -> bool,
    ) -> Result<Vec<(DeviceId, Vec<Sampled>)>, StoreError> {
        let numbers = self.numbers(store, committed.device).await?;
        if !numbers.values().any(|(device, _)| wants(*device)) {
            return Ok(Vec::new());
        }
        let mut devices: BTreeMap<DeviceId, Vec<Sampled>> = BTreeMap::new();
        let take = |ticks, number, cells: &[Cell]| {
            let key = (committed.entry.epoch, number);
            if let Some((device, series)) = numbers.get(&key).filter(|(id, _)| wants(*id)) {
                let sampled = Sampled::of(*device, Arc::clone(series), ticks, cells);
                devices.entry(*device).or_default().push(sampled);
            }
        };
        let read = Outline::read(&committed.data);
        match read.and_then(|outline| outline.for_each_column(&committed.data, take)) {
            Ok(()) => Ok(devices.into_iter().collect()),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn numbers(&mut self, store: &Store, machine: DeviceId) -> Result<&Numbers, StoreError> {
        if !self.numbers.contains_key(&machine) {
            if self.numbers.len() == MAX_DEVICES {
                self.numbers.clear();
            }
            let series: HashMap<SeriesId, (DeviceId, Arc<SeriesInfo>)> = store
                .series(machine)
                .await?
                .into_iter()
                .map(|series| {
                    let key = subject::equipment_of(&series);
                    let device = key.map_or(machine, |key| equipment_id(machine, key));
                    (series.id, (device, Arc::new(series)))
                })
                .collect();
            let numbers = store.series_numbers(machine).await?;
            let numbers = numbers
                .into_iter()
                .filter_map(|(epoch, number, id)| Some(((epoch, number), series.get(&id)?.clone())))
                .collect();
            self.numbers.insert(machine, numbers);
        }
        Ok(self.numbers.entry(machine).or_default())
    }
}

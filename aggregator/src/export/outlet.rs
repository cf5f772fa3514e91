//! One export at work: from its cursor over the committed blocks to its receiver.
//!
//! The store is its queue. The cursor moves only when the receiver has taken everything before
//! it, so a restart loses nothing; it may send a batch twice, which receivers take as the same
//! samples. What a receiver refuses for good is counted and passed over.

use super::batch::{Outgoing, Source, requests};
use super::gauges::Gauges;
use super::receiver::{Receiver, SendError};
use crate::app::App;
use crate::config::Export;
use crate::fleet::subject::equipment_of;
use crate::fleet::{DeviceId, equipment_id};
use crate::resilience::{Backoff, Outside, random};
use crate::store::{OutgoingBlock, StoreError};
use crate::telemetry::{Dictionary, SeriesId, SeriesInfo};
use flyball_protocol::block::{Block, BlockError, Cell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How often it looks for what is new. What is committed is sent a look later: on an engine with
/// several writers a smaller number may appear a moment after a greater one.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BLOCKS_AT_ONCE: u32 = 64;
const SAMPLES_OF_A_REQUEST: usize = 10_000;
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
/// How often an export that has nothing to send says that it is there.
const CONFIRM_EVERY_MS: u64 = 60 * 60 * 1000;
/// Machines whose names and series are kept.
const MACHINES: usize = 1_000;

#[derive(Debug, thiserror::Error)]
enum OutletError {
    #[error("reading the store")]
    Store(#[from] StoreError),
    #[error("a thread has failed")]
    Thread(#[from] tokio::task::JoinError),
}

/// What is known of one machine's series.
#[derive(Debug)]
struct Known {
    dictionary: Dictionary,
    series: HashMap<SeriesId, (Arc<Source>, Arc<SeriesInfo>)>,
}

#[derive(Debug)]
pub(super) struct Outlet {
    app: App,
    name: String,
    receiver: Receiver,
    gauges: Gauges,
    known: HashMap<DeviceId, Arc<Known>>,
    confirmed_at_ms: u64,
}

impl Outlet {
    pub(super) fn new(app: App, export: Export, gauges: Gauges) -> Self {
        let name = export.name.clone();
        let (receiver, known) = (Receiver::new(export), HashMap::new());
        Self { app, name, receiver, gauges, known, confirmed_at_ms: 0 }
    }

    /// Runs until the process shuts down.
    pub(super) async fn run(mut self) {
        let mut stop = self.app.shutdown.subscribe();
        tokio::select! {
            () = stop.wait() => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        let mut settled = None;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            match self.look(settled).await {
                Ok(newest) => settled = Some(newest),
                Err(error) => {
                    tracing::warn!(
                        export = self.name,
                        error = &error as &dyn std::error::Error,
                        "an export waits for the store"
                    );
                }
            }
        }
    }

    /// Sends what was there at the look before, and says what is there now.
    async fn look(&mut self, settled: Option<i64>) -> Result<i64, OutletError> {
        let store = self.app.store.clone();
        let newest = store.newest_block().await?;
        let mut cursor = match store.export_cursor(&self.name).await? {
            // Also past the newest, where all blocks are history by now: no number comes twice.
            Some(cursor) => cursor,
            None => {
                self.confirm(newest).await?;
                newest
            }
        };
        let through = settled.unwrap_or(cursor).min(newest);
        loop {
            self.gauges.lag(&self.name, (newest - cursor).max(0));
            let blocks = store.outgoing_blocks(cursor, through, BLOCKS_AT_ONCE).await?;
            let Some(last) = blocks.last().map(|block| block.id) else {
                self.confirm_idleness(cursor).await?;
                return Ok(newest);
            };
            for request in requests(self.opened(blocks).await?, SAMPLES_OF_A_REQUEST) {
                self.send(Arc::new(request)).await?;
            }
            self.confirm(last).await?;
            cursor = last;
        }
    }

    async fn confirm(&mut self, block: i64) -> Result<(), StoreError> {
        let now_ms = self.app.clock.now_ms();
        self.confirmed_at_ms = now_ms;
        self.app.store.move_export_cursor(&self.name, block, now_ms).await
    }

    /// Blocks wait for an export that is at work, not for one that was taken out of the
    /// configuration: the two differ in when the cursor was last confirmed.
    async fn confirm_idleness(&mut self, cursor: i64) -> Result<(), StoreError> {
        let now_ms = self.app.clock.now_ms();
        if now_ms.saturating_sub(self.confirmed_at_ms) < CONFIRM_EVERY_MS {
            return Ok(());
        }
        self.confirm(cursor).await
    }

    /// What the blocks hold, decoded on a thread of its own.
    async fn opened(&mut self, blocks: Vec<OutgoingBlock>) -> Result<Vec<Outgoing>, OutletError> {
        let mut machines: BTreeMap<DeviceId, String> = BTreeMap::new();
        for block in &blocks {
            machines.entry(block.machine).or_insert_with(|| block.machine_name.clone());
        }
        let blocks = Arc::new(blocks);
        // Where a series is unknown, what is known of its machine is out of date.
        for attempt in 0..2 {
            for (machine, name) in &machines {
                if attempt > 0 || !self.known.contains_key(machine) {
                    self.learn(*machine, name).await?;
                }
            }
            let (known, blocks) = (self.known.clone(), Arc::clone(&blocks));
            let opening = tokio::task::spawn_blocking(move || open(&known, &blocks));
            let (outgoing, unknown) = opening.await?;
            if unknown == 0 || attempt > 0 {
                self.gauges.unreadable(&self.name, unknown);
                return Ok(outgoing);
            }
        }
        Ok(Vec::new())
    }

    async fn learn(&mut self, machine: DeviceId, name: &str) -> Result<(), StoreError> {
        if self.known.len() >= MACHINES {
            self.known.clear();
        }
        let store = &self.app.store;
        let series = store.series(machine).await?;
        let dictionary = Dictionary::new(store.series_numbers(machine).await?);
        let mut sources: HashMap<Option<String>, Arc<Source>> = HashMap::new();
        let series = series.into_iter().map(|series| {
            let key = equipment_of(&series).map(str::to_owned);
            let source = sources.entry(key.clone()).or_insert_with(|| {
                let device = key.as_ref().map_or(machine, |key| equipment_id(machine, key));
                let name = key.unwrap_or_else(|| name.to_owned());
                Arc::new(Source { device: device.to_string(), name })
            });
            (series.id, (Arc::clone(source), Arc::new(series)))
        });
        let series = series.collect();
        self.known.insert(machine, Arc::new(Known { dictionary, series }));
        Ok(())
    }

    /// Until the receiver has taken it, or has refused it for good.
    async fn send(&self, request: Arc<Vec<Outgoing>>) -> Result<(), OutletError> {
        let samples: usize = request.iter().map(|one| one.samples.len()).sum();
        let mut failures = 0;
        loop {
            let (receiver, body) = (self.receiver.clone(), Arc::clone(&request));
            let sent = tokio::task::spawn_blocking(move || receiver.send(&body)).await?;
            let error = match sent {
                Ok(()) => {
                    let now_ms = self.app.clock.now_ms();
                    self.app.circuits.succeeded(Outside::Export, &self.name, now_ms);
                    self.gauges.sent(&self.name, samples);
                    return Ok(());
                }
                Err(error @ (SendError::Refused { .. } | SendError::Encode(_))) => {
                    self.gauges.refused(&self.name, samples);
                    tracing::error!(
                        export = self.name,
                        samples,
                        error = &error as &dyn std::error::Error,
                        "samples were refused"
                    );
                    return Ok(());
                }
                Err(error) => error,
            };
            self.gauges.failed(&self.name);
            // One batch is tried at a time, so the pauses spare the receiver as a breaker would;
            // the breaker shows how it fares.
            self.app.circuits.failed(Outside::Export, &self.name, self.app.clock.now_ms());
            failures += 1;
            let pause = BACKOFF.pause(failures, random());
            let asked = match &error {
                SendError::Busy { pause, .. } => *pause,
                _ => None,
            };
            tracing::warn!(
                export = self.name,
                error = &error as &dyn std::error::Error,
                ?pause,
                "an export waits and tries again"
            );
            tokio::time::sleep(asked.unwrap_or(pause)).await;
        }
    }
}

/// The samples of the blocks, and how many columns or blocks could not be read.
fn open(known: &HashMap<DeviceId, Arc<Known>>, blocks: &[OutgoingBlock]) -> (Vec<Outgoing>, usize) {
    let (mut outgoing, mut unknown) = (Vec::new(), 0);
    for block in blocks {
        let Some(known) = known.get(&block.machine) else { continue };
        match open_block(known, block, &mut outgoing) {
            Ok(missed) => unknown += missed,
            Err(_) => unknown += 1,
        }
    }
    (outgoing, unknown)
}

fn open_block(
    known: &Known,
    block: &OutgoingBlock,
    outgoing: &mut Vec<Outgoing>,
) -> Result<usize, BlockError> {
    let mut unknown = 0;
    for group in Block::decode(&block.data)?.groups {
        for column in &group.columns {
            let id = known.dictionary.series(block.epoch, column.series.0);
            let Some((source, series)) = id.and_then(|id| known.series.get(&id)) else {
                unknown += 1;
                continue;
            };
            let samples =
                group.ticks_ms().zip(&column.cells).filter_map(|(at_ms, cell)| match cell {
                    Cell::Absent => None,
                    Cell::NoData(reason) => Some((at_ms, Err(*reason))),
                    Cell::Value(value) => Some((at_ms, Ok(*value))),
                });
            let samples = samples.collect();
            outgoing.push(Outgoing {
                source: Arc::clone(source),
                series: Arc::clone(series),
                samples,
            });
        }
    }
    Ok(unknown)
}

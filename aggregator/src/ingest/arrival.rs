//! From an entry's bytes to what the store takes: decoded, checked, its series known.

use crate::fleet::DeviceId;
use crate::ingest::fault::Fault;
use crate::store::{Arrival, ArrivalBody, DeviceKey, EpochKey, Scope};
use crate::telemetry::{Sampled, SeriesInfo};
use flyball_protocol::block::{Block, Cell, Group};
use flyball_protocol::entry::{Entry, EntryBody, GapScope};
use flyball_protocol::series::{SeriesDef, SeriesRef};
use std::collections::HashMap;
use std::sync::Arc;

/// No epoch defines more.
const MAX_SERIES: usize = 16_384;
const MAX_ATTRIBUTES: usize = 32;
const MAX_TEXT_BYTES: usize = 1024;

/// Whose entries these are, and what its series numbers mean.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) id: DeviceId,
    pub(super) device: DeviceKey,
    pub(super) epoch: EpochKey,
    dictionary: HashMap<SeriesRef, Arc<SeriesInfo>>,
}

impl Origin {
    pub(super) fn new(
        id: DeviceId,
        device: DeviceKey,
        epoch: EpochKey,
        dictionary: Vec<(SeriesRef, SeriesInfo)>,
    ) -> Self {
        let mut origin = Self { id, device, epoch, dictionary: HashMap::new() };
        origin.learn(dictionary);
        origin
    }

    pub(super) fn learn(&mut self, defined: Vec<(SeriesRef, SeriesInfo)>) {
        let defined = defined.into_iter().map(|(number, series)| (number, Arc::new(series)));
        self.dictionary.extend(defined);
    }

    /// The definitions that are new, sorted as they are stored. One that repeats what is known
    /// is passed over; one that contradicts it is refused.
    pub(super) fn unknown(&self, definitions: Vec<SeriesDef>) -> Result<Vec<SeriesDef>, Fault> {
        let mut unknown: HashMap<SeriesRef, SeriesDef> = HashMap::new();
        for mut definition in definitions {
            let number = definition.number;
            definition.attributes.sort();
            check_bounds(&definition)?;
            match self.dictionary.get(&number) {
                Some(known) if is_same(known, &definition) => {}
                Some(_) => return Err(Fault::Redefined(number.0)),
                None => match unknown.insert(number, definition.clone()) {
                    Some(other) if other != definition => return Err(Fault::Redefined(number.0)),
                    Some(_) | None => {}
                },
            }
        }
        if self.dictionary.len() + unknown.len() > MAX_SERIES {
            return Err(Fault::TooManySeries(MAX_SERIES));
        }
        let mut unknown: Vec<_> = unknown.into_values().collect();
        unknown.sort_by_key(|definition| definition.number);
        Ok(unknown)
    }

    /// What the store takes of `entry`, and what it holds of every series. The checksum has
    /// been verified.
    pub(super) fn open(&self, entry: Entry) -> Result<(Arrival, Vec<Sampled>), Fault> {
        let (seq, digest) = (entry.seq, digest(&entry));
        let malformed =
            |error: &dyn std::error::Error| Fault::Malformed { seq: seq.0, why: chain(error) };
        let body = EntryBody::decode(&entry.body).map_err(|error| malformed(&error))?;
        let (body, sampled) = match body {
            EntryBody::Block(data) => {
                let block = Block::decode(&data).map_err(|error| malformed(&error))?;
                let (from_ms, to_ms) = span(&block)
                    .ok_or(Fault::Malformed { seq: seq.0, why: "the block is empty".into() })?;
                let sampled = self.sampled(&block, seq.0)?;
                (ArrivalBody::Block { from_ms, to_ms, data }, sampled)
            }
            EntryBody::Event { at_ms, event } => (ArrivalBody::Event { at_ms, event }, Vec::new()),
            EntryBody::Outcome(outcome) => (ArrivalBody::Outcome(outcome), Vec::new()),
            EntryBody::Gap(gap) => {
                let scope = match gap.scope {
                    GapScope::Reader(reader) => Scope::Reader(reader),
                    GapScope::Series(numbers) => Scope::Series(
                        numbers
                            .into_iter()
                            .map(|number| self.series(number, seq.0).map(|series| series.id))
                            .collect::<Result<_, _>>()?,
                    ),
                };
                let (from_ms, to_ms) = (gap.from_ms, gap.to_ms);
                if from_ms > to_ms {
                    let why = "the gap ends before it begins".into();
                    return Err(Fault::Malformed { seq: seq.0, why });
                }
                let body =
                    ArrivalBody::Gap { from_ms, to_ms, scope, reason: gap.reason, note: gap.note };
                (body, Vec::new())
            }
        };
        let Self { id, device, epoch, .. } = *self;
        Ok((Arrival { id, device, epoch, seq, digest, body }, sampled))
    }

    fn series(&self, number: SeriesRef, seq: u64) -> Result<&Arc<SeriesInfo>, Fault> {
        self.dictionary.get(&number).ok_or(Fault::UnknownSeries { seq, series: number.0 })
    }

    fn sampled(&self, block: &Block, seq: u64) -> Result<Vec<Sampled>, Fault> {
        let mut sampled = Vec::new();
        for group in &block.groups {
            for column in &group.columns {
                let series = Arc::clone(self.series(column.series, seq)?);
                let samples = samples(group, &column.cells);
                sampled.push(Sampled { series, samples });
            }
        }
        Ok(sampled)
    }
}

fn samples(group: &Group, cells: &[Cell]) -> Vec<(u64, Result<f64, flyball_units::NoData>)> {
    let cells = group.ticks_ms().zip(cells);
    cells
        .filter_map(|(at_ms, cell)| match cell {
            Cell::Absent => None,
            Cell::NoData(reason) => Some((at_ms, Err(*reason))),
            Cell::Value(value) => Some((at_ms, Ok(*value))),
        })
        .collect()
}

/// A block ends in its own CRC-32, and the CRC-32 of what ends in its own is the same for every
/// body of one length: the entry's checksum alone can't tell two blocks apart. That of the body
/// without its end does.
fn digest(entry: &Entry) -> u64 {
    let front = &entry.body[..entry.body.len().saturating_sub(size_of::<u32>())];
    u64::from(crc32fast::hash(front)) << 32 | u64::from(entry.checksum)
}

/// First and last tick; `None` where no group has one.
fn span(block: &Block) -> Option<(u64, u64)> {
    let first = block.groups.iter().map(|group| group.first_ms).min()?;
    let last = block.groups.iter().filter_map(|group| group.ticks_ms().last()).max()?;
    Some((first, last))
}

fn is_same(known: &SeriesInfo, definition: &SeriesDef) -> bool {
    known.metric == definition.metric
        && known.unit == definition.unit
        && known.reader == definition.reader
        && known.attributes == definition.attributes
}

fn check_bounds(definition: &SeriesDef) -> Result<(), Fault> {
    let texts = definition.attributes.iter().flat_map(|(key, value)| [key, value]);
    let fits = definition.attributes.len() <= MAX_ATTRIBUTES
        && !definition.metric.is_empty()
        && texts.chain([&definition.metric]).all(|text| text.len() <= MAX_TEXT_BYTES);
    if fits { Ok(()) } else { Err(Fault::SeriesBounds(definition.number.0)) }
}

/// An error with its sources, as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

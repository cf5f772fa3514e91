//! From an entry's bytes to what the store takes: decoded, checked, its series known.

use crate::fleet::{DeviceId, equipment_id, subject};
use crate::ingest::fault::Fault;
use crate::store::{Arrival, ArrivalBody, DeviceKey, EpochKey, Reason, Scope};
use crate::telemetry::{Sampled, SeriesId, SeriesInfo};
use flyball_protocol::block::{Block, BlockError};
use flyball_protocol::entry::{Entry, EntryBody, EntryError, Gap, GapScope};
use flyball_protocol::series::{MAX_SERIES, SeriesDef, SeriesRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Series that one gap names: each of them is a row.
const MAX_GAP_SERIES: usize = 4096;

/// Why the body of an undamaged entry can't be taken in. Such an entry is kept aside: sent again
/// it would be no better, and nothing behind it would ever come.
#[derive(Debug, thiserror::Error)]
enum BodyFault {
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error("the block is empty")]
    EmptyBlock,
    #[error("it refers to series {0}, which was not defined")]
    UnknownSeries(u32),
    #[error("the gap ends before it begins")]
    BackwardGap,
    #[error("the gap names {0} series, at most {MAX_GAP_SERIES} are taken")]
    WideGap(usize),
    #[error("the gap names series {0} twice")]
    RepeatedSeries(u32),
}

impl BodyFault {
    const fn reason(&self) -> Reason {
        match self {
            Self::UnknownSeries(_) => Reason::UnknownSeries,
            Self::Entry(_)
            | Self::Block(_)
            | Self::EmptyBlock
            | Self::BackwardGap
            | Self::WideGap(_)
            | Self::RepeatedSeries(_) => Reason::Malformed,
        }
    }
}

/// Whose entries these are, and what its series numbers mean.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) id: DeviceId,
    pub(super) device: DeviceKey,
    pub(super) epoch: EpochKey,
    dictionary: HashMap<SeriesRef, Known>,
}

/// A series and the device that it is a series of.
#[derive(Clone, Debug)]
struct Known {
    device: DeviceId,
    series: Arc<SeriesInfo>,
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
        let gateway = self.id;
        let defined = defined.into_iter().map(|(number, series)| {
            let key = subject::equipment_of(&series);
            let device = key.map_or(gateway, |key| equipment_id(gateway, key));
            (number, Known { device, series: Arc::new(series) })
        });
        self.dictionary.extend(defined);
    }

    /// The definitions that are new, sorted as they are stored. One that repeats what is known
    /// is passed over; one that contradicts it is refused.
    pub(super) fn unknown(&self, definitions: Vec<SeriesDef>) -> Result<Vec<SeriesDef>, Fault> {
        let mut unknown: HashMap<SeriesRef, SeriesDef> = HashMap::new();
        for mut definition in definitions {
            let number = definition.number;
            definition.attributes.sort();
            definition.check().map_err(|bound| Fault::SeriesBounds(number.0, bound))?;
            match self.dictionary.get(&number) {
                Some(known) if is_same(&known.series, &definition) => {}
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
    /// been verified; what can't be read all the same is to be kept aside.
    pub(super) fn open(&self, entry: Entry) -> (Arrival, Vec<Sampled>) {
        let (body, sampled) = self.read(&entry.body).unwrap_or_else(|fault| {
            let (reason, why) = (fault.reason(), chain(&fault));
            (ArrivalBody::Unreadable { reason, why }, Vec::new())
        });
        let Entry { seq, checksum, body: raw } = entry;
        let Self { id, device, epoch, .. } = *self;
        (Arrival { id, device, epoch, seq, checksum, raw, body }, sampled)
    }

    fn read(&self, body: &[u8]) -> Result<(ArrivalBody, Vec<Sampled>), BodyFault> {
        Ok(match EntryBody::decode(body)? {
            EntryBody::Block(data) => {
                let block = Block::decode(&data)?;
                let (from_ms, to_ms) = span(&block).ok_or(BodyFault::EmptyBlock)?;
                let sampled = self.sampled(&block)?;
                (ArrivalBody::Block { from_ms, to_ms, data }, sampled)
            }
            EntryBody::Event { at_ms, event } => (ArrivalBody::Event { at_ms, event }, Vec::new()),
            EntryBody::Outcome(outcome) => (ArrivalBody::Outcome(outcome), Vec::new()),
            EntryBody::Gap(gap) => (self.gap(gap)?, Vec::new()),
        })
    }

    fn gap(&self, gap: Gap) -> Result<ArrivalBody, BodyFault> {
        let Gap { from_ms, to_ms, scope, reason, note } = gap;
        if from_ms > to_ms {
            return Err(BodyFault::BackwardGap);
        }
        let scope = match scope {
            GapScope::Reader(reader) => Scope::Reader(reader),
            GapScope::Series(numbers) => Scope::Series(self.named(&numbers)?),
        };
        Ok(ArrivalBody::Gap { from_ms, to_ms, scope, reason, note })
    }

    /// The series that a gap names, each once.
    fn named(&self, numbers: &[SeriesRef]) -> Result<Vec<SeriesId>, BodyFault> {
        if numbers.len() > MAX_GAP_SERIES {
            return Err(BodyFault::WideGap(numbers.len()));
        }
        let mut seen = HashSet::with_capacity(numbers.len());
        numbers
            .iter()
            .map(|&number| {
                let series = &self.known(number)?.series;
                seen.insert(number).then_some(series.id).ok_or(BodyFault::RepeatedSeries(number.0))
            })
            .collect()
    }

    fn known(&self, number: SeriesRef) -> Result<&Known, BodyFault> {
        self.dictionary.get(&number).ok_or(BodyFault::UnknownSeries(number.0))
    }

    fn sampled(&self, block: &Block) -> Result<Vec<Sampled>, BodyFault> {
        let mut sampled = Vec::new();
        for group in &block.groups {
            for column in &group.columns {
                let Known { device, series } = self.known(column.series)?.clone();
                sampled.push(Sampled::of(device, series, group, &column.cells));
            }
        }
        Ok(sampled)
    }
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

/// An error with its sources, as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

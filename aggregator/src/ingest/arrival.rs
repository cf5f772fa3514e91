//! From an entry's bytes to what the store takes: decoded, checked, its series known.

use crate::fleet::DeviceId;
use crate::ingest::fault::Fault;
use crate::ingest::measured::Measured;
use crate::ingest::numbers::{Known, Numbers};
use crate::store::{Arrival, ArrivalBody, DeviceKey, EpochKey, Reason, Scope};
use crate::telemetry::{SeriesId, SeriesInfo};
use flyball_protocol::block::{BlockError, Outline};
use flyball_protocol::entry::{Entry, EntryBody, EntryError, Gap, GapScope};
use flyball_protocol::series::{SeriesDef, SeriesRef};
use std::collections::HashSet;
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
    /// What is on its way through the committer has its own.
    numbers: Arc<Numbers>,
}

impl Origin {
    pub(super) fn new(
        id: DeviceId,
        device: DeviceKey,
        epoch: EpochKey,
        dictionary: Vec<(SeriesRef, SeriesInfo)>,
    ) -> Self {
        let mut origin = Self { id, device, epoch, numbers: Arc::default() };
        origin.learn(dictionary);
        origin
    }

    pub(super) fn learn(&mut self, defined: Vec<(SeriesRef, SeriesInfo)>) {
        Arc::make_mut(&mut self.numbers).learn(self.id, defined);
    }

    pub(super) fn unknown(&self, definitions: Vec<SeriesDef>) -> Result<Vec<SeriesDef>, Fault> {
        self.numbers.unknown(definitions)
    }

    /// What the store takes of `entry`, and what it brings. The checksum has been verified; what
    /// can't be read all the same is to be kept aside.
    pub(super) fn open(&self, entry: Entry) -> (Arrival, Measured) {
        let (body, measured) = self.read(&entry.body).unwrap_or_else(|fault| {
            let (reason, why) = (fault.reason(), chain(&fault));
            (ArrivalBody::Unreadable { reason, why }, Measured::default())
        });
        let Entry { seq, checksum, body: raw } = entry;
        let Self { id, device, epoch, .. } = *self;
        (Arrival { id, device, epoch, seq, checksum, raw, body }, measured)
    }

    fn read(&self, body: &[u8]) -> Result<(ArrivalBody, Measured), BodyFault> {
        let nothing = Measured::default();
        Ok(match EntryBody::decode(body)? {
            EntryBody::Block(data) => {
                let outline = Outline::read(&data)?;
                let (from_ms, to_ms) = outline.span_ms().ok_or(BodyFault::EmptyBlock)?;
                for number in outline.series() {
                    self.known(number)?;
                }
                let measured = Measured::read(Arc::clone(&self.numbers), &outline, &data)?;
                (ArrivalBody::Block { from_ms, to_ms, data }, measured)
            }
            EntryBody::Event { at_ms, event } => (ArrivalBody::Event { at_ms, event }, nothing),
            EntryBody::Outcome(outcome) => (ArrivalBody::Outcome(outcome), nothing),
            EntryBody::Gap(gap) => (self.gap(gap)?, nothing),
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
        self.numbers.get(number).ok_or(BodyFault::UnknownSeries(number.0))
    }
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

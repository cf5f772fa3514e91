//! What series numbers mean. Numbers are given once and kept for as long as the spool lives. A
//! series that the aggregator would refuse gets none: one of them would hold up all others.

use super::disk::{Batch, Disk, DiskError};
use super::{SpoolError, encode, keys};
use flyball_protocol::guard::Series;
use flyball_protocol::series::{PLUGIN_ATTRIBUTE, Reader, SeriesDef, SeriesError, SeriesRef};
use std::collections::HashMap;

/// Numbers for series of plugins: what strangers call their series leaves the machine its own.
const MAX_COLLECTED: usize = 10_000;
/// What of a metric's name a log line shows.
const LOGGED_CHARS: usize = 80;

type Name = (Reader, String, Vec<(String, String)>);

#[derive(Debug, Default)]
pub(super) struct Dictionary {
    definitions: Vec<SeriesDef>,
    /// The newest number of each name: one whose unit changes gets a new number.
    newest: HashMap<Name, usize>,
    /// Definitions of plugins' series.
    collected: usize,
}

impl Dictionary {
    pub(super) fn load(disk: &Disk) -> Result<Self, DiskError> {
        let mut dictionary = Self::default();
        for definition in definitions_from(disk, SeriesRef(0)) {
            dictionary.add(definition?);
        }
        Ok(dictionary)
    }

    /// The numbers of these series, in their order; `None` for one that breaks a bound.
    pub(super) fn register(
        &mut self,
        disk: &Disk,
        reader: Reader,
        series: &[Series],
    ) -> Result<Vec<Option<SeriesRef>>, SpoolError> {
        let mut numbers = Vec::with_capacity(series.len());
        let mut batch = Batch::default();
        let mut added = Vec::new();
        let mut left_out = None;
        let mut collected = self.collected;
        let mut unnumbered = 0_usize;
        for series in series {
            if let Some(number) = self.find(reader, series) {
                numbers.push(Some(number));
                continue;
            }
            let place = self.definitions.len() + added.len();
            let number = SeriesRef(u32::try_from(place).unwrap_or(u32::MAX));
            let definition = define(number, reader, series);
            if is_collected(&definition) {
                if collected >= MAX_COLLECTED {
                    unnumbered += 1;
                    numbers.push(None);
                    continue;
                }
                collected += 1;
            }
            if let Err(error) = definition.check() {
                left_out.get_or_insert((definition, error));
                numbers.push(None);
                continue;
            }
            batch.put(&keys::series(number), encode(&definition)?);
            added.push(definition);
            numbers.push(Some(number));
        }
        if let Some((definition, error)) = left_out {
            let count = numbers.iter().filter(|number| number.is_none()).count() - unnumbered;
            log_left_out(count, &definition, error);
        }
        if unnumbered > 0 {
            tracing::warn!(
                unnumbered,
                bound = MAX_COLLECTED,
                "plugins have named more series than one spool numbers; those are left out"
            );
        }
        if !added.is_empty() {
            disk.apply(batch)?;
            disk.sync()?;
            added.into_iter().for_each(|definition| self.add(definition));
        }
        Ok(numbers)
    }

    fn find(&self, reader: Reader, series: &Series) -> Option<SeriesRef> {
        let mut attributes = series.attributes.clone();
        attributes.sort_unstable();
        let name = (reader, series.metric.clone(), attributes);
        let known = &self.definitions[*self.newest.get(&name)?];
        let same = known.kind == series.kind
            && known.unit == series.unit
            && known.cadence_ms == series.cadence_ms;
        same.then_some(known.number)
    }

    fn add(&mut self, definition: SeriesDef) {
        let name = (definition.reader, definition.metric.clone(), definition.attributes.clone());
        self.newest.insert(name, self.definitions.len());
        self.collected += usize::from(is_collected(&definition));
        self.definitions.push(definition);
    }
}

/// Definitions as they stand on disk, from a number on. One that cannot be read ends them.
pub(super) fn definitions_from(
    disk: &Disk,
    first: SeriesRef,
) -> impl Iterator<Item = Result<SeriesDef, DiskError>> + use<> {
    let (from, to) = keys::series_from(first);
    disk.range(from, to).map(|pair| {
        let (_, value) = pair?;
        postcard::from_bytes(&value).map_err(|error| DiskError::Store {
            operation: "reading the dictionary",
            source: Box::new(error),
        })
    })
}

fn is_collected(definition: &SeriesDef) -> bool {
    definition.reader == Reader::Agent
        && definition.attributes.iter().any(|(key, _)| key == PLUGIN_ATTRIBUTE)
}

/// One line for all of them: there may be thousands, and they come with every attach.
fn log_left_out(count: usize, first: &SeriesDef, error: SeriesError) {
    let metric: String = first.metric.chars().take(LOGGED_CHARS).collect();
    tracing::error!(count, metric, %error, "series that the aggregator would refuse are left out");
}

fn define(number: SeriesRef, reader: Reader, series: &Series) -> SeriesDef {
    let mut attributes = series.attributes.clone();
    attributes.sort_unstable();
    SeriesDef {
        number,
        metric: series.metric.clone(),
        kind: series.kind,
        unit: series.unit,
        attributes,
        cadence_ms: series.cadence_ms,
        reader,
    }
}

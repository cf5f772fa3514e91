//! What an agent's numbers mean: one epoch's dictionary, as far as it was announced.

use crate::fleet::{DeviceId, equipment_id, subject};
use crate::ingest::fault::Fault;
use crate::telemetry::SeriesInfo;
use flyball_protocol::series::{MAX_SERIES, SeriesDef, SeriesRef};
use std::collections::HashMap;
use std::sync::Arc;

/// A series and the device that it is a series of.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) device: DeviceId,
    pub(super) series: Arc<SeriesInfo>,
}

/// By number, which is below [`MAX_SERIES`].
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    known: Vec<Option<Known>>,
    count: usize,
}

impl Numbers {
    pub(super) fn get(&self, number: SeriesRef) -> Option<&Known> {
        self.known.get(usize::try_from(number.0).ok()?)?.as_ref()
    }

    /// Takes up what `gateway` defined; equipment that it reads is a device of its own.
    pub(super) fn learn(&mut self, gateway: DeviceId, defined: Vec<(SeriesRef, SeriesInfo)>) {
        for (number, series) in defined {
            let at = number.0 as usize;
            if at >= MAX_SERIES {
                continue;
            }
            if self.known.len() <= at {
                self.known.resize(at + 1, None);
            }
            let key = subject::equipment_of(&series);
            let device = key.map_or(gateway, |key| equipment_id(gateway, key));
            let known = Known { device, series: Arc::new(series) };
            self.count += usize::from(self.known[at].replace(known).is_none());
        }
    }

    /// The definitions that are new, sorted as they are stored. One that repeats what is known
    /// is passed over; one that contradicts it is refused.
    pub(super) fn unknown(&self, definitions: Vec<SeriesDef>) -> Result<Vec<SeriesDef>, Fault> {
        let mut unknown: HashMap<SeriesRef, SeriesDef> = HashMap::new();
        for mut definition in definitions {
            let number = definition.number;
            definition.attributes.sort();
            definition.check().map_err(|bound| Fault::SeriesBounds(number.0, bound))?;
            match self.get(number) {
                Some(known) if is_same(&known.series, &definition) => {}
                Some(_) => return Err(Fault::Redefined(number.0)),
                None => match unknown.insert(number, definition.clone()) {
                    Some(other) if other != definition => return Err(Fault::Redefined(number.0)),
                    Some(_) | None => {}
                },
            }
        }
        if self.count + unknown.len() > MAX_SERIES {
            return Err(Fault::TooManySeries(MAX_SERIES));
        }
        let mut unknown: Vec<_> = unknown.into_values().collect();
        unknown.sort_by_key(|definition| definition.number);
        Ok(unknown)
    }
}

fn is_same(known: &SeriesInfo, definition: &SeriesDef) -> bool {
    known.metric == definition.metric
        && known.unit == definition.unit
        && known.reader == definition.reader
        && known.attributes == definition.attributes
}

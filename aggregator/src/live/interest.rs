//! What a subscriber asks for: devices, selections of series, events, and how it wants them.

use crate::fleet::DeviceId;
use crate::live::{Audience, Live, Topic};
use crate::telemetry::SeriesInfo;
use crate::tenancy::Sight;
use serde::Deserialize;
use std::collections::HashSet;

/// Pairs of one selection.
const MAX_PAIRS: usize = 16;
/// What matches every value.
const ANY: &str = "*";

/// Which topics a subscriber wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Every sample of these.
    pub readings: Devices,
    /// The newest sample of each series of these.
    pub newest: Devices,
    pub selections: Vec<Selection>,
    pub device_states: Devices,
    pub events: bool,
    pub operations: bool,
    /// Nothing of other devices, whatever was asked for.
    pub sight: Sight,
    /// Of what applications send: whose.
    pub platform: Option<Audience>,
}

/// The devices of a topic: those that were named, and beside them all where that was asked for.
/// Each is taken back by the word that it was asked for with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    pub all: bool,
    pub named: HashSet<DeviceId>,
}

/// How a subscriber takes readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every sample, in order; what is lost is told.
    #[default]
    Event,
    /// The newest value of each series; what it replaces is nobody's loss.
    State,
}

/// Series chosen by what they say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// As the client wrote it, and as its messages name it.
    pub text: String,
    pub mode: Mode,
    pairs: Vec<(String, String)>,
}

impl Devices {
    #[must_use]
    pub fn all() -> Self {
        Self { all: true, named: HashSet::new() }
    }

    #[must_use]
    pub fn contains(&self, device: DeviceId) -> bool {
        self.all || self.named.contains(&device)
    }
}

impl Interest {
    /// Is it about nothing that this subscriber may not see?
    #[must_use]
    pub(super) fn sees(&self, live: &Live) -> bool {
        live.device().is_none_or(|device| self.sight.sees(device))
    }

    /// Does anything of `topic` go to this subscriber? A selection is judged series by series.
    #[must_use]
    pub fn wants(&self, topic: Topic) -> bool {
        match topic {
            Topic::Readings(device) => {
                self.readings.contains(device)
                    || self.newest.contains(device)
                    || !self.selections.is_empty()
            }
            Topic::DeviceState(device) => self.device_states.contains(device),
            Topic::Events => self.events,
            Topic::Operations => self.operations,
            Topic::Platform => self.platform.is_some(),
        }
    }

    /// May the newest of any of the device's series go to this subscriber?
    pub(super) fn takes_newest(&self, device: DeviceId) -> bool {
        self.newest.contains(device) || self.selections.iter().any(|s| s.mode == Mode::State)
    }
}

impl Selection {
    /// `metric=hw.temperature,kind=TEMPERATURE`: all pairs have to hold. `metric`, `kind`, `unit`
    /// and `device` are the series' own, every other key is an attribute; `*` is any value.
    #[must_use]
    pub fn parse(text: &str, mode: Mode) -> Option<Self> {
        let pairs: Vec<(String, String)> = text
            .split(',')
            .map(|pair| {
                let (key, value) = pair.split_once('=')?;
                let (key, value) = (key.trim(), value.trim());
                (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
            })
            .collect::<Option<_>>()?;
        (pairs.len() <= MAX_PAIRS).then(|| Self { text: text.to_owned(), mode, pairs })
    }

    #[must_use]
    pub fn holds(&self, device: DeviceId, series: &SeriesInfo) -> bool {
        self.pairs.iter().all(|(key, wanted)| {
            let is = |value: &str| wanted == ANY || wanted == value;
            match key.as_str() {
                "metric" => is(&series.metric),
                "kind" => wanted == ANY || series.kind.name().eq_ignore_ascii_case(wanted),
                "unit" => is(series.unit.ucum()),
                "device" => is(&device.to_string()),
                _ => series.attributes.iter().any(|(name, value)| name == key && is(value)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Kind, Reader, SeriesId, Unit};
    use uuid::Uuid;

    fn series() -> SeriesInfo {
        SeriesInfo {
            id: SeriesId(1),
            metric: "hw.temperature".into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: vec![("hw.name".into(), "cpu".into()), ("rack".into(), "r12".into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        }
    }

    #[test]
    fn a_selection_holds_where_all_its_pairs_do() {
        let device = DeviceId(Uuid::from_u128(1));
        let series = series();
        for (text, holds) in [
            ("rack=r12", true),
            ("rack=r13", false),
            ("rack=*", true),
            ("row=*", false),
            ("metric=hw.temperature,rack=r12", true),
            ("metric=hw.power,rack=r12", false),
            ("kind=temperature", true),
            ("unit=Cel", true),
            ("device=00000000-0000-0000-0000-000000000001", true),
            ("device=00000000-0000-0000-0000-000000000002", false),
        ] {
            let selection = Selection::parse(text, Mode::State).unwrap();
            assert_eq!(selection.holds(device, &series), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_pairs_is_no_selection() {
        let long = vec!["a=b"; MAX_PAIRS + 1].join(",");
        for text in ["", "rack", "=r12", "rack=", "rack=r12,", &long] {
            assert_eq!(Selection::parse(text, Mode::Event), None, "{text}");
        }
    }
}

//! The way from one plan to the next.

use super::Names;
use flyball_safety::{ActuatorId, InterlockId, LimitId, Mapping, SensorId};

/// Where the entries of one plan are in the next: by name, each at most once.
#[derive(Debug)]
pub(crate) struct Places {
    sensors: Vec<Option<SensorId>>,
    limits: Vec<Option<LimitId>>,
    actuators: Vec<Option<ActuatorId>>,
    interlocks: Vec<Option<InterlockId>>,
}

impl Places {
    pub(crate) fn between(before: &Names, after: &Names) -> Self {
        Self {
            sensors: places(&before.sensors, &after.sensors, String::as_str, SensorId::new),
            limits: places(&before.limits, &after.limits, |limit| &limit.name, LimitId::new),
            actuators: places(&before.actuators, &after.actuators, String::as_str, ActuatorId::new),
            interlocks: places(
                &before.interlocks,
                &after.interlocks,
                |interlock| &interlock.name,
                InterlockId::new,
            ),
        }
    }

    pub(crate) fn mapping(&self) -> Mapping<'_> {
        Mapping {
            sensors: &self.sensors,
            limits: &self.limits,
            actuators: &self.actuators,
            interlocks: &self.interlocks,
        }
    }
}

fn places<T, Id>(
    before: &[T],
    after: &[T],
    name: impl Fn(&T) -> &str,
    id: impl Fn(u16) -> Id,
) -> Vec<Option<Id>> {
    let mut taken = vec![false; after.len()];
    let place = |entry: &T| {
        let index =
            (0..after.len()).find(|index| !taken[*index] && name(&after[*index]) == name(entry))?;
        taken[index] = true;
        u16::try_from(index).ok().map(&id)
    };
    before.iter().map(place).collect()
}

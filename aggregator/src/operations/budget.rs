//! What a rack draws, as far as anybody knows, against what its feed and its cooling take. What
//! is not known is reckoned as if it ran.

use crate::config::Rack;
use crate::fleet::equipment::equipment_id;
use crate::fleet::{DeviceId, Sessions};
use crate::telemetry::{Latest, LatestValue};
use flyball_protocol::command::PowerState;
use std::collections::HashMap;

const METRIC: &str = "hw.power";
/// An older reading says nothing of now.
const FRESH_MS: u64 = 120_000;

/// Which budget one more start would exceed.
#[derive(Clone, Debug, PartialEq)]
pub struct Exceeded {
    /// `power` or `cooling`.
    pub budget: &'static str,
    pub watts: f64,
    /// What it would come to.
    pub reckoned_watts: f64,
}

/// Where draws and states are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws {
    pub(super) latest: Latest,
    pub(super) sessions: Sessions,
}

impl Draws {
    /// Whether one more start fits, with `started` ones that no reading may show yet.
    pub(super) fn check(&self, rack: &Rack, started: usize, now_ms: u64) -> Result<(), Exceeded> {
        let budgets = [("power", rack.power_watts), ("cooling", rack.cooling_watts)];
        if budgets.iter().all(|(_, watts)| watts.is_none()) {
            return Ok(());
        }
        let known = self.known(now_ms);
        let drawn: f64 = rack
            .devices
            .iter()
            .map(|id| known.get(&DeviceId(*id)).copied().unwrap_or(rack.start_watts))
            .sum();
        let reckoned_watts = drawn + rack.start_watts * (started as f64 + 1.0);
        let exceeded = budgets.into_iter().find_map(|(budget, watts)| {
            let watts = watts?;
            // A budget that is no number is exceeded by anything.
            let fits = reckoned_watts <= watts;
            (!fits).then_some((budget, watts))
        });
        match exceeded {
            Some((budget, watts)) => Err(Exceeded { budget, watts, reckoned_watts }),
            None => Ok(()),
        }
    }

    /// What every device draws that says it, and nothing for what is off.
    fn known(&self, now_ms: u64) -> HashMap<DeviceId, f64> {
        let mut known = HashMap::new();
        for gateway in self.sessions.online() {
            let mut off: HashMap<String, bool> = HashMap::new();
            for actuator in self.sessions.inventory(gateway).board.actuators {
                if let (Some(key), Some(state)) = (actuator.equipment, actuator.state) {
                    *off.entry(key).or_insert(true) &= state == PowerState::Off;
                }
            }
            let off = off.into_iter().filter(|(_, off)| *off);
            known.extend(off.map(|(key, _)| (equipment_id(gateway, &key), 0.0)));
        }
        for (device, values) in self.latest.all() {
            // A supply's input is the largest: the others are parts of it.
            let watts = values.iter().filter_map(|value| fresh_watts(value, now_ms));
            known.extend(watts.reduce(f64::max).map(|watts| (device, watts)));
        }
        known
    }
}

fn fresh_watts(value: &LatestValue, now_ms: u64) -> Option<f64> {
    let fresh = value.at_ms.saturating_add(FRESH_MS) > now_ms;
    let watts = value.value.ok().filter(|watts| *watts >= 0.0);
    watts.filter(|_| fresh && value.series.metric == METRIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Kind, NoData, Reader, Sampled, SeriesId, SeriesInfo, Unit};
    use std::sync::Arc;
    use uuid::Uuid;

    const NOW_MS: u64 = 1_000_000;

    fn rack(power_watts: Option<f64>, cooling_watts: Option<f64>) -> Rack {
        let devices = (1..=3).map(Uuid::from_u128).collect();
        let name = "r12".to_owned();
        let start_watts = 400.0;
        Rack { name, devices, energising_per_minute: None, power_watts, cooling_watts, start_watts }
    }

    fn reads(draws: &Draws, device: u128, series: i64, at_ms: u64, value: Result<f64, NoData>) {
        let info = SeriesInfo {
            id: SeriesId(series),
            metric: METRIC.into(),
            kind: Kind::Power,
            unit: Unit::Watt,
            attributes: Vec::new(),
            cadence_ms: 1000,
            reader: Reader::Guard,
        };
        let device = DeviceId(Uuid::from_u128(device));
        let samples = vec![(at_ms, value)];
        let sampled = Sampled { device, series: Arc::new(info), samples };
        draws.latest.update(sampled.newest());
    }

    #[test]
    fn what_nobody_knows_is_reckoned_as_running() {
        let draws = Draws::default();
        assert_eq!(draws.check(&rack(None, None), 99, NOW_MS), Ok(()));
        assert_eq!(draws.check(&rack(Some(1_600.0), None), 0, NOW_MS), Ok(()));
        let exceeded = draws.check(&rack(Some(1_599.0), None), 0, NOW_MS).unwrap_err();
        assert_eq!((exceeded.budget, exceeded.reckoned_watts), ("power", 1_600.0));
        assert!(draws.check(&rack(Some(f64::NAN), None), 0, NOW_MS).is_err());
    }

    #[test]
    fn readings_count_while_they_are_fresh_and_the_largest_of_a_device() {
        let draws = Draws::default();
        reads(&draws, 1, 1, NOW_MS, Ok(120.0));
        reads(&draws, 1, 2, NOW_MS, Ok(40.0));
        reads(&draws, 2, 3, NOW_MS, Ok(80.0));
        reads(&draws, 3, 4, NOW_MS, Ok(0.0));
        assert_eq!(draws.check(&rack(Some(600.0), Some(600.0)), 0, NOW_MS), Ok(()));
        let exceeded = draws.check(&rack(Some(900.0), Some(599.0)), 0, NOW_MS).unwrap_err();
        assert_eq!((exceeded.budget, exceeded.reckoned_watts), ("cooling", 600.0));
        // What was started a moment ago is in no reading yet.
        assert!(draws.check(&rack(Some(999.0), None), 1, NOW_MS).is_err());
        reads(&draws, 3, 4, NOW_MS, Err(NoData::Missing));
        assert!(draws.check(&rack(Some(999.0), None), 0, NOW_MS).is_err());
        assert!(draws.check(&rack(Some(999.0), None), 0, NOW_MS + FRESH_MS).is_err());
    }
}

//! Which sensors are watched for freezing, and against what.

use super::Draft;
use crate::catalog::SensorEntry;
use crate::policy::{STUCK_SAMPLES, StuckRule, matches};
use flyball_safety::{SensorId, StuckSpec, ZoneId};
use flyball_units::Kind;

/// Sensors on a CPU's own die: they move when its power does.
const ON_DIE: [&str; 4] = ["coretemp", "k10temp", "zenpower", "thermal/x86_pkg_temp"];
/// A temperature that stands still while the power moved by so much is stuck.
const STUCK_MOVED_WATTS: f64 = 15.0;

impl Draft<'_> {
    /// The policy names what has to move when these sensors do.
    pub(super) fn add_stuck(
        &mut self,
        limit: &str,
        rule: &StuckRule,
        group: &[SensorId],
        zone: ZoneId,
    ) {
        let known = |sensor: &SensorEntry| matches(&rule.companion, &sensor.id);
        let Some(companion) = self.catalog.sensors.iter().position(known) else {
            self.remarks.push(format!(
                "limit `{limit}`: no sensor fits `stuck_with` `{}`, so a frozen value can't be told",
                rule.companion
            ));
            return;
        };
        let companion = self.watch(companion, zone, self.policy.timing.stale_after, false);
        for id in group.iter().filter(|id| **id != companion) {
            let (samples, moved) = (rule.samples, rule.moved);
            self.sensors[id.index()].stuck = Some(StuckSpec { samples, companion, moved });
        }
    }

    /// On-die sensors are watched for freezing against the package's power.
    pub(super) fn add_companion(&mut self) {
        let on_die = |sensor: &SensorEntry| ON_DIE.iter().any(|chip| sensor.id.starts_with(chip));
        let power =
            self.catalog.sensors.iter().position(|sensor| {
                sensor.kind == Kind::Power && sensor.id.contains("/power:package")
            });
        let frozen: Vec<SensorId> = (self.catalog.sensors.iter().zip(&self.names.watched))
            .filter(|(sensor, _)| sensor.kind == Kind::Temperature && on_die(sensor))
            .filter_map(|(_, watched)| *watched)
            .collect();
        let (Some(power), false) = (power, frozen.is_empty()) else {
            return;
        };
        let zone = ZoneId::new(0);
        let companion = self.watch(power, zone, self.policy.timing.stale_after, false);
        // What the policy says of a sensor stands.
        let unsaid = |id: &SensorId| self.sensors[id.index()].stuck.is_none();
        let frozen: Vec<SensorId> = frozen.into_iter().filter(unsaid).collect();
        for id in frozen {
            let stuck = StuckSpec { samples: STUCK_SAMPLES, companion, moved: STUCK_MOVED_WATTS };
            self.sensors[id.index()].stuck = Some(stuck);
        }
    }
}

//! The factory layer: limits of what the hardware declares about itself.

use super::Draft;
use crate::catalog::{Catalog, SensorEntry};
use crate::policy::{Policy, Quantity, matches};
use flyball_safety::{LimitSpec, Sense, Thresholds, Vote};
use flyball_units::{Kind, NoData};
use std::time::Duration;

/// From the trip down to the limit, and from the limit down to the warning.
const STEP_CELSIUS: f64 = 5.0;
/// A machine that works hard draws what it is made for, with noise around it: that is no
/// reason to warn, and a good deal more than that is one to limit.
const WARNING_OF_MAX: f64 = 1.05;
const LIMIT_OF_MAX: f64 = 1.1;
/// A declared critical power is tripped at, and limited a little below.
const LIMIT_OF_CRIT: f64 = 0.95;

/// The thresholds that follow from what a sensor's hardware declares.
pub(super) fn factory(sensor: &SensorEntry, sense: Sense, policy: &Policy) -> Thresholds {
    match (sensor.kind, sense) {
        (Kind::Temperature, Sense::Above) => temperature(sensor, policy.factory_margin_celsius),
        (Kind::Power, Sense::Above) => power(sensor),
        (Kind::FanSpeed | Kind::Voltage, Sense::Below) => {
            Thresholds { warning: sensor.thresholds.low, ..Thresholds::SILENT }
        }
        _ => Thresholds::SILENT,
    }
}

/// The trip stands below the point at which the hardware acts for itself, so that the guard's
/// answer comes first; `max` is where ordinary operation ends, which is worth a warning.
fn temperature(sensor: &SensorEntry, margin: f64) -> Thresholds {
    let declared = sensor.thresholds;
    let acts = [declared.crit, declared.emergency].into_iter().flatten().reduce(f64::min);
    let trip = acts.map(|acts| acts - margin);
    let limit = trip.map(|trip| trip - STEP_CELSIUS);
    let by_limit = limit.map(|limit| limit - STEP_CELSIUS);
    Thresholds { warning: lower(declared.max, by_limit), limit, trip }
}

fn power(sensor: &SensorEntry) -> Thresholds {
    let (max, trip) = (sensor.thresholds.max, sensor.thresholds.crit);
    let by_max = max.map(|max| max * LIMIT_OF_MAX);
    let by_trip = trip.map(|trip| trip * LIMIT_OF_CRIT);
    Thresholds { warning: max.map(|max| max * WARNING_OF_MAX), limit: lower(by_max, by_trip), trip }
}

fn lower(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Of each threshold the tighter.
pub(super) fn tightest(a: Thresholds, b: Thresholds, sense: Sense) -> Thresholds {
    let tighter = |a: Option<f64>, b: Option<f64>| match sense {
        Sense::Above => lower(a, b),
        Sense::Below => lower(a.map(|a| -a), b.map(|b| -b)).map(|value| -value),
    };
    Thresholds {
        warning: tighter(a.warning, b.warning),
        limit: tighter(a.limit, b.limit),
        trip: tighter(a.trip, b.trip),
    }
}

/// The zone of one package's power: its sustained cap serves it, its cap on bursts does not.
pub(super) fn power_zone(id: &str) -> String {
    format!("power:{}", id.rsplit_once('/').map_or(id, |(parent, _)| parent))
}

/// The power zone of a sensor, where a cap is there to serve it; else the first zone.
fn zone_of(sensor: &SensorEntry, catalog: &Catalog, first: String) -> String {
    let own = power_zone(&sensor.id);
    let served = catalog.actuators.iter().any(|actuator| power_zone(&actuator.id) == own);
    if sensor.kind == Kind::Power && served { own } else { first }
}

impl Draft<'_> {
    /// A limit for every sensor whose hardware declares one and that no limit of the policy
    /// watches.
    pub(super) fn add_defaults(&mut self) {
        let catalog = self.catalog;
        for (index, sensor) in catalog.sensors.iter().enumerate() {
            let covered = self.policy.limits.iter().any(|rule| {
                rule.quantity.kind() == sensor.kind
                    && rule.sensors.iter().any(|pattern| matches(pattern, &sensor.id))
            });
            let thresholds = factory(sensor, Sense::Above, self.policy);
            if covered || thresholds == Thresholds::SILENT {
                continue;
            }
            let quantity = match sensor.kind {
                Kind::Power => Quantity::Power,
                _ => Quantity::Temperature,
            };
            // A sensor that reads at the start is relied upon from then on. One that doesn't
            // (an open diode, a right that is lacking) would hold its zone in failsafe for ever.
            // Equipment may be off, and what is off has no temperature.
            let reads = matches!(sensor.probe, Ok(_) | Err(NoData::NoHistory | NoData::Busy));
            let missing_ok = !reads || sensor.owner.key().is_some();
            let zone_name = match sensor.owner.key() {
                Some(_) => self.zone_of_owner(&sensor.owner),
                None => zone_of(sensor, catalog, self.first_zone()),
            };
            let zone = self.zone(&zone_name);
            let id = self.watch(index, zone, self.policy.timing.stale_after, !missing_ok);
            let hysteresis = quantity.default_hysteresis(&thresholds);
            let name = sensor.id.clone();
            self.push_limit(
                &name,
                &zone_name,
                quantity,
                LimitSpec {
                    zone,
                    sensors: vec![id],
                    response: quantity.default_response(),
                    sense: Sense::Above,
                    vote: Vote::Any,
                    tolerance: None,
                    factory: thresholds,
                    local: Thresholds::SILENT,
                    emergency: None,
                    hysteresis,
                    dwell: quantity.default_dwell(),
                    hold: Duration::ZERO,
                    lead: None,
                    sustained: None,
                    gate: None,
                    missing_ok,
                },
            );
        }
    }
}

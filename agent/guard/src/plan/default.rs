//! The factory layer: limits of what the hardware declares about itself.

use super::Draft;
use crate::catalog::{Catalog, SensorEntry};
use crate::policy::{Policy, Quantity, matches};
use flyball_safety::{LimitSpec, Response, Sense, Thresholds, Vote};
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
        // What a battery has left. How much of it an orderly stop takes is not the battery's to
        // say: it alerts, and the policy stops.
        (Kind::Duration | Kind::Utilization, Sense::Below) => {
            let (warning, limit) = (sensor.thresholds.low, sensor.thresholds.low_crit);
            let warning = warning.filter(|warning| limit.is_none_or(|limit| *warning > limit));
            Thresholds { warning: warning.or(limit), limit, ..Thresholds::SILENT }
        }
        _ => Thresholds::SILENT,
    }
}

/// The trip stands below the point at which the hardware acts for itself, so that the guard's
/// answer comes first; `max` is where ordinary operation ends, which is worth a warning. Nothing
/// acts within ordinary operation: where the two lie close together (an NVMe drive's three
/// degrees), the steps share what is between them.
fn temperature(sensor: &SensorEntry, margin: f64) -> Thresholds {
    let declared = sensor.thresholds;
    let acts = [declared.crit, declared.emergency].into_iter().flatten().reduce(f64::min);
    let ordinary = declared.max.filter(|max| acts.is_none_or(|acts| *max < acts));
    let below = |top: f64, step: f64| match ordinary {
        Some(max) if top - step <= max => f64::midpoint(max, top),
        Some(_) | None => top - step,
    };
    let trip = acts.map(|acts| below(acts, margin));
    let limit = trip.map(|trip| below(trip, STEP_CELSIUS));
    let by_limit = limit.map(|limit| limit - STEP_CELSIUS);
    let warning = match (ordinary, limit) {
        (Some(max), Some(limit)) if limit - max < STEP_CELSIUS => Some(max),
        _ => lower(declared.max, by_limit),
    };
    Thresholds { warning, limit, trip }
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
            let (quantity, sense, response) = match sensor.kind {
                Kind::Temperature => (Quantity::Temperature, Sense::Above, Response::Heat),
                Kind::Power => (Quantity::Power, Sense::Above, Response::Power),
                Kind::Duration => (Quantity::TimeLeft, Sense::Below, Response::Alert),
                Kind::Utilization => (Quantity::Part, Sense::Below, Response::Alert),
                _ => continue,
            };
            let thresholds = factory(sensor, sense, self.policy);
            if covered || thresholds == Thresholds::SILENT {
                continue;
            }
            // A sensor that reads at the start is relied upon from then on. One that doesn't
            // (an open diode, a right that is lacking) would hold its zone in failsafe for ever.
            // Equipment may be off, and what is off has no temperature.
            let reads = matches!(sensor.probe, Ok(_) | Err(NoData::NoHistory | NoData::Busy));
            let pulled = self.policy.missing_ok.iter().any(|it| matches(it, &sensor.id));
            let missing_ok = !reads || pulled || sensor.owner.key().is_some();
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
                    response,
                    sense,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Owner;
    use crate::plan;
    use flyball_hardware::Thresholds as Declared;
    use flyball_units::Unit;

    fn battery(name: &str, kind: Kind, unit: Unit, thresholds: Declared) -> SensorEntry {
        SensorEntry {
            id: format!("ups-1/{name}"),
            metric: format!("hw.{name}"),
            kind,
            unit,
            attributes: Vec::new(),
            period: Some(Duration::from_secs(10)),
            thresholds,
            probe: Ok(1.0),
            owner: Owner::Equipment("ups-1".into()),
            present: true,
        }
    }

    #[test]
    fn nothing_acts_within_what_the_hardware_calls_ordinary() {
        let of = |max: Option<f64>, crit: f64| {
            let declared = Declared { max, crit: Some(crit), ..Declared::default() };
            let sensor = battery("temp", Kind::Temperature, Unit::Celsius, declared);
            let Thresholds { warning, limit, trip } = temperature(&sensor, 5.0);
            (warning.unwrap(), limit.unwrap(), trip.unwrap())
        };
        assert_eq!(of(None, 100.0), (85.0, 90.0, 95.0));
        assert_eq!(of(Some(80.0), 100.0), (80.0, 90.0, 95.0));
        assert_eq!(of(Some(100.0), 100.0), (85.0, 90.0, 95.0), "the same says nothing more");
        assert_eq!(of(Some(92.0), 100.0), (92.0, 93.5, 95.0));
        assert_eq!(of(Some(45.0), 55.0), (45.0, 47.5, 50.0));
        assert_eq!(of(Some(42.0), 45.0), (42.0, 42.75, 43.5), "an intake");
    }

    #[test]
    fn what_a_ups_declares_as_low_alerts_and_takes_nothing_down() {
        let low = |low_crit, low| Declared { low_crit, low, ..Declared::default() };
        let mut catalog = Catalog::default();
        for (name, kind, unit, declared) in [
            ("battery.runtime", Kind::Duration, Unit::Second, low(Some(120.0), None)),
            ("battery.charge", Kind::Utilization, Unit::One, low(Some(0.2), Some(0.5))),
            ("load", Kind::Utilization, Unit::One, Declared::default()),
            ("input.voltage", Kind::Voltage, Unit::Volt, low(None, Some(184.0))),
        ] {
            catalog.sensors.push(battery(name, kind, unit, declared));
        }
        let planned = plan::plan(&catalog, &Policy::factory(), 1).unwrap();
        let names: Vec<&str> =
            planned.names.limits.iter().map(|limit| limit.name.as_str()).collect();
        assert_eq!(names, ["ups-1/battery.runtime", "ups-1/battery.charge"]);
        let limits = &planned.config.plan().limits;
        let factory = |index: usize| limits[index].factory;
        assert_eq!(
            (factory(0), factory(1)),
            (
                Thresholds { warning: Some(120.0), limit: Some(120.0), trip: None },
                Thresholds { warning: Some(0.5), limit: Some(0.2), trip: None }
            )
        );
        for limit in limits {
            assert_eq!((limit.response, limit.sense), (Response::Alert, Sense::Below));
            assert!(limit.missing_ok, "a UPS that is away holds nothing in failsafe");
        }
    }
}

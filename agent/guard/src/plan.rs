//! From what the hardware declares and what the policy says to the engine's plan, with the
//! names that the engine doesn't need and people do.

mod default;

use crate::catalog::{ActuatorEntry, Catalog, SensorEntry};
use crate::policy::{CapRule, DEFAULT_ZONE, FanRule, LimitRule, Policy, Quantity, matches};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{
    ActuatorSpec, Config, ConfigFault, Hand, Ladder, LimitSpec, Plan, Response, Rung, Sense,
    SensorId, SensorSpec, StuckSpec, Thresholds, Timing, Vote, ZoneId, ZoneSpec,
};
use flyball_units::{Kind, Unit};
use std::collections::BTreeMap;
use std::time::Duration;

/// No temperature of a machine's parts rises faster for longer than a moment.
const SLEW_CELSIUS_PER_S: f64 = 2.0;
const JUMP_CELSIUS_PER_S: f64 = 20.0;
const SLEW_WATTS_PER_S: f64 = 50.0;
const BAND_CELSIUS: (f64, f64) = (-20.0, 125.0);
/// Zero is a power; the engine's band is closed below by a little more.
const BAND_WATTS: (f64, f64) = (-1.0, 100_000.0);
/// Sensors on a CPU's own die: they move when its power does.
const ON_DIE: [&str; 4] = ["coretemp", "k10temp", "zenpower", "thermal/x86_pkg_temp"];
/// Half a minute at 4 Hz without one changed digit while the power moved by so much.
const STUCK_SAMPLES: u16 = 120;
const STUCK_MOVED_WATTS: f64 = 15.0;
/// The part of the way from its minimum to its maximum at which a cap is safe.
const SAFE_PART: f64 = 0.6;
/// How long a level of the machine's own may take to be read back.
/// How long a destructive command waits to be confirmed.
const ARMED_FOR: Duration = Duration::from_secs(60);
/// How long the init system may take to say that it has begun to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
pub(crate) const VERIFY_WITHIN: Duration = Duration::from_secs(3);
/// How many periods of its bus a value stays good at least.
const STALE_PERIODS: u32 = 3;
/// How often a slow bus of the machine's own is read.
pub(crate) const SLOW_PERIOD: Duration = Duration::from_secs(10);

/// Samples are taken on whole seconds.
pub(crate) const CADENCE_MS: u32 = 1000;

/// How old a value of a bus with that period may be and still be sampled.
pub(crate) fn sample_bound(period: Option<Duration>, policy: &Policy) -> Duration {
    period.map_or(policy.timing.stale_after, |period| period * STALE_PERIODS)
}

/// The checked plan and what its ids stand for.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) config: Config,
    pub(crate) names: Names,
    /// What the policy names and the board hasn't.
    pub(crate) remarks: Vec<String>,
}

/// Names in the order of the plan's lists.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) limits: Vec<LimitName>,
    /// Ids of the sensors that limits watch; one that the board hasn't keeps its pattern.
    pub(crate) sensors: Vec<String>,
    pub(crate) actuators: Vec<String>,
    /// For each sensor of the catalog its place in the plan.
    pub(crate) watched: Vec<Option<SensorId>>,
}

#[derive(Debug)]
pub(crate) struct LimitName {
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) hysteresis: f64,
}

/// Plans for everything in `catalog`.
///
/// # Errors
/// What the engine finds wrong with it, by the names of the policy.
pub(crate) fn plan(catalog: &Catalog, policy: &Policy) -> Result<Planned, Vec<String>> {
    let mut draft = Draft::new(catalog, policy);
    for rule in &policy.limits {
        draft.add_rule(rule);
    }
    draft.add_defaults();
    draft.add_companion();
    let Draft { zones, sensors, limits, mut names, remarks, .. } = draft;
    let zone_ids: BTreeMap<&str, ZoneId> =
        (0..).map(ZoneId::new).zip(&zones).map(|(id, zone)| (zone.0.as_str(), id)).collect();
    let mut actuators = Vec::new();
    for actuator in &catalog.actuators {
        names.actuators.push(actuator.id.clone());
        actuators.push(actuator_spec(actuator, policy, &zone_ids));
    }
    let plan = Plan {
        zones: zones.iter().map(|(_, spec)| *spec).collect(),
        sensors,
        limits,
        actuators,
        timing: Timing {
            cycle: policy.timing.cycle,
            settle_samples: policy.timing.settle_samples,
            step_time: policy.timing.step_time,
            release_after: policy.timing.release_after,
            assert_every: policy.timing.assert_every,
            release_jitter: Duration::ZERO,
            armed_for: ARMED_FOR,
        },
        groups: Vec::new(),
        interlocks: Vec::new(),
        seed: 0,
    };
    match Config::check(plan) {
        Ok(config) => Ok(Planned { config, names, remarks }),
        Err(faults) => Err(faults.iter().map(|fault| names.explain(fault)).collect()),
    }
}

/// The plan while it grows.
struct Draft<'a> {
    catalog: &'a Catalog,
    policy: &'a Policy,
    zones: Vec<(String, ZoneSpec)>,
    sensors: Vec<SensorSpec>,
    limits: Vec<LimitSpec>,
    names: Names,
    remarks: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(catalog: &'a Catalog, policy: &'a Policy) -> Self {
        let zones = policy.zones.iter();
        let ladder = ladder(policy);
        let spec = |grace| ZoneSpec { grace, ladder };
        let zones = zones.map(|zone| (zone.name.clone(), spec(zone.grace))).collect();
        let watched = vec![None; catalog.sensors.len()];
        let names = Names { watched, ..Names::default() };
        Self {
            catalog,
            policy,
            zones,
            sensors: Vec::new(),
            limits: Vec::new(),
            names,
            remarks: Vec::new(),
        }
    }

    fn first_zone(&self) -> String {
        self.zones.first().map_or_else(|| DEFAULT_ZONE.to_owned(), |(name, _)| name.clone())
    }

    /// The zone of that name; it is made where nobody declared it.
    fn zone(&mut self, name: &str) -> ZoneId {
        let index = self.zones.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            let grace =
                self.policy.zones.first().map_or(Duration::from_secs(60), |zone| zone.grace);
            self.zones.push((name.to_owned(), ZoneSpec { grace, ladder: ladder(self.policy) }));
            self.zones.len() - 1
        });
        ZoneId::new(u16::try_from(index).unwrap_or(u16::MAX))
    }

    fn add_rule(&mut self, rule: &LimitRule) {
        let zone_name = rule.zone.clone().unwrap_or_else(|| self.first_zone());
        let zone = self.zone(&zone_name);
        let stale_after = rule.stale_after.unwrap_or(self.policy.timing.stale_after);
        let mut group = Vec::new();
        let mut factory = Thresholds::SILENT;
        for pattern in &rule.sensors {
            let matching: Vec<usize> = (0..self.catalog.sensors.len())
                .filter(|index| {
                    let sensor = &self.catalog.sensors[*index];
                    sensor.kind == rule.quantity.kind() && matches(pattern, &sensor.id)
                })
                .collect();
            if matching.is_empty() {
                self.miss(rule, pattern, zone, stale_after, &mut group);
            }
            for index in matching {
                let declared = default::factory(&self.catalog.sensors[index], self.policy);
                factory = default::tightest(factory, declared);
                group.push(self.watch(index, zone, stale_after, !rule.missing_ok));
            }
        }
        group.sort_unstable();
        group.dedup();
        if group.is_empty() {
            return;
        }
        let hysteresis =
            rule.hysteresis.unwrap_or_else(|| rule.quantity.default_hysteresis(&rule.local));
        self.push_limit(
            &rule.name,
            &zone_name,
            rule.quantity,
            hysteresis,
            LimitSpec {
                zone,
                sensors: group,
                response: response(rule.quantity),
                sense: Sense::Above,
                vote: Vote::Any,
                tolerance: None,
                factory,
                local: rule.local,
                emergency: None,
                hysteresis,
                dwell: rule.dwell,
                hold: Duration::ZERO,
                lead: rule.lead,
                sustained: None,
                gate: None,
                missing_ok: rule.missing_ok,
            },
        );
    }

    /// A pattern that nothing fits. Where the sensor is required, a place is kept for it that
    /// is never read: the limit is blind, and its zone in failsafe, until it is there.
    fn miss(
        &mut self,
        rule: &LimitRule,
        pattern: &str,
        zone: ZoneId,
        stale_after: Duration,
        group: &mut Vec<SensorId>,
    ) {
        let outcome = match rule.missing_ok {
            true => "and need not",
            false => "and it is required: its zone stays in failsafe",
        };
        self.remarks.push(format!(
            "limit `{}`: no {:?} sensor fits `{pattern}`, {outcome}",
            rule.name,
            rule.quantity.kind()
        ));
        if rule.missing_ok {
            return;
        }
        let band = band(rule.quantity, None);
        let spec = spec(rule.quantity, zone, band, self.policy.timing.cycle, stale_after, true);
        group.push(self.push_sensor(pattern.to_owned(), spec));
    }

    /// The place of a sensor of the board in the plan.
    fn watch(
        &mut self,
        index: usize,
        zone: ZoneId,
        stale_after: Duration,
        required: bool,
    ) -> SensorId {
        if let Some(id) = self.names.watched[index] {
            self.sensors[id.index()].required |= required;
            return id;
        }
        let sensor = &self.catalog.sensors[index];
        let quantity = match sensor.kind {
            Kind::Power => Quantity::Power,
            _ => Quantity::Temperature,
        };
        let (period, stale_after) = match sensor.period {
            Some(period) => (period, stale_after.max(period * STALE_PERIODS)),
            None => (self.policy.timing.cycle, stale_after),
        };
        let band = band(quantity, Some(sensor));
        let spec = spec(quantity, zone, band, period, stale_after, required);
        let id = self.push_sensor(sensor.id.clone(), spec);
        self.names.watched[index] = Some(id);
        id
    }

    fn push_sensor(&mut self, name: String, spec: SensorSpec) -> SensorId {
        let id = SensorId::new(u16::try_from(self.sensors.len()).unwrap_or(u16::MAX));
        self.sensors.push(spec);
        self.names.sensors.push(name);
        id
    }

    fn push_limit(
        &mut self,
        name: &str,
        zone: &str,
        quantity: Quantity,
        hysteresis: f64,
        spec: LimitSpec,
    ) {
        self.limits.push(spec);
        self.names.limits.push(LimitName {
            name: name.to_owned(),
            zone: zone.to_owned(),
            kind: quantity.kind(),
            unit: quantity.unit(),
            hysteresis,
        });
    }

    /// On-die sensors are watched for freezing against the package's power.
    fn add_companion(&mut self) {
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
        for id in frozen {
            let stuck = StuckSpec { samples: STUCK_SAMPLES, companion, moved: STUCK_MOVED_WATTS };
            self.sensors[id.index()].stuck = Some(stuck);
        }
    }
}

/// What a trip leads to: the whole machine stops in order, where the policy says so.
fn ladder(policy: &Policy) -> Ladder {
    let shutdown = policy.shutdown_on_trip.then_some(Rung { within: STOPS_WITHIN });
    Ladder { shutdown, ..Ladder::NONE }
}

const fn response(quantity: Quantity) -> Response {
    match quantity {
        Quantity::Temperature => Response::Heat,
        Quantity::Power => Response::Power,
    }
}

/// The band of a quantity, widened to what the hardware itself declares as its own bounds.
fn band(quantity: Quantity, sensor: Option<&SensorEntry>) -> (f64, f64) {
    match quantity {
        Quantity::Power => BAND_WATTS,
        Quantity::Temperature => {
            let declared = sensor.map(|sensor| sensor.thresholds).unwrap_or_default();
            let declared = [declared.max, declared.crit, declared.emergency];
            let highest = declared.into_iter().flatten().fold(f64::MIN, f64::max);
            (BAND_CELSIUS.0, BAND_CELSIUS.1.max(highest + 10.0))
        }
    }
}

fn spec(
    quantity: Quantity,
    zone: ZoneId,
    (lowest, highest): (f64, f64),
    period: Duration,
    stale_after: Duration,
    required: bool,
) -> SensorSpec {
    let (slew_per_s, jump_per_s) = match quantity {
        Quantity::Temperature => (SLEW_CELSIUS_PER_S, Some(JUMP_CELSIUS_PER_S)),
        Quantity::Power => (SLEW_WATTS_PER_S, None),
    };
    SensorSpec {
        kind: quantity.kind(),
        zone,
        lowest,
        highest,
        slew_per_s,
        jump_per_s,
        period,
        stale_after,
        required,
        stuck: None,
    }
}

fn actuator_spec(
    actuator: &ActuatorEntry,
    policy: &Policy,
    zones: &BTreeMap<&str, ZoneId>,
) -> ActuatorSpec {
    let (hand, named) = match actuator.kind {
        ActuatorKind::Fan => fan(actuator, policy),
        ActuatorKind::PowerCap
        | ActuatorKind::FrequencyCap
        | ActuatorKind::Switch
        | ActuatorKind::Profile
        | ActuatorKind::Indicator
        | ActuatorKind::Service => cap(actuator, policy),
    };
    let mut serves: Vec<ZoneId> =
        named.iter().filter_map(|name| zones.get(name.as_str()).copied()).collect();
    if serves.is_empty() {
        serves.push(ZoneId::new(0));
    }
    // Its own package's power, where a default limit made a zone of it.
    let own = default::power_zone(&actuator.id);
    if actuator.kind == ActuatorKind::PowerCap && actuator.sustained {
        serves.extend(zones.get(own.as_str()));
    }
    ActuatorSpec {
        hand,
        zones: serves,
        tolerance: actuator.tolerance,
        verify_within: actuator.verify_within,
    }
}

fn fan(actuator: &ActuatorEntry, policy: &Policy) -> (Hand, Vec<String>) {
    let rule = policy.fans.iter().find(|rule| matches(&rule.actuator, &actuator.id)).cloned();
    let rule = rule.unwrap_or_else(FanRule::default_levels);
    let hand = Hand::Fan {
        min: rule.min_duty,
        failsafe: rule.failsafe_duty,
        full: rule.full_duty,
        automatic: actuator.own_control,
    };
    (hand, rule.zones)
}

fn cap(actuator: &ActuatorEntry, policy: &Policy) -> (Hand, Vec<String>) {
    let rule = policy.caps.iter().find(|rule| matches(&rule.actuator, &actuator.id)).cloned();
    let rule = rule.unwrap_or(CapRule {
        actuator: String::new(),
        zones: Vec::new(),
        min_watts: None,
        safe_watts: None,
        max_watts: None,
    });
    let (lowest, highest) = (actuator.min, actuator.max);
    // What the machine's owner had set stands above nothing: the guard never raises it.
    let found = actuator.found.filter(|watts| *watts >= lowest && *watts <= highest);
    let max = rule.max_watts.unwrap_or(highest).clamp(lowest, found.unwrap_or(highest));
    let min = rule.min_watts.unwrap_or(lowest).clamp(lowest, max);
    let safe = rule.safe_watts.unwrap_or(min + SAFE_PART * (max - min)).clamp(min, max);
    (Hand::PowerCap { min, safe, max }, rule.zones)
}

impl Names {
    /// An engine's fault in the words of the policy.
    fn explain(&self, fault: &ConfigFault) -> String {
        let name = match fault {
            ConfigFault::Band(id)
            | ConfigFault::Slew(id)
            | ConfigFault::Stale(id)
            | ConfigFault::Stuck(id)
            | ConfigFault::Unwatched(id) => self.sensors.get(id.index()),
            ConfigFault::NoSensors(id)
            | ConfigFault::MixedKinds(id)
            | ConfigFault::Thresholds(id)
            | ConfigFault::Hysteresis(id)
            | ConfigFault::Vote(id)
            | ConfigFault::Emergency(id)
            | ConfigFault::Apart(id)
            | ConfigFault::Sustained(id)
            | ConfigFault::Gate(id)
            | ConfigFault::Dwell(id) => self.limits.get(id.index()).map(|limit| &limit.name),
            ConfigFault::Levels(id)
            | ConfigFault::Tolerance(id)
            | ConfigFault::NoZones(id)
            | ConfigFault::Switch(id) => self.actuators.get(id.index()),
            ConfigFault::TooMany
            | ConfigFault::UnknownZone(_)
            | ConfigFault::UnknownSensor(_)
            | ConfigFault::UnknownLimit(_)
            | ConfigFault::UnknownActuator(_)
            | ConfigFault::UnknownGroup(_)
            | ConfigFault::Group(_)
            | ConfigFault::Interlock(_)
            | ConfigFault::Ladder(_)
            | ConfigFault::Timing => None,
        };
        match name {
            Some(name) => format!("{fault} (`{name}`)"),
            None => fault.to_string(),
        }
    }
}

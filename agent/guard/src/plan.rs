//! From what the hardware declares and what the policy says to the engine's plan, with the
//! names that the engine doesn't need and people do.

mod default;
mod hand;
mod interlock;
mod places;
mod rule;
mod stuck;

pub(crate) use places::Places;

use crate::catalog::{Catalog, Owner, SensorEntry};
use crate::policy::{DEFAULT_ZONE, Policy, Quantity, Zone, matches};
use flyball_safety::{
    ActuatorId, Config, ConfigFault, GroupId, GroupSpec, HardOff, InterlockId, InterlockSpec,
    Ladder, LimitSpec, Plan, Rung, SensorId, SensorSpec, Timing, ZoneId, ZoneSpec,
};
use flyball_units::{Kind, Unit};
use std::time::Duration;

/// How long a level of the machine's own may take to be read back.
pub(crate) const VERIFY_WITHIN: Duration = Duration::from_secs(3);
/// How many periods of its bus a value stays good at least.
const STALE_PERIODS: u32 = 3;
/// How often a slow bus of the machine's own is read.
pub(crate) const SLOW_PERIOD: Duration = Duration::from_secs(10);
/// How long a destructive command waits to be confirmed.
const ARMED_FOR: Duration = Duration::from_secs(60);
/// How long the init system may take to say that it has begun to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
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
    pub(crate) interlocks: Vec<InterlockName>,
    pub(crate) zones: Vec<String>,
    pub(crate) groups: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct LimitName {
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) hysteresis: f64,
}

#[derive(Debug)]
pub(crate) struct InterlockName {
    pub(crate) name: String,
    /// The policy's sentence.
    pub(crate) reason: String,
    pub(crate) conditions: Vec<ConditionName>,
}

/// A condition as a person reads it.
#[derive(Debug)]
pub(crate) struct ConditionName {
    pub(crate) text: String,
    pub(crate) unit: Option<Unit>,
}

/// Plans for everything in `catalog`. `seed` is a number of this machine's own.
///
/// # Errors
/// What the engine finds wrong with it, by the names of the policy.
pub(crate) fn plan(catalog: &Catalog, policy: &Policy, seed: u64) -> Result<Planned, Vec<String>> {
    let mut draft = Draft::new(catalog, policy);
    for rule in &policy.limits {
        draft.add_rule(rule);
    }
    draft.add_defaults();
    draft.add_companion();
    let actuators = draft.actuators();
    draft.add_interlocks();
    draft.add_hard_offs();
    let Draft { zones, sensors, limits, interlocks, mut names, remarks, .. } = draft;
    names.zones = zones.iter().map(|(name, _)| name.clone()).collect();
    names.groups = policy.groups.iter().map(|group| group.name.clone()).collect();
    let timing = &policy.timing;
    let group =
        |rule: &crate::policy::GroupRule| GroupSpec { at_most: rule.at_most, within: rule.within };
    let plan = Plan {
        zones: zones.iter().map(|(_, spec)| *spec).collect(),
        sensors,
        limits,
        actuators,
        groups: policy.groups.iter().map(group).collect(),
        interlocks,
        timing: Timing {
            cycle: timing.cycle,
            settle_samples: timing.settle_samples,
            step_time: timing.step_time,
            release_after: timing.release_after,
            release_jitter: timing.release_jitter,
            assert_every: timing.assert_every,
            armed_for: ARMED_FOR,
            hold_at_most: timing.hold_at_most,
        },
        seed,
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
    interlocks: Vec<InterlockSpec>,
    names: Names,
    remarks: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(catalog: &'a Catalog, policy: &'a Policy) -> Self {
        let zones = policy.zones.iter();
        let zones = zones.map(|zone| (zone.name.clone(), zone_spec(zone, policy))).collect();
        let watched = vec![None; catalog.sensors.len()];
        let actuators = catalog.actuators.iter().map(|actuator| actuator.id.clone()).collect();
        let names = Names { watched, actuators, ..Names::default() };
        Self {
            catalog,
            policy,
            zones,
            sensors: Vec::new(),
            limits: Vec::new(),
            interlocks: Vec::new(),
            names,
            remarks: Vec::new(),
        }
    }

    fn first_zone(&self) -> String {
        self.zones.first().map_or_else(|| DEFAULT_ZONE.to_owned(), |(name, _)| name.clone())
    }

    /// Where a sensor or an actuator belongs that no rule places: equipment is a zone of its own,
    /// because the machine's fans do not cool it.
    fn zone_of_owner(&self, owner: &Owner) -> String {
        owner.key().map_or_else(|| self.first_zone(), |key| format!("equipment:{key}"))
    }

    /// The zone of that name; it is made where nobody declared it.
    fn zone(&mut self, name: &str) -> ZoneId {
        let index = self.zones.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            let grace = self.policy.zones.first().map(|zone| zone.grace);
            let mut zone = Zone::named(name);
            zone.grace = grace.unwrap_or(zone.grace);
            // The machine does not stop for what is wrong with equipment.
            let mut spec = zone_spec(&zone, self.policy);
            if name.starts_with("equipment:") {
                spec.ladder = Ladder::NONE;
            }
            self.zones.push((name.to_owned(), spec));
            self.zones.len() - 1
        });
        ZoneId::new(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// The first actuator of the catalog that fits.
    fn actuator(&self, pattern: &str) -> Option<ActuatorId> {
        let index = self.catalog.actuators.iter().position(|each| matches(pattern, &each.id))?;
        u16::try_from(index).ok().map(ActuatorId::new)
    }

    /// The place of a sensor of the catalog in the plan.
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
        let quantity = Quantity::of(sensor.kind);
        let (period, stale_after) = match sensor.period {
            Some(period) => (period, stale_after.max(period * STALE_PERIODS)),
            None => (self.policy.timing.cycle, stale_after),
        };
        let band = band(quantity, sensor);
        let mut spec =
            spec(quantity.unwrap_or(Quantity::Count), zone, band, period, stale_after, required);
        spec.kind = sensor.kind;
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

    fn push_limit(&mut self, name: &str, zone: &str, quantity: Quantity, spec: LimitSpec) {
        self.names.limits.push(LimitName {
            name: name.to_owned(),
            zone: zone.to_owned(),
            kind: quantity.kind(),
            unit: quantity.unit(),
            hysteresis: spec.hysteresis,
        });
        self.limits.push(spec);
    }

    /// The switches that cut a zone's power at the end of its ladder.
    fn add_hard_offs(&mut self) {
        for zone in &self.policy.zones {
            let Some((pattern, after)) = &zone.ladder.hard_off else {
                continue;
            };
            let switch = self.actuator(pattern);
            let known = self.zones.iter_mut().find(|(name, _)| *name == zone.name);
            match (switch, known) {
                (Some(switch), Some((_, spec))) => {
                    spec.ladder.hard_off = Some(HardOff { switch, after: *after });
                }
                (None, _) | (_, None) => self.remarks.push(format!(
                    "zone `{}`: no switch fits `{pattern}`, so nothing can cut its power",
                    zone.name
                )),
            }
        }
    }
}

fn zone_spec(zone: &Zone, policy: &Policy) -> ZoneSpec {
    let stops = policy.shutdown_on_trip.then_some(Rung { within: STOPS_WITHIN });
    let rungs = zone.ladder.rungs.unwrap_or(Ladder::NONE);
    let ladder = Ladder { shutdown: rungs.shutdown.or(stops), ..rungs };
    ZoneSpec { grace: zone.grace, ladder }
}

/// The band of a quantity, widened to what the hardware itself declares as its own bounds. What
/// limits don't know has no band.
fn band(quantity: Option<Quantity>, sensor: &SensorEntry) -> (f64, f64) {
    let Some(quantity) = quantity else {
        return (-1e18, 1e18);
    };
    let (lowest, highest) = quantity.band();
    if quantity != Quantity::Temperature {
        return (lowest, highest);
    }
    let declared = sensor.thresholds;
    let declared = [declared.max, declared.crit, declared.emergency];
    let top = declared.into_iter().flatten().fold(f64::MIN, f64::max);
    (lowest, highest.max(top + 10.0))
}

fn spec(
    quantity: Quantity,
    zone: ZoneId,
    (lowest, highest): (f64, f64),
    period: Duration,
    stale_after: Duration,
    required: bool,
) -> SensorSpec {
    SensorSpec {
        kind: quantity.kind(),
        zone,
        lowest,
        highest,
        slew_per_s: quantity.slew_per_s(),
        jump_per_s: quantity.jump_per_s(),
        period,
        stale_after,
        required,
        stuck: None,
    }
}

impl Names {
    pub(crate) fn group(&self, id: GroupId) -> &str {
        self.groups.get(id.index()).map_or("?", String::as_str)
    }

    pub(crate) fn interlock(&self, id: InterlockId) -> Option<&InterlockName> {
        self.interlocks.get(id.index())
    }

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
            ConfigFault::Interlock(id) => self.interlock(*id).map(|interlock| &interlock.name),
            ConfigFault::Group(id) => self.groups.get(id.index()),
            ConfigFault::Ladder(id) => self.zones.get(id.index()),
            ConfigFault::TooMany
            | ConfigFault::UnknownZone(_)
            | ConfigFault::UnknownSensor(_)
            | ConfigFault::UnknownLimit(_)
            | ConfigFault::UnknownActuator(_)
            | ConfigFault::UnknownGroup(_)
            | ConfigFault::Timing => None,
        };
        match name {
            Some(name) => format!("{fault} (`{name}`)"),
            None => fault.to_string(),
        }
    }
}

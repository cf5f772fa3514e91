//! Walking through a BMC once: systems, chassis, managers, and what each of them offers.
//!
//! The newer model (Sensors, EnvironmentMetrics, the subsystems) is taken where it is there; its
//! predecessors (Thermal, Power) fill in what it doesn't have. Every collection is bounded.

use super::http::{Client, Trouble, is_path};
use super::plan::{Drive, LimitForm, NewSensor, Place, Plan, StandingForm};
use super::reading::{Measure, link, old_thresholds, text, thresholds};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorEntry, Fault, FaultKind, Identity, Thresholds};
use flyball_guard_messages::ActuatorKind;
use flyball_units::Unit;
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_SYSTEMS: usize = 16;
const MAX_CHASSIS: usize = 32;
const MAX_SUPPLIES: usize = 16;
const MAX_MEMBERS: usize = 512;
/// Pages of one collection.
const MAX_PAGES: usize = 16;
/// A cap that names no bounds may be set up to here, as any power may be at all.
const MAX_WATTS: f64 = 100_000.0;

/// Finds out what there is.
///
/// # Errors
/// Where the BMC can't be reached, or is none.
pub(super) fn discover(client: &Client, system: Option<&str>) -> Result<Plan, Fault> {
    let root = client.get("/redfish/v1/")?.body;
    if root.get("RedfishVersion").is_none() && root.get("Systems").is_none() {
        let message = "what answers at /redfish/v1/ is no Redfish service";
        return Err(Fault::new(FaultKind::Nonsense, message));
    }
    let expands = root.pointer("/ProtocolFeaturesSupported/ExpandQuery/Levels");
    let expands = expands.and_then(Value::as_bool).unwrap_or(false);
    let mut walk = Walk { client, plan: Plan::default(), expands };
    let systems = walk.systems(&root, system)?;
    let chassis = walk.chassis(&root, &systems, system.is_some())?;
    walk.identify(&root, &systems, &chassis)?;
    let several = chassis.len() > 1;
    for body in &chassis {
        let id = text(body, "Id").unwrap_or_default();
        let prefix = if several { format!("{id}.") } else { String::new() };
        walk.read_chassis(body, &prefix)?;
    }
    walk.act_on_systems(&systems);
    walk.light(&systems, &chassis);
    walk.find_log(&systems)?;
    walk.plan.close();
    Ok(walk.plan)
}

struct Walk<'a> {
    client: &'a Client,
    plan: Plan,
    expands: bool,
}

impl Walk<'_> {
    /// A document that may not be there: what is refused or missing is `None` and said where it
    /// is not simply missing.
    fn optional(&mut self, path: &str) -> Result<Option<Value>, Fault> {
        match self.client.get(path) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(Trouble::Status { code: 404 | 405 | 410 | 501, .. }) => Ok(None),
            Err(Trouble::Status { code: code @ (401 | 403), what, said }) => {
                Err(Trouble::Status { code, what, said }.into())
            }
            Err(Trouble::Status { code, what, said }) => {
                self.plan.remark(format!("{what} is answered {code}{said} and left out"));
                Ok(None)
            }
            Err(Trouble::Broken(fault)) => Err(fault),
        }
    }

    fn linked(&mut self, object: &Value, key: &str) -> Result<Option<(String, Value)>, Fault> {
        let Some(path) = link(object, key).filter(|path| is_path(path)) else {
            return Ok(None);
        };
        Ok(self.optional(path)?.map(|body| (path.to_owned(), body)))
    }

    /// The paths of a collection's members.
    fn members(&mut self, path: &str, most: usize) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        let mut page = Some(path.to_owned());
        for _ in 0..MAX_PAGES {
            let Some(path) = page.take() else { break };
            let Some(body) = self.optional(&path)? else { break };
            let members = body.get("Members").and_then(Value::as_array);
            for member in members.into_iter().flatten() {
                let Some(path) = member.get("@odata.id").and_then(Value::as_str) else { continue };
                if !is_path(path) {
                    self.plan.remark(format!("a member of {path} links to elsewhere"));
                } else if found.len() < most {
                    found.push(path.to_owned());
                }
            }
            page = body.get("Members@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(found)
    }

    /// The members' bodies, each with its own path as `@odata.id`.
    fn bodies(&mut self, object: &Value, key: &str, most: usize) -> Result<Vec<Value>, Fault> {
        let Some(path) = link(object, key).map(str::to_owned) else {
            return Ok(Vec::new());
        };
        let mut bodies = Vec::new();
        for path in self.members(&path, most)? {
            if let Some(mut body) = self.optional(&path)?
                && let Some(object) = body.as_object_mut()
            {
                object.insert("@odata.id".to_owned(), path.into());
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    fn systems(&mut self, root: &Value, wanted: Option<&str>) -> Result<Vec<Value>, Fault> {
        let mut systems = self.bodies(root, "Systems", MAX_SYSTEMS)?;
        let Some(wanted) = wanted else {
            return Ok(systems);
        };
        let is_it = |body: &Value| {
            ["Id", "Name", "UUID"].iter().any(|key| text(body, key).as_deref() == Some(wanted))
        };
        systems.retain(is_it);
        if systems.is_empty() {
            let message = format!("there is no system `{wanted}`; name another in `system`");
            return Err(Fault::new(FaultKind::Misconfigured, message));
        }
        Ok(systems)
    }

    /// The chassis: all, or those of the system that was chosen.
    fn chassis(
        &mut self,
        root: &Value,
        systems: &[Value],
        chosen: bool,
    ) -> Result<Vec<Value>, Fault> {
        let mut chassis = self.bodies(root, "Chassis", MAX_CHASSIS)?;
        let linked: BTreeSet<&str> = systems
            .iter()
            .filter_map(|system| system.pointer("/Links/Chassis")?.as_array())
            .flatten()
            .filter_map(|link| link.get("@odata.id")?.as_str())
            .collect();
        if chosen && !linked.is_empty() {
            chassis.retain(|body| path_of(body).is_some_and(|path| linked.contains(path)));
        }
        Ok(chassis)
    }

    fn identify(
        &mut self,
        root: &Value,
        systems: &[Value],
        chassis: &[Value],
    ) -> Result<(), Fault> {
        let managers = self.bodies(root, "Managers", 4)?;
        let first = |key: &str| systems.iter().chain(chassis).find_map(|body| text(body, key));
        self.plan.described.identity = Identity {
            vendor: first("Manufacturer").or_else(|| text(root, "Vendor")),
            model: first("Model").or_else(|| text(root, "Product")),
            serial: first("SerialNumber"),
            firmware: managers.iter().find_map(|body| text(body, "FirmwareVersion")),
        };
        Ok(())
    }

    fn read_chassis(&mut self, chassis: &Value, prefix: &str) -> Result<(), Fault> {
        let sensed = self.read_sensors(chassis, prefix)?;
        if let Some((path, metrics)) = self.linked(chassis, "EnvironmentMetrics")? {
            self.read_excerpts(&path, &metrics, prefix, &sensed);
            self.limit_of_metrics(&path, &metrics, prefix);
        }
        if sensed.is_empty() {
            self.read_subsystems(chassis, prefix)?;
        }
        if !self.plan.measures(Measure::TEMPERATURE)
            && let Some((path, thermal)) = self.linked(chassis, "Thermal")?
        {
            self.read_thermal(&path, &thermal, prefix);
        }
        let capped = self.plan.drives.iter().any(|drive| matches!(drive, Drive::Limit { .. }));
        if (!self.plan.measures(Measure::POWER) || !capped)
            && let Some((path, power)) = self.linked(chassis, "Power")?
        {
            self.read_power(&path, &power, prefix, capped);
        }
        Ok(())
    }

    /// The collection `Sensors`; gives back the paths of those that are read.
    fn read_sensors(&mut self, chassis: &Value, prefix: &str) -> Result<BTreeSet<String>, Fault> {
        let mut sensed = BTreeSet::new();
        let Some(collection) = link(chassis, "Sensors").filter(|path| is_path(path)) else {
            return Ok(sensed);
        };
        let collection = collection.to_owned();
        let expanded = format!("{collection}?$expand=.($levels=1)");
        let whole = if self.expands { self.optional(&expanded)? } else { None };
        let whole = whole.filter(is_expanded);
        let members: Vec<(String, Value)> = match &whole {
            Some(body) => body
                .get("Members")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|member| Some((path_of(member)?.to_owned(), member.clone())))
                .take(MAX_MEMBERS)
                .collect(),
            None => self
                .bodies(chassis, "Sensors", MAX_MEMBERS)?
                .into_iter()
                .filter_map(|body| Some((path_of(&body)?.to_owned(), body)))
                .collect(),
        };
        let source = if whole.is_some() { &expanded } else { &collection };
        self.plan.collections.push((source.clone(), members.len()));
        let mut unknown = 0;
        for (path, body) in members {
            let Some(measure) = Measure::of_sensor(&body) else {
                unknown += 1;
                continue;
            };
            let id = text(&body, "Id").unwrap_or_else(|| last_part(&path).to_owned());
            let name = format!("{prefix}{id}");
            let new = NewSensor {
                name: &name,
                object: &body,
                thresholds: thresholds(&body, measure.factor),
            };
            let (document, place) = match &whole {
                Some(_) => (expanded.as_str(), Place::Member(path.clone())),
                None => (path.as_str(), Place::Whole),
            };
            self.plan.sensor(document, place, "Reading", measure, new);
            sensed.insert(path);
        }
        if unknown > 0 {
            self.plan.remark(format!("{unknown} sensors of {collection} have no unit known here"));
        }
        Ok(sensed)
    }

    /// The subsystems' own metrics, where the chassis has no sensors of their own.
    fn read_subsystems(&mut self, chassis: &Value, prefix: &str) -> Result<(), Fault> {
        let none = BTreeSet::new();
        if let Some((_, thermal)) = self.linked(chassis, "ThermalSubsystem")? {
            if let Some((path, metrics)) = self.linked(&thermal, "ThermalMetrics")? {
                self.read_excerpts(&path, &metrics, prefix, &none);
            }
            for fan in self.bodies(&thermal, "Fans", MAX_SUPPLIES * 4)? {
                if let Some(path) = path_of(&fan) {
                    let id = text(&fan, "Id").unwrap_or_default();
                    self.read_excerpts(path, &fan, &format!("{prefix}fan.{id}."), &none);
                }
            }
        }
        if let Some((_, power)) = self.linked(chassis, "PowerSubsystem")? {
            for supply in self.bodies(&power, "PowerSupplies", MAX_SUPPLIES)? {
                let id = text(&supply, "Id").unwrap_or_default();
                if let Some((path, metrics)) = self.linked(&supply, "Metrics")? {
                    self.read_excerpts(&path, &metrics, &format!("{prefix}psu.{id}."), &none);
                }
            }
        }
        Ok(())
    }

    /// Properties that hold an excerpt of a sensor, where that sensor isn't read itself.
    fn read_excerpts(&mut self, path: &str, body: &Value, prefix: &str, sensed: &BTreeSet<String>) {
        let Some(object) = body.as_object() else { return };
        for (key, value) in object {
            let Some(measure) = Measure::of_property(key) else { continue };
            match value {
                Value::Object(_) => {
                    let pointer = format!("/{key}");
                    self.read_excerpt(path, pointer, value, measure, prefix, (key, None), sensed);
                }
                Value::Array(list) => {
                    for (index, value) in list.iter().enumerate().take(MAX_MEMBERS) {
                        let pointer = format!("/{key}/{index}");
                        let place = (key.as_str(), Some(index));
                        self.read_excerpt(path, pointer, value, measure, prefix, place, sensed);
                    }
                }
                _ => {}
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one property, seen from two callers")]
    fn read_excerpt(
        &mut self,
        path: &str,
        pointer: String,
        value: &Value,
        measure: Measure,
        prefix: &str,
        (key, index): (&str, Option<usize>),
        sensed: &BTreeSet<String>,
    ) {
        let source = text(value, "DataSourceUri");
        let device = text(value, "DeviceName");
        let id = source.as_deref().map(last_part).map(str::to_owned).or_else(|| device.clone());
        let id = id.unwrap_or_else(|| match index {
            Some(index) => format!("{key}-{index}"),
            None => key.to_owned(),
        });
        let place = Place::Pointer(pointer);
        let thresholds = Thresholds::default();
        if !source.is_some_and(|source| sensed.contains(&source)) {
            let name = format!("{prefix}{id}");
            let new = NewSensor { name: &name, object: value, thresholds };
            self.plan.sensor(path, place.clone(), "Reading", measure, new);
        }
        if value.get("SpeedRPM").is_some() {
            let name = format!("{prefix}{id}-rpm");
            let new = NewSensor { name: &name, object: value, thresholds };
            self.plan.sensor(path, place, "SpeedRPM", Measure::SPEED, new);
        }
    }

    fn read_thermal(&mut self, path: &str, thermal: &Value, prefix: &str) {
        self.read_elements(path, thermal, "Temperatures", prefix, |_| {
            Some(("ReadingCelsius", Measure::TEMPERATURE))
        });
        self.read_elements(path, thermal, "Fans", prefix, |fan| {
            match text(fan, "ReadingUnits").as_deref() {
                Some("Percent") => Some(("Reading", Measure::DUTY)),
                _ => Some(("Reading", Measure::SPEED)),
            }
        });
    }

    fn read_power(&mut self, path: &str, power: &Value, prefix: &str, capped: bool) {
        if !self.plan.measures(Measure::POWER) {
            self.read_elements(path, power, "PowerControl", prefix, |_| {
                Some(("PowerConsumedWatts", Measure::POWER))
            });
            self.read_elements(path, power, "PowerSupplies", prefix, |supply| {
                let keys = ["PowerInputWatts", "PowerOutputWatts", "LastPowerOutputWatts"];
                let key = keys.into_iter().find(|key| supply.get(*key).is_some())?;
                Some((key, Measure::POWER))
            });
        }
        if !self.plan.measures(Measure::VOLTAGE) {
            self.read_elements(path, power, "Voltages", prefix, |_| {
                Some(("ReadingVolts", Measure::VOLTAGE))
            });
        }
        if !capped {
            self.limit_of_power(path, power, prefix);
        }
    }

    fn read_elements(
        &mut self,
        path: &str,
        body: &Value,
        list: &'static str,
        prefix: &str,
        what: impl Fn(&Value) -> Option<(&'static str, Measure)>,
    ) {
        let elements = body.get(list).and_then(Value::as_array);
        for (index, element) in elements.into_iter().flatten().enumerate().take(MAX_MEMBERS) {
            let Some((key, measure)) = what(element) else { continue };
            let id = text(element, "MemberId");
            let label = text(element, "Name").or_else(|| id.clone());
            let label = label.unwrap_or_else(|| format!("{list} {index}"));
            let name = format!("{prefix}{label}");
            let new =
                NewSensor { name: &name, object: element, thresholds: old_thresholds(element) };
            self.plan.sensor(path, Place::Element { list, id, index }, key, measure, new);
        }
    }

    fn limit_of_metrics(&mut self, path: &str, metrics: &Value, prefix: &str) {
        let Some(limit) = metrics.get("PowerLimitWatts").filter(|limit| limit.is_object()) else {
            return;
        };
        let bounds = (number(limit, "AllowableMin"), number(limit, "AllowableMax"));
        let pointer = "/PowerLimitWatts".to_owned();
        self.limit(path, pointer, LimitForm::SetPoint, prefix, limit, bounds);
    }

    fn limit_of_power(&mut self, path: &str, power: &Value, prefix: &str) {
        let controls = power.get("PowerControl").and_then(Value::as_array);
        for (index, control) in controls.into_iter().flatten().enumerate().take(4) {
            if let Some(limit) = control.get("PowerLimit").filter(|limit| limit.is_object()) {
                let pointer = format!("/PowerControl/{index}/PowerLimit");
                let bounds = (None, number(control, "PowerCapacityWatts"));
                self.limit(path, pointer, LimitForm::LimitInWatts, prefix, limit, bounds);
            }
        }
    }

    fn limit(
        &mut self,
        path: &str,
        pointer: String,
        form: LimitForm,
        prefix: &str,
        object: &Value,
        (min, max): (Option<f64>, Option<f64>),
    ) {
        // A bound of 0 was never set.
        let min = min.filter(|min| *min > 0.0).unwrap_or(1.0);
        let max = max.filter(|max| *max > min).unwrap_or(MAX_WATTS);
        let key = match form {
            LimitForm::SetPoint => "SetPoint",
            LimitForm::LimitInWatts => "LimitInWatts",
        };
        let name = format!("{prefix}cap");
        let new = NewSensor { name: &name, object, thresholds: Thresholds::default() };
        self.plan.sensor(path, Place::Pointer(pointer.clone()), key, Measure::LIMIT, new);
        let entry = ActuatorEntry {
            name,
            label: "power limit".to_owned(),
            kind: ActuatorKind::PowerCap,
            unit: Unit::Watt,
            min,
            max,
            quantum: 1.0,
            verbs: Vec::new(),
            words: Vec::new(),
            effect: self.power_sensor(),
        };
        let drive = Drive::Limit { resource: path.to_owned(), pointer: pointer.clone(), form };
        self.plan.actuator(entry, drive, (path, StandingForm::Limit { pointer, form }));
    }

    /// The sensor that shows what the whole chassis takes: the one that is called so, or the
    /// greatest of several would be a guess, so the first.
    fn power_sensor(&self) -> Option<u16> {
        let power = |metric: &str| metric == Measure::POWER.metric;
        let sensors = || (0..).zip(&self.plan.described.sensors).filter(|(_, s)| power(&s.metric));
        let total = |label: &str| {
            let label = label.to_ascii_lowercase();
            ["total", "chassis", "system", "consum"].iter().any(|word| label.contains(word))
        };
        let called = sensors().find(|(_, s)| total(&s.label) || total(&s.name));
        called.or_else(|| sensors().next()).map(|(index, _)| index)
    }

    fn act_on_systems(&mut self, systems: &[Value]) {
        for system in systems {
            let Some(path) = path_of(system).map(str::to_owned) else { continue };
            let action = system.pointer("/Actions/#ComputerSystem.Reset");
            let allowed = action.and_then(|a| a.get("ResetType@Redfish.AllowableValues"));
            let verbs = match allowed.and_then(Value::as_array) {
                Some(words) => known_verbs(words),
                // It does not say: what every implementation has.
                None => vec![ResetType::On, ResetType::ForceOff],
            };
            let target = action.and_then(|action| action.get("target")?.as_str());
            let target = target.filter(|path| is_path(path)).map(str::to_owned);
            if target.is_none() {
                self.plan.remark(format!("{path} has no reset: its power can only be read"));
            }
            let sources = system.pointer("/Boot/BootSourceOverrideTarget@Redfish.AllowableValues");
            let sources = sources.and_then(Value::as_array).into_iter().flatten();
            let words = sources.filter_map(Value::as_str).filter(|word| *word != "None");
            let entry = ActuatorEntry {
                name: named("power", systems.len(), system),
                label: text(system, "Name").unwrap_or_else(|| "power".to_owned()),
                kind: ActuatorKind::Switch,
                unit: Unit::One,
                min: 0.0,
                max: 0.0,
                quantum: 0.0,
                verbs: if target.is_some() { verbs } else { Vec::new() },
                words: words.take(32).map(flyball_driver_messages::bounded).collect(),
                effect: None,
            };
            let drive = Drive::Switch { system: path.clone(), reset: target };
            self.plan.actuator(entry, drive, (&path, StandingForm::Power));
        }
    }

    /// The identify lights: a system's own, or else its chassis'.
    fn light(&mut self, systems: &[Value], chassis: &[Value]) {
        let has = |bodies: &[Value]| bodies.iter().any(|body| light_of(body).is_some());
        let bodies = if has(systems) { systems } else { chassis };
        for body in bodies {
            let (Some(path), Some(form)) = (path_of(body).map(str::to_owned), light_of(body))
            else {
                continue;
            };
            let entry = ActuatorEntry {
                name: named("identify", bodies.len(), body),
                label: "identify light".to_owned(),
                kind: ActuatorKind::Indicator,
                unit: Unit::One,
                min: 0.0,
                max: 0.0,
                quantum: 0.0,
                verbs: Vec::new(),
                words: Vec::new(),
                effect: None,
            };
            let drive = Drive::Light { resource: path.clone(), form: form.clone() };
            self.plan.actuator(entry, drive, (&path, form));
        }
    }

    /// The event log of the first system that has one, the SEL before others.
    fn find_log(&mut self, systems: &[Value]) -> Result<(), Fault> {
        for system in systems {
            let mut logs = self.bodies(system, "LogServices", 8)?;
            logs.sort_by_key(|log| {
                let id = text(log, "Id").unwrap_or_default().to_ascii_lowercase();
                !(id.contains("sel") || text(log, "LogEntryType").as_deref() == Some("SEL"))
            });
            if let Some(entries) = logs.iter().find_map(|log| link(log, "Entries"))
                && is_path(entries)
            {
                self.plan.log = Some(entries.to_owned());
                return Ok(());
            }
        }
        Ok(())
    }
}

fn path_of(body: &Value) -> Option<&str> {
    body.get("@odata.id").and_then(Value::as_str).filter(|path| is_path(path))
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit(['/', '#']).next().unwrap_or(path)
}

fn number(object: &Value, key: &str) -> Option<f64> {
    object.get(key).and_then(Value::as_f64)
}

/// Some accept `$expand` and leave it at the links.
fn is_expanded(body: &Value) -> bool {
    let members = body.get("Members").and_then(Value::as_array);
    members.is_some_and(|members| {
        !members.is_empty() && members.iter().all(|member| member.get("Name").is_some())
    })
}

/// `power`, or `power-node-a` where there are several.
fn named(word: &str, count: usize, body: &Value) -> String {
    match text(body, "Id").filter(|_| count > 1) {
        Some(id) => format!("{word}-{id}"),
        None => word.to_owned(),
    }
}

fn known_verbs(words: &[Value]) -> Vec<ResetType> {
    words.iter().filter_map(Value::as_str).filter_map(ResetType::from_name).collect()
}

fn light_of(body: &Value) -> Option<StandingForm> {
    if body.get("LocationIndicatorActive").is_some_and(Value::is_boolean) {
        return Some(StandingForm::Locator);
    }
    text(body, "IndicatorLED").map(|_| StandingForm::Led)
}

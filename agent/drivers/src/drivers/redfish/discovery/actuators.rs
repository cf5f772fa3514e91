//! What can be asked of a BMC: power limits, resets, identify lights.

use super::super::http::is_path;
use super::super::plan::{Drive, LimitForm, NewSensor, Place, StandingForm};
use super::super::reading::{Measure, text};
use super::{Walk, path_of};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorEntry, Thresholds};
use flyball_guard_messages::ActuatorKind;
use flyball_units::Unit;
use serde_json::Value;

/// A cap that names no bounds may be set up to here, as any power may be at all.
const MAX_WATTS: f64 = 100_000.0;

impl Walk<'_> {
    pub(super) fn limit_of_metrics(&mut self, path: &str, metrics: &Value, prefix: &str) {
        let Some(limit) = metrics.get("PowerLimitWatts").filter(|limit| limit.is_object()) else {
            return;
        };
        let bounds = (number(limit, "AllowableMin"), number(limit, "AllowableMax"));
        let pointer = "/PowerLimitWatts".to_owned();
        self.limit(path, pointer, LimitForm::SetPoint, prefix, limit, bounds);
    }

    pub(super) fn limit_of_power(&mut self, path: &str, power: &Value, prefix: &str) {
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
            unit: Unit::Watt,
            min,
            max,
            quantum: 1.0,
            effect: self.power_sensor(),
            ..ActuatorEntry::bare(ActuatorKind::PowerCap, name, "power limit")
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

    pub(super) fn act_on_systems(&mut self, systems: &[Value]) {
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
            let name = named("power", systems.len(), system);
            let label = text(system, "Name").unwrap_or_else(|| "power".to_owned());
            let entry = ActuatorEntry {
                verbs: if target.is_some() { verbs } else { Vec::new() },
                words: words.take(32).map(flyball_driver_messages::bounded).collect(),
                ..ActuatorEntry::bare(ActuatorKind::Switch, name, label)
            };
            let drive = Drive::Switch { system: path.clone(), reset: target };
            self.plan.actuator(entry, drive, (&path, StandingForm::Power));
        }
    }

    /// The identify lights: a system's own, or else its chassis'.
    pub(super) fn light(&mut self, systems: &[Value], chassis: &[Value]) {
        let has = |bodies: &[Value]| bodies.iter().any(|body| light_of(body).is_some());
        let bodies = if has(systems) { systems } else { chassis };
        for body in bodies {
            let (Some(path), Some(form)) = (path_of(body).map(str::to_owned), light_of(body))
            else {
                continue;
            };
            let name = named("identify", bodies.len(), body);
            let entry = ActuatorEntry::bare(ActuatorKind::Indicator, name, "identify light");
            let drive = Drive::Light { resource: path.clone(), form: form.clone() };
            self.plan.actuator(entry, drive, (&path, form));
        }
    }
}

fn number(object: &Value, key: &str) -> Option<f64> {
    object.get(key).and_then(Value::as_f64)
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

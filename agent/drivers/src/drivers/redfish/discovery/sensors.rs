//! What a chassis measures: the sensors of the newer model, or what its predecessors have.

use super::super::http::is_path;
use super::super::plan::{NewSensor, Place};
use super::super::reading::{Measure, link, old_thresholds, text, thresholds};
use super::{Walk, path_of};
use flyball_driver_messages::{Fault, Thresholds};
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_SUPPLIES: usize = 16;
const MAX_MEMBERS: usize = 512;

impl Walk<'_> {
    /// The collection `Sensors`; gives back the paths of those that are read.
    pub(super) fn read_sensors(
        &mut self,
        chassis: &Value,
        prefix: &str,
    ) -> Result<BTreeSet<String>, Fault> {
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
    pub(super) fn read_subsystems(&mut self, chassis: &Value, prefix: &str) -> Result<(), Fault> {
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
    pub(super) fn read_excerpts(
        &mut self,
        path: &str,
        body: &Value,
        prefix: &str,
        sensed: &BTreeSet<String>,
    ) {
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

    pub(super) fn read_thermal(&mut self, path: &str, thermal: &Value, prefix: &str) {
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

    pub(super) fn read_power(&mut self, path: &str, power: &Value, prefix: &str, capped: bool) {
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
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit(['/', '#']).next().unwrap_or(path)
}

/// Some accept `$expand` and leave it at the links.
fn is_expanded(body: &Value) -> bool {
    let members = body.get("Members").and_then(Value::as_array);
    members.is_some_and(|members| {
        !members.is_empty() && members.iter().all(|member| member.get("Name").is_some())
    })
}

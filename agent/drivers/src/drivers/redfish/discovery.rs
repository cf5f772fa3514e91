//! Walking through a BMC once: systems, chassis, managers, and what each of them offers.
//!
//! The newer model (Sensors, EnvironmentMetrics, the subsystems) is taken where it is there; its
//! predecessors (Thermal, Power) fill in what it doesn't have. Every collection is bounded.

mod actuators;
mod sensors;

use super::http::{Client, Trouble, is_path};
use super::plan::{Drive, Plan};
use super::reading::{Measure, link, text};
use flyball_driver_messages::{Fault, FaultKind, Identity};
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_SYSTEMS: usize = 16;
const MAX_CHASSIS: usize = 32;
/// Pages of one collection.
const MAX_PAGES: usize = 16;

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

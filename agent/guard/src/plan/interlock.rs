//! Interlocks in the plan. What a condition names and the machine has not can't be known, and
//! what can't be known does not hold.

use super::{ConditionName, Draft, InterlockName};
use crate::policy::{ConditionRule, InterlockRule, Quantity, RESTART_HYSTERESIS, matches};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{
    ActuatorId, Against, Condition, InterlockSpec, LimitId, Needs, SensorId, ZoneId,
};
use flyball_units::Unit;

impl Draft<'_> {
    pub(super) fn add_interlocks(&mut self) {
        let mut rules = self.policy.interlocks.clone();
        rules.extend(self.restart_rules());
        for rule in &rules {
            let targets = self.targets(rule);
            if targets.is_empty() {
                let (name, targets) = (&rule.name, rule.targets.join("`, `"));
                self.remarks.push(format!("interlock `{name}`: no actuator fits `{targets}`"));
                continue;
            }
            let mut conditions = Vec::new();
            let mut names = Vec::new();
            for condition in &rule.conditions {
                let (condition, name) = self.condition(&rule.name, condition);
                conditions.push(condition);
                names.push(name);
            }
            self.interlocks.push(InterlockSpec {
                targets,
                against: rule.against,
                conditions,
                needs: rule.needs,
                forces_off: rule.forces_off,
            });
            let (name, reason) = (rule.name.clone(), rule.reason.clone());
            self.names.interlocks.push(InterlockName { name, reason, conditions: names });
        }
    }

    /// A restart temperature is an interlock against energising.
    fn restart_rules(&self) -> Vec<InterlockRule> {
        let rule = |switch: &crate::policy::SwitchRule| {
            let (sensor, value) = switch.restart.clone()?;
            let target = &switch.actuator;
            Some(InterlockRule {
                name: format!("restart-temperature:{target}"),
                reason: format!("{target} is not energised above {value} °C at {sensor}"),
                targets: vec![target.clone()],
                against: Against::Energising,
                needs: Needs::All,
                conditions: vec![ConditionRule::AtMost {
                    sensor,
                    value,
                    hysteresis: RESTART_HYSTERESIS,
                }],
                forces_off: false,
            })
        };
        self.policy.switches.iter().filter_map(rule).collect()
    }

    fn targets(&self, rule: &InterlockRule) -> Vec<ActuatorId> {
        let all = (0..).map(ActuatorId::new).zip(&self.catalog.actuators);
        let fits = |id: &str| rule.targets.iter().any(|pattern| matches(pattern, id));
        all.filter(|(_, actuator)| fits(&actuator.id)).map(|(id, _)| id).collect()
    }

    fn condition(&mut self, interlock: &str, rule: &ConditionRule) -> (Condition, ConditionName) {
        match rule {
            ConditionRule::AtLeast { sensor: pattern, value, hysteresis } => {
                let (sensor, name, unit) = self.sensor(interlock, pattern);
                let text = format!("{name} >= {value} {}", unit.map_or("", Unit::ucum));
                let (value, hysteresis) = (*value, *hysteresis);
                (Condition::AtLeast { sensor, value, hysteresis }, ConditionName { text, unit })
            }
            ConditionRule::AtMost { sensor: pattern, value, hysteresis } => {
                let (sensor, name, unit) = self.sensor(interlock, pattern);
                let text = format!("{name} <= {value} {}", unit.map_or("", Unit::ucum));
                let (value, hysteresis) = (*value, *hysteresis);
                (Condition::AtMost { sensor, value, hysteresis }, ConditionName { text, unit })
            }
            ConditionRule::Switch { actuator: pattern, is } => {
                let text = format!("{pattern} is {}", is.name());
                let switch = self.actuator(pattern).filter(|id| {
                    let entry = self.catalog.actuators.get(id.index());
                    entry.is_some_and(|entry| entry.kind == ActuatorKind::Switch)
                });
                let condition = match switch {
                    Some(actuator) => Condition::Switch { actuator, is: *is },
                    None => self.unknown(interlock, "switch", pattern),
                };
                (condition, ConditionName { text, unit: None })
            }
            ConditionRule::Limit { limit: name, warning_ok } => {
                let text =
                    format!("{name} is normal{}", if *warning_ok { " or warns" } else { "" });
                let index = self.names.limits.iter().position(|limit| limit.name == *name);
                let limit = index.and_then(|index| u16::try_from(index).ok()).map(LimitId::new);
                let condition = match limit {
                    Some(limit) => Condition::Limit { limit, warning_ok: *warning_ok },
                    None => self.unknown(interlock, "limit", name),
                };
                (condition, ConditionName { text, unit: None })
            }
        }
    }

    fn sensor(&mut self, interlock: &str, pattern: &str) -> (SensorId, String, Option<Unit>) {
        let catalog = self.catalog;
        let found = catalog.sensors.iter().position(|sensor| matches(pattern, &sensor.id));
        let stale_after = self.policy.timing.stale_after;
        match found {
            Some(index) => {
                let zone = self.zone_of_owner(&catalog.sensors[index].owner);
                let zone = self.zone(&zone);
                let id = self.watch(index, zone, stale_after, false);
                let sensor = &catalog.sensors[index];
                (id, sensor.id.clone(), Some(sensor.unit))
            }
            None => {
                let remark =
                    format!("interlock `{interlock}`: no sensor fits `{pattern}`, so it stands");
                self.remarks.push(remark);
                let (zone, quantity) = (ZoneId::new(0), Quantity::Count);
                let id = self.absent(pattern, quantity, zone, stale_after, false);
                (id, pattern.to_owned(), None)
            }
        }
    }

    /// A condition on something that is not there.
    fn unknown(&mut self, interlock: &str, what: &str, name: &str) -> Condition {
        let remark = format!("interlock `{interlock}`: there is no {what} `{name}`, so it stands");
        self.remarks.push(remark);
        let stale_after = self.policy.timing.stale_after;
        let sensor = self.absent(name, Quantity::Count, ZoneId::new(0), stale_after, false);
        Condition::AtLeast { sensor, value: 0.0, hysteresis: 0.0 }
    }
}

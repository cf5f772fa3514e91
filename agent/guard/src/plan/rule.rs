//! Limits that the policy names, over the sensors that are there.

use super::{Draft, default, spec};
use crate::policy::{GateRule, LimitRule, Quantity, matches};
use flyball_safety::{Gate, LimitSpec, SensorId, Thresholds, Vote, ZoneId};
use std::time::Duration;

impl Draft<'_> {
    pub(super) fn add_rule(&mut self, rule: &LimitRule) {
        let zone_name = rule.zone.clone().unwrap_or_else(|| self.first_zone());
        let zone = self.zone(&zone_name);
        let stale_after = rule.stale_after.unwrap_or(self.policy.timing.stale_after);
        let mut group = Vec::new();
        let mut factory = Thresholds::SILENT;
        // Sensors that vote stand in for each other: what is required of them is one that reads.
        let required = !rule.missing_ok && rule.vote == Vote::Any;
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
                let declared =
                    default::factory(&self.catalog.sensors[index], rule.sense, self.policy);
                factory = default::tightest(factory, declared, rule.sense);
                group.push(self.watch(index, zone, stale_after, required));
            }
        }
        group.sort_unstable();
        group.dedup();
        if group.is_empty() {
            return;
        }
        if let Some(stuck) = &rule.stuck {
            self.add_stuck(&rule.name, stuck, &group, zone);
        }
        let hysteresis =
            rule.hysteresis.unwrap_or_else(|| rule.quantity.default_hysteresis(&rule.local));
        let gate = rule.gate.as_ref().and_then(|gate| self.gate(&rule.name, gate));
        let spec = LimitSpec {
            zone,
            sensors: group,
            response: rule.response,
            sense: rule.sense,
            vote: rule.vote,
            tolerance: rule.tolerance,
            factory,
            local: rule.local,
            emergency: rule.emergency,
            hysteresis,
            dwell: rule.dwell,
            hold: rule.hold,
            lead: rule.lead,
            sustained: rule.sustained,
            gate,
            missing_ok: rule.missing_ok,
        };
        self.push_limit(&rule.name, &zone_name, rule.quantity, spec);
    }

    fn gate(&mut self, limit: &str, gate: &GateRule) -> Option<Gate> {
        let (GateRule::Duty { actuator: pattern, .. } | GateRule::On { actuator: pattern }) = gate;
        let Some(actuator) = self.actuator(pattern) else {
            let remark = format!("limit `{limit}`: no actuator fits `{pattern}`, it has no gate");
            self.remarks.push(remark);
            return None;
        };
        Some(match gate {
            GateRule::Duty { at_least, .. } => Gate::Duty { actuator, at_least: *at_least },
            GateRule::On { .. } => Gate::On { actuator },
        })
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
        if !rule.missing_ok {
            let required = rule.vote == Vote::Any;
            group.push(self.absent(pattern, rule.quantity, zone, stale_after, required));
        }
    }

    /// A place for a sensor that is not there.
    pub(super) fn absent(
        &mut self,
        name: &str,
        quantity: Quantity,
        zone: ZoneId,
        stale_after: Duration,
        required: bool,
    ) -> SensorId {
        let period = self.policy.timing.cycle;
        let spec = spec(quantity, zone, quantity.band(), period, stale_after, required);
        self.push_sensor(name.to_owned(), spec)
    }
}

//! Actuators in the plan: one entry for each of the catalog's, at the same place.

use super::Draft;
use super::default::power_zone;
use crate::catalog::ActuatorEntry;
use crate::policy::{CapRule, FanRule, SwitchRule, matches};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{ActuatorSpec, GroupId, Hand, Recoveries, SwitchSpec, Verbs, ZoneId};
use std::time::Duration;

/// The part of the way from its minimum to its maximum at which a cap is safe.
const SAFE_PART: f64 = 0.6;
/// A switch that was seen longer ago than this many of its reads is unknown.
const FRESH_READS: u32 = 3;
const FRESH_AT_LEAST: Duration = Duration::from_secs(15);

impl Draft<'_> {
    pub(super) fn actuators(&mut self) -> Vec<ActuatorSpec> {
        let catalog = self.catalog;
        catalog.actuators.iter().map(|actuator| self.actuator_spec(actuator)).collect()
    }

    fn actuator_spec(&mut self, actuator: &ActuatorEntry) -> ActuatorSpec {
        let (hand, named) = match actuator.kind {
            ActuatorKind::Fan => self.fan(actuator),
            ActuatorKind::PowerCap | ActuatorKind::FrequencyCap => self.cap(actuator),
            ActuatorKind::Switch => self.switch(actuator),
            ActuatorKind::Profile | ActuatorKind::Indicator | ActuatorKind::Service => {
                (Hand::Setting, Vec::new())
            }
        };
        let drives = !matches!(hand, Hand::Switch(_) | Hand::Setting);
        let mut serves: Vec<ZoneId> = named.iter().map(|name| self.zone(name)).collect();
        let own = self.zone_of_owner(&actuator.owner);
        if serves.is_empty() && (drives || actuator.owner.key().is_some()) {
            serves.push(self.zone(&own));
        }
        if serves.is_empty() && actuator.kind == ActuatorKind::Profile {
            // A faster profile is heat like any other.
            serves.push(self.zone(&own));
        }
        // Its own package's power, where a default limit made a zone of it.
        let own = power_zone(&actuator.id);
        if actuator.kind == ActuatorKind::PowerCap
            && actuator.sustained
            && self.zones.iter().any(|(name, _)| *name == own)
        {
            serves.push(self.zone(&own));
        }
        ActuatorSpec {
            hand,
            zones: serves,
            tolerance: actuator.tolerance,
            verify_within: actuator.verify_within,
        }
    }

    fn fan(&self, actuator: &ActuatorEntry) -> (Hand, Vec<String>) {
        let rules = &self.policy.fans;
        let rule = rules.iter().find(|rule| matches(&rule.actuator, &actuator.id)).cloned();
        let rule = rule.unwrap_or_else(FanRule::default_levels);
        let hand = Hand::Fan {
            min: rule.min_duty,
            failsafe: rule.failsafe_duty,
            full: rule.full_duty,
            automatic: actuator.own_control,
        };
        (hand, self.zones_for(actuator, rule.zones, &rule.actuator))
    }

    fn cap(&self, actuator: &ActuatorEntry) -> (Hand, Vec<String>) {
        let watts = actuator.kind == ActuatorKind::PowerCap;
        let rules = self.policy.caps.iter().filter(|_| watts);
        let rule = rules.clone().find(|rule| matches(&rule.actuator, &actuator.id)).cloned();
        let rule = rule.unwrap_or(CapRule {
            actuator: actuator.id.clone(),
            zones: Vec::new(),
            min_watts: None,
            safe_watts: None,
            max_watts: None,
        });
        let (lowest, highest) = (actuator.min, actuator.max);
        // What the machine's owner had set stands above nothing: the guard never raises it.
        let found = actuator.found.filter(|level| *level >= lowest && *level <= highest);
        let max = rule.max_watts.unwrap_or(highest).clamp(lowest, found.unwrap_or(highest));
        let min = rule.min_watts.unwrap_or(lowest).clamp(lowest, max);
        let zones = self.zones_for(actuator, rule.zones, &rule.actuator);
        if !watts {
            // A frequency is held down by a trip and by people; caps of power come first.
            return (Hand::FrequencyCap { min, safe: max, max }, zones);
        }
        let safe = rule.safe_watts.unwrap_or(min + SAFE_PART * (max - min)).clamp(min, max);
        (Hand::PowerCap { min, safe, max }, zones)
    }

    /// A rule for everything (`*`) means the machine's own: equipment is a zone of its own
    /// unless a rule names it.
    fn zones_for(&self, actuator: &ActuatorEntry, zones: Vec<String>, rule: &str) -> Vec<String> {
        let for_all = rule.starts_with('*');
        if actuator.owner.key().is_some() && for_all { Vec::new() } else { zones }
    }

    fn switch(&self, actuator: &ActuatorEntry) -> (Hand, Vec<String>) {
        let rules = &self.policy.switches;
        let rule = rules.iter().find(|rule| matches(&rule.actuator, &actuator.id)).cloned();
        let rule = rule.unwrap_or_else(SwitchRule::default_rule);
        let group = rule.group.as_ref().and_then(|name| {
            let index = self.policy.groups.iter().position(|group| group.name == *name)?;
            u16::try_from(index).ok().map(GroupId::new)
        });
        let spec = SwitchSpec {
            verbs: Verbs::of(&actuator.verbs),
            fresh_for: (actuator.verify_within * FRESH_READS).max(FRESH_AT_LEAST),
            takes: rule.takes,
            restart_interval: rule.restart_interval,
            group,
            recoveries: rule.recoveries.map(|(at_most, within)| Recoveries { at_most, within }),
            shed: rule.shed,
        };
        (Hand::Switch(spec), self.zones_for(actuator, rule.zones, &rule.actuator))
    }
}

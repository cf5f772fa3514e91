//! The faults of one limit.

use super::{known, positive};
use crate::{ConfigFault, Gate, Hand, LimitId, LimitSpec, Place, Plan, Sense, SensorSpec, Vote};
use alloc::vec::Vec;

pub(super) fn check(plan: &Plan, id: LimitId, spec: &LimitSpec, faults: &mut Vec<ConfigFault>) {
    if !known(plan, spec.zone) {
        faults.push(ConfigFault::UnknownZone(Place::Limit(id)));
    }
    let group: Vec<&SensorSpec> =
        spec.sensors.iter().filter_map(|id| plan.sensors.get(id.index())).collect();
    if group.len() < spec.sensors.len() {
        faults.push(ConfigFault::UnknownSensor(Place::Limit(id)));
    }
    if spec.sensors.is_empty() {
        faults.push(ConfigFault::NoSensors(id));
    }
    if group.windows(2).any(|pair| pair[0].kind != pair[1].kind) {
        faults.push(ConfigFault::MixedKinds(id));
    }
    let sound =
        |sensor: &&SensorSpec| spec.local.sound_within(spec.sense, sensor.lowest, sensor.highest);
    if !group.iter().all(sound) {
        faults.push(ConfigFault::Thresholds(id));
    }
    if !positive(spec.hysteresis) {
        faults.push(ConfigFault::Hysteresis(id));
    }
    let dwell = spec.dwell;
    if dwell.needed == 0 || dwell.needed > dwell.of || dwell.of > 32 {
        faults.push(ConfigFault::Dwell(id));
    }
    let votes = match spec.vote {
        Vote::Any => spec.sensors.len(),
        Vote::TwoOfTwo => 2,
        Vote::TwoOfThree => 3,
    };
    if spec.sensors.len() != votes {
        faults.push(ConfigFault::Vote(id));
    }
    let reached =
        |value: f64| group.iter().all(|sensor| value >= sensor.lowest && value <= sensor.highest);
    if spec.emergency.is_some_and(|value| !positive(value) || !reached(value)) {
        faults.push(ConfigFault::Emergency(id));
    }
    if spec.tolerance.is_some_and(|value| !positive(value)) {
        faults.push(ConfigFault::Apart(id));
    }
    let above = spec.sense == Sense::Above;
    if spec.sustained.is_some_and(|it| !(positive(it.rated) && positive(it.budget) && above)) {
        faults.push(ConfigFault::Sustained(id));
    }
    gate(plan, id, spec.gate, faults);
}

fn gate(plan: &Plan, id: LimitId, gate: Option<Gate>, faults: &mut Vec<ConfigFault>) {
    let Some(gate) = gate else { return };
    let (actuator, duty) = match gate {
        Gate::Duty { actuator, at_least } => (actuator, Some(at_least)),
        Gate::On { actuator } => (actuator, None),
    };
    let Some(actuator) = plan.actuators.get(actuator.index()) else {
        return faults.push(ConfigFault::UnknownActuator(Place::Limit(id)));
    };
    let fits = match (actuator.hand, duty) {
        (Hand::Fan { .. }, Some(duty)) => duty > 0.0 && duty <= 1.0,
        (Hand::Switch(_), None) => true,
        (
            Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Switch(_)
            | Hand::Setting,
            _,
        ) => false,
    };
    if !fits {
        faults.push(ConfigFault::Gate(id));
    }
}

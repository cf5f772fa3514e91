//! Every fault of a plan, in the plan's order.

use super::{ActuatorSpec, ConfigFault, Hand, LimitSpec, MAX_ENTRIES, Place, Plan, SensorSpec};
use crate::{ActuatorId, LimitId, SensorId, ZoneId};
use alloc::vec::Vec;

pub(super) fn faults(plan: &Plan) -> Vec<ConfigFault> {
    let lists = [plan.zones.len(), plan.sensors.len(), plan.limits.len(), plan.actuators.len()];
    if lists.into_iter().any(|entries| entries > MAX_ENTRIES) {
        return Vec::from([ConfigFault::TooMany]);
    }
    let mut faults = Vec::new();
    for (id, spec) in numbered(&plan.sensors) {
        sensor(plan, SensorId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.limits) {
        limit(plan, LimitId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.actuators) {
        actuator(plan, ActuatorId::new(id), spec, &mut faults);
    }
    let timing = &plan.timing;
    let spans = [timing.cycle, timing.step_time, timing.release_after, timing.assert_every];
    if spans.into_iter().any(|span| span.is_zero()) || timing.settle_samples == 0 {
        faults.push(ConfigFault::Timing);
    }
    faults
}

fn numbered<T>(list: &[T]) -> impl Iterator<Item = (u16, &T)> {
    (0..).zip(list)
}

fn sensor(plan: &Plan, id: SensorId, spec: &SensorSpec, faults: &mut Vec<ConfigFault>) {
    if !known(plan, spec.zone) {
        faults.push(ConfigFault::UnknownZone(Place::Sensor(id)));
    }
    let finite = spec.lowest.is_finite() && spec.highest.is_finite();
    if !finite || spec.lowest >= spec.highest {
        faults.push(ConfigFault::Band(id));
    }
    if !positive(spec.slew_per_s) || spec.jump_per_s.is_some_and(|jump| !positive(jump)) {
        faults.push(ConfigFault::Slew(id));
    }
    if spec.period.is_zero() || spec.stale_after < spec.period {
        faults.push(ConfigFault::Stale(id));
    }
    if let Some(stuck) = spec.stuck {
        if plan.sensors.get(stuck.companion.index()).is_none() {
            faults.push(ConfigFault::UnknownSensor(Place::Sensor(id)));
        }
        if stuck.samples == 0 || stuck.companion == id || !positive(stuck.moved) {
            faults.push(ConfigFault::Stuck(id));
        }
    }
    if spec.required && !plan.limits.iter().any(|limit| limit.sensors.contains(&id)) {
        faults.push(ConfigFault::Unwatched(id));
    }
}

fn limit(plan: &Plan, id: LimitId, spec: &LimitSpec, faults: &mut Vec<ConfigFault>) {
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
    let sound = |sensor: &&SensorSpec| spec.local.sound_within(sensor.lowest, sensor.highest);
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
}

fn actuator(plan: &Plan, id: ActuatorId, spec: &ActuatorSpec, faults: &mut Vec<ConfigFault>) {
    if spec.zones.is_empty() {
        faults.push(ConfigFault::NoZones(id));
    }
    if spec.zones.iter().any(|zone| !known(plan, *zone)) {
        faults.push(ConfigFault::UnknownZone(Place::Actuator(id)));
    }
    let ordered = match spec.hand {
        Hand::Fan { min, failsafe, full, .. } => {
            min >= 0.0 && min <= failsafe && failsafe <= full && full <= 1.0 && full > 0.0
        }
        Hand::PowerCap { min, safe, max } => {
            min > 0.0 && min <= safe && safe <= max && max.is_finite()
        }
    };
    if !ordered {
        faults.push(ConfigFault::Levels(id));
    }
    if !spec.tolerance.is_finite() || spec.tolerance < 0.0 {
        faults.push(ConfigFault::Tolerance(id));
    }
}

fn known(plan: &Plan, zone: ZoneId) -> bool {
    zone.index() < plan.zones.len()
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

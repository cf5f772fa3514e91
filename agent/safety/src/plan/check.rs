//! Every fault of a plan, in the plan's order.

mod limit;
mod switch;

use super::{ActuatorSpec, ConfigFault, Hand, MAX_ENTRIES, Place, Plan, SensorSpec};
use crate::{ActuatorId, Condition, GroupId, InterlockId, LimitId, SensorId, ZoneId};
use alloc::vec::Vec;

pub(super) fn faults(plan: &Plan) -> Vec<ConfigFault> {
    let lists = [
        plan.zones.len(),
        plan.sensors.len(),
        plan.limits.len(),
        plan.actuators.len(),
        plan.groups.len(),
        plan.interlocks.len(),
    ];
    if lists.into_iter().any(|entries| entries > MAX_ENTRIES) {
        return Vec::from([ConfigFault::TooMany]);
    }
    let mut faults = Vec::new();
    for (id, spec) in numbered(&plan.sensors) {
        sensor(plan, SensorId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.limits) {
        limit::check(plan, LimitId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.actuators) {
        actuator(plan, ActuatorId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.groups) {
        switch::group(GroupId::new(id), *spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.interlocks) {
        switch::interlock(plan, InterlockId::new(id), spec, &mut faults);
    }
    for (id, spec) in numbered(&plan.zones) {
        switch::ladder(plan, ZoneId::new(id), &spec.ladder, &mut faults);
    }
    let timing = &plan.timing;
    let spans = [
        timing.cycle,
        timing.step_time,
        timing.release_after,
        timing.assert_every,
        timing.armed_for,
    ];
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
    if spec.required && !watched(plan, id) {
        faults.push(ConfigFault::Unwatched(id));
    }
}

fn watched(plan: &Plan, id: SensorId) -> bool {
    let by_condition = |condition: &Condition| match condition {
        Condition::AtLeast { sensor, .. } | Condition::AtMost { sensor, .. } => *sensor == id,
        Condition::Switch { .. } | Condition::Limit { .. } => false,
    };
    plan.limits.iter().any(|limit| limit.sensors.contains(&id))
        || plan.interlocks.iter().any(|it| it.conditions.iter().any(by_condition))
}

fn actuator(plan: &Plan, id: ActuatorId, spec: &ActuatorSpec, faults: &mut Vec<ConfigFault>) {
    let by_limits = match spec.hand {
        Hand::Fan { .. } | Hand::PowerCap { .. } | Hand::FrequencyCap { .. } => true,
        Hand::Switch(_) | Hand::Setting => false,
    };
    if spec.zones.is_empty() && by_limits {
        faults.push(ConfigFault::NoZones(id));
    }
    if spec.zones.iter().any(|zone| !known(plan, *zone)) {
        faults.push(ConfigFault::UnknownZone(Place::Actuator(id)));
    }
    let ordered = match spec.hand {
        Hand::Fan { min, failsafe, full, .. } => {
            min >= 0.0 && min <= failsafe && failsafe <= full && full <= 1.0 && full > 0.0
        }
        Hand::PowerCap { min, safe, max } | Hand::FrequencyCap { min, safe, max } => {
            min > 0.0 && min <= safe && safe <= max && max.is_finite()
        }
        Hand::Switch(switch) => {
            switch::check(plan, id, &switch, faults);
            true
        }
        Hand::Setting => true,
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

//! The faults of switches, and of what reaches over them: groups, interlocks, ladders.

use crate::switch::REMEMBERED;
use crate::{
    ActuatorId, Against, Condition, ConfigFault, GroupId, GroupSpec, Hand, InterlockId,
    InterlockSpec, Ladder, Place, Plan, SwitchSpec, ZoneId,
};
use alloc::vec::Vec;
use flyball_units::ResetType;

pub(super) fn check(plan: &Plan, id: ActuatorId, spec: &SwitchSpec, faults: &mut Vec<ConfigFault>) {
    if spec.group.is_some_and(|group| plan.groups.get(group.index()).is_none()) {
        faults.push(ConfigFault::UnknownGroup(Place::Actuator(id)));
    }
    let recoveries = spec.recoveries.is_none_or(|it| {
        usize::from(it.at_most) <= REMEMBERED && it.at_most > 0 && !it.within.is_zero()
    });
    let shed = spec.shed.is_none_or(|it| !it.within.is_zero());
    let spans = !spec.fresh_for.is_zero() && !spec.takes.is_zero();
    if spec.verbs.is_empty() || !spans || !recoveries || !shed {
        faults.push(ConfigFault::Switch(id));
    }
}

pub(super) fn group(id: GroupId, spec: GroupSpec, faults: &mut Vec<ConfigFault>) {
    if spec.at_most == 0 || spec.within.is_zero() {
        faults.push(ConfigFault::Group(id));
    }
}

pub(super) fn interlock(
    plan: &Plan,
    id: InterlockId,
    spec: &InterlockSpec,
    faults: &mut Vec<ConfigFault>,
) {
    let place = Place::Interlock(id);
    let hand = |id: ActuatorId| plan.actuators.get(id.index()).map(|actuator| actuator.hand);
    if spec.targets.iter().any(|target| hand(*target).is_none()) {
        faults.push(ConfigFault::UnknownActuator(place));
    }
    let mut sound = !spec.targets.is_empty() && !spec.conditions.is_empty();
    sound &= !spec.forces_off || spec.against != Against::Interrupting;
    for condition in &spec.conditions {
        match condition {
            Condition::AtLeast { sensor, value, hysteresis }
            | Condition::AtMost { sensor, value, hysteresis } => {
                if plan.sensors.get(sensor.index()).is_none() {
                    faults.push(ConfigFault::UnknownSensor(place));
                }
                sound &= value.is_finite() && hysteresis.is_finite() && *hysteresis >= 0.0;
            }
            Condition::Switch { actuator, .. } => match hand(*actuator) {
                Some(Hand::Switch(_)) => {}
                Some(_) => sound = false,
                None => faults.push(ConfigFault::UnknownActuator(place)),
            },
            Condition::Limit { limit, .. } => {
                if plan.limits.get(limit.index()).is_none() {
                    faults.push(ConfigFault::UnknownLimit(place));
                }
            }
        }
    }
    if !sound {
        faults.push(ConfigFault::Interlock(id));
    }
}

pub(super) fn ladder(plan: &Plan, id: ZoneId, spec: &Ladder, faults: &mut Vec<ConfigFault>) {
    let rungs = [spec.quiesce, spec.suspend, spec.shutdown];
    let timely = rungs.into_iter().flatten().all(|rung| !rung.within.is_zero())
        && !spec.exhausts_after.is_some_and(|after| after.is_zero());
    let cuts = spec.hard_off.is_none_or(|hard_off| {
        plan.actuators.get(hard_off.switch.index()).is_some_and(|actuator| match actuator.hand {
            Hand::Switch(switch) => switch.verbs.contains(ResetType::ForceOff),
            Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Setting => false,
        })
    });
    if !timely || !cuts {
        faults.push(ConfigFault::Ladder(id));
    }
}

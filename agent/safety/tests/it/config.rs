//! A plan is checked as a whole and all its faults are told at once.

use super::bench::plan;
use core::time::Duration;
use flyball_safety::{
    ActuatorId, Config, ConfigFault, Dwell, Hand, LimitId, Place, Plan, SensorId, StuckSpec,
    Thresholds, ZoneId,
};

const S: SensorId = SensorId::new(0);
const L: LimitId = LimitId::new(0);
const A: ActuatorId = ActuatorId::new(0);
const C: ActuatorId = ActuatorId::new(1);

#[test]
fn a_sound_plan_is_taken() {
    assert_eq!(Config::check(plan()).map(|config| config.plan().clone()), Ok(plan()));
}

#[test]
fn each_fault_is_named_with_its_place() {
    type Spoil = fn(&mut Plan);
    let cases: [(Spoil, ConfigFault); 17] = [
        (|plan| plan.sensors[0].zone = ZoneId::new(7), ConfigFault::UnknownZone(Place::Sensor(S))),
        (|plan| plan.limits[0].zone = ZoneId::new(7), ConfigFault::UnknownZone(Place::Limit(L))),
        (
            |plan| plan.actuators[0].zones.push(ZoneId::new(7)),
            ConfigFault::UnknownZone(Place::Actuator(A)),
        ),
        (|plan| plan.sensors[0].lowest = f64::NAN, ConfigFault::Band(S)),
        (|plan| plan.sensors[0].slew_per_s = 0.0, ConfigFault::Slew(S)),
        (|plan| plan.sensors[0].stale_after = Duration::ZERO, ConfigFault::Stale(S)),
        (
            |plan| {
                plan.sensors[0].stuck = Some(StuckSpec { samples: 8, companion: S, moved: 1.0 });
            },
            ConfigFault::Stuck(S),
        ),
        (
            |plan| plan.limits[0].sensors.push(SensorId::new(9)),
            ConfigFault::UnknownSensor(Place::Limit(L)),
        ),
        (|plan| plan.limits[0].sensors.push(SensorId::new(1)), ConfigFault::MixedKinds(L)),
        (
            |plan| {
                plan.sensors[0].required = false;
                plan.limits[0].sensors.clear();
            },
            ConfigFault::NoSensors(L),
        ),
        (
            |plan| plan.limits[0].local = Thresholds { trip: Some(-1.0), ..Thresholds::SILENT },
            ConfigFault::Thresholds(L),
        ),
        (
            |plan| {
                plan.limits[0].local =
                    Thresholds { limit: Some(90.0), trip: Some(80.0), ..Thresholds::SILENT };
            },
            ConfigFault::Thresholds(L),
        ),
        (|plan| plan.limits[0].hysteresis = 0.0, ConfigFault::Hysteresis(L)),
        (|plan| plan.limits[0].dwell = Dwell { needed: 4, of: 3 }, ConfigFault::Dwell(L)),
        (
            |plan| plan.actuators[1].hand = Hand::PowerCap { min: 90.0, safe: 60.0, max: 140.0 },
            ConfigFault::Levels(C),
        ),
        (|plan| plan.actuators[0].zones.clear(), ConfigFault::NoZones(A)),
        (|plan| plan.timing.settle_samples = 0, ConfigFault::Timing),
    ];
    for (spoil, fault) in cases {
        let mut plan = plan();
        spoil(&mut plan);
        assert_eq!(Config::check(plan), Err(vec![fault]), "{fault}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let mut plan = plan();
    plan.sensors[0].slew_per_s = -1.0;
    plan.limits[1].hysteresis = f64::NAN;
    plan.actuators[0].tolerance = -1.0;
    let faults = Config::check(plan).unwrap_err();
    assert_eq!(
        faults,
        [ConfigFault::Slew(S), ConfigFault::Hysteresis(LimitId::new(1)), ConfigFault::Tolerance(A)]
    );
}

#[test]
fn a_required_sensor_that_no_limit_watches_is_a_fault() {
    let mut plan = plan();
    plan.sensors.push(plan.sensors[0].clone());
    assert_eq!(Config::check(plan), Err(vec![ConfigFault::Unwatched(SensorId::new(2))]));
}

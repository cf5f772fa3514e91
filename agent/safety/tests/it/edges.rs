//! The last value that a plan may have, and the first that it may not.

use super::bench::plan;
use core::time::Duration;
use flyball_safety::{
    ActuatorId, ActuatorSpec, Config, ConfigFault, Dwell, Hand, Ladder, LimitId, Place, Plan,
    SensorId, StuckSpec, Thresholds, ZoneId, ZoneSpec,
};

const S: SensorId = SensorId::new(0);
const METER: SensorId = SensorId::new(1);
const L: LimitId = LimitId::new(0);
const FAN: ActuatorId = ActuatorId::new(0);
const CAP: ActuatorId = ActuatorId::new(1);

type Change = fn(&mut Plan);

fn fan(min: f64, failsafe: f64, full: f64) -> Hand {
    Hand::Fan { min, failsafe, full, automatic: false }
}

fn cap(min: f64, safe: f64, max: f64) -> Hand {
    Hand::PowerCap { min, safe, max }
}

fn stuck(samples: u16, companion: SensorId, moved: f64) -> Option<StuckSpec> {
    Some(StuckSpec { samples, companion, moved })
}

#[test]
fn the_last_sound_value_is_taken() {
    let changes: [Change; 22] = [
        |plan| plan.sensors[0].stale_after = plan.sensors[0].period,
        |plan| plan.sensors[0].jump_per_s = Some(0.1),
        |plan| plan.sensors[0].stuck = stuck(1, METER, 0.1),
        |plan| plan.limits[0].dwell = Dwell { needed: 1, of: 32 },
        |plan| plan.limits[0].dwell = Dwell { needed: 32, of: 32 },
        |plan| plan.limits[0].hysteresis = 0.1,
        |plan| plan.limits[0].local = Thresholds { warning: None, limit: None, trip: Some(125.0) },
        |plan| {
            plan.limits[0].local =
                Thresholds { warning: Some(80.0), limit: Some(80.0), trip: Some(80.0) };
        },
        |plan| plan.sensors[0].lowest = 1.0,
        |plan| {
            plan.sensors[0].lowest = 1.0;
            plan.limits[0].local.warning = Some(1.0);
            plan.limits[0].emergency = Some(1.0);
        },
        |plan| plan.actuators[0].hand = fan(0.0, 0.6, 1.0),
        |plan| plan.actuators[0].hand = fan(0.5, 0.5, 1.0),
        |plan| plan.actuators[0].hand = fan(0.2, 0.6, 0.6),
        |plan| plan.actuators[0].hand = fan(0.0, 0.0, 0.1),
        |plan| plan.actuators[1].hand = cap(0.1, 60.0, 140.0),
        |plan| plan.actuators[1].hand = cap(60.0, 60.0, 140.0),
        |plan| plan.actuators[1].hand = cap(30.0, 140.0, 140.0),
        |plan| plan.actuators[1].hand = Hand::FrequencyCap { min: 1.0, safe: 1.0, max: 1.0 },
        |plan| plan.actuators[1].tolerance = 0.0,
        |plan| plan.timing.settle_samples = 1,
        |plan| plan.timing.release_jitter = Duration::ZERO,
        |plan| {
            let setting = ActuatorSpec { hand: Hand::Setting, ..plan.actuators[0].clone() };
            plan.actuators.push(ActuatorSpec { zones: vec![], ..setting });
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut plan = plan();
        change(&mut plan);
        assert_eq!(Config::check(plan).map(|_| ()), Ok(()), "{place}");
    }
}

#[test]
fn the_first_unsound_value_is_not() {
    let levels = ConfigFault::Levels;
    let changes: [(Change, ConfigFault); 33] = [
        (|plan| plan.sensors[0].lowest = plan.sensors[0].highest, ConfigFault::Band(S)),
        (|plan| plan.sensors[0].lowest = f64::NEG_INFINITY, ConfigFault::Band(S)),
        (|plan| plan.sensors[0].highest = f64::INFINITY, ConfigFault::Band(S)),
        (|plan| plan.sensors[0].slew_per_s = f64::INFINITY, ConfigFault::Slew(S)),
        (|plan| plan.sensors[0].jump_per_s = Some(0.0), ConfigFault::Slew(S)),
        (|plan| plan.sensors[0].period = Duration::ZERO, ConfigFault::Stale(S)),
        (
            |plan| {
                plan.sensors[0].stale_after = plan.sensors[0].period - Duration::from_millis(1);
            },
            ConfigFault::Stale(S),
        ),
        (|plan| plan.sensors[0].stuck = stuck(0, METER, 1.0), ConfigFault::Stuck(S)),
        (|plan| plan.sensors[0].stuck = stuck(8, METER, 0.0), ConfigFault::Stuck(S)),
        (
            |plan| plan.sensors[0].stuck = stuck(8, SensorId::new(2), 1.0),
            ConfigFault::UnknownSensor(Place::Sensor(S)),
        ),
        (|plan| plan.limits[0].zone = ZoneId::new(1), ConfigFault::UnknownZone(Place::Limit(L))),
        (|plan| plan.limits[0].dwell = Dwell { needed: 0, of: 3 }, ConfigFault::Dwell(L)),
        (|plan| plan.limits[0].dwell = Dwell { needed: 1, of: 33 }, ConfigFault::Dwell(L)),
        (|plan| plan.limits[0].emergency = Some(125.1), ConfigFault::Emergency(L)),
        (|plan| plan.limits[0].emergency = Some(0.0), ConfigFault::Emergency(L)),
        (
            |plan| {
                plan.sensors[0].lowest = 1.0;
                plan.limits[0].emergency = Some(0.9);
            },
            ConfigFault::Emergency(L),
        ),
        (|plan| plan.limits[0].tolerance = Some(f64::NAN), ConfigFault::Apart(L)),
        (|plan| plan.limits[0].local.trip = Some(125.1), ConfigFault::Thresholds(L)),
        (|plan| plan.limits[0].local.trip = Some(0.0), ConfigFault::Thresholds(L)),
        (|plan| plan.actuators[0].hand = fan(-0.1, 0.6, 1.0), levels(FAN)),
        (|plan| plan.actuators[0].hand = fan(0.7, 0.6, 1.0), levels(FAN)),
        (|plan| plan.actuators[0].hand = fan(0.2, 0.6, 0.5), levels(FAN)),
        (|plan| plan.actuators[0].hand = fan(0.2, 0.6, 1.1), levels(FAN)),
        (|plan| plan.actuators[0].hand = fan(0.0, 0.0, 0.0), levels(FAN)),
        (|plan| plan.actuators[0].hand = fan(f64::NAN, 0.6, 1.0), levels(FAN)),
        (|plan| plan.actuators[1].hand = cap(0.0, 60.0, 140.0), levels(CAP)),
        (|plan| plan.actuators[1].hand = cap(61.0, 60.0, 140.0), levels(CAP)),
        (|plan| plan.actuators[1].hand = cap(30.0, 141.0, 140.0), levels(CAP)),
        (|plan| plan.actuators[1].hand = cap(30.0, 60.0, f64::INFINITY), levels(CAP)),
        (|plan| plan.actuators[1].tolerance = f64::INFINITY, ConfigFault::Tolerance(CAP)),
        (|plan| plan.actuators[1].tolerance = -0.1, ConfigFault::Tolerance(CAP)),
        (
            |plan| plan.actuators[1].zones.push(ZoneId::new(1)),
            ConfigFault::UnknownZone(Place::Actuator(CAP)),
        ),
        (|plan| plan.timing.cycle = Duration::ZERO, ConfigFault::Timing),
    ];
    for (place, (change, fault)) in changes.into_iter().enumerate() {
        let mut plan = plan();
        change(&mut plan);
        assert_eq!(Config::check(plan), Err(vec![fault]), "{place}: {fault}");
    }
}

#[test]
fn a_list_has_no_more_entries_than_an_id_should_name() {
    let zones = |count| {
        let mut plan = plan();
        let zone = ZoneSpec { grace: Duration::ZERO, ladder: Ladder::NONE };
        plan.zones.resize(count, zone);
        Config::check(plan).map(|_| ())
    };
    assert_eq!(zones(1024), Ok(()));
    assert_eq!(zones(1025), Err(vec![ConfigFault::TooMany]));
}

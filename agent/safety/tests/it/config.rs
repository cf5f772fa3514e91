//! A plan is checked as a whole and all its faults are told at once.

use super::bench::plan;
use core::time::Duration;
use flyball_safety::{
    ActuatorId, Against, Condition, Config, ConfigFault, Dwell, Gate, GroupId, Hand, HardOff,
    InterlockId, LimitId, Needs, Place, Plan, Recoveries, Rung, Sense, SensorId, Shed, StuckSpec,
    Sustained, SwitchSpec, Thresholds, Verbs, Vote, ZoneId,
};
use flyball_units::{PowerState, ResetType};

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

fn switch(plan: &mut Plan) -> &mut SwitchSpec {
    match &mut plan.actuators[0].hand {
        Hand::Switch(switch) => switch,
        other => panic!("no switch: {other:?}"),
    }
}

#[test]
fn each_fault_of_a_rack_is_named_with_its_place() {
    type Spoil = fn(&mut Plan);
    const I: InterlockId = InterlockId::new(0);
    const Z: ZoneId = ZoneId::new(0);
    const FAR: ActuatorId = ActuatorId::new(99);
    const FAN: ActuatorId = super::rack::FAN;
    let unknown = ConfigFault::UnknownActuator;
    let cases: &[(Spoil, ConfigFault)] = &[
        (|plan| plan.limits[0].vote = Vote::TwoOfTwo, ConfigFault::Vote(L)),
        (|plan| plan.limits[0].vote = Vote::TwoOfThree, ConfigFault::Vote(L)),
        (|plan| plan.limits[0].emergency = Some(91.0), ConfigFault::Emergency(L)),
        (|plan| plan.limits[0].emergency = Some(-1.0), ConfigFault::Emergency(L)),
        (|plan| plan.limits[0].emergency = Some(f64::NAN), ConfigFault::Emergency(L)),
        (|plan| plan.limits[0].tolerance = Some(0.0), ConfigFault::Apart(L)),
        (
            |plan| plan.limits[0].sustained = Some(Sustained { rated: 0.0, budget: 1.0 }),
            ConfigFault::Sustained(L),
        ),
        (
            |plan| plan.limits[0].sustained = Some(Sustained { rated: 1.0, budget: 0.0 }),
            ConfigFault::Sustained(L),
        ),
        (
            |plan| plan.limits[1].sustained = Some(Sustained { rated: 1.0, budget: 1.0 }),
            ConfigFault::Sustained(LimitId::new(1)),
        ),
        (|plan| plan.limits[0].gate = Some(Gate::On { actuator: FAR }), unknown(Place::Limit(L))),
        (|plan| plan.limits[0].gate = Some(Gate::On { actuator: FAN }), ConfigFault::Gate(L)),
        (
            |plan| plan.limits[0].gate = Some(Gate::Duty { actuator: A, at_least: 0.5 }),
            ConfigFault::Gate(L),
        ),
        (
            |plan| plan.limits[0].gate = Some(Gate::Duty { actuator: FAN, at_least: 0.0 }),
            ConfigFault::Gate(L),
        ),
        (
            |plan| plan.limits[0].gate = Some(Gate::Duty { actuator: FAN, at_least: 1.1 }),
            ConfigFault::Gate(L),
        ),
        (
            |plan| {
                plan.limits[1].sense = Sense::Below;
                plan.limits[1].local =
                    Thresholds { warning: Some(100.0), limit: Some(200.0), trip: None };
            },
            ConfigFault::Thresholds(LimitId::new(1)),
        ),
        (|plan| switch(plan).verbs = Verbs::default(), ConfigFault::Switch(A)),
        (|plan| switch(plan).fresh_for = Duration::ZERO, ConfigFault::Switch(A)),
        (|plan| switch(plan).takes = Duration::ZERO, ConfigFault::Switch(A)),
        (
            |plan| {
                let within = Duration::from_secs(1);
                switch(plan).recoveries = Some(Recoveries { at_most: 9, within });
            },
            ConfigFault::Switch(A),
        ),
        (
            |plan| {
                let within = Duration::from_secs(1);
                switch(plan).recoveries = Some(Recoveries { at_most: 0, within });
            },
            ConfigFault::Switch(A),
        ),
        (
            |plan| {
                let within = Duration::ZERO;
                switch(plan).recoveries = Some(Recoveries { at_most: 8, within });
            },
            ConfigFault::Switch(A),
        ),
        (
            |plan| {
                let within = Duration::ZERO;
                switch(plan).shed = Some(Shed { order: 0, within, force: false });
            },
            ConfigFault::Switch(A),
        ),
        (
            |plan| switch(plan).group = Some(GroupId::new(1)),
            ConfigFault::UnknownGroup(Place::Actuator(A)),
        ),
        (|plan| plan.groups[0].at_most = 0, ConfigFault::Group(GroupId::new(0))),
        (|plan| plan.groups[0].within = Duration::ZERO, ConfigFault::Group(GroupId::new(0))),
        (|plan| plan.interlocks[0].targets.clear(), ConfigFault::Interlock(I)),
        (|plan| plan.interlocks[0].targets.push(FAR), unknown(Place::Interlock(I))),
        (|plan| plan.interlocks[0].conditions.clear(), ConfigFault::Interlock(I)),
        (
            |plan| {
                plan.interlocks[0].forces_off = true;
                plan.interlocks[0].against = Against::Interrupting;
            },
            ConfigFault::Interlock(I),
        ),
        (|plan| condition(plan, S, f64::NAN, 1.0), ConfigFault::Interlock(I)),
        (|plan| condition(plan, S, 1.0, f64::INFINITY), ConfigFault::Interlock(I)),
        (|plan| condition(plan, S, 1.0, -1.0), ConfigFault::Interlock(I)),
        (
            |plan| condition(plan, SensorId::new(99), 1.0, 0.0),
            ConfigFault::UnknownSensor(Place::Interlock(I)),
        ),
        (
            |plan| {
                let on = Condition::Switch { actuator: FAN, is: PowerState::On };
                plan.interlocks[0].conditions = vec![on];
            },
            ConfigFault::Interlock(I),
        ),
        (
            |plan| {
                let on = Condition::Switch { actuator: FAR, is: PowerState::On };
                plan.interlocks[0].conditions = vec![on];
            },
            unknown(Place::Interlock(I)),
        ),
        (
            |plan| {
                let normal = Condition::Limit { limit: LimitId::new(99), warning_ok: true };
                plan.interlocks[0].conditions = vec![normal];
            },
            ConfigFault::UnknownLimit(Place::Interlock(I)),
        ),
        (
            |plan| plan.zones[0].ladder.quiesce = Some(Rung { within: Duration::ZERO }),
            ConfigFault::Ladder(Z),
        ),
        (|plan| plan.zones[0].ladder.exhausts_after = Some(Duration::ZERO), ConfigFault::Ladder(Z)),
        (|plan| hard_off(plan, FAN), ConfigFault::Ladder(Z)),
        (|plan| hard_off(plan, FAR), ConfigFault::Ladder(Z)),
        (
            |plan| {
                switch(plan).verbs = Verbs::of(&[ResetType::On]);
                hard_off(plan, A);
            },
            ConfigFault::Ladder(Z),
        ),
        (|plan| plan.timing.armed_for = Duration::ZERO, ConfigFault::Timing),
    ];
    for (spoil, fault) in cases {
        let mut plan = super::rack::plan();
        spoil(&mut plan);
        assert_eq!(Config::check(plan), Err(vec![*fault]), "{fault}");
    }
}

fn condition(plan: &mut Plan, sensor: SensorId, value: f64, hysteresis: f64) {
    plan.interlocks[0].conditions = vec![Condition::AtMost { sensor, value, hysteresis }];
}

fn hard_off(plan: &mut Plan, switch: ActuatorId) {
    plan.zones[0].ladder.hard_off = Some(HardOff { switch, after: Duration::from_secs(1) });
}

#[test]
fn what_is_at_the_edge_of_sound_is_taken() {
    let mut plan = super::rack::plan();
    let within = Duration::from_secs(1);
    switch(&mut plan).recoveries = Some(Recoveries { at_most: 8, within });
    hard_off(&mut plan, A);
    plan.limits[0].emergency = Some(90.0);
    plan.limits[0].tolerance = Some(0.1);
    plan.limits[0].gate = Some(Gate::Duty { actuator: super::rack::FAN, at_least: 1.0 });
    plan.limits[0].sustained = Some(Sustained { rated: 0.1, budget: 0.1 });
    plan.interlocks[0].forces_off = true;
    plan.interlocks[0].needs = Needs::Any;
    plan.actuators[4].zones.clear();
    plan.sensors[2].required = true;
    plan.limits.remove(2);
    assert_eq!(Config::check(plan).map(|_| ()), Ok(()), "an interlock watches a sensor too");
}

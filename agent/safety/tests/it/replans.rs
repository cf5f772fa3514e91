//! Another plan is taken up without losing what is known.

use super::bench::{self, Bench, CAP, FAN, HEAT, METER, POWER, TEMPERATURE};
use super::rack::{A, B, Rack, refused};
use flyball_safety::{
    Action, ActuatorId, Config, Hand, InterlockId, LimitId, LimitSpec, LockId, Mapping, Observed,
    Plan, Proposal, Refusal, ReplanFault, SensorId, StateKind, Target, Thresholds, Ticket, Verdict,
};
use flyball_units::{PowerState, Ratio, ResetType, Watts};
use std::time::Duration;

fn same<Id>(id: fn(u16) -> Id, count: u16) -> Vec<Option<Id>> {
    (0..count).map(|index| Some(id(index))).collect()
}

/// The bench's plan with a sensor, a limit and an actuator put before all others.
fn longer() -> Plan {
    let mut plan = bench::plan();
    plan.sensors.insert(0, plan.sensors[0].clone());
    plan.actuators.insert(0, plan.actuators[0].clone());
    for limit in &mut plan.limits {
        limit.sensors = limit.sensors.iter().map(|id| moved(*id)).collect();
    }
    plan.limits.insert(0, LimitSpec { sensors: vec![TEMPERATURE], ..plan.limits[0].clone() });
    plan
}

fn moved(id: SensorId) -> SensorId {
    SensorId::new(u16::try_from(id.index()).unwrap() + 1)
}

fn replan(
    bench: &mut Bench,
    plan: Plan,
    sensors: &[Option<SensorId>],
    limits: &[Option<LimitId>],
    actuators: &[Option<ActuatorId>],
) -> Result<(), ReplanFault> {
    let mapping = Mapping { sensors, limits, actuators, interlocks: &[] };
    bench.engine.replan(Config::check(plan).unwrap(), mapping, bench.now)
}

fn to_longer(bench: &mut Bench) -> Result<(), ReplanFault> {
    let sensors = [Some(SensorId::new(1)), Some(SensorId::new(2))];
    let limits = [Some(LimitId::new(1)), Some(LimitId::new(2))];
    let actuators = [Some(ActuatorId::new(1)), Some(ActuatorId::new(2))];
    replan(bench, longer(), &sensors, &limits, &actuators)
}

#[test]
fn what_goes_on_keeps_its_state_and_what_is_new_begins_unknown() {
    let mut bench = Bench::settled(40.0);
    let cap = Proposal::PowerCap { target: Target::All, watts: Watts(80.0) };
    assert_eq!(bench.engine.handle_proposal(cap, bench.now), Verdict::Accepted);
    let fleet = Thresholds { limit: Some(75.0), ..Thresholds::SILENT };
    assert_eq!(bench.engine.handle_policy(&[(HEAT, fleet)], bench.now), Ok(()));
    bench.cycles(2, 76.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    let since = bench.state(HEAT).since();
    assert_eq!(to_longer(&mut bench), Ok(()));
    let heat = bench.engine.limit(LimitId::new(1)).unwrap();
    assert_eq!((heat.state.kind(), heat.state.since()), (StateKind::Limiting, since));
    assert_eq!(heat.fleet, fleet);
    assert_eq!(heat.reading, Some(76.0));
    let new = bench.engine.limit(LimitId::new(0)).unwrap();
    assert_eq!((new.state.kind(), new.reading), (StateKind::Unknown, None));
    assert_eq!(bench.engine.actuator(ActuatorId::new(2)).unwrap().proposed, Some(80.0));
    assert_eq!(bench.engine.actuator(ActuatorId::new(0)).unwrap().observed, None);
    assert!(bench.engine.sensor(SensorId::new(1)).unwrap().trusted);
    assert!(!bench.engine.sensor(SensorId::new(0)).unwrap().trusted);
}

#[test]
fn half_a_dwell_goes_on_as_half_a_dwell() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(1, 95.0);
    assert_eq!(to_longer(&mut bench), Ok(()));
    bench.engine.handle_reading(SensorId::new(1), Ok(95.0), bench.now);
    assert_eq!(bench.state(LimitId::new(1)).kind(), StateKind::Tripped);
    assert_eq!(bench.state(LimitId::new(0)).kind(), StateKind::Unknown);
}

#[test]
fn a_latch_goes_on_and_cannot_be_planned_away() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 95.0);
    let all = (same(SensorId::new, 2), same(ActuatorId::new, 2));
    let gone = [None, Some(POWER)];
    let refused = replan(&mut bench, bench::plan(), &all.0, &gone, &all.1);
    assert_eq!(refused, Err(ReplanFault::Trip(HEAT)));
    assert_eq!(bench.heat(), StateKind::Tripped);
    assert_eq!(to_longer(&mut bench), Ok(()));
    assert_eq!(bench.state(LimitId::new(1)).kind(), StateKind::Tripped);
    bench.engine.handle_readback(ActuatorId::new(1), Ok(Observed::Duty(Ratio(1.0))), bench.now);
    assert_eq!(bench.engine.actuator(ActuatorId::new(1)).unwrap().wanted, {
        flyball_safety::Level::Duty(Ratio(1.0))
    });
}

#[test]
fn a_mapping_that_makes_no_sense_changes_nothing() {
    let (s, l, a) = (same(SensorId::new, 2), same(LimitId::new, 2), same(ActuatorId::new, 2));
    let mut bench = Bench::settled(40.0);
    for (sensors, limits, actuators, fault) in [
        (vec![Some(METER), Some(METER)], l.clone(), a.clone(), ReplanFault::Sensor(TEMPERATURE)),
        (vec![Some(SensorId::new(9))], l.clone(), a.clone(), ReplanFault::Sensor(TEMPERATURE)),
        (vec![None, Some(TEMPERATURE)], l.clone(), a.clone(), ReplanFault::Sensor(METER)),
        (s.clone(), vec![Some(HEAT), Some(HEAT)], a.clone(), ReplanFault::Limit(HEAT)),
        (s.clone(), vec![None, Some(LimitId::new(2))], a.clone(), ReplanFault::Limit(POWER)),
        (s.clone(), l.clone(), vec![Some(CAP)], ReplanFault::Actuator(FAN)),
        (s.clone(), l.clone(), vec![None, Some(ActuatorId::new(2))], ReplanFault::Actuator(CAP)),
    ] {
        let mut plan = bench::plan();
        plan.actuators[0].zones = plan.actuators[1].zones.clone();
        assert_eq!(replan(&mut bench, plan, &sensors, &limits, &actuators), Err(fault), "{fault}");
    }
    assert_eq!(bench.heat(), StateKind::Normal);
    assert_eq!(replan(&mut bench, bench::plan(), &s, &l, &a), Ok(()));
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Normal, None));
}

#[test]
fn what_is_gone_is_forgotten_and_the_rest_moves_up() {
    let mut bench = Bench::of(longer());
    assert_eq!(bench.engine.config().plan().limits.len(), 3);
    let sensors = [None, Some(TEMPERATURE), Some(METER)];
    let limits = [None, Some(HEAT), Some(POWER)];
    let actuators = [None, Some(FAN), Some(CAP)];
    for _ in 0..4 {
        bench.engine.handle_reading(SensorId::new(1), Ok(41.0), bench.now);
        bench.engine.handle_reading(SensorId::new(2), Ok(90.0), bench.now);
        bench.engine.handle_timeout(bench.now);
        bench.now = bench.now.after(bench::CYCLE);
    }
    assert_eq!(replan(&mut bench, bench::plan(), &sensors, &limits, &actuators), Ok(()));
    assert_eq!(bench.engine.limit(HEAT).unwrap().reading, Some(41.0));
    assert_eq!(bench.engine.limit(POWER).unwrap().reading, Some(90.0));
    assert_eq!(bench.engine.limit(LimitId::new(2)), None);
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Normal, None));
}

fn rack_mapping<'a>(
    sensors: &'a [Option<SensorId>],
    limits: &'a [Option<LimitId>],
    actuators: &'a [Option<ActuatorId>],
    interlocks: &'a [Option<InterlockId>],
) -> Mapping<'a> {
    Mapping { sensors, limits, actuators, interlocks }
}

#[test]
fn switches_locks_and_interlocks_go_on_and_what_was_armed_does_not() {
    let mut rack = Rack::new();
    rack.power[1] = Ok(PowerState::On);
    rack.hangs[1] = true;
    rack.run(40);
    rack.lock(2, Some(B), false);
    assert_eq!(rack.ask(B, ResetType::GracefulShutdown), Verdict::Accepted);
    assert!(matches!(rack.ask(B, ResetType::ForceOff), Verdict::Armed { .. }));
    let flying = rack.engine.switch(B).unwrap().in_flight;
    let mut plan = super::rack::plan();
    plan.actuators.swap(0, 1);
    plan.interlocks[0].targets = vec![B];
    let (s, l) = (same(SensorId::new, 3), same(LimitId::new, 3));
    let a = [Some(B), Some(A), Some(ActuatorId::new(2)), Some(ActuatorId::new(3)), None];
    let i = [Some(InterlockId::new(0))];
    let config = Config::check(plan).unwrap();
    let lost = [Some(B), None, None, None, None];
    let refusal = rack.engine.replan(config.clone(), rack_mapping(&s, &l, &lost, &i), rack.now);
    assert_eq!(refusal, Err(ReplanFault::Lock(B)));
    let double = [Some(InterlockId::new(1))];
    let refusal = rack.engine.replan(config.clone(), rack_mapping(&s, &l, &a, &double), rack.now);
    assert_eq!(refusal, Err(ReplanFault::Interlock(InterlockId::new(0))));
    assert_eq!(rack.engine.replan(config, rack_mapping(&s, &l, &a, &i), rack.now), Ok(()));
    assert_eq!(rack.engine.switch(A).unwrap().in_flight, flying);
    assert_eq!(rack.engine.switch(A).unwrap().power, Some(PowerState::On));
    assert_eq!(rack.engine.locks()[0].spec.target, Some(A));
    assert!(!rack.engine.interlock(InterlockId::new(0)).unwrap().active);
    assert_eq!(rack.engine.armed().count(), 0);
    let late = rack.engine.handle_confirm(Ticket(9), rack.now);
    assert_eq!(refused(late), Refusal::NotArmed);
    assert_eq!(rack.engine.locks()[0].id, LockId(2));
}

#[test]
fn an_interlock_of_other_conditions_begins_unknown() {
    let mut rack = Rack::new();
    let mut plan = super::rack::plan();
    let first = plan.interlocks[0].conditions[0];
    plan.interlocks[0].conditions.push(first);
    let Hand::Switch(switch) = &mut plan.actuators[0].hand else { panic!("no switch") };
    switch.shed = None;
    let (s, l) = (same(SensorId::new, 3), same(LimitId::new, 3));
    let (a, i) = (same(ActuatorId::new, 5), same(InterlockId::new, 1));
    let config = Config::check(plan).unwrap();
    assert_eq!(rack.engine.replan(config, rack_mapping(&s, &l, &a, &i), rack.now), Ok(()));
    assert_eq!(rack.engine.conditions(InterlockId::new(0)).count(), 2);
    assert!(rack.engine.conditions(InterlockId::new(0)).all(|it| it.holds == Some(true)));
}

#[test]
fn what_is_driven_is_asserted_anew_and_what_is_not_is_left_alone() {
    let mut bench = Bench::settled(40.0);
    bench.actions.clear();
    let all = (same(SensorId::new, 2), same(LimitId::new, 2), same(ActuatorId::new, 2));
    assert_eq!(replan(&mut bench, bench::plan(), &all.0, &all.1, &all.2), Ok(()));
    bench.obey();
    let driven: Vec<_> = bench.actions.iter().map(of_actuator).collect();
    assert_eq!(driven, [Some(FAN), Some(CAP)]);
    let mut rack = Rack::new();
    rack.actions.clear();
    let config = Config::check(super::rack::plan()).unwrap();
    let (s, l) = (same(SensorId::new, 3), same(LimitId::new, 3));
    let (a, i) = (same(ActuatorId::new, 5), same(InterlockId::new, 1));
    assert_eq!(rack.engine.replan(config, rack_mapping(&s, &l, &a, &i), rack.now), Ok(()));
    rack.obey();
    let driven: Vec<_> = rack.actions.iter().map(of_actuator).collect();
    assert_eq!(driven, [Some(super::rack::FAN)]);
}

fn of_actuator(action: &Action) -> Option<ActuatorId> {
    match action {
        Action::Drive { actuator, .. } | Action::Switch { actuator, .. } => Some(*actuator),
        Action::Host { .. } => None,
    }
}

#[test]
fn a_plan_that_lets_a_lost_group_be_absent_lets_go_of_its_failsafe_and_no_other_does() {
    let (sensors, limits) = (same(SensorId::new, 2), same(LimitId::new, 2));
    let actuators = same(ActuatorId::new, 2);
    let plan = |missing_ok: bool| {
        let mut plan = bench::plan();
        plan.limits[HEAT.index()].missing_ok = missing_ok;
        plan.sensors[TEMPERATURE.index()].required = !missing_ok;
        plan
    };
    for (missing_ok, ends) in [(false, StateKind::Failsafe), (true, StateKind::Unknown)] {
        let mut bench = Bench::settled(40.0);
        bench.blind(Duration::from_secs(5));
        assert_eq!(bench.heat(), StateKind::Failsafe);
        assert_eq!(replan(&mut bench, plan(missing_ok), &sensors, &limits, &actuators), Ok(()));
        bench.blind(Duration::from_secs(1));
        assert_eq!(bench.heat(), ends);
    }
    // One that reads again has to do so for the release time, whatever the plan.
    let mut bench = Bench::settled(40.0);
    bench.blind(Duration::from_secs(5));
    bench.cycles(4, 40.0);
    assert_eq!(bench.heat(), StateKind::Failsafe);
    assert_eq!(replan(&mut bench, plan(true), &sensors, &limits, &actuators), Ok(()));
    bench.cycles(2, 40.0);
    assert_eq!(bench.heat(), StateKind::Failsafe);
}

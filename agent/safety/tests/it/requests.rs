//! What is asked at the edge of what is taken, and of many actuators at once.

use super::bench::{Bench, CAP, FAN, HEAT, METER, POWER, STEP_TIME, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{
    ActuatorId, ActuatorSpec, ClampedBy, ClearsWhen, Hand, LimitId, LimitSpec, Observed, Plan,
    Proposal, Refusal, SensorId, SensorSpec, Standing, StateKind, Step, Target, Thresholds,
    Verdict,
};
use flyball_units::{Hertz, Ratio, Watts};

const SECOND: SensorId = SensorId::new(2);
const THIRD: ActuatorId = ActuatorId::new(2);

fn cap(bench: &mut Bench, watts: f64) -> Verdict {
    let proposal = Proposal::PowerCap { target: Target::All, watts: Watts(watts) };
    bench.engine.handle_proposal(proposal, bench.now)
}

fn floor(bench: &mut Bench, floor: f64) -> Verdict {
    let proposal = Proposal::FanFloor { target: Target::All, floor: Ratio(floor) };
    bench.engine.handle_proposal(proposal, bench.now)
}

fn standing(verdict: Verdict) -> Standing {
    match verdict {
        Verdict::Refused(Refusal::Limit(standing)) => standing,
        other => panic!("not refused by a limit: {other:?}"),
    }
}

#[test]
fn the_ends_of_a_range_are_taken() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(cap(&mut bench, 30.0), Verdict::Accepted);
    assert_eq!(cap(&mut bench, 140.0), Verdict::Accepted);
    assert_eq!(floor(&mut bench, 1.0), Verdict::Accepted);
    let clamped = Verdict::Clamped { asked: 0.0, to: 0.3, by: ClampedBy::Actuator(FAN) };
    assert_eq!(floor(&mut bench, 0.0), clamped);
}

/// The bench with two fans of these least duties, which the hardware gives nothing.
fn two_fans(first: f64, second: f64) -> Bench {
    let mut plan = plan();
    let fan = |min| Hand::Fan { min, failsafe: 0.6, full: 1.0, automatic: true };
    plan.actuators[0].hand = fan(first);
    plan.actuators.push(ActuatorSpec { hand: fan(second), ..plan.actuators[0].clone() });
    let mut bench = Bench::of(plan);
    bench.fan = Observed::Automatic(None);
    bench.cycles(4, 40.0);
    bench
}

#[test]
fn of_two_fans_that_give_more_than_was_asked_the_faster_is_told() {
    for (first, second, to, by) in
        [(0.2, 0.4, 0.4, THIRD), (0.4, 0.2, 0.4, FAN), (0.4, 0.4, 0.4, FAN)]
    {
        let mut bench = two_fans(first, second);
        let clamped = Verdict::Clamped { asked: 0.1, to, by: ClampedBy::Actuator(by) };
        assert_eq!(floor(&mut bench, 0.1), clamped, "{first} and {second}");
    }
}

#[test]
fn a_fan_that_takes_the_floor_does_not_hide_one_that_gives_more() {
    for (first, second, by) in [(0.2, 0.4, THIRD), (0.4, 0.2, FAN)] {
        let mut bench = two_fans(first, second);
        let clamped = Verdict::Clamped { asked: 0.3, to: 0.4, by: ClampedBy::Actuator(by) };
        assert_eq!(floor(&mut bench, 0.3), clamped, "{first} and {second}");
    }
}

/// The bench with more heat limits, of sensors of their own.
fn heats(more: u16) -> Bench {
    let mut plan = plan();
    for index in 0..more {
        plan.sensors.push(SensorSpec { required: false, ..plan.sensors[0].clone() });
        let sensors = vec![SensorId::new(2 + index)];
        plan.limits.push(LimitSpec { sensors, ..plan.limits[0].clone() });
    }
    Bench::of(plan)
}

fn both(bench: &mut Bench, celsius: f64, cycles: usize) {
    for _ in 0..cycles {
        bench.engine.handle_reading(SECOND, Ok(celsius), bench.now);
        bench.cycles(1, celsius);
    }
}

#[test]
fn of_limits_that_ask_for_as_much_the_first_of_the_plan_is_named() {
    let mut bench = heats(1);
    both(&mut bench, 40.0, 4);
    floor(&mut bench, 0.3);
    both(&mut bench, 69.0, 1);
    let Verdict::Clamped { by, .. } = floor(&mut bench, 0.3) else { panic!("taken") };
    assert_eq!(by, ClampedBy::Limit(HEAT), "of equal curves");
    both(&mut bench, 82.0, 2);
    let Verdict::Clamped { by, .. } = floor(&mut bench, 0.3) else { panic!("taken") };
    assert_eq!(by, ClampedBy::Limit(HEAT), "of equal steps");
    both(&mut bench, 82.0, 9);
    assert_eq!(bench.step(), Some(Step::CapSafe));
    assert_eq!(standing(cap(&mut bench, 70.0)).limit, HEAT, "of equal caps");
}

fn powers(limits: &[f64]) -> Plan {
    let mut plan = plan();
    for limit in limits {
        let factory = Thresholds { limit: Some(*limit), ..Thresholds::SILENT };
        plan.limits.push(LimitSpec { factory, ..plan.limits[1].clone() });
    }
    plan
}

#[test]
fn the_tightest_limit_of_watts_bounds_the_cap_and_of_equal_ones_the_first() {
    for (limits, ceiling, named) in
        [(&[120.0, 130.0][..], 120.0, 2), (&[130.0, 120.0], 120.0, 3), (&[120.0, 120.0], 120.0, 2)]
    {
        let mut bench = Bench::of(powers(limits));
        bench.cycles(4, 40.0);
        assert_eq!(bench.watts(), ceiling, "{limits:?}");
        let standing = standing(cap(&mut bench, 125.0));
        assert_eq!(standing.limit, LimitId::new(named), "{limits:?}");
        assert_eq!(standing.clears_when, ClearsWhen::AskedAtMost(ceiling));
    }
}

#[test]
fn a_cap_over_a_limit_that_has_only_warned_names_that_limit() {
    let mut plan = plan();
    plan.limits[1].factory.warning = Some(110.0);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    for _ in 0..2 {
        bench.cycle(Ok(40.0), Ok(120.0));
    }
    assert_eq!(bench.state(POWER).kind(), StateKind::Warning);
    let standing = standing(cap(&mut bench, 151.0));
    assert_eq!((standing.threshold, standing.reading), (Some(150.0), Some(120.0)));
    assert_eq!(standing.clears_when, ClearsWhen::AskedAtMost(150.0));
}

#[test]
fn a_frequency_is_not_raised_while_a_limit_is_passed_though_no_cap_stands_yet() {
    let mut plan = plan();
    let hand = Hand::FrequencyCap { min: 8e8, safe: 2e9, max: 4e9 };
    plan.actuators.push(ActuatorSpec { hand, ..plan.actuators[1].clone() });
    let mut bench = Bench::of(plan);
    let ask = |bench: &mut Bench, hertz| {
        let proposal = Proposal::FrequencyCap { target: Target::All, hertz: Hertz(hertz) };
        bench.engine.handle_proposal(proposal, bench.now)
    };
    let read = |bench: &mut Bench, celsius, cycles| {
        for _ in 0..cycles {
            bench.engine.handle_readback(THIRD, Ok(Observed::Frequency(Hertz(3e9))), bench.now);
            bench.cycles(1, celsius);
        }
    };
    read(&mut bench, 40.0, 4);
    assert_eq!(ask(&mut bench, 3e9), Verdict::Accepted);
    read(&mut bench, 82.0, 2);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::FansFull)));
    assert_eq!(standing(ask(&mut bench, 3.5e9)).limit, HEAT);
    assert_eq!(ask(&mut bench, 3e9), Verdict::Accepted, "as much as before adds no heat");
    assert_eq!(ask(&mut bench, 2.5e9), Verdict::Accepted);
}

#[test]
fn a_cap_that_stays_where_it_is_adds_no_heat() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(cap(&mut bench, 80.0), Verdict::Accepted);
    bench.cycles(2, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!(cap(&mut bench, 80.0), Verdict::Accepted);
    assert_eq!(standing(cap(&mut bench, 81.0)).limit, HEAT);
}

#[test]
fn a_floor_that_slows_nothing_is_taken_while_a_limit_is_passed() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 2, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!(floor(&mut bench, 1.0), Verdict::Accepted);
    let clamped = Verdict::Clamped { asked: 0.5, to: 1.0, by: ClampedBy::Limit(HEAT) };
    assert_eq!(floor(&mut bench, 0.5), clamped);
}

#[test]
fn a_reading_is_followed_by_the_limits_of_its_zone_and_those_of_others_keep_their_words() {
    let mut bench = heats(1);
    both(&mut bench, 40.0, 4);
    bench.engine.handle_reading(TEMPERATURE, Ok(82.0), bench.now.after(Duration::from_millis(1)));
    bench.engine.handle_reading(TEMPERATURE, Ok(82.0), bench.now.after(Duration::from_millis(2)));
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!(bench.state(LimitId::new(2)).kind(), StateKind::Normal);
    assert_eq!(bench.engine.limit(POWER).unwrap().reading, Some(100.0));
    let view = bench.engine.sensor(METER).unwrap();
    assert_eq!((view.reading, view.trusted), (Ok(100.0), true));
    assert_eq!(bench.engine.actuator(CAP).unwrap().proposed, None);
}

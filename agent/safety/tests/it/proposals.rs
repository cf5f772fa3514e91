//! Accepted, clamped or refused, with the reason.

use super::bench::{Bench, CAP, FAN, HEAT, POWER, STEP_TIME, plan};
use core::time::Duration;
use flyball_safety::{
    ActuatorId, ClampedBy, ClearsWhen, Proposal, Refusal, Standing, StateKind, Target, Verdict,
};
use flyball_units::{NoData, Ratio, Watts};

fn cap(watts: f64) -> Proposal {
    Proposal::PowerCap { target: Target::All, watts: Watts(watts) }
}

fn floor(floor: f64) -> Proposal {
    Proposal::FanFloor { target: Target::All, floor: Ratio(floor) }
}

const CLEAR_CAP: Proposal = Proposal::ClearPowerCap { target: Target::All };
const CLEAR_FLOOR: Proposal = Proposal::ClearFanFloor { target: Target::All };

fn propose(bench: &mut Bench, proposal: Proposal) -> Verdict {
    bench.engine.handle_proposal(proposal, bench.now)
}

fn standing(verdict: Verdict) -> Standing {
    match verdict {
        Verdict::Refused(Refusal::Limit(standing)) => standing,
        Verdict::Refused(_)
        | Verdict::Accepted
        | Verdict::Clamped { .. }
        | Verdict::Armed { .. } => {
            panic!("not refused by a limit: {verdict:?}")
        }
    }
}

#[test]
fn a_cap_and_a_floor_that_nothing_stands_against_are_in_force_at_once() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(propose(&mut bench, cap(80.0)), Verdict::Accepted);
    assert_eq!(bench.watts(), 80.0);
    assert_eq!(propose(&mut bench, floor(0.5)), Verdict::Accepted);
    assert_eq!(bench.duty(), Some(0.5));
    assert_eq!(propose(&mut bench, CLEAR_CAP), Verdict::Accepted);
    assert_eq!(propose(&mut bench, CLEAR_FLOOR), Verdict::Accepted);
    assert_eq!((bench.watts(), bench.duty()), (140.0, None));
}

#[test]
fn a_cap_above_the_tightest_limit_is_refused_with_all_that_proves_it() {
    let mut bench = Bench::settled(40.0);
    let standing = standing(propose(&mut bench, cap(151.0)));
    assert_eq!(standing.limit, POWER);
    assert_eq!((standing.reading, standing.threshold), (Some(100.0), Some(150.0)));
    assert_eq!(standing.clears_when, ClearsWhen::AskedAtMost(150.0));
    assert_eq!(bench.watts(), 140.0);
}

#[test]
fn what_is_no_number_of_the_range_is_refused_before_any_write() {
    let mut bench = Bench::settled(40.0);
    bench.actions.clear();
    let of_cap = Verdict::Refused(Refusal::Range { min: 30.0, max: 140.0 });
    let of_fan = Verdict::Refused(Refusal::Range { min: 0.2, max: 1.0 });
    for (proposal, verdict) in [
        (cap(29.0), of_cap),
        (cap(145.0), of_cap),
        (cap(f64::NAN), of_cap),
        (cap(f64::INFINITY), of_cap),
        (cap(-5.0), of_cap),
        (floor(1.01), of_fan),
        (floor(-0.1), of_fan),
        (floor(f64::NAN), of_fan),
    ] {
        assert_eq!(propose(&mut bench, proposal), verdict, "{proposal:?}");
    }
    bench.obey();
    assert!(bench.actions.is_empty());
}

#[test]
fn an_actuator_that_is_not_there_or_of_another_kind_is_refused() {
    let mut bench = Bench::settled(40.0);
    let none = Verdict::Refused(Refusal::NoActuator);
    for target in [FAN, ActuatorId::new(9)] {
        let proposal = Proposal::PowerCap { target: Target::One(target), watts: Watts(80.0) };
        assert_eq!(propose(&mut bench, proposal), none);
    }
    let proposal = Proposal::FanFloor { target: Target::One(CAP), floor: Ratio(0.5) };
    assert_eq!(propose(&mut bench, proposal), none);
}

#[test]
fn a_floor_under_what_the_engine_needs_is_clamped_up() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 3, 72.0);
    assert_eq!(bench.duty(), Some(1.0));
    let clamped = Verdict::Clamped { asked: 0.3, to: 1.0, by: ClampedBy::Limit(HEAT) };
    assert_eq!(propose(&mut bench, floor(0.3)), clamped);
    let mut cool = Bench::settled(40.0);
    let clamped = Verdict::Clamped { asked: 0.1, to: 0.3, by: ClampedBy::Actuator(FAN) };
    assert_eq!(propose(&mut cool, floor(0.1)), clamped, "the hardware itself gives more");
}

#[test]
fn a_floor_keeps_the_fan_rising_with_the_heat() {
    let mut bench = Bench::settled(40.0);
    propose(&mut bench, floor(0.3));
    bench.cycles(1, 69.0);
    assert!(bench.duty() > Some(0.5), "{:?}", bench.duty());
}

#[test]
fn nothing_that_adds_heat_is_taken_while_limiting() {
    let mut bench = Bench::settled(40.0);
    propose(&mut bench, cap(50.0));
    propose(&mut bench, floor(0.9));
    bench.cycles(2, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    for proposal in [cap(70.0), CLEAR_CAP] {
        let standing = standing(propose(&mut bench, proposal));
        assert_eq!(standing.limit, HEAT);
        assert_eq!((standing.reading, standing.threshold), (Some(82.0), Some(80.0)));
        assert_eq!(standing.clears_when, ClearsWhen::ReadingBelow(75.0));
    }
    assert_eq!(propose(&mut bench, cap(40.0)), Verdict::Accepted, "what cools is taken");
}

#[test]
fn nothing_that_adds_heat_is_taken_in_failsafe() {
    let mut bench = Bench::settled(40.0);
    propose(&mut bench, floor(0.9));
    bench.blind(Duration::from_secs(2));
    assert_eq!(bench.heat(), StateKind::Failsafe);
    for proposal in [cap(100.0), floor(0.7), CLEAR_FLOOR] {
        let standing = standing(propose(&mut bench, proposal));
        assert_eq!(standing.clears_when, ClearsWhen::SensorsRead, "{proposal:?}");
    }
    assert_eq!((bench.duty(), bench.watts()), (Some(0.9), 60.0));
}

#[test]
fn nothing_that_adds_heat_is_taken_before_the_sensors_have_settled() {
    let mut bench = Bench::new();
    assert_eq!(standing(propose(&mut bench, cap(100.0))).clears_when, ClearsWhen::SensorsRead);
}

#[test]
fn a_trip_stands_against_heat_until_it_is_cleared() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 95.0);
    bench.cycles(40, 40.0);
    let standing = standing(propose(&mut bench, cap(80.0)));
    assert_eq!(standing.clears_when, ClearsWhen::TripCleared);
    assert_eq!((standing.reading, standing.threshold), (Some(40.0), Some(90.0)));
}

#[test]
fn of_many_actuators_all_take_a_proposal_or_none() {
    let mut plan = plan();
    let mut small = plan.actuators[1].clone();
    small.hand = flyball_safety::Hand::PowerCap { min: 5.0, safe: 10.0, max: 20.0 };
    plan.actuators.push(small);
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        bench.engine.handle_readback(ActuatorId::new(2), Err(NoData::Busy), bench.now);
        bench.cycle(Ok(40.0), Ok(100.0));
    }
    assert!(matches!(propose(&mut bench, cap(80.0)), Verdict::Refused(Refusal::Range { .. })));
    assert_eq!(bench.watts(), 140.0);
}

#[test]
fn a_fan_is_not_given_back_to_the_hardware_while_power_is_over_its_limit() {
    let mut bench = Bench::settled(40.0);
    propose(&mut bench, floor(0.9));
    for _ in 0..2 {
        bench.cycle(Ok(40.0), Ok(160.0));
    }
    assert_eq!(bench.state(POWER).kind(), StateKind::Limiting);
    assert_eq!(standing(propose(&mut bench, CLEAR_FLOOR)).limit, POWER);
    assert_eq!(bench.duty(), Some(0.9));
}

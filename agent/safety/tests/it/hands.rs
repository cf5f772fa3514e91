//! What a fan or a cap is asked for, by which limit, how often, and when it counts as silent.

use super::bench::{Bench, CAP, CYCLE, FAN, HEAT, METER, POWER, STEP_TIME, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, ClampedBy, ClearsWhen, EventKind, Hand, Level, LimitId,
    LimitSpec, Observed, Proposal, Refusal, SensorId, SensorSpec, StateKind, Step, Target,
    Thresholds, Verdict,
};
use flyball_units::{Hertz, Ratio, Watts};

const SECOND: SensorId = SensorId::new(2);
const BESIDE: LimitId = LimitId::new(2);

fn floor(bench: &mut Bench, floor: f64) -> Verdict {
    let proposal = Proposal::FanFloor { target: Target::All, floor: Ratio(floor) };
    bench.engine.handle_proposal(proposal, bench.now)
}

fn cap(bench: &mut Bench, watts: f64) -> Verdict {
    let proposal = Proposal::PowerCap { target: Target::All, watts: Watts(watts) };
    bench.engine.handle_proposal(proposal, bench.now)
}

fn policy(bench: &mut Bench, limit: LimitId, most: f64) {
    let fleet = Thresholds { limit: Some(most), ..Thresholds::SILENT };
    assert_eq!(bench.engine.handle_policy(&[(limit, fleet)], bench.now), Ok(()));
}

/// The bench with a second heat limit of its own sensor.
fn two_heats() -> Bench {
    let mut plan = plan();
    plan.sensors.push(SensorSpec { required: false, ..plan.sensors[0].clone() });
    plan.limits.push(LimitSpec { sensors: vec![SECOND], ..plan.limits[0].clone() });
    let mut bench = Bench::of(plan);
    both(&mut bench, 40.0, 40.0, 4);
    bench
}

fn both(bench: &mut Bench, first: f64, second: f64, cycles: usize) {
    for _ in 0..cycles {
        bench.engine.handle_reading(SECOND, Ok(second), bench.now);
        bench.cycles(1, first);
    }
}

#[test]
fn a_floor_under_the_curve_is_clamped_by_the_limit_whose_heat_rises() {
    let mut bench = Bench::settled(40.0);
    floor(&mut bench, 0.3);
    bench.cycles(1, 69.0);
    let duty = bench.duty().unwrap();
    let verdict = floor(&mut bench, 0.3);
    assert_eq!(verdict, Verdict::Clamped { asked: 0.3, to: duty, by: ClampedBy::Limit(HEAT) });
}

#[test]
fn of_two_limits_that_ask_for_full_the_one_that_has_been_passed_is_named() {
    let mut bench = two_heats();
    both(&mut bench, 40.0, 82.0, 2);
    assert_eq!(bench.state(BESIDE).kind(), StateKind::Limiting);
    bench.engine.handle_reading(TEMPERATURE, Ok(80.0), bench.now);
    assert_eq!(bench.heat(), StateKind::Normal, "one sample at its limit brings its curve to full");
    let verdict = floor(&mut bench, 0.3);
    assert_eq!(verdict, Verdict::Clamped { asked: 0.3, to: 1.0, by: ClampedBy::Limit(BESIDE) });
}

#[test]
fn a_fan_that_its_hardware_runs_at_full_is_not_said_to_be_held_by_a_limit() {
    let mut bench = Bench::settled(40.0);
    bench.fan = Observed::Automatic(Some(Ratio(1.0)));
    bench.cycles(2, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    let verdict = floor(&mut bench, 0.3);
    assert_eq!(verdict, Verdict::Clamped { asked: 0.3, to: 1.0, by: ClampedBy::Actuator(FAN) });
}

#[test]
fn a_power_limit_under_the_caps_range_bounds_the_cap() {
    let mut bench = Bench::settled(40.0);
    policy(&mut bench, POWER, 120.0);
    assert_eq!(bench.watts(), 120.0);
    let Verdict::Refused(Refusal::Limit(standing)) = cap(&mut bench, 130.0) else {
        panic!("taken");
    };
    assert_eq!((standing.limit, standing.clears_when), (POWER, ClearsWhen::AskedAtMost(120.0)));
    assert_eq!(cap(&mut bench, 120.0), Verdict::Accepted);
}

#[test]
fn a_limit_that_throttles_is_named_before_one_that_allows_as_much() {
    let mut bench = Bench::settled(40.0);
    policy(&mut bench, POWER, 60.0);
    bench.cycle(Ok(82.0), Ok(50.0));
    bench.cycle(Ok(82.0), Ok(50.0));
    for _ in 0..10 {
        bench.cycle(Ok(82.0), Ok(50.0));
    }
    assert_eq!((bench.step(), bench.watts()), (Some(Step::CapSafe), 60.0));
    let Verdict::Refused(Refusal::Limit(standing)) = cap(&mut bench, 70.0) else {
        panic!("taken");
    };
    assert_eq!(standing.limit, HEAT);
}

#[test]
fn a_hand_is_silent_when_its_time_is_over_and_not_before() {
    let mut bench = Bench::settled(40.0);
    bench.actions.clear();
    let last = bench.now;
    bench.engine.handle_readback(FAN, Ok(bench.fan), last);
    bench.engine.handle_readback(CAP, Ok(bench.cap), last);
    for step in 1..=8_u32 {
        bench.now = last.after(CYCLE * step);
        bench.engine.handle_reading(TEMPERATURE, Ok(40.0), bench.now);
        bench.engine.handle_reading(METER, Ok(100.0), bench.now);
        bench.engine.handle_timeout(bench.now);
        bench.obey();
        let asked = u32::try_from(bench.actions.len()).unwrap();
        assert_eq!(asked, step.saturating_sub(4) * 2, "{step}: a second is the time of both");
        assert!(!bench.engine.actuator(FAN).unwrap().stuck);
    }
    bench.now = last.after(CYCLE * 9);
    bench.engine.handle_timeout(bench.now);
    assert!(bench.engine.actuator(FAN).unwrap().stuck, "it was silent for its time once more");
    bench.obey();
    let told = |id: ActuatorId| {
        bench.saw(
            |kind| matches!(kind, EventKind::ActuatorStuck { actuator, .. } if *actuator == id),
        )
    };
    assert!(told(FAN) && told(CAP));
}

#[test]
fn a_step_that_stands_is_not_written_again_by_each_reading() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 3, 82.0);
    bench.cycles(2, 82.0);
    bench.actions.clear();
    bench.pass(Duration::from_secs(20), 82.0);
    let driven = |action: &&Action| matches!(action, Action::Drive { .. });
    assert_eq!(bench.actions.iter().filter(driven).count(), 0, "{:?}", bench.actions);
}

/// Asks for full fans and sees `seen` in each cycle; the step after a limit was passed for long
/// enough to see it, and whether the fan was told to be stuck.
fn with_fan_at(seen: f64) -> (Option<Step>, bool) {
    let mut bench = Bench::settled(40.0);
    bench.fan_deaf = true;
    bench.fan = Observed::Duty(Ratio(seen));
    floor(&mut bench, 0.8);
    bench.cycles(8, 40.0);
    bench.cycles(3, 82.0);
    let stuck = |kind: &EventKind| matches!(kind, EventKind::ActuatorStuck { actuator: FAN, .. });
    (bench.step(), bench.saw(stuck))
}

#[test]
fn a_fan_that_turns_too_slowly_is_passed_over_and_one_that_turns_too_fast_is_told() {
    assert_eq!(with_fan_at(0.8), (Some(Step::FansFull), false));
    assert_eq!(with_fan_at(0.81), (Some(Step::FansFull), false), "within its tolerance");
    assert_eq!(with_fan_at(0.79), (Some(Step::FansFull), false), "within its tolerance");
    assert_eq!(with_fan_at(0.78), (Some(Step::CapSafe), true));
    assert_eq!(with_fan_at(1.0), (Some(Step::FansFull), true));
}

/// A limit passed for long with a frequency cap that is seen at `part` of what it is asked for.
fn with_clock_at(part: f64) -> (StateKind, bool) {
    const CLOCK: ActuatorId = ActuatorId::new(2);
    let mut plan = plan();
    let hand = Hand::FrequencyCap { min: 8.0, safe: 20.0, max: 40.0 };
    plan.actuators.push(ActuatorSpec { hand, ..plan.actuators[1].clone() });
    let mut bench = Bench::of(plan);
    let mut run = |celsius, cycles| {
        for _ in 0..cycles {
            bench.cycles(1, celsius);
            if let Level::Frequency(hertz) = bench.engine.actuator(CLOCK).unwrap().wanted {
                let seen = Observed::Frequency(Hertz(hertz.get() * part));
                bench.engine.handle_readback(CLOCK, Ok(seen), bench.now);
            }
        }
    };
    run(40.0, 8);
    run(82.0, 60);
    let stuck = |kind: &EventKind| matches!(kind, EventKind::ActuatorStuck { actuator: CLOCK, .. });
    (bench.heat(), bench.saw(stuck))
}

#[test]
fn a_frequency_that_stays_too_high_ends_the_ladder_and_one_that_is_lower_is_told() {
    assert_eq!(with_clock_at(1.0), (StateKind::Limiting, false));
    assert_eq!(with_clock_at(1.5), (StateKind::Tripped, true));
    assert_eq!(with_clock_at(0.5), (StateKind::Limiting, true));
}

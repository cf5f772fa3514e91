//! Up by samples and time, down by time alone.

use super::bench::{Bench, CYCLE, FAN, HEAT, POWER, RELEASE, STEP_TIME, plan};
use flyball_safety::{
    Action, Engine, EventKind, HostLevel, Refusal, Rung, State, StateKind, Step, Thresholds,
    TripCause,
};

const RUNG: Rung = Rung { within: core::time::Duration::from_secs(30) };
const SHUTDOWN: Action = Action::Host { level: HostLevel::Stopping, limit: Some(HEAT) };

#[test]
fn a_cool_machine_is_left_to_itself() {
    let bench = Bench::settled(40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    assert_eq!(bench.duty(), None);
    assert!((bench.watts() - 140.0).abs() < 1e-9);
}

#[test]
fn one_hot_sample_is_not_enough_and_two_of_three_are() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(1, 85.0);
    bench.cycles(2, 40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    bench.cycles(1, 85.0);
    bench.cycles(1, 40.0);
    bench.cycles(1, 85.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn the_sample_that_completes_the_dwell_brings_the_action_at_once() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(1, 95.0);
    bench.actions.clear();
    bench.engine.handle_reading(super::bench::TEMPERATURE, Ok(95.0), bench.now);
    bench.obey();
    assert_eq!(bench.heat(), StateKind::Tripped);
    assert_eq!(bench.actions.len(), 2, "{:?}", bench.actions);
    assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 30.0));
}

#[test]
fn a_warning_alerts_then_raises_fans_then_runs_them_full() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 72.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Warning, Some(Step::Alert)));
    assert_eq!(bench.duty(), None);
    bench.pass(STEP_TIME, 72.0);
    assert_eq!(bench.step(), Some(Step::FansRaised));
    assert!(bench.duty() >= Some(0.6));
    bench.pass(STEP_TIME, 72.0);
    assert_eq!((bench.step(), bench.duty()), (Some(Step::FansFull), Some(1.0)));
    bench.pass(STEP_TIME * 5, 72.0);
    assert_eq!(bench.step(), Some(Step::FansFull), "a warning alone never throttles");
}

#[test]
fn a_limit_runs_fans_full_then_caps_then_caps_harder() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 82.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::FansFull)));
    assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 140.0));
    bench.pass(STEP_TIME, 82.0);
    assert_eq!((bench.step(), bench.watts()), (Some(Step::CapSafe), 60.0));
    bench.pass(STEP_TIME, 82.0);
    assert_eq!((bench.step(), bench.watts()), (Some(Step::CapMin), 30.0));
    bench.pass(STEP_TIME * 5, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting, "hands that obey get their time");
}

#[test]
fn the_ladder_goes_down_one_step_per_release_time() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 3, 82.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    bench.cycles(2, 60.0);
    for (state, step) in [
        (StateKind::Limiting, Some(Step::CapMin)),
        (StateKind::Limiting, Some(Step::CapSafe)),
        (StateKind::Limiting, Some(Step::FansFull)),
        (StateKind::Warning, Some(Step::FansFull)),
        (StateKind::Warning, Some(Step::FansRaised)),
        (StateKind::Warning, Some(Step::Alert)),
        (StateKind::Normal, None),
    ] {
        assert_eq!((bench.heat(), bench.step()), (state, step));
        bench.pass(RELEASE, 60.0);
        bench.cycles(1, 60.0);
    }
}

#[test]
fn within_the_hysteresis_nothing_is_released() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(3, 82.0);
    bench.pass(RELEASE * 5, 76.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn a_trip_is_latched_until_it_is_cleared_while_cool() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 95.0);
    assert_eq!(bench.heat(), StateKind::Tripped);
    let refused = bench.engine.handle_clear(HEAT, bench.now);
    assert!(
        matches!(refused, Err(Refusal::Limit(standing)) if standing.reading == Some(95.0)),
        "{refused:?}"
    );
    bench.pass(RELEASE * 10, 40.0);
    assert_eq!((bench.heat(), bench.duty(), bench.watts()), (StateKind::Tripped, Some(1.0), 30.0));
    assert_eq!(bench.engine.handle_clear(HEAT, bench.now), Ok(()));
    bench.cycles(1, 40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    assert!(bench.saw(|kind| matches!(kind, EventKind::TripCleared { limit: HEAT, .. })));
    assert_eq!(bench.engine.handle_clear(HEAT, bench.now), Err(Refusal::NotTripped));
}

#[test]
fn a_trip_is_not_cleared_while_the_group_does_not_read() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 95.0);
    bench.blind(STEP_TIME);
    assert_eq!(bench.heat(), StateKind::Tripped, "failsafe asks for less");
    assert!(matches!(bench.engine.handle_clear(HEAT, bench.now), Err(Refusal::Limit(_))));
}

#[test]
fn a_shutdown_is_asked_for_only_where_the_plan_says_so() {
    let asked = |shutdown| {
        let mut plan = plan();
        plan.zones[0].ladder.shutdown = shutdown;
        let mut bench = Bench::of(plan);
        bench.cycles(6, 95.0);
        bench.actions.clear();
        bench.cycles(1, 95.0);
        bench.actions.contains(&SHUTDOWN)
    };
    assert!(asked(Some(RUNG)), "and again in every cycle");
    assert!(!asked(None));
}

#[test]
fn a_restored_trip_stands_and_asks_for_a_shutdown_only_once_proved_anew() {
    let mut plan = plan();
    plan.zones[0].ladder.shutdown = Some(RUNG);
    let mut bench = Bench::of(plan);
    bench.engine.handle_latch(HEAT, bench.now);
    bench.cycles(20, 40.0);
    let State::Tripped(tripped) = bench.state(HEAT) else { panic!("not tripped") };
    assert_eq!(tripped.cause, TripCause::Restored);
    assert!(!bench.actions.contains(&SHUTDOWN), "a machine must be able to start");
    bench.cycles(3, 95.0);
    assert!(bench.actions.contains(&SHUTDOWN));
}

#[test]
fn a_power_limit_caps_at_once_and_leaves_the_fans_alone() {
    let mut bench = Bench::settled(40.0);
    for _ in 0..2 {
        bench.cycle(Ok(40.0), Ok(160.0));
    }
    assert_eq!(bench.state(POWER).kind(), StateKind::Limiting);
    assert_eq!((bench.watts(), bench.duty()), (60.0, None));
}

#[test]
fn a_fan_that_does_not_obey_is_told_and_the_cap_comes_at_once() {
    let mut bench = Bench::settled(40.0);
    bench.fan_deaf = true;
    bench.cycles(2, 82.0);
    assert_eq!(bench.step(), Some(Step::FansFull));
    bench.cycles(4, 82.0);
    assert!(bench.saw(|kind| matches!(kind, EventKind::ActuatorStuck { actuator: FAN, .. })));
    assert_eq!(bench.step(), Some(Step::CapSafe));
    let asserted = bench.actions.iter().rev().take(2);
    assert!(
        asserted.clone().any(|action| matches!(action, Action::Drive { actuator: FAN, .. })),
        "it is asked again in every cycle"
    );
}

#[test]
fn a_ladder_whose_last_hand_does_not_obey_ends_in_a_trip() {
    let mut bench = Bench::settled(40.0);
    bench.fan_deaf = true;
    bench.cap_deaf = true;
    bench.pass(STEP_TIME * 6, 82.0);
    let State::Tripped(tripped) = bench.state(HEAT) else { panic!("{:?}", bench.state(HEAT)) };
    assert_eq!(tripped.cause, TripCause::LadderExhausted);
}

#[test]
fn a_step_without_hands_is_passed_at_once() {
    let mut plan = plan();
    plan.actuators.remove(0);
    let mut engine = Engine::new(
        flyball_safety::Config::check(plan).unwrap(),
        flyball_safety::Moment::from_millis(0),
    );
    let mut now = flyball_safety::Moment::from_millis(0);
    for celsius in [40.0, 40.0, 40.0, 82.0, 82.0] {
        engine.handle_reading(super::bench::TEMPERATURE, Ok(celsius), now);
        engine.handle_reading(super::bench::METER, Ok(100.0), now);
        now = now.after(CYCLE);
    }
    let state = *engine.limit(HEAT).unwrap().state;
    assert_eq!((state.kind(), state.step()), (StateKind::Limiting, Some(Step::CapSafe)));
}

#[test]
fn a_machine_without_caps_has_nothing_more_to_do_and_does_not_trip_for_it() {
    let mut plan = plan();
    plan.actuators.remove(1);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    bench.cycles(2, 82.0);
    bench.pass(STEP_TIME, 82.0);
    assert_eq!(bench.step(), Some(Step::CapMin), "no time is lost on a cap that is not there");
    bench.pass(STEP_TIME * 10, 82.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapMin)));
}

#[test]
fn a_rise_that_would_pass_the_limit_in_time_counts_as_over_it() {
    let mut plan = plan();
    plan.limits[0].lead = Some(core::time::Duration::from_secs(5));
    let mut bench = Bench::of(plan);
    bench.cycles(4, 60.0);
    let mut celsius = 60.0;
    while bench.heat() != StateKind::Limiting && celsius < 80.0 {
        celsius += 0.5;
        bench.cycles(1, celsius);
    }
    assert!((70.0..72.0).contains(&celsius), "{celsius}");
}

#[test]
fn a_policy_tightens_at_once_and_cannot_loosen() {
    let mut bench = Bench::settled(60.0);
    let policy =
        |limit, trip| [(HEAT, Thresholds { warning: None, limit: Some(limit), trip: Some(trip) })];
    assert_eq!(bench.engine.handle_policy(&policy(95.0, 120.0), bench.now), Ok(()));
    let view = bench.engine.limit(HEAT).unwrap();
    assert_eq!(view.thresholds.limit.unwrap().value, 80.0);
    assert_eq!(bench.engine.handle_policy(&policy(55.0, 85.0), bench.now), Ok(()));
    bench.cycles(2, 60.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    for (limit, trip) in [(-5.0, 85.0), (60.0, 50.0), (f64::NAN, 85.0), (60.0, 900.0)] {
        let before = *bench.engine.limit(HEAT).unwrap().thresholds;
        assert!(bench.engine.handle_policy(&policy(limit, trip), bench.now).is_err());
        assert_eq!(*bench.engine.limit(HEAT).unwrap().thresholds, before);
    }
}

#[test]
fn a_hand_that_no_longer_answers_counts_as_one_that_does_not_obey() {
    let mut bench = Bench::settled(40.0);
    for _ in 0..10 {
        bench.engine.handle_reading(super::bench::TEMPERATURE, Ok(40.0), bench.now);
        bench.engine.handle_reading(super::bench::METER, Ok(100.0), bench.now);
        bench.engine.handle_timeout(bench.now);
        bench.obey();
        bench.now = bench.now.after(CYCLE);
    }
    assert!(bench.engine.actuator(FAN).unwrap().stuck);
    assert!(bench.saw(|kind| matches!(kind, EventKind::ActuatorStuck { .. })));
    bench.cycles(1, 40.0);
    assert!(bench.saw(|kind| matches!(kind, EventKind::ActuatorBack { actuator: FAN })));
}

#[test]
fn a_hand_that_obeys_is_written_again_now_and_then() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 40.0);
    bench.actions.clear();
    bench.pass(core::time::Duration::from_secs(25), 40.0);
    assert!(bench.actions.is_empty(), "{:?}", bench.actions);
    bench.pass(core::time::Duration::from_secs(10), 40.0);
    assert_eq!(bench.actions.len(), 2, "{:?}", bench.actions);
}

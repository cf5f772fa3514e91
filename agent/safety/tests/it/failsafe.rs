//! What is not read never counts as cool.

use super::bench::{Bench, HEAT, METER, RELEASE, STALE, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{
    EventKind, LimitId, LimitSpec, Observed, Plan, SensorId, SensorSpec, StateKind, Step, StuckSpec,
};
use flyball_units::{NoData, Ratio};

#[test]
fn an_engine_starts_in_failsafe_until_enough_good_samples() {
    let mut bench = Bench::new();
    assert_eq!((bench.heat(), bench.duty(), bench.watts()), (StateKind::Unknown, Some(0.6), 60.0));
    bench.cycles(2, 40.0);
    assert_eq!((bench.heat(), bench.duty(), bench.watts()), (StateKind::Unknown, Some(0.6), 60.0));
    bench.cycles(1, 40.0);
    assert_eq!((bench.heat(), bench.duty(), bench.watts()), (StateKind::Normal, None, 140.0));
}

#[test]
fn a_machine_that_is_hot_at_the_start_is_acted_upon_before_it_has_settled() {
    let mut bench = Bench::new();
    bench.cycles(2, 95.0);
    assert_eq!(bench.heat(), StateKind::Tripped);
}

#[test]
fn a_machine_whose_sensor_never_reads_is_in_failsafe_when_it_is_stale() {
    let mut bench = Bench::new();
    bench.blind(STALE + Duration::from_millis(250));
    assert_eq!(bench.heat(), StateKind::Failsafe);
    assert_eq!((bench.duty(), bench.watts()), (Some(0.6), 60.0));
}

#[test]
fn every_reason_for_no_value_leads_to_failsafe_within_stale_after() {
    for reason in NoData::ALL {
        let mut bench = Bench::settled(40.0);
        let lost_at = bench.now.after(STALE);
        while bench.now <= lost_at {
            bench.cycle(Err(reason), Ok(100.0));
        }
        assert_eq!(bench.heat(), StateKind::Failsafe, "{reason:?}");
        let lost = EventKind::SensorLost { sensor: TEMPERATURE, reason };
        assert!(bench.events.contains(&lost), "{:?}", bench.events);
    }
}

#[test]
fn what_no_sensor_can_read_is_no_reading() {
    for value in [f64::NAN, f64::INFINITY, -64.0, 65_261.85, 255.0, -273.15] {
        let mut bench = Bench::settled(40.0);
        bench.cycle(Ok(value), Ok(100.0));
        let view = bench.engine.sensor(TEMPERATURE).unwrap();
        assert_eq!(view.reading, Err(NoData::OutOfRange), "{value}");
        assert_eq!(bench.engine.limit(HEAT).unwrap().reading, Some(40.0));
    }
}

#[test]
fn silence_is_loss_too() {
    let mut bench = Bench::settled(40.0);
    let lost_at = bench.now.after(STALE);
    while bench.now <= lost_at {
        bench.engine.handle_reading(METER, Ok(100.0), bench.now);
        bench.end_cycle();
    }
    assert_eq!(bench.heat(), StateKind::Failsafe);
}

#[test]
fn the_engine_wants_to_be_woken_when_a_sensor_goes_stale() {
    let mut bench = Bench::settled(40.0);
    bench.engine.handle_timeout(bench.now.after(Duration::from_millis(600)));
    let due = bench.engine.poll_timeout();
    assert!(due < bench.now.after(Duration::from_millis(850)), "{due:?}");
}

#[test]
fn a_missing_value_near_the_limit_is_taken_for_its_worst_case() {
    let mut bench = Bench::settled(69.0);
    // 69 °C and 4 °C/s: over the warning after a quarter of a second.
    bench.blind(Duration::from_millis(750));
    assert_eq!(bench.heat(), StateKind::Warning);
    let mut bench = Bench::settled(69.0);
    bench.cycles(3, 79.0);
    bench.blind(Duration::from_millis(750));
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn a_projection_alone_never_trips() {
    let mut plan = plan();
    plan.sensors[0].slew_per_s = 100.0;
    let mut bench = Bench::of(plan);
    bench.cycles(4, 60.0);
    bench.blind(Duration::from_millis(750));
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn failsafe_holds_the_step_that_stood_and_never_asks_for_less() {
    let mut bench = Bench::settled(40.0);
    bench.pass(Duration::from_secs(6), 82.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    bench.blind(Duration::from_secs(3));
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Failsafe, 30.0));
    bench.pass(RELEASE, 40.0);
    bench.cycles(4, 40.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapMin)));
}

#[test]
fn failsafe_climbs_after_each_grace() {
    let mut bench = Bench::settled(40.0);
    bench.blind(Duration::from_secs(3));
    assert_eq!((bench.duty(), bench.watts()), (Some(0.6), 60.0));
    bench.blind(Duration::from_secs(4));
    assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 60.0));
    bench.blind(Duration::from_secs(6));
    assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 30.0));
    assert_eq!(bench.heat(), StateKind::Failsafe, "and is no trip");
}

#[test]
fn an_independent_limit_that_reads_normal_keeps_failsafe_from_climbing() {
    let mut plan = plan();
    let second = SensorSpec { required: false, ..plan.sensors[0].clone() };
    plan.sensors.push(second);
    let beside = LimitSpec { sensors: vec![SensorId::new(2)], ..plan.limits[0].clone() };
    plan.limits.push(beside);
    let mut bench = Bench::of(plan);
    for _ in 0..120 {
        bench.engine.handle_reading(SensorId::new(2), Ok(40.0), bench.now);
        bench.cycle(Err(NoData::Fault), Ok(100.0));
    }
    assert_eq!(bench.state(LimitId::new(2)).kind(), StateKind::Normal);
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Failsafe, Some(0.6)));
}

#[test]
fn failsafe_is_left_when_the_sensor_has_read_for_the_release_time() {
    let mut bench = Bench::settled(40.0);
    bench.blind(Duration::from_secs(2));
    bench.pass(RELEASE, 40.0);
    assert_eq!(bench.heat(), StateKind::Failsafe);
    bench.cycles(4, 40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    assert!(bench.saw(|kind| matches!(kind, EventKind::SensorBack { sensor: TEMPERATURE })));
}

#[test]
fn a_fan_that_does_not_obey_in_failsafe_brings_the_smallest_cap() {
    let mut bench = Bench::settled(40.0);
    bench.fan_deaf = true;
    bench.blind(Duration::from_secs(4));
    assert_eq!(bench.watts(), 30.0);
}

#[test]
fn a_jump_is_believed_only_after_two_further_samples_and_never_as_cool() {
    let mut plan = plan();
    plan.sensors[0].jump_per_s = Some(20.0);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    bench.cycles(1, 100.0);
    let view = bench.engine.sensor(TEMPERATURE).unwrap();
    assert_eq!(view.reading, Err(NoData::TooFast));
    assert_eq!(bench.heat(), StateKind::Limiting, "the worst of both counts");
    bench.cycles(1, 100.0);
    assert_eq!(bench.engine.sensor(TEMPERATURE).unwrap().reading, Err(NoData::TooFast));
    bench.cycles(2, 100.0);
    assert_eq!(bench.heat(), StateKind::Tripped);
}

fn with_stuck_rule() -> Plan {
    let mut plan = plan();
    plan.sensors[0].stuck = Some(StuckSpec { samples: 8, companion: METER, moved: 15.0 });
    plan
}

#[test]
fn a_constant_alone_is_no_fault_and_one_against_a_moving_load_is() {
    let mut bench = Bench::of(with_stuck_rule());
    bench.cycles(200, 40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    for _ in 0..16 {
        bench.cycle(Ok(40.0), Ok(140.0));
    }
    assert_eq!(bench.engine.sensor(TEMPERATURE).unwrap().reading, Err(NoData::Stuck));
    assert_eq!(bench.heat(), StateKind::Failsafe);
    for celsius in [41.0, 42.0, 43.0] {
        bench.cycle(Ok(celsius), Ok(140.0));
    }
    assert!(bench.engine.sensor(TEMPERATURE).unwrap().trusted);
}

/// Two sensors in one limit, neither required by itself.
fn pair(missing_ok: bool) -> Plan {
    let mut plan = plan();
    plan.sensors[0].required = false;
    plan.sensors.push(plan.sensors[0].clone());
    plan.limits[0].sensors.push(SensorId::new(2));
    plan.limits[0].missing_ok = missing_ok;
    plan
}

fn pair_cycle(bench: &mut Bench, first: Result<f64, NoData>, second: Result<f64, NoData>) {
    bench.engine.handle_reading(SensorId::new(2), second, bench.now);
    bench.cycle(first, Ok(100.0));
}

#[test]
fn the_hottest_of_a_group_counts_and_a_cool_sibling_does_not_outvote_it() {
    let mut bench = Bench::of(pair(false));
    for _ in 0..4 {
        pair_cycle(&mut bench, Ok(40.0), Ok(41.0));
    }
    assert_eq!(bench.engine.limit(HEAT).unwrap().reading, Some(41.0));
    pair_cycle(&mut bench, Ok(40.0), Ok(85.0));
    assert_eq!(bench.heat(), StateKind::Normal, "one sample is one sample");
    pair_cycle(&mut bench, Ok(40.0), Ok(85.0));
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn a_group_lives_on_with_one_sensor_and_is_lost_with_the_last() {
    let mut bench = Bench::of(pair(false));
    for _ in 0..12 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(40.0));
    }
    assert_eq!(bench.heat(), StateKind::Normal);
    for _ in 0..6 {
        pair_cycle(&mut bench, Err(NoData::Fault), Err(NoData::Fault));
    }
    assert_eq!(bench.heat(), StateKind::Failsafe);
}

#[test]
fn a_group_that_may_be_missing_is_unknown_and_asks_for_nothing() {
    let mut bench = Bench::of(pair(true));
    for _ in 0..12 {
        pair_cycle(&mut bench, Err(NoData::Missing), Err(NoData::Missing));
    }
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Unknown, None));
    for _ in 0..12 {
        pair_cycle(&mut bench, Ok(75.0), Ok(75.0));
    }
    for _ in 0..12 {
        pair_cycle(&mut bench, Err(NoData::Missing), Err(NoData::Missing));
    }
    assert_eq!(bench.heat(), StateKind::Failsafe, "it was warm when it vanished");
}

#[test]
fn taking_a_fan_over_never_slows_it_down() {
    let mut bench = Bench::settled(40.0);
    bench.fan = Observed::Automatic(Some(Ratio(0.9)));
    bench.cycles(1, 40.0);
    bench.blind(Duration::from_secs(2));
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Failsafe, Some(0.9)));
}

#[test]
fn a_blind_limit_whose_other_sensor_is_hot_keeps_the_safe_cap_on_its_way_up_and_down() {
    let mut plan = pair(false);
    plan.sensors[0].required = true;
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        pair_cycle(&mut bench, Ok(40.0), Ok(40.0));
    }
    for _ in 0..3 {
        pair_cycle(&mut bench, Ok(40.0), Ok(82.0));
    }
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::FansFull)));
    for _ in 0..5 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(82.0));
    }
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapSafe)));
    for _ in 0..4 {
        pair_cycle(&mut bench, Ok(40.0), Ok(82.0));
    }
    assert_eq!(bench.watts(), 60.0, "it is not given back with the sensor's first word");
    for _ in 0..8 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(60.0));
    }
    assert_eq!(bench.heat(), StateKind::Failsafe);
    for _ in 0..2 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(82.0));
    }
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Limiting, 60.0));
}

#[test]
fn a_blind_start_beside_a_hot_sensor_goes_straight_to_the_safe_cap() {
    let mut plan = pair(false);
    plan.sensors[0].required = true;
    let mut bench = Bench::of(plan);
    for _ in 0..2 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(82.0));
    }
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapSafe)));
}

#[test]
fn a_warm_sibling_raises_the_fans_of_a_blind_limit() {
    let mut plan = pair(false);
    plan.sensors[0].required = true;
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        pair_cycle(&mut bench, Ok(40.0), Ok(40.0));
    }
    for _ in 0..8 {
        pair_cycle(&mut bench, Err(NoData::Fault), Ok(72.0));
    }
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Failsafe, Some(1.0)));
}

#[test]
fn heat_in_failsafe_keeps_the_step_that_was_held() {
    let mut bench = Bench::settled(40.0);
    bench.pass(Duration::from_secs(6), 82.0);
    bench.cycles(4, 60.0);
    bench.blind(Duration::from_secs(3));
    assert_eq!((bench.heat(), bench.step()), (StateKind::Failsafe, Some(Step::CapMin)));
    bench.cycles(2, 82.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapMin)));
}

#[test]
fn a_hot_sensor_that_is_lost_does_not_hold_its_group_for_ever() {
    let mut bench = Bench::of(pair(false));
    for _ in 0..4 {
        pair_cycle(&mut bench, Ok(40.0), Ok(82.0));
    }
    assert_eq!(bench.heat(), StateKind::Limiting);
    for _ in 0..200 {
        pair_cycle(&mut bench, Ok(40.0), Err(NoData::Missing));
    }
    assert_eq!(bench.heat(), StateKind::Normal);
}

#[test]
fn a_clock_that_runs_backwards_moves_nothing() {
    let mut bench = Bench::settled(40.0);
    let due = bench.engine.poll_timeout();
    bench.engine.handle_timeout(flyball_safety::Moment::from_millis(0));
    assert!(bench.engine.poll_timeout() >= due);
    assert_eq!(bench.heat(), StateKind::Normal);
}

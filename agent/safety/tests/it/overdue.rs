//! When a sensor speaks for its quantity, when it only may have come to something, and when it
//! counts at all.

use super::bench::{Bench, CYCLE, HEAT, METER, STALE, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{
    Config, Mapping, Plan, Sense, SensorId, StateKind, StuckSpec, Thresholds, Vote,
};
use flyball_units::NoData;

const SECOND: SensorId = SensorId::new(2);

/// Two sensors in the heat limit, neither required by itself.
fn pair() -> Plan {
    let mut plan = plan();
    plan.sensors[0].required = false;
    plan.sensors.push(plan.sensors[0].clone());
    plan.limits[0].sensors.push(SECOND);
    plan
}

fn cycle(bench: &mut Bench, first: Result<f64, NoData>, second: Result<f64, NoData>) {
    bench.engine.handle_reading(SECOND, second, bench.now);
    bench.cycle(first, Ok(100.0));
}

#[test]
fn a_sensor_votes_until_half_a_period_after_its_next_sample_was_due() {
    let mut plan = pair();
    plan.limits[0].vote = Vote::TwoOfTwo;
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        cycle(&mut bench, Ok(40.0), Ok(60.0));
    }
    let last = bench.now;
    bench.engine.handle_reading(TEMPERATURE, Ok(40.0), last);
    let reading = |bench: &mut Bench, after_ms| {
        let now = last.after(Duration::from_millis(after_ms));
        bench.engine.handle_reading(SECOND, Ok(60.0), now);
        bench.engine.limit(HEAT).unwrap().reading
    };
    assert_eq!(reading(&mut bench, 200), Some(40.0));
    assert_eq!(reading(&mut bench, 375), Some(40.0), "one and a half of 250 ms");
    assert_eq!(reading(&mut bench, 376), Some(60.0), "it is left to the other alone");
}

#[test]
fn of_two_that_have_to_agree_the_milder_counts_downwards_too() {
    for (said, kind, reading) in
        [([45.0, 10.0], StateKind::Normal, 45.0), ([15.0, 10.0], StateKind::Limiting, 15.0)]
    {
        let mut plan = pair();
        plan.limits[0].vote = Vote::TwoOfTwo;
        plan.limits[0].sense = Sense::Below;
        plan.limits[0].factory = Thresholds { limit: Some(20.0), ..Thresholds::SILENT };
        let mut bench = Bench::of(plan);
        for _ in 0..4 {
            cycle(&mut bench, Ok(50.0), Ok(50.0));
        }
        for _ in 0..3 {
            cycle(&mut bench, Ok(said[0]), Ok(said[1]));
        }
        let view = bench.engine.limit(HEAT).unwrap();
        assert_eq!((view.state.kind(), view.reading), (kind, Some(reading)), "{said:?}");
    }
}

#[test]
fn an_old_value_has_moved_by_its_slew_rate_and_by_no_more() {
    let mut bench = Bench::settled(68.5);
    bench.blind(CYCLE);
    assert_eq!(bench.heat(), StateKind::Normal, "69.5");
    bench.blind(CYCLE);
    assert_eq!(bench.heat(), StateKind::Warning, "70.5");
}

#[test]
fn the_ends_of_the_band_are_readings() {
    let mut bench = Bench::settled(40.0);
    for value in [125.0, -20.0] {
        bench.cycle(Ok(value), Ok(100.0));
        assert_eq!(bench.engine.sensor(TEMPERATURE).unwrap().reading, Ok(value));
    }
}

#[test]
fn a_jump_is_what_is_faster_than_its_rate_over_the_time_that_passed() {
    let jumping = |celsius, periods: u32| {
        let mut plan = plan();
        plan.sensors[0].jump_per_s = Some(20.0);
        let mut bench = Bench::of(plan);
        bench.cycles(4, 40.0);
        bench.now = bench.now.after(CYCLE * (periods - 1));
        bench.engine.handle_reading(TEMPERATURE, Ok(celsius), bench.now);
        bench.engine.sensor(TEMPERATURE).unwrap().reading
    };
    assert_eq!(jumping(45.0, 1), Ok(45.0));
    assert_eq!(jumping(45.5, 1), Err(NoData::TooFast));
    assert_eq!(jumping(34.5, 1), Err(NoData::TooFast));
    assert_eq!(jumping(50.0, 2), Ok(50.0));
    assert_eq!(jumping(50.5, 2), Err(NoData::TooFast));
}

#[test]
fn samples_that_jump_to_and_fro_are_never_believed() {
    let mut plan = plan();
    plan.sensors[0].jump_per_s = Some(20.0);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    for celsius in [100.0, -10.0, 100.0] {
        bench.engine.handle_reading(TEMPERATURE, Ok(celsius), bench.now);
        let reading = bench.engine.sensor(TEMPERATURE).unwrap().reading;
        assert_eq!(reading, Err(NoData::TooFast), "{celsius}");
        bench.now = bench.now.after(CYCLE);
    }
}

#[test]
fn a_group_that_may_be_missing_is_unknown_again_when_it_is_lost_while_cool() {
    let mut plan = pair();
    plan.limits[0].missing_ok = true;
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        cycle(&mut bench, Ok(40.0), Ok(40.0));
    }
    assert_eq!(bench.heat(), StateKind::Normal);
    for _ in 0..6 {
        cycle(&mut bench, Err(NoData::Missing), Err(NoData::Missing));
    }
    assert_eq!((bench.heat(), bench.duty(), bench.watts()), (StateKind::Unknown, None, 140.0));
}

#[test]
fn a_start_without_a_required_sensor_ends_in_failsafe_though_another_reads() {
    let mut plan = pair();
    plan.sensors[0].required = true;
    let mut bench = Bench::of(plan);
    for _ in 0..3 {
        cycle(&mut bench, Err(NoData::Missing), Ok(40.0));
    }
    assert_eq!(bench.heat(), StateKind::Unknown);
    let cycles = STALE.as_millis() / CYCLE.as_millis();
    for _ in 0..cycles {
        cycle(&mut bench, Err(NoData::Missing), Ok(40.0));
    }
    assert_eq!(bench.heat(), StateKind::Failsafe);
}

#[test]
fn a_group_without_a_required_sensor_says_nothing_before_one_has_settled() {
    let mut bench = Bench::of(pair());
    for _ in 0..2 {
        cycle(&mut bench, Ok(40.0), Ok(40.0));
        assert_eq!((bench.heat(), bench.duty()), (StateKind::Unknown, Some(0.6)));
    }
    cycle(&mut bench, Ok(40.0), Ok(40.0));
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Normal, None));
}

fn replan(bench: &mut Bench, plan: Plan) {
    let sensors = [Some(TEMPERATURE), Some(METER)];
    let limits = [Some(HEAT), Some(super::bench::POWER)];
    let actuators = [Some(super::bench::FAN), Some(super::bench::CAP)];
    let mapping =
        Mapping { sensors: &sensors, limits: &limits, actuators: &actuators, interlocks: &[] };
    let config = Config::check(plan).unwrap();
    assert_eq!(bench.engine.replan(config, mapping, bench.now), Ok(()));
}

#[test]
fn a_sensor_is_judged_by_the_plan_in_force() {
    let mut bench = Bench::settled(40.0);
    let mut narrow = plan();
    narrow.sensors[0].highest = 99.0;
    replan(&mut bench, narrow);
    bench.cycle(Ok(100.0), Ok(100.0));
    let reading = bench.engine.sensor(TEMPERATURE).unwrap().reading;
    assert_eq!(reading, Err(NoData::OutOfRange));
}

#[test]
fn what_was_compared_with_a_companion_begins_anew_under_another_plan() {
    let mut with_rule = plan();
    with_rule.sensors[0].stuck = Some(StuckSpec { samples: 8, companion: METER, moved: 15.0 });
    let mut bench = Bench::of(with_rule.clone());
    bench.cycles(20, 40.0);
    replan(&mut bench, with_rule);
    for sample in 0..8 {
        let reading = bench.engine.sensor(TEMPERATURE).unwrap().reading;
        assert_eq!(reading, Ok(40.0), "{sample} of eight");
        bench.cycle(Ok(40.0), Ok(200.0));
    }
}

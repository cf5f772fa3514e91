//! What moves the ladder besides the height of a reading: its slope, its time, and whose it is.

use super::bench::{Bench, CYCLE, HEAT, METER, RELEASE, STEP_TIME, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{Config, Engine, Moment, StateKind, Step};

/// The bench with a heat limit that looks ahead for `lead`.
fn leading(lead: Duration, celsius: f64) -> Bench {
    let mut plan = plan();
    plan.limits[0].lead = Some(lead);
    let mut bench = Bench::of(plan);
    bench.cycles(4, celsius);
    bench
}

/// Changes the temperature evenly until it is at `to`.
fn slide(bench: &mut Bench, from: f64, to: f64, per_cycle: f64) {
    let mut celsius = from;
    while (to - celsius).abs() > per_cycle.abs() {
        celsius += per_cycle;
        bench.cycles(1, celsius);
    }
}

#[test]
fn a_rise_that_ends_under_the_limit_in_time_is_only_a_warning() {
    let mut bench = leading(Duration::from_secs(5), 60.0);
    slide(&mut bench, 60.0, 73.0, 0.125);
    assert_eq!(bench.heat(), StateKind::Warning, "73 °C and half a degree a second");
}

#[test]
fn a_rise_under_the_warning_looks_at_nothing_ahead() {
    let mut bench = leading(Duration::from_secs(30), 40.0);
    slide(&mut bench, 40.0, 68.0, 0.5);
    assert_eq!(bench.heat(), StateKind::Normal, "a machine that is put to work warms up");
}

#[test]
fn a_fall_does_not_take_away_from_what_is_read() {
    let mut bench = leading(Duration::from_secs(30), 40.0);
    bench.cycles(2, 88.0);
    slide(&mut bench, 88.0, 80.5, -0.5);
    assert_eq!(bench.heat(), StateKind::Limiting);
    bench.pass(RELEASE, 80.5);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Limiting, Some(Step::CapMin)));
}

#[test]
fn a_step_that_is_due_is_taken_by_the_cycle_and_by_no_other_sensors_reading() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 82.0);
    assert_eq!(bench.step(), Some(Step::FansFull));
    for _ in 0..3 {
        bench.now = bench.now.after(STEP_TIME / 4);
        bench.engine.handle_reading(TEMPERATURE, Ok(82.0), bench.now);
    }
    bench.now = bench.now.after(STEP_TIME / 4);
    bench.engine.handle_reading(METER, Ok(100.0), bench.now);
    assert_eq!(bench.step(), Some(Step::FansFull));
    bench.engine.handle_timeout(bench.now);
    assert_eq!(bench.step(), Some(Step::CapSafe));
}

#[test]
fn each_step_down_draws_a_time_of_its_own_and_keeps_it() {
    let mut plan = plan();
    plan.timing.release_jitter = Duration::from_secs(60);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    bench.pass(STEP_TIME * 3, 82.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    let (mut spans, mut stood) = (Vec::new(), Duration::ZERO);
    for _ in 0..2000 {
        let before = (bench.heat(), bench.step());
        bench.cycles(1, 40.0);
        stood += CYCLE;
        if (bench.heat(), bench.step()) != before {
            spans.push(core::mem::take(&mut stood));
        }
    }
    assert_eq!((bench.heat(), spans.len()), (StateKind::Normal, 6));
    assert!(spans.iter().all(|span| *span >= RELEASE), "{spans:?}");
    let longest = spans.iter().max().copied();
    assert!(longest > Some(Duration::from_secs(30)), "a time that is drawn stays: {spans:?}");
    spans.sort_unstable();
    spans.dedup();
    assert!(spans.len() > 3, "they differ: {spans:?}");
    assert_eq!(bench.engine.limit(HEAT).unwrap().state.step(), None);
}

#[test]
fn a_moment_is_what_it_was_made_of_and_time_never_runs_backwards() {
    let (early, late) = (Moment::from_millis(5), Moment::from_millis(7));
    assert_eq!(late.as_millis(), 7);
    assert_eq!(early.after(Duration::from_millis(2)), late);
    assert_eq!(late.since(early), Duration::from_millis(2));
    assert_eq!(early.since(late), Duration::ZERO);
    assert_eq!(late.after(Duration::MAX).as_millis(), u64::MAX);
}

#[test]
fn the_time_under_a_threshold_begins_anew_when_it_is_passed_again() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 3, 82.0);
    bench.pass(RELEASE, 60.0);
    assert_eq!(bench.step(), Some(Step::CapMin), "three samples passed until it was calm");
    bench.cycles(3, 82.0);
    bench.cycles(3, 60.0);
    bench.pass(RELEASE - CYCLE, 60.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    bench.cycles(1, 60.0);
    assert_eq!(bench.step(), Some(Step::CapSafe));
}

#[test]
fn a_warning_climbs_to_the_safe_cap_where_a_fan_does_not_obey_and_nowhere_without_fans() {
    let mut bench = Bench::settled(40.0);
    bench.fan_deaf = true;
    bench.pass(STEP_TIME * 6, 72.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Warning, Some(Step::CapSafe)));
    let mut plan = plan();
    plan.actuators.remove(0);
    let mut engine = Engine::new(Config::check(plan).unwrap(), Moment::from_millis(0));
    for cycle in 0..60 {
        let now = Moment::from_millis(0).after(CYCLE * cycle);
        let celsius = if cycle < 4 { 40.0 } else { 72.0 };
        engine.handle_reading(TEMPERATURE, Ok(celsius), now);
        engine.handle_timeout(now);
    }
    let state = *engine.limit(HEAT).unwrap().state;
    assert_eq!((state.kind(), state.step()), (StateKind::Warning, Some(Step::Alert)));
}

//! How a limit that cannot see climbs while a sibling of the lost sensor still speaks.

use super::bench::{Bench, CYCLE, HEAT, RELEASE, plan};
use super::rack::{self, ROOM, Rack, UPS};
use core::time::Duration;
use flyball_safety::{
    ClearsWhen, EventKind, Proposal, Refusal, SensorId, StateKind, Step, Target, Verdict,
};
use flyball_units::{NoData, Watts};

const SECOND: SensorId = SensorId::new(2);
const GRACE: Duration = Duration::from_secs(5);

/// A heat limit whose required sensor is lost and whose other one is warm.
fn blind_beside(celsius: f64) -> Bench {
    let mut plan = plan();
    plan.sensors.push(plan.sensors[0].clone());
    plan.sensors[2].required = false;
    plan.limits[0].sensors.push(SECOND);
    let mut bench = Bench::of(plan);
    cycles(&mut bench, Ok(40.0), 40.0, CYCLE * 4);
    cycles(&mut bench, Err(NoData::Fault), celsius, Duration::from_millis(1250));
    assert_eq!(bench.heat(), StateKind::Failsafe);
    bench
}

fn cycles(bench: &mut Bench, first: Result<f64, NoData>, second: f64, span: Duration) {
    for _ in 0..span.as_millis() / CYCLE.as_millis() {
        bench.engine.handle_reading(SECOND, Ok(second), bench.now);
        bench.cycle(first, Ok(100.0));
    }
}

#[test]
fn a_warm_sibling_brings_full_fans_at_once_and_the_smallest_cap_after_the_grace_alone() {
    let mut bench = blind_beside(72.0);
    let blind = |bench: &mut Bench, span| cycles(bench, Err(NoData::Fault), 72.0, span);
    blind(&mut bench, CYCLE);
    assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 60.0));
    blind(&mut bench, GRACE - CYCLE * 4);
    assert_eq!((bench.step(), bench.watts()), (Some(Step::FansFull), 60.0));
    blind(&mut bench, CYCLE * 5);
    assert_eq!((bench.step(), bench.watts()), (Some(Step::CapMin), 30.0));
    assert_eq!(bench.engine.limit(HEAT).unwrap().state.kind(), StateKind::Failsafe);
}

#[test]
fn a_machine_that_is_warm_before_its_sensors_have_settled_is_blind_and_not_only_warm() {
    let mut bench = Bench::new();
    bench.cycles(2, 72.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Failsafe, Some(Step::FansFull)));
    let warned = |kind: &EventKind| {
        matches!(kind, EventKind::LimitChanged { limit: HEAT, to: StateKind::Warning, .. })
    };
    assert!(!bench.saw(warned));
    bench.pass(RELEASE + CYCLE * 4, 72.0);
    assert_eq!(bench.heat(), StateKind::Warning);
}

#[test]
fn a_limit_that_drives_no_hands_does_not_come_to_the_end_of_a_ladder() {
    let mut plan = rack::plan();
    plan.zones[0].ladder.exhausts_after = Some(Duration::from_secs(30));
    let mut rack = Rack::of(plan);
    rack.runtime = Ok(290.0);
    rack.run(100);
    assert_eq!(rack.state(UPS), StateKind::Limiting, "it waits for power, with the host quiet");
    rack.inlet = Ok(36.0);
    rack.run(100);
    assert_eq!(rack.state(ROOM), StateKind::Tripped, "what heats has no more to answer with");
}

#[test]
fn a_limit_that_is_passed_and_blind_asks_for_its_sensors_before_anything_else() {
    let mut bench = blind_beside(40.0);
    cycles(&mut bench, Err(NoData::Fault), 82.0, CYCLE * 2);
    assert_eq!(bench.heat(), StateKind::Limiting);
    let proposal = Proposal::PowerCap { target: Target::All, watts: Watts(100.0) };
    let clears_when = |bench: &mut Bench| match bench.engine.handle_proposal(proposal, bench.now) {
        Verdict::Refused(Refusal::Limit(standing)) => standing.clears_when,
        other => panic!("not refused by a limit: {other:?}"),
    };
    assert_eq!(clears_when(&mut bench), ClearsWhen::SensorsRead);
    cycles(&mut bench, Ok(40.0), 82.0, CYCLE * 4);
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!(clears_when(&mut bench), ClearsWhen::ReadingBelow(75.0));
}

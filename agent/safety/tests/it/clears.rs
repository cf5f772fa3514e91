//! Clearing a trip, what is said against it, and which threshold an event names.

use super::bench::{Bench, HEAT, POWER, RELEASE, STALE, STEP_TIME};
use super::rack::{Rack, UPS};
use flyball_safety::{ClearsWhen, EventKind, LimitId, Refusal, StateKind};
use flyball_units::NoData;

/// What is answered, which is what was foreseen.
fn clear(bench: &mut Bench, limit: LimitId) -> Result<(), Refusal> {
    let foreseen = bench.engine.validate_clear(limit);
    let kind = bench.engine.limit(limit).map(|view| view.state.kind());
    assert_eq!(bench.engine.limit(limit).map(|view| view.state.kind()), kind, "nothing moved");
    let answer = bench.engine.handle_clear(limit, bench.now);
    assert_eq!(foreseen, answer);
    answer
}

#[test]
fn clearing_is_foreseen_as_it_is_answered() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(clear(&mut bench, LimitId::new(9)), Err(Refusal::NoLimit));
    assert_eq!(clear(&mut bench, HEAT), Err(Refusal::NotTripped));
    bench.cycles(2, 95.0);
    assert!(matches!(clear(&mut bench, HEAT), Err(Refusal::Limit(_))));
    assert_eq!(bench.heat(), StateKind::Tripped);
    bench.cycles(4, 40.0);
    assert_eq!(clear(&mut bench, HEAT), Ok(()));
    assert_eq!(clear(&mut bench, HEAT), Err(Refusal::NotTripped));
}

#[test]
fn what_stands_against_clearing_names_the_value_to_come_under() {
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 95.0);
    let Err(Refusal::Limit(standing)) = clear(&mut bench, HEAT) else { panic!("cleared") };
    assert_eq!(standing.clears_when, ClearsWhen::ReadingBelow(75.0));
    assert_eq!((standing.threshold, standing.reading), (Some(75.0), Some(95.0)));
    bench.blind(STALE * 2);
    let Err(Refusal::Limit(standing)) = clear(&mut bench, HEAT) else { panic!("cleared") };
    assert_eq!(standing.clears_when, ClearsWhen::SensorsRead);
    assert_eq!((standing.threshold, standing.reading), (Some(90.0), None));
    let mut rack = Rack::new();
    rack.runtime = Ok(110.0);
    rack.run(3);
    let answer = rack.engine.validate_clear(UPS);
    assert_eq!(answer, rack.engine.handle_clear(UPS, rack.now));
    let Err(Refusal::Limit(standing)) = answer else { panic!("cleared") };
    assert_eq!(standing.clears_when, ClearsWhen::ReadingAbove(301.0));
    assert_eq!(standing.threshold, Some(301.0));
}

/// The changes of the heat limit with the threshold that each names.
fn changes(bench: &Bench) -> Vec<(StateKind, StateKind, Option<f64>)> {
    let of_heat = |kind: &EventKind| match kind {
        EventKind::LimitChanged { limit: HEAT, from, to, threshold, .. } => {
            Some((*from, *to, *threshold))
        }
        _ => None,
    };
    bench.events.iter().filter_map(of_heat).collect()
}

#[test]
fn a_change_names_the_threshold_of_the_higher_of_both_states() {
    use StateKind::{Failsafe, Limiting, Normal, Tripped, Unknown, Warning};
    let mut bench = Bench::settled(40.0);
    bench.cycles(2, 72.0);
    bench.cycles(2, 82.0);
    bench.cycles(4, 40.0);
    bench.pass(RELEASE * 6, 40.0);
    bench.cycles(2, 95.0);
    bench.cycles(4, 40.0);
    assert_eq!(clear(&mut bench, HEAT), Ok(()));
    bench.blind(STALE * 2);
    assert_eq!(
        changes(&bench),
        [
            (Unknown, Normal, None),
            (Normal, Warning, Some(70.0)),
            (Warning, Limiting, Some(80.0)),
            (Limiting, Warning, Some(80.0)),
            (Warning, Normal, Some(70.0)),
            (Normal, Tripped, Some(90.0)),
            (Tripped, Normal, Some(90.0)),
            (Normal, Failsafe, None),
        ]
    );
}

#[test]
fn a_cap_that_does_not_obey_ends_the_ladder_though_the_fans_do() {
    let mut bench = Bench::settled(40.0);
    bench.cap_deaf = true;
    bench.pass(STEP_TIME * 6, 82.0);
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Tripped, Some(1.0)));
    bench.cycle(Ok(40.0), Err(NoData::Busy));
    assert_eq!(bench.state(POWER).kind(), StateKind::Normal);
}

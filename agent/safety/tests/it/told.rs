//! Which events are told, and that each is told once.

use super::bench::{Bench, HEAT, RELEASE, STEP_TIME};
use flyball_safety::{EventKind, StateKind, Step};

fn steps(bench: &Bench) -> Vec<(Step, Step)> {
    let of_heat = |kind: &EventKind| match kind {
        EventKind::StepChanged { limit: HEAT, from, to, .. } => Some((*from, *to)),
        _ => None,
    };
    bench.events.iter().filter_map(of_heat).collect()
}

#[test]
fn each_step_of_the_ladder_is_told_once_on_its_way_up_and_down() {
    let mut bench = Bench::settled(40.0);
    bench.pass(STEP_TIME * 6, 82.0);
    let up = [(Step::FansFull, Step::CapSafe), (Step::CapSafe, Step::CapMin)];
    assert_eq!(steps(&bench), up);
    bench.events.clear();
    bench.pass(RELEASE * 8, 40.0);
    assert_eq!(
        steps(&bench),
        [
            (Step::CapMin, Step::CapSafe),
            (Step::CapSafe, Step::FansFull),
            (Step::FansFull, Step::FansRaised),
            (Step::FansRaised, Step::Alert),
        ]
    );
}

#[test]
fn a_trip_of_an_earlier_run_that_is_proved_anew_is_told_anew() {
    let mut bench = Bench::new();
    bench.engine.handle_latch(HEAT, bench.now);
    bench.cycles(8, 40.0);
    let proved = |bench: &Bench| {
        let again = |kind: &&EventKind| match kind {
            EventKind::LimitChanged { limit: HEAT, from, to, .. } => {
                (*from, *to) == (StateKind::Tripped, StateKind::Tripped)
            }
            _ => false,
        };
        bench.events.iter().filter(again).count()
    };
    assert_eq!(proved(&bench), 0);
    bench.cycles(8, 95.0);
    assert_eq!(proved(&bench), 1);
}

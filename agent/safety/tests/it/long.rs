//! What shows only after many cycles, or in many machines.

use super::bench::{self, Bench, CYCLE, RELEASE};
use super::rack::{C, Rack, STAGGER, plan, refused};
use core::time::Duration;
use flyball_safety::{Refusal, StateKind, Verdict};
use flyball_units::{PowerState, ResetType};

#[test]
fn machines_of_different_seeds_are_released_at_different_times() {
    let released = |seed| {
        let mut plan = bench::plan();
        plan.timing.release_jitter = Duration::from_secs(60);
        plan.seed = seed;
        let mut bench = Bench::of(plan);
        bench.cycles(4, 40.0);
        bench.cycles(2, 82.0);
        let mut steps = Vec::new();
        for cycle in 0..1200 {
            let before = bench.step();
            bench.cycles(1, 40.0);
            if bench.step() != before {
                steps.push(cycle);
            }
        }
        assert_eq!(bench.heat(), StateKind::Normal);
        let least = usize::try_from(RELEASE.as_millis() / CYCLE.as_millis()).unwrap();
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= least), "{steps:?}");
        steps
    };
    assert_eq!(released(1), released(1), "the same seed draws the same times");
    let firsts: std::collections::BTreeSet<_> = (0..20).map(|seed| released(seed)[0]).collect();
    assert!(firsts.len() > 12, "{firsts:?}");
}

#[test]
fn a_reboot_loop_ends_in_a_lock_out_that_a_person_lifts() {
    let mut rack = Rack::new();
    let restart = |rack: &mut Rack, automatic| {
        rack.power[2] = Ok(PowerState::Off);
        rack.run(STAGGER.as_secs() + 1);
        let verdict = rack.propose(C, ResetType::On, None, automatic);
        rack.run(1);
        verdict
    };
    assert_eq!(restart(&mut rack, true), Verdict::Accepted);
    assert_eq!(restart(&mut rack, true), Verdict::Accepted);
    assert!(!rack.engine.switch(C).unwrap().locked_out);
    assert_eq!(refused(restart(&mut rack, true)), Refusal::LockedOut);
    assert!(rack.engine.switch(C).unwrap().locked_out);
    rack.run(4000);
    assert_eq!(refused(restart(&mut rack, true)), Refusal::LockedOut, "time does not lift it");
    assert_eq!(restart(&mut rack, false), Verdict::Accepted);
    assert_eq!(restart(&mut rack, true), Verdict::Accepted);
}

#[test]
fn every_verb_fits_the_states_that_it_makes_sense_in() {
    use PowerState::{Off, On, Paused, PoweringOff, PoweringOn};
    let fits = |verb: ResetType, power: PowerState| {
        let mut plan = plan();
        plan.interlocks.clear();
        let mut rack = Rack::of(plan);
        rack.power[2] = Ok(power);
        rack.run(STAGGER.as_secs() + 1);
        match rack.ask(C, verb) {
            Verdict::Accepted => Some(!rack.sent().is_empty()),
            Verdict::Armed { .. } => Some(true),
            Verdict::Refused(Refusal::State(Some(seen))) if seen == power => None,
            other => panic!("{verb:?} {power:?}: {other:?}"),
        }
    };
    let (sent, stands, wrong) = (Some(true), Some(false), None);
    for (verb, expected) in [
        (ResetType::On, [stands, sent, stands, wrong, sent]),
        (ResetType::ForceOff, [sent, stands, sent, sent, sent]),
        (ResetType::GracefulShutdown, [sent, stands, wrong, stands, wrong]),
        (ResetType::GracefulRestart, [sent, wrong, wrong, wrong, wrong]),
        (ResetType::ForceRestart, [sent, wrong, wrong, wrong, wrong]),
        (ResetType::PowerCycle, [sent, wrong, wrong, wrong, wrong]),
        (ResetType::Nmi, [sent, wrong, wrong, wrong, wrong]),
        (ResetType::Suspend, [sent, wrong, wrong, wrong, stands]),
    ] {
        let found = [On, Off, PoweringOn, PoweringOff, Paused].map(|power| fits(verb, power));
        assert_eq!(found, expected, "{verb:?}");
    }
}

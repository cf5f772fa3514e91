//! Who has their way with an actuator: ranks, ends, withdrawals, and safety above them all.

use super::bench::{Bench, CAP, CYCLE, FAN, HEAT};
use super::rack::{A, B, FRESH, PROFILE, Rack, TAKES, refused};
use core::time::Duration;
use flyball_safety::{
    ActuatorId, Claim, EventKind, Issued, Moment, Origin, Proposal, Refusal, StateKind, Target,
    Ticket, Verdict,
};
use flyball_units::{Hertz, PowerState, Ratio, ResetType, Watts};
use proptest::collection::vec;
use proptest::prelude::*;

const ALL: Target = Target::All;
const CLEAR: Proposal = Proposal::ClearPowerCap { target: ALL };

fn cap(watts: f64) -> Proposal {
    Proposal::PowerCap { target: ALL, watts: Watts(watts) }
}

fn by(origin: Origin, proposal: Proposal) -> Issued {
    Issued { proposal, origin, until: None }
}

fn ask(bench: &mut Bench, origin: Origin, proposal: Proposal, seconds: Option<u64>) -> Verdict {
    let until = seconds.map(|seconds| bench.now.after(Duration::from_secs(seconds)));
    let issued = Issued { proposal, origin, until };
    bench.engine.handle_timeout(bench.now);
    let foreseen = bench.engine.validate(issued);
    let verdict = bench.engine.handle_proposal(issued, bench.now);
    assert_eq!(foreseen, verdict);
    verdict
}

fn outranked(by: Origin, until: Option<Moment>) -> Verdict {
    outranked_at(CAP, by, until)
}

fn outranked_at(actuator: ActuatorId, by: Origin, until: Option<Moment>) -> Verdict {
    Verdict::Refused(Refusal::Outranked { by, until, actuator: Some(actuator) })
}

#[test]
fn a_lower_rank_is_refused_with_whose_it_is_and_until_when() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(ask(&mut bench, Origin::Local, cap(90.0), Some(60)), Verdict::Accepted);
    let until = Some(bench.now.after(Duration::from_secs(60)));
    for lower in [Origin::Remote, Origin::Automation] {
        let verdict = ask(&mut bench, lower, cap(50.0), None);
        assert_eq!(verdict, outranked(Origin::Local, until));
        assert_eq!(ask(&mut bench, lower, CLEAR, None), outranked(Origin::Local, until));
    }
    assert_eq!(bench.watts(), 90.0);
    assert_eq!(ask(&mut bench, Origin::Local, cap(95.0), None), Verdict::Accepted);
    assert_eq!(ask(&mut bench, Origin::Remote, cap(50.0), None), outranked(Origin::Local, None));
    assert_eq!(bench.watts(), 95.0);
}

#[test]
fn a_higher_rank_supersedes_and_the_next_that_stands_takes_effect_after_it() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(ask(&mut bench, Origin::Automation, cap(70.0), None), Verdict::Accepted);
    assert_eq!(ask(&mut bench, Origin::Remote, cap(100.0), None), Verdict::Accepted);
    assert_eq!(bench.watts(), 100.0);
    assert_eq!(ask(&mut bench, Origin::Local, cap(120.0), Some(1)), Verdict::Accepted);
    assert_eq!(bench.watts(), 120.0);
    let until = Some(bench.now.after(Duration::from_secs(1)));
    let claim = |origin, value, until| Claim { origin, value: Some(value), until };
    let standing: Vec<Claim> = bench.engine.claims(CAP).collect();
    let expected = [
        claim(Origin::Local, 120.0, until),
        claim(Origin::Remote, 100.0, None),
        claim(Origin::Automation, 70.0, None),
    ];
    assert_eq!(standing, expected);
    assert_eq!(bench.engine.actuator(CAP).unwrap().proposed, Some(120.0));
    // What is one's own may always be withdrawn, whoever decides.
    assert_eq!(ask(&mut bench, Origin::Remote, CLEAR, None), Verdict::Accepted);
    assert_eq!(bench.watts(), 120.0);
    bench.pass(Duration::from_secs(1), 40.0);
    assert_eq!(bench.watts(), 120.0);
    bench.cycles(1, 40.0);
    assert_eq!(bench.watts(), 70.0);
    let over = EventKind::ClaimOver { actuator: CAP, origin: Origin::Local };
    assert_eq!(bench.events.iter().filter(|event| **event == over).count(), 1);
    assert_eq!(ask(&mut bench, Origin::Automation, CLEAR, None), Verdict::Accepted);
    assert_eq!(bench.watts(), 140.0);
    assert_eq!(bench.engine.claims(CAP).count(), 0);
    assert_eq!(bench.engine.claims(ActuatorId::new(9)).count(), 0);
}

#[test]
fn an_end_in_the_past_is_refused_and_a_withdrawal_has_no_end() {
    let mut bench = Bench::settled(40.0);
    let over = Verdict::Refused(Refusal::Over);
    assert_eq!(ask(&mut bench, Origin::Remote, cap(90.0), Some(0)), over);
    assert_eq!(ask(&mut bench, Origin::Remote, CLEAR, Some(0)), Verdict::Accepted);
    let floor = Proposal::FanFloor { target: ALL, floor: Ratio(0.5) };
    assert_eq!(ask(&mut bench, Origin::Remote, floor, Some(0)), over);
    let hertz = Proposal::FrequencyCap { target: ALL, hertz: Hertz(1e9) };
    let none = Verdict::Refused(Refusal::NoActuator);
    assert_eq!(ask(&mut bench, Origin::Remote, hertz, Some(0)), none);
    assert_eq!(bench.watts(), 140.0);
}

#[test]
fn a_bare_proposal_is_a_remote_operators_without_an_end() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(bench.engine.handle_proposal(cap(90.0), bench.now), Verdict::Accepted);
    let standing: Vec<Claim> = bench.engine.claims(CAP).collect();
    assert_eq!(standing, [Claim { origin: Origin::Remote, value: Some(90.0), until: None }]);
    assert_eq!(Origin::ALL.map(Origin::name), ["automation", "remote", "local"]);
}

#[test]
fn limits_are_above_every_rank() {
    let mut bench = Bench::settled(40.0);
    for origin in Origin::ALL {
        let refusal = refused(ask(&mut bench, origin, cap(151.0), None));
        assert!(matches!(refusal, Refusal::Limit(_)), "{origin:?}: {refusal:?}");
    }
    assert_eq!(ask(&mut bench, Origin::Local, cap(130.0), None), Verdict::Accepted);
    bench.cycles(12, 85.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!((bench.watts(), bench.duty()), (60.0, Some(1.0)));
}

/// A machine whose cap a claim holds at 50 W, and that gets hot enough for fans alone.
fn hot_under_a_claim(until: u64) -> Bench {
    let mut bench = Bench::settled(40.0);
    assert_eq!(ask(&mut bench, Origin::Local, cap(50.0), Some(until)), Verdict::Accepted);
    bench.cycles(3, 81.0);
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Limiting, 50.0));
    bench
}

#[test]
fn a_claim_whose_end_would_add_heat_stands_until_nothing_stands_against_that() {
    let mut bench = hot_under_a_claim(1);
    bench.pass(Duration::from_secs(1), 81.0);
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Limiting, 50.0));
    let over = EventKind::ClaimOver { actuator: CAP, origin: Origin::Local };
    assert!(!bench.events.contains(&over));
    // It is over all the same: a lower rank may take its place, as far as that adds no heat.
    let refusal = refused(ask(&mut bench, Origin::Remote, cap(55.0), None));
    assert!(matches!(refusal, Refusal::Limit(standing) if standing.limit == HEAT));
    assert_eq!(ask(&mut bench, Origin::Remote, cap(45.0), None), Verdict::Accepted);
    assert_eq!(bench.watts(), 45.0);
    assert_eq!(bench.engine.claims(CAP).count(), 1);

    let mut bench = hot_under_a_claim(1);
    bench.pass(Duration::from_secs(60), 40.0);
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Normal, 140.0));
    assert!(bench.events.contains(&over));
}

#[test]
fn the_end_of_a_claim_that_cools_waits_for_nothing() {
    let mut bench = Bench::settled(40.0);
    assert_eq!(ask(&mut bench, Origin::Remote, cap(40.0), None), Verdict::Accepted);
    assert_eq!(ask(&mut bench, Origin::Local, cap(50.0), Some(1)), Verdict::Accepted);
    bench.cycles(8, 81.0);
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Limiting, 40.0));
}

#[test]
fn a_floor_falls_back_to_the_one_below_it() {
    let mut bench = Bench::settled(40.0);
    let floor = |floor| Proposal::FanFloor { target: ALL, floor: Ratio(floor) };
    assert_eq!(ask(&mut bench, Origin::Remote, floor(0.5), None), Verdict::Accepted);
    assert_eq!(ask(&mut bench, Origin::Local, floor(0.8), Some(1)), Verdict::Accepted);
    assert_eq!(bench.duty(), Some(0.8));
    bench.cycles(6, 40.0);
    assert_eq!(bench.duty(), Some(0.5));
    let clear = Proposal::ClearFanFloor { target: Target::One(FAN) };
    assert_eq!(ask(&mut bench, Origin::Local, clear, None), Verdict::Accepted);
    assert_eq!(bench.duty(), Some(0.5), "what is somebody else's stays");
}

fn issue(rack: &mut Rack, origin: Origin, verb: ResetType, seconds: Option<u64>) -> Verdict {
    let until = seconds.map(|seconds| rack.now.after(Duration::from_secs(seconds)));
    let proposal =
        Proposal::Switch { actuator: B, verb, expected: None, automatic: false, ticket: Ticket(3) };
    let issued = Issued { proposal, origin, until };
    rack.engine.handle_timeout(rack.now);
    let foreseen = rack.engine.validate(issued);
    let verdict = rack.engine.handle_proposal(issued, rack.now);
    assert_eq!(foreseen, verdict);
    rack.obey();
    verdict
}

#[test]
fn a_verb_in_flight_is_overtaken_by_a_higher_rank_only() {
    let mut rack = Rack::new();
    rack.power[1] = Ok(PowerState::On);
    rack.hangs[1] = true;
    rack.run(11);
    let down = ResetType::GracefulShutdown;
    assert_eq!(issue(&mut rack, Origin::Remote, down, None), Verdict::Accepted);
    let until = rack.now.after(TAKES);
    let busy = Verdict::Refused(Refusal::InFlight { verb: down, until });
    for equal_or_lower in [Origin::Remote, Origin::Automation] {
        let verdict = issue(&mut rack, equal_or_lower, ResetType::GracefulRestart, None);
        let expected = if equal_or_lower == Origin::Remote {
            busy
        } else {
            outranked_at(B, Origin::Remote, Some(until))
        };
        assert_eq!(verdict, expected);
    }
    // A lower one can't even cut what a higher one lets down in order.
    let cut = issue(&mut rack, Origin::Automation, ResetType::ForceOff, None);
    assert_eq!(cut, outranked_at(B, Origin::Remote, Some(until)));
    rack.events.clear();
    let verdict = issue(&mut rack, Origin::Local, ResetType::GracefulRestart, None);
    assert_eq!(verdict, Verdict::Accepted);
    let ended = EventKind::VerbEnded { actuator: B, verb: down, reached: false };
    assert_eq!(rack.events, [ended]);
    let (verb, _) = rack.engine.switch(B).unwrap().in_flight.unwrap();
    assert_eq!(verb, ResetType::GracefulRestart);
    // What makes no sense where the switch stands is refused to everybody.
    let mut rack = Rack::new();
    rack.hangs[1] = true;
    assert_eq!(issue(&mut rack, Origin::Remote, ResetType::On, None), Verdict::Accepted);
    let wrong = refused(issue(&mut rack, Origin::Local, ResetType::GracefulRestart, None));
    assert_eq!(wrong, Refusal::State(Some(PowerState::Off)));
}

#[test]
fn a_verb_with_an_end_claims_its_switch() {
    let mut rack = Rack::new();
    // It stands there already, and is held there all the same.
    let off = ResetType::GracefulShutdown;
    assert_eq!(issue(&mut rack, Origin::Local, off, Some(5)), Verdict::Accepted);
    let until = Some(rack.now.after(Duration::from_secs(5)));
    let claim = Claim { origin: Origin::Local, value: None, until };
    assert_eq!(rack.engine.claims(B).collect::<Vec<_>>(), [claim]);
    assert_eq!(
        issue(&mut rack, Origin::Remote, ResetType::On, None),
        outranked_at(B, Origin::Local, until)
    );
    rack.run(6);
    assert_eq!(issue(&mut rack, Origin::Remote, ResetType::On, Some(60)), Verdict::Accepted);
    rack.run(2);
    assert_eq!(rack.engine.claims(B).count(), 1);
    // Without an end it is done and over, and so is what the same origin claimed before.
    assert_eq!(issue(&mut rack, Origin::Remote, off, None), Verdict::Accepted);
    assert_eq!(rack.engine.claims(B).count(), 0);
}

#[test]
fn what_was_armed_by_a_lower_rank_is_refused_once_a_higher_one_claims_the_switch() {
    let mut rack = Rack::new();
    rack.power[1] = Ok(PowerState::On);
    rack.run(1);
    let armed = issue(&mut rack, Origin::Remote, ResetType::ForceOff, None);
    assert!(matches!(armed, Verdict::Armed { .. }));
    let proposal = Proposal::Switch {
        actuator: B,
        verb: ResetType::On,
        expected: None,
        automatic: false,
        ticket: Ticket(4),
    };
    let until = Some(rack.now.after(FRESH));
    let on = Issued { proposal, origin: Origin::Local, until };
    assert_eq!(rack.engine.handle_proposal(on, rack.now), Verdict::Accepted);
    let verdict = rack.engine.handle_confirm(Ticket(3), rack.now);
    assert_eq!(verdict, outranked_at(B, Origin::Local, until));
    // A confirmation claims as its command said, also where it stands already.
    let armed = Issued { until, ..by(Origin::Local, proposal) };
    let cut = |verb| Proposal::Switch {
        actuator: A,
        verb,
        expected: None,
        automatic: false,
        ticket: Ticket(5),
    };
    rack.power[0] = Ok(PowerState::On);
    rack.run(1);
    let cut = Issued { proposal: cut(ResetType::ForceOff), ..armed };
    assert!(matches!(rack.engine.handle_proposal(cut, rack.now), Verdict::Armed { .. }));
    assert_eq!(rack.engine.handle_confirm(Ticket(5), rack.now), Verdict::Accepted);
    assert_eq!(rack.engine.claims(A).count(), 1);
}

#[test]
fn a_setting_with_an_end_is_kept_from_lower_ranks() {
    let mut rack = Rack::new();
    let setting = Proposal::Setting { actuator: PROFILE, heats: false };
    let until = Some(rack.now.after(Duration::from_secs(3)));
    let held = Issued { until, ..by(Origin::Local, setting) };
    assert_eq!(rack.engine.handle_proposal(held, rack.now), Verdict::Accepted);
    let remote = by(Origin::Remote, setting);
    assert_eq!(rack.engine.validate(remote), outranked_at(PROFILE, Origin::Local, until));
    assert_eq!(
        rack.engine.handle_proposal(remote, rack.now),
        outranked_at(PROFILE, Origin::Local, until)
    );
    assert_eq!(rack.engine.claims(PROFILE).count(), 1);
    rack.run(4);
    assert_eq!(rack.engine.handle_proposal(remote, rack.now), Verdict::Accepted);
    assert_eq!(rack.engine.claims(PROFILE).count(), 0);
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Ask(Origin, Option<f64>, Option<u16>),
    Pass(u8),
}

fn input() -> impl Strategy<Value = Input> {
    let origin = (0..Origin::ALL.len()).prop_map(|index| Origin::ALL[index]);
    let watts = proptest::option::weighted(0.7, prop_oneof![30.0..140.0, 100.0..200.0]);
    let end = proptest::option::of(0..4000_u16);
    prop_oneof![
        (origin, watts, end).prop_map(|(origin, watts, end)| Input::Ask(origin, watts, end)),
        (1..6_u8).prop_map(Input::Pass),
    ]
}

/// What should stand, in the plainest words.
#[derive(Default)]
struct Model(Vec<(Origin, f64, Option<Moment>)>);

impl Model {
    fn valid(&self, now: Moment) -> impl Iterator<Item = &(Origin, f64, Option<Moment>)> {
        self.0.iter().filter(move |(_, _, until)| until.is_none_or(|until| until > now))
    }

    fn highest(&self, now: Moment) -> Option<(Origin, f64, Option<Moment>)> {
        self.valid(now).max_by_key(|(origin, ..)| *origin).copied()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_claim_that_decides_is_the_highest_that_is_valid(
        inputs in vec(input(), 1..40),
    ) {
        let mut bench = Bench::settled(40.0);
        let mut model = Model::default();
        for input in inputs {
            let now = bench.now;
            match input {
                Input::Pass(cycles) => bench.cycles(usize::from(cycles), 40.0),
                Input::Ask(origin, watts, end) => {
                    let until = end.map(|ms| now.after(Duration::from_millis(ms.into())));
                    let proposal = watts.map_or(CLEAR, cap);
                    let issued = Issued { proposal, origin, until };
                    bench.engine.handle_timeout(now);
                    let foreseen = bench.engine.validate(issued);
                    let verdict = bench.engine.handle_proposal(issued, now);
                    prop_assert_eq!(foreseen, verdict);
                    let above = model.highest(now).filter(|(it, ..)| *it > origin);
                    let own = model.valid(now).any(|(it, ..)| *it == origin);
                    let over = watts.is_some() && until.is_some_and(|until| until <= now);
                    let expected = match (watts, above) {
                        _ if over => Some(Refusal::Over),
                        (None, _) if own => None,
                        (_, Some((by, _, until))) => {
                            Some(Refusal::Outranked { by, until, actuator: Some(CAP) })
                        }
                        (_, None) => None,
                    };
                    match expected {
                        Some(refusal) => prop_assert_eq!(verdict, Verdict::Refused(refusal)),
                        None if watts.is_some_and(|watts| watts > 140.0) => {
                            prop_assert!(matches!(verdict, Verdict::Refused(_)));
                        }
                        None => {
                            prop_assert_eq!(verdict, Verdict::Accepted);
                            model.0.retain(|(it, ..)| *it != origin);
                            model.0.extend(watts.map(|watts| (origin, watts, until)));
                        }
                    }
                    bench.cycles(1, 40.0);
                }
            }
            let last = Moment::from_millis(0).after(bench.now.since(Moment::from_millis(0)) - CYCLE);
            let decides = model.highest(last).map_or(140.0, |(_, watts, _)| watts);
            prop_assert_eq!(bench.watts(), decides);
        }
    }

    #[test]
    fn no_rank_and_no_end_ever_passes_a_limit_or_adds_heat_to_a_hot_machine(
        inputs in vec((input(), 30.0..95.0), 1..40),
    ) {
        let mut bench = Bench::settled(40.0);
        for (input, celsius) in inputs {
            let cycles = match input {
                Input::Pass(cycles) => cycles,
                Input::Ask(origin, watts, end) => {
                    let hot = bench.engine.limit(HEAT).unwrap().state.kind();
                    let stood = bench.watts();
                    let until = end.map(|ms| bench.now.after(Duration::from_millis(ms.into())));
                    let proposal = watts.map_or(CLEAR, cap);
                    bench.engine.handle_proposal(Issued { proposal, origin, until }, bench.now);
                    if matches!(hot, StateKind::Limiting | StateKind::Tripped) {
                        prop_assert!(bench.watts() <= stood);
                    }
                    1
                }
            };
            for _ in 0..cycles {
                let hot = bench.engine.limit(HEAT).unwrap().state;
                let (before, stood) = (*hot, bench.watts());
                bench.cycles(1, celsius);
                let (after, stands) = (*bench.engine.limit(HEAT).unwrap().state, bench.watts());
                prop_assert!((30.0..=140.0).contains(&stands));
                // Only the ladder's own release lets a cap up while it is hot.
                let limiting = |kind| matches!(kind, StateKind::Limiting | StateKind::Tripped);
                if limiting(before.kind()) && limiting(after.kind())
                    && after.step() >= before.step()
                {
                    prop_assert!(stands <= stood, "{} after {}", stands, stood);
                }
            }
        }
    }
}

//! What holds for any sequence of readings, proposals, policies, faults and clock steps.

use super::bench::{Bench, CAP, CYCLE, FAN, HEAT, METER, POWER, STALE, TEMPERATURE};
use core::time::Duration;
use flyball_safety::{
    Level, LimitId, Observed, Proposal, StateKind, Step, Target, Thresholds, Verdict,
};
use flyball_units::{NoData, Ratio, Watts};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Input {
    Temperature(Result<f64, NoData>),
    Power(Result<f64, NoData>),
    Propose(Proposal),
    Fan(Result<Observed, NoData>),
    Cap(Result<Observed, NoData>),
    Policy(Option<f64>, Option<f64>),
    Clear(LimitId),
    /// Time passes, and the cycle runs.
    Pass(u16),
    /// The caller's clock runs backwards.
    StepBack(u16),
}

fn reading(values: impl Strategy<Value = f64>) -> impl Strategy<Value = Result<f64, NoData>> {
    prop_oneof![
        8 => values.prop_map(Ok),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), any::<f64>()].prop_map(Ok),
        2 => (0..NoData::ALL.len()).prop_map(|index| Err(NoData::ALL[index])),
    ]
}

fn proposal() -> impl Strategy<Value = Proposal> {
    let target = || prop_oneof![Just(Target::All), Just(Target::One(FAN)), Just(Target::One(CAP))];
    let number = || prop_oneof![4 => -10.0..250.0, 1 => any::<f64>()];
    let part = || prop_oneof![4 => -0.1..1.2, 1 => any::<f64>()];
    prop_oneof![
        (target(), number())
            .prop_map(|(target, watts)| Proposal::PowerCap { target, watts: Watts(watts) }),
        target().prop_map(|target| Proposal::ClearPowerCap { target }),
        (target(), part())
            .prop_map(|(target, floor)| Proposal::FanFloor { target, floor: Ratio(floor) }),
        target().prop_map(|target| Proposal::ClearFanFloor { target }),
    ]
}

fn observed() -> impl Strategy<Value = Result<Observed, NoData>> {
    prop_oneof![
        (0.0..1.0).prop_map(|duty| Ok(Observed::Duty(Ratio(duty)))),
        (0.0..1.0).prop_map(|duty| Ok(Observed::Automatic(Some(Ratio(duty))))),
        (0.0..200.0).prop_map(|watts| Ok(Observed::Cap(Watts(watts)))),
        Just(Err(NoData::Fault)),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let threshold = || proptest::option::of(prop_oneof![4 => 20.0..260.0, 1 => any::<f64>()]);
    prop_oneof![
        6 => reading(prop_oneof![30.0..100.0, 65.0..95.0]).prop_map(Input::Temperature),
        3 => reading(20.0..250.0).prop_map(Input::Power),
        3 => proposal().prop_map(Input::Propose),
        1 => observed().prop_map(Input::Fan),
        1 => observed().prop_map(Input::Cap),
        1 => (threshold(), threshold()).prop_map(|(limit, trip)| Input::Policy(limit, trip)),
        1 => prop_oneof![Just(HEAT), Just(POWER)].prop_map(Input::Clear),
        6 => (1..800_u16).prop_map(Input::Pass),
        1 => any::<u16>().prop_map(Input::StepBack),
    ]
}

/// Single inputs among stretches of an ordinary life, in which ladders come down again.
fn inputs(stretches: core::ops::Range<usize>) -> impl Strategy<Value = Vec<Input>> {
    let life = (30.0..95.0, 20.0..160.0, 1..60_usize).prop_map(|(celsius, watts, cycles)| {
        let cycle = [Input::Temperature(Ok(celsius)), Input::Power(Ok(watts)), Input::Pass(250)];
        core::iter::repeat_n(cycle, cycles).flatten().collect::<Vec<_>>()
    });
    let single = input().prop_map(|input| Vec::from([input]));
    vec(prop_oneof![8 => single, 1 => life], stretches).prop_map(|stretches| stretches.concat())
}

fn feed(bench: &mut Bench, input: Input) -> Option<Verdict> {
    let now = bench.now;
    let engine = &mut bench.engine;
    let mut verdict = None;
    match input {
        Input::Temperature(reading) => engine.handle_reading(TEMPERATURE, reading, now),
        Input::Power(reading) => engine.handle_reading(METER, reading, now),
        Input::Propose(proposal) => verdict = Some(engine.handle_proposal(proposal, now)),
        Input::Fan(observed) => engine.handle_readback(FAN, observed, now),
        Input::Cap(observed) => engine.handle_readback(CAP, observed, now),
        Input::Policy(limit, trip) => {
            let thresholds = Thresholds { warning: None, limit, trip };
            // Many of these policies make no sense; that none of it counts then is the point.
            let _ = engine.handle_policy(&[(HEAT, thresholds), (POWER, thresholds)], now);
        }
        Input::Clear(limit) => {
            // Most of the time there is nothing to clear.
            let _ = engine.handle_clear(limit, now);
        }
        Input::Pass(ms) => {
            bench.now = now.after(Duration::from_millis(u64::from(ms)));
            engine.handle_timeout(bench.now);
        }
        Input::StepBack(ms) => {
            let back = now.as_millis().saturating_sub(u64::from(ms));
            engine.handle_timeout(flyball_safety::Moment::from_millis(back));
        }
    }
    verdict
}

/// How much an engine cools: its fan's duty, automatic below all, and its cap.
fn cooling(bench: &Bench) -> (f64, f64) {
    (bench.duty().unwrap_or(0.0), -bench.watts())
}

fn hot(bench: &Bench) -> bool {
    [HEAT, POWER].into_iter().any(|limit| match bench.state(limit).kind() {
        StateKind::Unknown | StateKind::Limiting | StateKind::Tripped | StateKind::Failsafe => true,
        StateKind::Normal | StateKind::Warning => false,
    })
}

/// The rung of a limit, over all states.
fn rung(bench: &Bench) -> usize {
    let state = bench.state(HEAT);
    match state.kind() {
        StateKind::Unknown | StateKind::Normal => 0,
        StateKind::Tripped => 6,
        StateKind::Warning | StateKind::Limiting | StateKind::Failsafe => {
            state.step().map_or(0, |step| match step {
                Step::Alert => 1,
                Step::FansRaised => 2,
                Step::FansFull => 3,
                Step::CapSafe => 4,
                Step::CapMin | Step::Quiesce | Step::Suspend => 5,
                Step::Shutdown | Step::HardOff => 6,
            })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_actuator_is_asked_for_more_than_the_tightest_layer_allows(
        inputs in inputs(1..120),
    ) {
        let mut bench = Bench::new();
        for input in inputs {
            feed(&mut bench, input);
            let tightest = bench.engine.limit(POWER).unwrap().thresholds.limit.unwrap().value;
            prop_assert!(bench.watts() <= tightest.clamp(30.0, 140.0) + 1e-9);
            prop_assert!(bench.watts() >= 30.0);
            prop_assert!(bench.duty().is_none_or(|duty| (0.2..=1.0).contains(&duty)));
            while let Some(action) = bench.engine.poll_action() {
                if let flyball_safety::Action::Drive { actuator: CAP, level } = action {
                    prop_assert_eq!(level, Level::Cap(Watts(bench.watts())));
                }
            }
        }
    }

    #[test]
    fn a_reading_over_the_trip_for_its_dwell_always_trips_at_once(
        inputs in inputs(0..80),
        celsius in 90.0..125.0,
    ) {
        let mut bench = Bench::new();
        for input in inputs {
            feed(&mut bench, input);
        }
        for _ in 0..2 {
            bench.now = bench.now.after(CYCLE);
            bench.engine.handle_reading(TEMPERATURE, Ok(celsius), bench.now);
        }
        prop_assert_eq!(bench.heat(), StateKind::Tripped);
        prop_assert_eq!((bench.duty(), bench.watts()), (Some(1.0), 30.0));
    }

    #[test]
    fn a_required_sensor_that_is_lost_leads_to_failsafe_within_stale_after(
        inputs in inputs(0..80),
        reason in 0..NoData::ALL.len(),
    ) {
        let mut bench = Bench::new();
        for input in inputs {
            feed(&mut bench, input);
        }
        let lost_at = bench.now.after(STALE);
        while bench.now < lost_at {
            bench.now = bench.engine.poll_timeout().max(bench.now.after(CYCLE)).min(lost_at);
            bench.engine.handle_reading(TEMPERATURE, Err(NoData::ALL[reason]), bench.now);
            bench.engine.handle_timeout(bench.now);
        }
        prop_assert!(matches!(bench.heat(), StateKind::Failsafe | StateKind::Tripped));
        prop_assert!(bench.duty() >= Some(0.6) && bench.watts() <= 60.0);
    }

    #[test]
    fn a_trip_never_clears_by_itself(inputs in inputs(1..120)) {
        let mut bench = Bench::new();
        for _ in 0..3 {
            feed(&mut bench, Input::Temperature(Ok(99.0)));
        }
        prop_assert_eq!(bench.heat(), StateKind::Tripped);
        for input in inputs {
            if !matches!(input, Input::Clear(_)) {
                feed(&mut bench, input);
                prop_assert_eq!(bench.heat(), StateKind::Tripped);
            }
        }
    }

    #[test]
    fn no_proposal_adds_heat_while_a_limit_stands_against_it(
        inputs in inputs(1..120),
        proposals in vec(proposal(), 1..8),
    ) {
        let mut bench = Bench::new();
        for input in inputs {
            feed(&mut bench, input);
            for proposal in &proposals {
                let (duty, cap) = cooling(&bench);
                let was_hot = hot(&bench);
                let verdict = feed(&mut bench, Input::Propose(*proposal));
                let (duty_after, cap_after) = cooling(&bench);
                if was_hot {
                    prop_assert!(duty_after >= duty - 1e-9, "{proposal:?} {verdict:?}");
                    prop_assert!(cap_after >= cap - 1e-9, "{proposal:?} {verdict:?}");
                }
                if let Some(Verdict::Refused(_)) = verdict {
                    prop_assert_eq!((duty, cap), (duty_after, cap_after));
                }
            }
        }
    }

    #[test]
    fn the_ladder_goes_down_one_rung_per_release_time(inputs in inputs(1..160)) {
        let mut bench = Bench::new();
        let mut down_at = None;
        for input in inputs {
            let (before, kind) = (rung(&bench), bench.heat());
            feed(&mut bench, input);
            let after = rung(&bench);
            let cleared = matches!(input, Input::Clear(_)) && kind == StateKind::Tripped;
            if cleared {
                down_at = None;
            } else if after < before {
                prop_assert!(before - after == 1, "{before} to {after} by {input:?}");
                let now = bench.now;
                let calm = down_at.is_none_or(|at| now.since(at) >= super::bench::RELEASE);
                prop_assert!(calm, "{before} to {after} by {input:?}");
                down_at = Some(now);
            }
        }
    }

    #[test]
    fn a_limit_in_failsafe_always_has_its_fans_and_caps(inputs in inputs(1..160)) {
        let mut bench = Bench::new();
        for input in inputs {
            feed(&mut bench, input);
            if bench.heat() == StateKind::Failsafe {
                prop_assert!(bench.duty() >= Some(0.6) && bench.watts() <= 60.0);
            }
        }
    }
}

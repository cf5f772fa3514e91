//! Self-tests: the real path on simulated readings, beside the real ones and never instead.

use super::bench::{Bench, CAP, CYCLE, FAN, HEAT, STEP_TIME, plan};
use super::rack::{A, Rack, refused};
use core::time::Duration;
use flyball_safety::{
    Aborted, EventKind, Level, LockId, LockSpec, Mapping, Moment, Observed, Proposal, Refusal,
    Response, SelfTestEnd, StateKind, Target, Verdict,
};
use flyball_units::{Ratio, ResetType, Watts};
use proptest::collection::vec;
use proptest::prelude::*;

fn begin(bench: &mut Bench) {
    assert_eq!(bench.engine.validate_self_test(), Ok(()));
    let until = bench.engine.handle_self_test(bench.now).unwrap();
    assert!(until > bench.now);
    let view = bench.engine.self_test().unwrap();
    assert_eq!((view.began, view.until, view.ended), (bench.now, until, None));
}

fn end(bench: &Bench) -> Option<SelfTestEnd> {
    bench.engine.self_test().and_then(|view| view.ended).map(|(_, end)| end)
}

/// Runs on at 40 °C until `there`.
fn run_until(bench: &mut Bench, there: impl Fn(&Bench) -> bool) {
    for _ in 0..400 {
        if there(bench) {
            return;
        }
        bench.cycles(1, 40.0);
    }
    panic!("it never came there");
}

fn run_out(bench: &mut Bench, celsius: f64) -> SelfTestEnd {
    for _ in 0..400 {
        if let Some(end) = end(bench) {
            return end;
        }
        bench.cycles(1, celsius);
    }
    panic!("it never ended");
}

#[test]
fn every_hand_goes_all_the_way_and_comes_back_and_the_limits_never_notice() {
    let mut bench = Bench::settled(40.0);
    let events = bench.events.len();
    begin(&mut bench);
    let busy = Refusal::Testing { until: bench.engine.self_test().unwrap().until };
    assert_eq!(bench.engine.validate_self_test(), Err(busy));
    assert_eq!(bench.engine.handle_self_test(bench.now), Err(busy));
    let mut most: (f64, f64) = (0.0, 140.0);
    for _ in 0..400 {
        if end(&bench).is_some() {
            break;
        }
        bench.cycles(1, 40.0);
        most = (most.0.max(bench.duty().unwrap_or(0.0)), most.1.min(bench.watts()));
        assert_eq!(bench.heat(), StateKind::Normal);
    }
    assert_eq!(most, (1.0, 30.0));
    assert_eq!(end(&bench), Some(SelfTestEnd::Passed));
    assert_eq!((bench.duty(), bench.watts()), (None, 140.0));
    let trials = bench.engine.self_test().unwrap().trials.to_vec();
    assert_eq!(trials.len(), 2);
    assert!(trials.iter().all(flyball_safety::Trial::passed));
    assert_eq!((trials[0].actuator, trials[0].asked), (FAN, Some(Level::Duty(Ratio(1.0)))));
    assert_eq!((trials[1].actuator, trials[1].asked), (CAP, Some(Level::Cap(Watts(30.0)))));
    assert_eq!(trials[1].observed, Some(Ok(Observed::Cap(Watts(30.0)))));
    assert!(
        trials
            .iter()
            .all(|it| it.took <= Some(Duration::from_secs(1)) && it.took > Some(Duration::ZERO))
    );
    let told: Vec<EventKind> = bench.events[events..].to_vec();
    let ended = EventKind::SelfTestEnded { end: SelfTestEnd::Passed };
    assert_eq!(told, [EventKind::SelfTestBegan { actuators: 2 }, ended]);
    begin(&mut bench);
    assert_eq!(run_out(&mut bench, 40.0), SelfTestEnd::Passed);
}

#[test]
fn the_ladder_gets_its_time_before_the_caps_are_asked() {
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    let began = bench.now;
    run_until(&mut bench, |bench| bench.duty() == Some(1.0));
    assert!(bench.now.since(began) < STEP_TIME);
    // The limit of power asks for the safe cap at once.
    assert_eq!(bench.watts(), 60.0);
    run_until(&mut bench, |bench| bench.watts() <= 30.0);
    assert!(bench.now.since(began) >= STEP_TIME);
}

#[test]
fn a_hand_that_does_not_obey_fails_it() {
    for (fan, cap) in [(true, false), (false, true)] {
        let mut bench = Bench::settled(40.0);
        begin(&mut bench);
        (bench.fan_deaf, bench.cap_deaf) = (fan, cap);
        let ended = run_out(&mut bench, 40.0);
        let trials = bench.engine.self_test().unwrap().trials.to_vec();
        assert_eq!(ended, SelfTestEnd::Failed, "{trials:?}");
        assert_eq!((trials[0].took.is_none(), trials[1].took.is_none()), (fan, cap));
    }
    // One that goes and does not come back has failed as well.
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    run_until(&mut bench, |bench| bench.watts() <= 30.0);
    bench.cap_deaf = true;
    assert_eq!(run_out(&mut bench, 40.0), SelfTestEnd::Failed);
    let trial = bench.engine.self_test().unwrap().trials[1];
    assert!(trial.took.is_some() && trial.back.is_none() && !trial.passed());
}

#[test]
fn a_real_limit_ends_it_at_once_and_is_answered_with_what_it_needs() {
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    bench.cycles(4, 40.0);
    bench.cycles(3, 85.0);
    assert_eq!(end(&bench), Some(SelfTestEnd::Aborted(Aborted::Limit(HEAT))));
    assert_eq!((bench.heat(), bench.duty()), (StateKind::Limiting, Some(1.0)));
    let refusal = bench.engine.validate_self_test().unwrap_err();
    assert!(matches!(refusal, Refusal::Limit(standing) if standing.limit == HEAT), "{refusal:?}");
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    bench.blind(Duration::from_secs(2));
    assert_eq!(end(&bench), Some(SelfTestEnd::Aborted(Aborted::Limit(HEAT))));
}

#[test]
fn whoever_asks_or_locks_something_ends_it() {
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    run_until(&mut bench, |bench| bench.watts() <= 30.0);
    let cap = Proposal::PowerCap { target: Target::All, watts: Watts(100.0) };
    assert_eq!(bench.engine.validate(cap), Verdict::Accepted);
    assert_eq!(bench.engine.handle_proposal(cap, bench.now), Verdict::Accepted);
    assert_eq!((end(&bench), bench.watts()), (Some(SelfTestEnd::Aborted(Aborted::Command)), 100.0));
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    let lock = LockSpec { target: None, until: None, holds_levels: false };
    assert_eq!(bench.engine.handle_lock(LockId(4), lock, bench.now), Ok(()));
    assert_eq!(end(&bench), Some(SelfTestEnd::Aborted(Aborted::Lock)));
    assert_eq!(bench.engine.handle_self_test(bench.now), Err(Refusal::Locked(LockId(4))));
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    let config = flyball_safety::Config::check(plan()).unwrap();
    bench.engine.replan(config, Mapping::default(), bench.now).unwrap();
    assert_eq!(end(&bench), Some(SelfTestEnd::Aborted(Aborted::Replan)));
}

#[test]
fn it_is_refused_before_anything_is_known_and_where_there_is_nothing_to_try() {
    let mut bench = Bench::new();
    assert!(matches!(bench.engine.validate_self_test(), Err(Refusal::Limit(_))));
    bench.cycles(4, 40.0);
    assert_eq!(bench.engine.validate_self_test(), Ok(()));
    let mut plan = plan();
    for limit in &mut plan.limits {
        limit.response = Response::Alert;
    }
    let mut bench = Bench::of(plan);
    bench.cycles(4, 95.0);
    assert_eq!(bench.engine.handle_self_test(bench.now), Err(Refusal::NothingToTest));
    assert_eq!(bench.engine.self_test(), None);
}

#[test]
fn a_verb_in_flight_is_in_its_way() {
    let mut rack = Rack::new();
    assert_eq!(rack.engine.validate_self_test(), Ok(()));
    rack.hangs[0] = true;
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    let refusal = refused(Verdict::Refused(rack.engine.validate_self_test().unwrap_err()));
    assert!(matches!(refusal, Refusal::InFlight { verb: ResetType::On, .. }), "{refusal:?}");
    // A lesser limit of the zone that only tells is no reason.
    let mut rack = Rack::new();
    rack.tray = Ok(100.0);
    rack.run(4);
    assert_eq!(rack.engine.validate_self_test(), Ok(()));
}

#[test]
fn a_fan_that_no_limit_of_heat_raises_is_not_tried() {
    let mut plan = plan();
    plan.limits[0].response = Response::Alert;
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    begin(&mut bench);
    assert_eq!(run_out(&mut bench, 40.0), SelfTestEnd::Passed);
    let tried = bench.engine.self_test().unwrap().trials.to_vec();
    assert_eq!(tried.iter().map(|trial| trial.actuator).collect::<Vec<_>>(), [CAP]);
}

#[test]
fn a_hand_has_its_time_to_come_back() {
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    run_until(&mut bench, |bench| bench.watts() <= 30.0);
    run_until(&mut bench, |bench| bench.watts() > 30.0);
    bench.cap = Observed::Cap(Watts(30.0));
    bench.cap_deaf = true;
    bench.cycles(2, 40.0);
    assert_eq!(end(&bench), None);
    bench.cap_deaf = false;
    assert_eq!(run_out(&mut bench, 40.0), SelfTestEnd::Passed);
    let back = bench.engine.self_test().unwrap().trials[1].back;
    assert!(back > Some(CYCLE * 2) && back <= Some(Duration::from_secs(1)), "{back:?}");
}

#[test]
fn it_is_broken_off_when_its_time_is_over_and_not_before() {
    let mut plan = plan();
    plan.limits[1].hold = Duration::from_secs(2);
    for sensor in &mut plan.sensors {
        sensor.stale_after = Duration::from_secs(3600);
        sensor.slew_per_s = 0.001;
    }
    let mut bench = Bench::of(plan);
    bench.cycles(20, 40.0);
    begin(&mut bench);
    let until = bench.engine.self_test().unwrap().until;
    // Three samples to settle and three of the dwell, the hold, four steps of two seconds, and
    // a second for each hand to go and to come back.
    assert_eq!(until.since(bench.now), Duration::from_millis(1500 + 2000 + 8000 + 2000));
    bench.now = until;
    let before = Moment::from_millis(until.as_millis() - 1);
    bench.engine.handle_timeout(before);
    assert_eq!(end(&bench), None);
    bench.engine.handle_timeout(until);
    assert_eq!(end(&bench), Some(SelfTestEnd::Aborted(Aborted::Overtime)));
}

#[test]
fn what_the_engine_does_not_drive_is_not_tried() {
    let mut rack = Rack::new();
    rack.run(2);
    assert!(rack.engine.handle_self_test(rack.now).is_ok());
    rack.run(200);
    let view = rack.engine.self_test().unwrap();
    assert_eq!(view.ended.map(|(_, end)| end), Some(SelfTestEnd::Passed));
    let tried: Vec<_> = view.trials.iter().map(|trial| trial.actuator).collect();
    assert_eq!(tried, [super::rack::FAN], "no switch and no setting");
}

#[test]
fn a_word_of_the_moment_in_which_a_hand_was_asked_is_no_proof() {
    let mut bench = Bench::settled(40.0);
    begin(&mut bench);
    let mut asked_at = bench.now;
    for _ in 0..400 {
        if bench.duty() == Some(1.0) {
            break;
        }
        asked_at = bench.now;
        bench.cycles(1, 40.0);
    }
    let trial = |bench: &Bench| bench.engine.self_test().unwrap().trials[0];
    let asked = Some(Level::Duty(Ratio(1.0)));
    assert_eq!((trial(&bench).asked, trial(&bench).took), (asked, None));
    bench.engine.handle_readback(FAN, Ok(Observed::Duty(Ratio(1.0))), asked_at);
    bench.engine.handle_timeout(asked_at);
    assert_eq!(trial(&bench).took, None);
    bench.cycles(1, 40.0);
    assert_eq!(trial(&bench).took, Some(CYCLE));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Twins with the same readings, of which one is tested: its fans turn at least as fast and
    /// its caps stand at most as high, and its limits are where the other's are.
    #[test]
    fn a_machine_under_test_is_never_hotter_than_its_twin(
        readings in vec((20.0..95.0, 50.0..180.0, any::<bool>()), 1..60),
    ) {
        let (mut tested, mut twin) = (Bench::settled(40.0), Bench::settled(40.0));
        for (celsius, watts, begins) in readings {
            if begins {
                let _ = tested.engine.handle_self_test(tested.now);
            }
            for bench in [&mut tested, &mut twin] {
                bench.cycle(Ok(celsius), Ok(watts));
            }
            prop_assert_eq!(tested.state(HEAT), twin.state(HEAT));
            prop_assert!(tested.watts() <= twin.watts());
            prop_assert!(tested.duty() >= twin.duty() || tested.duty() == Some(1.0));
        }
    }
}

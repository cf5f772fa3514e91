//! The ladder above the caps: quiesce, suspend, what sheds, the host, and power cut.

use super::bench::{self, Bench, HEAT, RELEASE, STEP_TIME};
use super::rack::{A, B, C, ORDERLY, ROOM, Rack, TAKES, UPS};
use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, EventKind, Hand, HardOff, HostLevel, HostReport, Level,
    Observed, Rung, State, StateKind, Step, SwitchSpec, TripCause, Verbs,
};
use flyball_units::{NoData, PowerState, ResetType};

const FEED: ActuatorId = ActuatorId::new(2);
const RUNG: Option<Rung> = Some(Rung { within: Duration::from_secs(3) });

/// The bench with a host that can quiesce, sleep and stop, and a switch that feeds it.
fn plan_of_host() -> flyball_safety::Plan {
    let mut plan = bench::plan();
    plan.actuators.push(ActuatorSpec {
        hand: Hand::Switch(SwitchSpec {
            verbs: Verbs::of(&[ResetType::On, ResetType::ForceOff]),
            fresh_for: Duration::from_secs(600),
            takes: Duration::from_secs(60),
            restart_interval: Duration::ZERO,
            group: None,
            recoveries: None,
            shed: None,
        }),
        zones: vec![],
        tolerance: 0.0,
        verify_within: Duration::from_secs(5),
    });
    let ladder = &mut plan.zones[0].ladder;
    ladder.quiesce = RUNG;
    ladder.suspend = RUNG;
    ladder.shutdown = RUNG;
    ladder.hard_off = Some(HardOff { switch: FEED, after: Duration::from_secs(10) });
    plan
}

/// At the smallest cap, and hot as before.
fn at_cap_min(plan: flyball_safety::Plan) -> Bench {
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    let on = Observed::Power(PowerState::On);
    bench.engine.handle_readback(FEED, Ok(on), bench.now);
    bench.cycles(2, 82.0);
    bench.pass(STEP_TIME * 2, 82.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    bench
}

fn asked(bench: &mut Bench) -> Option<HostLevel> {
    bench.actions.clear();
    bench.cycles(1, 82.0);
    bench.actions.iter().find_map(|action| match action {
        Action::Host { level, limit: Some(HEAT) } => Some(*level),
        Action::Host { level: HostLevel::Running, limit: None } => Some(HostLevel::Running),
        Action::Host { .. } | Action::Drive { .. } | Action::Switch { .. } => None,
    })
}

fn report(bench: &mut Bench, report: HostReport) {
    bench.engine.handle_host(report, bench.now);
    bench.obey();
}

#[test]
fn above_the_caps_the_host_is_quieted_and_put_to_sleep_each_with_its_time() {
    let mut bench = at_cap_min(plan_of_host());
    bench.pass(STEP_TIME, 82.0);
    assert_eq!(bench.step(), Some(Step::Quiesce));
    assert_eq!(asked(&mut bench), Some(HostLevel::Quiesced));
    assert_eq!(asked(&mut bench), Some(HostLevel::Quiesced), "it is asked again each cycle");
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    assert_eq!(asked(&mut bench), None, "until it stands");
    bench.pass(STEP_TIME, 82.0);
    assert_eq!((bench.step(), bench.watts()), (Some(Step::Suspend), 30.0));
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    assert_eq!(asked(&mut bench), Some(HostLevel::Suspended), "an old word proves nothing");
    report(&mut bench, HostReport::Reached(HostLevel::Suspended));
    bench.pass(STEP_TIME * 5, 82.0);
    assert_eq!(bench.step(), Some(Step::Suspend), "hands that obey get their time");
}

#[test]
fn the_host_is_released_step_by_step_like_the_caps() {
    let mut bench = at_cap_min(plan_of_host());
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Reached(HostLevel::Suspended));
    bench.cycles(3, 40.0);
    for (step, host) in [
        (Step::Suspend, HostLevel::Suspended),
        (Step::Quiesce, HostLevel::Quiesced),
        (Step::CapMin, HostLevel::Running),
        (Step::CapSafe, HostLevel::Running),
    ] {
        assert_eq!((bench.step(), bench.engine.host().0), (Some(step), host));
        bench.pass(RELEASE, 40.0);
    }
    report(&mut bench, HostReport::Reached(HostLevel::Running));
    bench.actions.clear();
    bench.cycles(2, 40.0);
    assert!(!bench.actions.iter().any(|action| matches!(action, Action::Host { .. })));
}

#[test]
fn a_rung_that_fails_is_passed_at_once_and_one_that_is_silent_after_its_time() {
    let mut bench = at_cap_min(plan_of_host());
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Failed(HostLevel::Quiesced));
    assert_eq!(bench.step(), Some(Step::Suspend));
    let failed = EventKind::HostFailed { level: HostLevel::Quiesced };
    assert_eq!(bench.events.iter().filter(|kind| **kind == failed).count(), 1);
    bench.pass(Duration::from_secs(2), 82.0);
    let asleep = EventKind::HostFailed { level: HostLevel::Suspended };
    assert!(!bench.events.contains(&asleep));
    bench.pass(Duration::from_millis(1500), 82.0);
    assert!(bench.events.contains(&asleep));
    let State::Tripped(tripped) = bench.state(HEAT) else { panic!("{:?}", bench.state(HEAT)) };
    assert_eq!(
        (tripped.cause, tripped.step),
        (TripCause::LadderExhausted, Step::Shutdown),
        "nothing is left below a trip, and what was there did not obey"
    );
    assert_eq!(tripped.threshold, Some(80.0));
}

#[test]
fn what_failed_is_told_once_in_an_episode_and_tried_anew_in_the_next() {
    let mut bench = at_cap_min(plan_of_host());
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Failed(HostLevel::Quiesced));
    report(&mut bench, HostReport::Reached(HostLevel::Suspended));
    bench.cycles(3, 40.0);
    bench.pass(RELEASE, 40.0);
    assert_eq!(bench.step(), Some(Step::Quiesce));
    report(&mut bench, HostReport::Failed(HostLevel::Quiesced));
    let failed = EventKind::HostFailed { level: HostLevel::Quiesced };
    let told = |bench: &Bench| bench.events.iter().filter(|kind| **kind == failed).count();
    assert_eq!(told(&bench), 1);
    bench.pass(RELEASE * 2, 40.0);
    assert_eq!(bench.engine.host().0, HostLevel::Running);
    let tries = (0..60).find(|_| {
        bench.cycles(1, 82.0);
        bench.step() == Some(Step::Quiesce)
    });
    assert!(tries.is_some(), "it is tried again");
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    report(&mut bench, HostReport::Failed(HostLevel::Suspended));
    assert_eq!(told(&bench), 1, "it was not asked to sleep");
    report(&mut bench, HostReport::Failed(HostLevel::Quiesced));
    assert_eq!(told(&bench), 2, "what stood may fail later");
}

#[test]
fn a_rung_that_the_zone_has_not_is_passed_over() {
    let mut plan = plan_of_host();
    plan.zones[0].ladder.quiesce = None;
    let mut bench = at_cap_min(plan);
    bench.pass(STEP_TIME, 82.0);
    assert_eq!(bench.step(), Some(Step::Suspend));
    let mut plan = plan_of_host();
    plan.zones[0].ladder.suspend = None;
    let mut bench = at_cap_min(plan);
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    bench.pass(STEP_TIME * 4, 82.0);
    assert_eq!(bench.step(), Some(Step::Quiesce));
}

#[test]
fn a_limit_that_stays_passed_for_too_long_trips_where_the_zone_says_so() {
    let mut plan = plan_of_host();
    plan.zones[0].ladder.quiesce = None;
    plan.zones[0].ladder.suspend = None;
    plan.zones[0].ladder.exhausts_after = Some(Duration::from_secs(60));
    let mut bench = at_cap_min(plan);
    bench.pass(Duration::from_secs(58), 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    bench.pass(Duration::from_secs(3), 82.0);
    assert_eq!(bench.heat(), StateKind::Tripped);
}

fn feed(bench: &mut Bench, power: PowerState) {
    bench.engine.handle_readback(FEED, Ok(Observed::Power(power)), bench.now);
}

#[test]
fn a_shutdown_that_does_not_come_about_ends_in_power_cut_and_asserted_until_seen() {
    let mut bench = at_cap_min(plan_of_host());
    bench.cycles(2, 95.0);
    assert_eq!(bench.step(), Some(Step::Shutdown));
    assert_eq!(asked(&mut bench), Some(HostLevel::Stopping));
    report(&mut bench, HostReport::Reached(HostLevel::Stopping));
    assert_eq!(asked(&mut bench), None);
    bench.pass(Duration::from_secs(9), 95.0);
    assert_eq!(bench.step(), Some(Step::Shutdown));
    let wanted = bench.engine.actuator(FEED).unwrap().wanted;
    assert_eq!(wanted, Level::Free, "power is cut by the last step alone");
    bench.pass(Duration::from_millis(1000), 95.0);
    assert_eq!(bench.step(), Some(Step::HardOff));
    let climbed = |kind: &EventKind| {
        matches!(kind, EventKind::StepChanged { to: Step::HardOff, limit: HEAT, .. })
    };
    assert!(bench.saw(climbed));
    let off = Action::Drive { actuator: FEED, level: Level::Off };
    for _ in 0..3 {
        bench.actions.clear();
        feed(&mut bench, PowerState::On);
        bench.cycles(1, 95.0);
        assert!(bench.actions.contains(&off));
    }
    feed(&mut bench, PowerState::Off);
    bench.cycles(1, 95.0);
    bench.actions.clear();
    for _ in 0..200 {
        feed(&mut bench, PowerState::Off);
        bench.cycles(1, 95.0);
    }
    assert!(!bench.actions.contains(&off));
}

#[test]
fn a_shutdown_that_is_refused_cuts_power_at_once() {
    let mut bench = at_cap_min(plan_of_host());
    bench.cycles(2, 95.0);
    report(&mut bench, HostReport::Failed(HostLevel::Stopping));
    assert_eq!(bench.step(), Some(Step::HardOff));
    let mut bench = at_cap_min(plan_of_host());
    bench.cycles(2, 95.0);
    bench.pass(Duration::from_secs(3), 95.0);
    assert_eq!(bench.step(), Some(Step::HardOff), "nobody said that it stops");
}

#[test]
fn a_trip_without_a_shutdown_goes_to_the_hard_off_where_there_is_one() {
    let mut plan = plan_of_host();
    plan.zones[0].ladder.shutdown = None;
    let mut bench = at_cap_min(plan);
    bench.cycles(2, 95.0);
    assert_eq!(bench.step(), Some(Step::HardOff));
    assert_eq!(bench.engine.host().0, HostLevel::Quiesced, "it has no way to stop in order");
    let mut plan = plan_of_host();
    plan.zones[0].ladder = flyball_safety::Ladder::NONE;
    let mut bench = at_cap_min(plan);
    bench.cycles(2, 95.0);
    assert_eq!(bench.step(), Some(Step::CapMin));
    assert_eq!(asked(&mut bench), None);
}

#[test]
fn a_feed_that_serves_no_zone_is_held_off_by_a_trip_alone() {
    let mut bench = at_cap_min(plan_of_host());
    feed(&mut bench, PowerState::Off);
    let on = flyball_safety::Proposal::Switch {
        actuator: FEED,
        verb: ResetType::On,
        expected: None,
        automatic: false,
        ticket: flyball_safety::Ticket(1),
    };
    assert_eq!(bench.heat(), StateKind::Limiting);
    assert_eq!(bench.engine.validate(on), flyball_safety::Verdict::Accepted);
    bench.cycles(2, 95.0);
    let refusal = super::rack::refused(bench.engine.validate(on));
    assert!(matches!(refusal, flyball_safety::Refusal::Limit(_)), "{refusal:?}");
}

#[test]
fn a_trip_keeps_quiet_what_was_quiet_and_quiets_what_was_not() {
    let mut plan = plan_of_host();
    plan.zones[0].ladder = flyball_safety::Ladder { quiesce: RUNG, ..flyball_safety::Ladder::NONE };
    let mut bench = at_cap_min(plan.clone());
    bench.pass(STEP_TIME, 82.0);
    report(&mut bench, HostReport::Reached(HostLevel::Quiesced));
    bench.cycles(2, 95.0);
    assert_eq!((bench.heat(), bench.step()), (StateKind::Tripped, Some(Step::CapMin)));
    assert_eq!(bench.engine.host(), (HostLevel::Quiesced, Some(HEAT)));
    assert_eq!(asked(&mut bench), None, "it stands");
    let mut bench = at_cap_min(plan.clone());
    bench.cycles(2, 95.0);
    assert_eq!(asked(&mut bench), Some(HostLevel::Quiesced));
    let mut bench = Bench::of(plan);
    bench.engine.handle_latch(HEAT, bench.now);
    bench.cycles(4, 40.0);
    assert_eq!(bench.engine.host(), (HostLevel::Running, None), "a machine must be able to start");
}

#[test]
fn a_machine_that_was_cut_off_stays_off_until_the_trip_is_cleared() {
    let mut bench = at_cap_min(plan_of_host());
    bench.cycles(2, 95.0);
    report(&mut bench, HostReport::Failed(HostLevel::Stopping));
    feed(&mut bench, PowerState::Off);
    let on = flyball_safety::Proposal::Switch {
        actuator: FEED,
        verb: ResetType::On,
        expected: None,
        automatic: false,
        ticket: flyball_safety::Ticket(1),
    };
    bench.cycles(8, 40.0);
    let refusal = super::rack::refused(bench.engine.handle_proposal(on, bench.now));
    assert!(
        matches!(refusal, flyball_safety::Refusal::Limit(standing) if standing.limit == HEAT),
        "{refusal:?}"
    );
    assert_eq!(bench.engine.handle_clear(HEAT, bench.now), Ok(()));
    let verdict = bench.engine.handle_proposal(on, bench.now);
    assert_eq!(verdict, flyball_safety::Verdict::Accepted);
}

#[test]
fn a_tripped_room_goes_down_in_order_and_the_host_goes_last() {
    let mut rack = Rack::new();
    rack.power = [Ok(PowerState::On); 3];
    rack.hangs[0] = true;
    rack.run(2);
    rack.inlet = Ok(50.0);
    rack.run(2);
    assert_eq!(rack.state(ROOM), StateKind::Tripped);
    assert_eq!((rack.wanted(A), rack.wanted(B), rack.wanted(C)), {
        (Level::Down, Level::Free, Level::Free)
    });
    assert_eq!(rack.host, Some(HostLevel::Quiesced), "the host is quiet while it serves the rest");
    rack.run(ORDERLY.as_secs() - 3);
    assert_eq!(rack.wanted(A), Level::Down);
    rack.run(3);
    assert_eq!((rack.wanted(A), rack.power[0]), (Level::Off, Ok(PowerState::Off)), "it hung");
    rack.run(2);
    assert_eq!((rack.wanted(B), rack.power[1]), (Level::Down, Ok(PowerState::Off)));
    rack.run(2);
    assert_eq!(rack.host, Some(HostLevel::Stopping));
    assert_eq!(
        (rack.wanted(C), rack.power[2]),
        (Level::Free, Ok(PowerState::On)),
        "c sheds nothing"
    );
}

#[test]
fn what_cannot_be_seen_to_go_down_holds_the_others_for_its_time_only() {
    let mut rack = Rack::new();
    rack.power = [Err(NoData::Fault), Ok(PowerState::On), Ok(PowerState::On)];
    rack.run(2);
    rack.inlet = Ok(50.0);
    for _ in 0..(ORDERLY + TAKES).as_secs() {
        rack.power[0] = Err(NoData::Fault);
        rack.run(1);
    }
    assert_eq!(rack.wanted(B), Level::Free);
    for _ in 0..4 {
        rack.power[0] = Err(NoData::Fault);
        rack.run(1);
    }
    assert_eq!(rack.wanted(B), Level::Down);
    rack.run(1);
    assert_eq!(rack.host, Some(HostLevel::Stopping));
}

#[test]
fn a_ups_that_runs_out_quiesces_first_and_then_takes_the_rack_down() {
    let mut rack = Rack::new();
    rack.power = [Ok(PowerState::On); 3];
    rack.runtime = Ok(550.0);
    rack.run(3);
    assert_eq!((rack.state(UPS), rack.host), (StateKind::Warning, None));
    rack.runtime = Ok(290.0);
    rack.run(2);
    assert_eq!((rack.state(UPS), rack.host), (StateKind::Limiting, Some(HostLevel::Quiesced)));
    assert!(matches!(rack.wanted(super::rack::FAN), Level::Duty(duty) if duty.get() < 0.6));
    rack.runtime = Ok(1800.0);
    rack.run(45);
    assert_eq!((rack.state(UPS), rack.host), (StateKind::Normal, Some(HostLevel::Running)));
    rack.runtime = Ok(110.0);
    rack.run(6);
    assert_eq!(rack.state(UPS), StateKind::Tripped);
    assert_eq!(rack.power, [Ok(PowerState::Off), Ok(PowerState::Off), Ok(PowerState::On)]);
    assert_eq!(rack.host, Some(HostLevel::Stopping));
}

#[test]
fn what_was_to_stop_is_let_go_once_when_the_trip_is_cleared() {
    let mut rack = Rack::new();
    rack.power = [Ok(PowerState::On); 3];
    rack.hangs[0] = true;
    rack.runtime = Ok(110.0);
    rack.run(6);
    assert_eq!(rack.wanted(A), Level::Down);
    rack.runtime = Ok(1800.0);
    rack.actions.clear();
    let cleared = (0..100).any(|_| {
        rack.run(1);
        rack.engine.handle_clear(UPS, rack.now).is_ok()
    });
    assert!(cleared);
    rack.run(5);
    let told: Vec<Level> = rack
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Drive { actuator: A, level } => Some(*level),
            Action::Drive { .. } | Action::Switch { .. } | Action::Host { .. } => None,
        })
        .collect();
    assert_eq!(told.iter().filter(|level| **level == Level::Free).count(), 1);
    assert_eq!(told.last(), Some(&Level::Free), "and is not told again to stop");
}

#[test]
fn a_ups_that_is_silent_takes_nothing_down() {
    let mut rack = Rack::new();
    rack.power = [Ok(PowerState::On); 3];
    rack.runtime = Err(NoData::Stale);
    rack.run(200);
    assert_eq!((rack.state(UPS), rack.host), (StateKind::Failsafe, None));
    assert_eq!(rack.power, [Ok(PowerState::On); 3]);
}

#[test]
fn a_shutdown_of_an_earlier_run_holds_nothing_back_once_power_is_there() {
    let mut rack = Rack::new();
    rack.engine.handle_latch(UPS, rack.now);
    rack.run(3);
    assert_eq!(rack.state(UPS), StateKind::Tripped);
    assert_eq!(rack.ask(C, ResetType::On), flyball_safety::Verdict::Accepted);
    rack.runtime = Ok(250.0);
    rack.run(3);
    let refusal = super::rack::refused(rack.ask(B, ResetType::On));
    assert!(
        matches!(refusal, flyball_safety::Refusal::Limit(standing) if standing.limit == UPS),
        "{refusal:?}"
    );
    assert_eq!(rack.host, None, "it is not proved anew");
    assert_eq!(rack.engine.handle_clear(ROOM, rack.now), Err(flyball_safety::Refusal::NotTripped));
}

#[test]
fn an_operators_forced_off_may_overtake_an_orderly_one() {
    let mut rack = Rack::new();
    rack.power = [Ok(PowerState::On); 3];
    rack.hangs[0] = true;
    rack.run(2);
    rack.inlet = Ok(50.0);
    rack.run(3);
    assert_eq!(rack.wanted(A), Level::Down);
    assert_eq!(rack.force(A, ResetType::ForceOff), flyball_safety::Verdict::Accepted);
    assert_eq!((rack.sent(), rack.power[0]), (vec![(A, ResetType::ForceOff)], Ok(PowerState::Off)));
}

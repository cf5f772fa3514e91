//! Locks and interlocks: what stands against proposals besides limits.

use super::rack::{
    A, B, C, FAN, INLET, PROFILE, RESTART, ROOM, Rack, TRAY, TURNING, floor, plan, refused,
};
use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, Against, Condition, EventKind, InterlockId, InterlockSpec, Level,
    LockFault, LockId, LockSpec, LockView, Needs, Proposal, Refusal, Target, Verdict,
};
use flyball_units::{NoData, PowerState, ResetType};

#[test]
fn a_lock_stands_against_every_energising_verb_of_its_target_alone() {
    let mut rack = Rack::new();
    rack.power[1] = Ok(PowerState::On);
    rack.run(40);
    rack.lock(1, Some(B), false);
    for verb in [ResetType::GracefulRestart, ResetType::ForceRestart, ResetType::PowerCycle] {
        assert_eq!(refused(rack.ask(B, verb)), Refusal::Locked(LockId(1)), "{verb:?}");
    }
    assert_eq!(rack.ask(B, ResetType::GracefulShutdown), Verdict::Accepted);
    rack.run(3);
    assert_eq!(refused(rack.ask(B, ResetType::On)), Refusal::Locked(LockId(1)));
    assert_eq!(rack.ask(C, ResetType::On), Verdict::Accepted);
    assert!(rack.engine.handle_unlock(LockId(1), rack.now));
    assert!(!rack.engine.handle_unlock(LockId(1), rack.now));
    assert_eq!(rack.ask(B, ResetType::On), Verdict::Accepted);
}

#[test]
fn a_lock_on_everything_holds_levels_only_where_it_says_so() {
    let mut rack = Rack::new();
    rack.lock(1, None, false);
    assert_eq!(rack.engine.handle_proposal(floor(0.6), rack.now), Verdict::Accepted);
    rack.lock(1, None, true);
    let held = Refusal::Locked(LockId(1));
    assert_eq!(refused(rack.engine.handle_proposal(floor(0.9), rack.now)), held);
    assert_eq!(refused(rack.ask(C, ResetType::On)), held);
    assert_eq!(rack.wanted(FAN), Level::Duty(flyball_units::Ratio(0.6)));
    rack.inlet = Ok(36.0);
    rack.run(2);
    assert_eq!(
        rack.wanted(FAN),
        Level::Duty(flyball_units::Ratio(1.0)),
        "the engine itself is never held"
    );
}

#[test]
fn a_lock_never_holds_what_a_trip_does() {
    let mut rack = Rack::new();
    rack.power[0] = Ok(PowerState::On);
    rack.run(2);
    rack.lock(1, None, true);
    rack.inlet = Ok(50.0);
    rack.run(2);
    assert_eq!(rack.power[0], Ok(PowerState::Off));
}

#[test]
fn a_lock_lifts_itself_and_says_so() {
    let mut rack = Rack::new();
    let until = Some(rack.now.after(Duration::from_secs(5)));
    let spec = LockSpec { target: Some(A), until, holds_levels: false };
    assert_eq!(rack.engine.handle_lock(LockId(4), spec, rack.now), Ok(()));
    let since = rack.now;
    assert_eq!(rack.engine.locks(), [LockView { id: LockId(4), spec, since }]);
    rack.run(4);
    assert_eq!(refused(rack.ask(A, ResetType::On)), Refusal::Locked(LockId(4)));
    rack.run(2);
    assert!(rack.saw(|kind| *kind == EventKind::LockExpired { lock: LockId(4) }));
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
}

#[test]
fn a_lock_that_cannot_be_kept_is_refused() {
    let mut rack = Rack::new();
    let spec = LockSpec { target: None, until: None, holds_levels: false };
    let lock = |rack: &mut Rack, id: u32, spec| rack.engine.handle_lock(LockId(id), spec, rack.now);
    let nowhere = LockSpec { target: Some(ActuatorId::new(99)), ..spec };
    assert_eq!(lock(&mut rack, 1, nowhere), Err(LockFault::NoActuator));
    let over = LockSpec { until: Some(rack.now), ..spec };
    assert_eq!(lock(&mut rack, 1, over), Err(LockFault::Expired));
    for id in 0..64 {
        assert_eq!(lock(&mut rack, id, spec), Ok(()));
    }
    assert_eq!(lock(&mut rack, 64, spec), Err(LockFault::TooMany));
    assert_eq!(lock(&mut rack, 7, spec), Ok(()), "one that stands is changed");
    assert_eq!(rack.engine.locks().len(), 64);
}

#[test]
fn an_interlock_stands_until_its_condition_is_known_to_hold() {
    let mut rack = Rack::new();
    assert!(!rack.engine.interlock(TURNING).unwrap().active);
    rack.tray = Ok(499.0);
    rack.run(1);
    assert_eq!(refused(rack.ask(A, ResetType::On)), Refusal::Interlock(TURNING));
    assert_eq!(rack.ask(B, ResetType::On), Verdict::Accepted, "it has one target");
    let changed =
        EventKind::InterlockChanged { interlock: TURNING, active: true, holds: Some(false) };
    assert!(rack.saw(|kind| *kind == changed));
    rack.tray = Ok(599.0);
    rack.run(1);
    assert!(rack.engine.interlock(TURNING).unwrap().active, "within the hysteresis");
    let view = rack.engine.conditions(TURNING).next().unwrap();
    assert_eq!((view.holds, view.reading), (Some(false), Some(599.0)));
    rack.tray = Ok(600.0);
    rack.run(1);
    let since = rack.engine.interlock(TURNING).unwrap().since;
    assert_eq!(rack.now.since(since), super::rack::CYCLE);
    rack.run(5);
    assert_eq!(rack.engine.interlock(TURNING).unwrap().since, since);
    let told = rack.events.iter();
    let told = told.filter(|kind| matches!(kind, EventKind::InterlockChanged { .. }));
    assert_eq!(told.count(), 3, "known, broken, whole");
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
}

#[test]
fn what_nobody_knows_does_not_hold() {
    let mut rack = Rack::new();
    rack.tray = Err(NoData::Busy);
    rack.run(2);
    assert!(!rack.engine.interlock(TURNING).unwrap().active, "even at its worst it turns");
    rack.run(6);
    let view = rack.engine.interlock(TURNING).unwrap();
    assert_eq!((view.active, view.holds), (true, None));
    assert_eq!(refused(rack.ask(A, ResetType::On)), Refusal::Interlock(TURNING));
    let mut rack = Rack::new();
    rack.tray = Ok(550.0);
    rack.run(1);
    rack.tray = Err(NoData::Busy);
    rack.run(1);
    assert_eq!(
        rack.engine.interlock(TURNING).unwrap().holds,
        None,
        "it may have stopped, but nobody has seen it stand"
    );
}

#[test]
fn what_failed_upwards_holds_again_under_the_hysteresis() {
    let mut rack = with(interlock(Against::Energising, Needs::All, vec![COOL]));
    let holds = |rack: &mut Rack, inlet| {
        rack.inlet = inlet;
        rack.run(1);
        rack.engine.interlock(TURNING).unwrap().holds
    };
    assert_eq!(holds(&mut rack, Ok(29.0)), Some(true));
    assert_eq!(holds(&mut rack, Ok(30.5)), Some(false));
    assert_eq!(holds(&mut rack, Ok(28.1)), Some(false));
    assert_eq!(holds(&mut rack, Err(NoData::Busy)), None, "nobody has seen that it still fails");
    assert_eq!(holds(&mut rack, Ok(28.1)), Some(false));
    assert_eq!(holds(&mut rack, Ok(28.0)), Some(true));
    assert_eq!(holds(&mut rack, Ok(29.5)), Some(true));
}

fn with(interlock: InterlockSpec) -> Rack {
    let mut plan = plan();
    plan.interlocks = vec![interlock];
    Rack::of(plan)
}

const COOL: Condition = Condition::AtMost { sensor: INLET, value: 30.0, hysteresis: 2.0 };
const TURNS: Condition = Condition::AtLeast { sensor: TRAY, value: 500.0, hysteresis: 0.0 };

fn interlock(against: Against, needs: Needs, conditions: Vec<Condition>) -> InterlockSpec {
    InterlockSpec { targets: vec![A, FAN], against, conditions, needs, forces_off: false }
}

#[test]
fn conditions_hold_all_or_any_and_the_unknown_is_weighed() {
    let holds = |needs, inlet, tray| {
        let mut rack = with(interlock(Against::Energising, needs, vec![COOL, TURNS]));
        rack.inlet = inlet;
        rack.tray = tray;
        rack.run(8);
        rack.engine.interlock(TURNING).unwrap().holds
    };
    let (cool, hot, unknown) = (Ok(30.0), Ok(30.1), Err(NoData::Missing));
    let (turns, stands) = (Ok(900.0), Ok(0.0));
    for (inlet, tray, all, any) in [
        (cool, turns, Some(true), Some(true)),
        (cool, stands, Some(false), Some(true)),
        (hot, turns, Some(false), Some(true)),
        (hot, stands, Some(false), Some(false)),
        (unknown, turns, None, Some(true)),
        (unknown, stands, Some(false), None),
        (cool, unknown, None, Some(true)),
        (hot, unknown, Some(false), None),
        (unknown, unknown, None, None),
    ] {
        assert_eq!(holds(Needs::All, inlet, tray), all, "all of {inlet:?} {tray:?}");
        assert_eq!(holds(Needs::Any, inlet, tray), any, "any of {inlet:?} {tray:?}");
    }
}

#[test]
fn an_interlock_stands_against_what_it_is_meant_for() {
    let asked = |against| {
        let mut rack = with(interlock(against, Needs::All, vec![COOL]));
        rack.engine.handle_proposal(floor(0.9), rack.now);
        rack.inlet = Ok(31.0);
        rack.run(1);
        let on = rack.ask(A, ResetType::On) == Verdict::Refused(Refusal::Interlock(TURNING));
        let slower = rack.engine.handle_proposal(floor(0.8), rack.now)
            == Verdict::Refused(Refusal::Interlock(TURNING));
        rack.inlet = Ok(20.0);
        rack.power[0] = Ok(PowerState::On);
        rack.run(40);
        rack.inlet = Ok(31.0);
        rack.run(1);
        let off = rack.ask(A, ResetType::GracefulShutdown);
        (on, slower, off == Verdict::Refused(Refusal::Interlock(TURNING)))
    };
    assert_eq!(asked(Against::Energising), (true, true, false));
    assert_eq!(asked(Against::Interrupting), (false, false, true));
    assert_eq!(asked(Against::Both), (true, true, true));
}

#[test]
fn conditions_on_switches_and_limits_follow_them() {
    let on_b = Condition::Switch { actuator: B, is: PowerState::On };
    let mut rack = with(interlock(Against::Energising, Needs::All, vec![on_b]));
    assert_eq!(refused(rack.ask(A, ResetType::On)), Refusal::Interlock(TURNING), "first b, then a");
    assert_eq!(rack.ask(B, ResetType::On), Verdict::Accepted);
    rack.run(1);
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    rack.power[1] = Err(NoData::Busy);
    rack.run(20);
    assert_eq!(rack.engine.interlock(TURNING).unwrap().holds, None, "nobody has seen it for long");
    let by_limit = |warning_ok, inlet| {
        let condition = Condition::Limit { limit: ROOM, warning_ok };
        let mut rack = with(interlock(Against::Energising, Needs::All, vec![condition]));
        rack.inlet = inlet;
        rack.run(8);
        rack.engine.interlock(TURNING).unwrap().holds
    };
    assert_eq!(by_limit(false, Ok(20.0)), Some(true));
    assert_eq!(by_limit(false, Ok(31.0)), Some(false));
    assert_eq!(by_limit(true, Ok(31.0)), Some(true));
    assert_eq!(by_limit(true, Ok(36.0)), Some(false));
    assert_eq!(by_limit(true, Ok(50.0)), Some(false));
    assert_eq!(by_limit(true, Err(NoData::Missing)), None);
}

#[test]
fn a_forcing_interlock_turns_off_what_is_known_to_be_unsafe_and_nothing_else() {
    let mut spec = interlock(Against::Energising, Needs::All, vec![TURNS]);
    spec.forces_off = true;
    let mut rack = with(spec);
    rack.power[0] = Ok(PowerState::On);
    rack.power[2] = Ok(PowerState::On);
    rack.run(2);
    rack.tray = Err(NoData::Missing);
    rack.run(10);
    assert_eq!(rack.power[0], Ok(PowerState::On), "missing data alone turns nothing off");
    rack.tray = Ok(0.0);
    rack.run(3);
    assert_eq!((rack.power[0], rack.power[2]), (Ok(PowerState::Off), Ok(PowerState::On)));
    assert_eq!(rack.wanted(A), Level::Off);
    let asserted =
        |rack: &Rack| rack.actions.contains(&Action::Drive { actuator: A, level: Level::Off });
    assert!(asserted(&rack));
    rack.actions.clear();
    rack.run(60);
    assert!(!asserted(&rack), "what is off is not told so for ever");
    rack.power[0] = Ok(PowerState::On);
    rack.run(2);
    assert_eq!(rack.power[0], Ok(PowerState::Off), "and what comes back is turned off again");
    rack.tray = Ok(900.0);
    rack.run(2);
    assert_eq!(rack.wanted(A), Level::Free);
    assert_eq!(rack.power[0], Ok(PowerState::Off), "who was turned off is not turned on");
    rack.run(RESTART.as_secs());
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
}

#[test]
fn an_interlock_holds_caps_too() {
    let mut plan = super::bench::plan();
    plan.interlocks = vec![InterlockSpec {
        targets: vec![super::bench::CAP],
        against: Against::Energising,
        conditions: vec![Condition::AtMost {
            sensor: super::bench::TEMPERATURE,
            value: 50.0,
            hysteresis: 0.0,
        }],
        needs: Needs::All,
        forces_off: false,
    }];
    let mut bench = super::bench::Bench::of(plan);
    bench.cycles(4, 40.0);
    let cap =
        |watts| Proposal::PowerCap { target: Target::All, watts: flyball_units::Watts(watts) };
    assert_eq!(bench.engine.handle_proposal(cap(80.0), bench.now), Verdict::Accepted);
    bench.cycles(1, 51.0);
    let refusal = refused(bench.engine.handle_proposal(cap(90.0), bench.now));
    assert_eq!(refusal, Refusal::Interlock(InterlockId::new(0)));
    assert_eq!(bench.engine.handle_proposal(cap(70.0), bench.now), Verdict::Accepted);
    assert_eq!(bench.engine.conditions(InterlockId::new(9)).count(), 0);
    assert_eq!(bench.engine.interlock(InterlockId::new(9)), None);
    assert_eq!(bench.engine.switch(PROFILE), None);
}

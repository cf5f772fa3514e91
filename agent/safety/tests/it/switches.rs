//! Verbs asked of switches: what refuses them, what arms them, and that each is sent once.

use super::rack::{
    A, ARMED_FOR, B, C, FRESH, GROUP, PROFILE, RESTART, ROOM, Rack, STAGGER, TAKES, UPS, plan,
    refused,
};
use core::time::Duration;
use flyball_safety::{
    ActuatorId, EventKind, Hand, LockId, Pacing, Proposal, Recoveries, Refusal, StateKind, Ticket,
    Verbs, Verdict,
};
use flyball_units::{NoData, PowerState, ResetType};

#[test]
fn a_machine_is_switched_on_once_and_asking_again_does_nothing() {
    let mut rack = Rack::new();
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    rack.run(3);
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    rack.run(3);
    assert_eq!(rack.sent(), [(A, ResetType::On)]);
    assert!(rack.saw(|kind| {
        *kind == EventKind::VerbEnded { actuator: A, verb: ResetType::On, reached: true }
    }));
    let moved = EventKind::PowerChanged {
        actuator: A,
        from: Some(PowerState::Off),
        to: Some(PowerState::On),
    };
    assert!(rack.saw(|kind| *kind == moved));
}

#[test]
fn the_wrong_the_unexpected_and_the_unknown_state_refuse() {
    let mut rack = Rack::new();
    let off = Refusal::State(Some(PowerState::Off));
    for verb in
        [ResetType::GracefulRestart, ResetType::ForceRestart, ResetType::PowerCycle, ResetType::Nmi]
    {
        assert_eq!(refused(rack.ask(A, verb)), off, "{verb:?}");
    }
    assert_eq!(refused(rack.ask(A, ResetType::Suspend)), off);
    assert_eq!(refused(rack.propose(A, ResetType::On, Some(PowerState::On), false)), off);
    assert_eq!(rack.propose(A, ResetType::On, Some(PowerState::Off), false), Verdict::Accepted);
    assert_eq!(refused(rack.ask(PROFILE, ResetType::On)), Refusal::NoActuator);
    assert_eq!(refused(rack.ask(ActuatorId::new(77), ResetType::On)), Refusal::NoActuator);
    rack.power[1] = Ok(PowerState::PoweringOff);
    rack.run(1);
    assert_eq!(refused(rack.ask(B, ResetType::On)), Refusal::State(Some(PowerState::PoweringOff)));
}

#[test]
fn a_state_that_was_seen_too_long_ago_is_unknown() {
    let mut rack = Rack::new();
    rack.power[0] = Err(NoData::Busy);
    rack.run(FRESH.as_secs() - 1);
    assert_eq!(rack.engine.switch(A).unwrap().power, Some(PowerState::Off));
    rack.run(3);
    assert_eq!(rack.engine.switch(A).unwrap().power, None);
    assert_eq!(refused(rack.ask(A, ResetType::On)), Refusal::State(None));
    let lost = EventKind::PowerChanged { actuator: A, from: Some(PowerState::Off), to: None };
    assert!(rack.saw(|kind| *kind == lost));
}

#[test]
fn a_verb_that_the_switch_has_not_is_refused() {
    let mut plan = plan();
    let Hand::Switch(switch) = &mut plan.actuators[2].hand else { panic!("no switch") };
    switch.verbs = Verbs::of(&[ResetType::On, ResetType::ForceOff]);
    let mut rack = Rack::of(plan);
    assert_eq!(refused(rack.ask(C, ResetType::Nmi)), Refusal::NoVerb);
    assert_eq!(rack.ask(C, ResetType::On), Verdict::Accepted);
}

#[test]
fn what_loses_work_is_armed_and_done_only_when_confirmed() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.run(40);
    for verb in
        [ResetType::ForceOff, ResetType::ForceRestart, ResetType::PowerCycle, ResetType::Nmi]
    {
        let until = rack.now.after(ARMED_FOR);
        assert_eq!(rack.ask(C, verb), Verdict::Armed { until }, "{verb:?}");
    }
    assert_eq!(rack.engine.armed().count(), 1, "the same ticket arms anew");
    assert_eq!(
        rack.ask(C, ResetType::ForceOff),
        Verdict::Armed { until: rack.now.after(ARMED_FOR) }
    );
    assert!(rack.sent().is_empty());
    assert_eq!(rack.engine.validate_confirm(Ticket(9)), Verdict::Accepted);
    assert_eq!(rack.engine.handle_confirm(Ticket(9), rack.now), Verdict::Accepted);
    rack.run(2);
    assert_eq!(rack.sent(), [(C, ResetType::ForceOff)]);
    let again = rack.engine.handle_confirm(Ticket(9), rack.now);
    assert_eq!(refused(again), Refusal::NotArmed);
    assert_eq!(refused(rack.engine.validate_confirm(Ticket(9))), Refusal::NotArmed);
}

#[test]
fn an_arming_that_is_not_confirmed_in_time_is_forgotten() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.run(40);
    rack.ask(C, ResetType::ForceOff);
    rack.run(ARMED_FOR.as_secs() + 2);
    let expired =
        EventKind::ArmingExpired { ticket: Ticket(9), actuator: C, verb: ResetType::ForceOff };
    assert!(rack.saw(|kind| *kind == expired));
    let late = rack.engine.handle_confirm(Ticket(9), rack.now);
    assert_eq!(refused(late), Refusal::NotArmed);
    assert!(rack.sent().is_empty());
    rack.ask(C, ResetType::ForceOff);
    let late = rack.engine.handle_confirm(Ticket(9), rack.now.after(ARMED_FOR));
    assert_eq!(refused(late), Refusal::NotArmed, "at its end it is over, without a cycle too");
}

#[test]
fn a_confirmation_is_judged_anew() {
    let armed = |spoil: fn(&mut Rack)| {
        let mut rack = Rack::new();
        rack.power[0] = Ok(PowerState::On);
        rack.run(40);
        assert!(matches!(rack.ask(A, ResetType::PowerCycle), Verdict::Armed { .. }));
        spoil(&mut rack);
        let foreseen = refused(rack.engine.validate_confirm(Ticket(9)));
        let refusal = refused(rack.engine.handle_confirm(Ticket(9), rack.now));
        assert_eq!(foreseen, refusal);
        rack.obey();
        assert!(rack.sent().is_empty());
        refusal
    };
    let other = armed(|rack| {
        rack.power[0] = Ok(PowerState::PoweringOff);
        rack.run(1);
    });
    assert_eq!(other, Refusal::State(Some(PowerState::PoweringOff)));
    assert_eq!(armed(|rack| rack.lock(3, Some(A), false)), Refusal::Locked(LockId(3)));
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.run(40);
    assert!(matches!(rack.ask(C, ResetType::ForceOff), Verdict::Armed { .. }));
    rack.power[2] = Ok(PowerState::Paused);
    rack.run(1);
    let refusal = refused(rack.engine.handle_confirm(Ticket(9), rack.now));
    assert_eq!(
        refusal,
        Refusal::State(Some(PowerState::Paused)),
        "it was armed for one that was on"
    );
    let fans = armed(|rack| {
        rack.tray = Ok(0.0);
        rack.run(1);
    });
    assert_eq!(fans, Refusal::Interlock(super::rack::TURNING));
    let hot = armed(|rack| {
        rack.inlet = Ok(36.0);
        rack.run(2);
    });
    assert!(matches!(hot, Refusal::Limit(standing) if standing.limit == ROOM), "{hot:?}");
}

#[test]
fn only_so_much_can_be_armed_and_what_expires_makes_room() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.run(40);
    let arm = |rack: &mut Rack, ticket: u64| {
        let proposal = Proposal::Switch {
            actuator: C,
            verb: ResetType::ForceOff,
            expected: None,
            automatic: false,
            ticket: Ticket(ticket),
        };
        rack.engine.handle_proposal(proposal, rack.now)
    };
    for ticket in 0..16 {
        assert!(matches!(arm(&mut rack, ticket), Verdict::Armed { .. }));
    }
    assert_eq!(refused(arm(&mut rack, 16)), Refusal::TooManyArmed);
    assert!(matches!(arm(&mut rack, 3), Verdict::Armed { .. }), "an old ticket takes no room");
    rack.now = rack.now.after(ARMED_FOR);
    let on = flyball_safety::Observed::Power(PowerState::On);
    rack.engine.handle_readback(C, Ok(on), rack.now);
    assert_eq!(refused(rack.engine.validate_confirm(Ticket(3))), Refusal::NotArmed);
    let proposal = Proposal::Switch {
        actuator: C,
        verb: ResetType::ForceOff,
        expected: None,
        automatic: false,
        ticket: Ticket(16),
    };
    let foreseen = rack.engine.validate(proposal);
    assert!(matches!(foreseen, Verdict::Armed { .. }), "what is over takes no room");
    assert!(matches!(arm(&mut rack, 16), Verdict::Armed { .. }));
    assert_eq!(rack.engine.armed().count(), 1);
}

#[test]
fn nothing_is_energised_while_a_limit_of_its_zone_stands_against_it() {
    let against = |rack: &mut Rack| match refused(rack.ask(C, ResetType::On)) {
        Refusal::Limit(standing) => standing.limit,
        other => panic!("{other:?}"),
    };
    let mut rack = Rack::new();
    rack.inlet = Ok(36.0);
    rack.run(2);
    assert_eq!((rack.state(ROOM), against(&mut rack)), (StateKind::Limiting, ROOM));
    let mut rack = Rack::new();
    rack.inlet = Err(NoData::Missing);
    rack.run(7);
    assert_eq!((rack.state(ROOM), against(&mut rack)), (StateKind::Failsafe, ROOM));
    let mut rack = Rack::new();
    rack.runtime = Ok(250.0);
    rack.run(2);
    assert_eq!((rack.state(UPS), against(&mut rack)), (StateKind::Limiting, UPS));
    let mut rack = Rack::new();
    rack.inlet = Ok(50.0);
    rack.run(2);
    rack.inlet = Ok(20.0);
    rack.run(100);
    assert_eq!((rack.state(ROOM), against(&mut rack)), (StateKind::Tripped, ROOM));
    assert_eq!(rack.engine.handle_clear(ROOM, rack.now), Ok(()));
    assert_eq!(rack.ask(C, ResetType::On), Verdict::Accepted);
}

#[test]
fn what_takes_power_away_is_not_refused_by_heat_or_locks() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.inlet = Ok(36.0);
    rack.run(20);
    rack.lock(1, None, true);
    assert_eq!(rack.force(C, ResetType::ForceOff), Verdict::Accepted);
    assert_eq!(rack.sent(), [(C, ResetType::ForceOff)]);
}

#[test]
fn at_most_two_of_the_group_start_within_its_time() {
    let mut rack = Rack::new();
    let first = rack.now;
    assert_eq!(rack.ask(A, ResetType::On), Verdict::Accepted);
    rack.run(5);
    assert_eq!(rack.ask(B, ResetType::On), Verdict::Accepted);
    rack.run(1);
    let until = first.after(STAGGER);
    let pacing = Pacing::Group(GROUP);
    assert_eq!(refused(rack.ask(C, ResetType::On)), Refusal::TooSoon { until, pacing });
    rack.run(STAGGER.as_secs() - 7);
    assert_eq!(refused(rack.ask(C, ResetType::On)), Refusal::TooSoon { until, pacing });
    rack.run(1);
    assert_eq!(rack.ask(C, ResetType::On), Verdict::Accepted);
}

#[test]
fn groups_do_not_count_for_each_other() {
    let mut plan = plan();
    let first = plan.groups[0];
    plan.groups.push(first);
    let Hand::Switch(switch) = &mut plan.actuators[2].hand else { panic!("no switch") };
    switch.group = Some(flyball_safety::GroupId::new(1));
    let mut rack = Rack::of(plan);
    for machine in [A, B, C] {
        assert_eq!(rack.ask(machine, ResetType::On), Verdict::Accepted);
    }
}

#[test]
fn a_machine_that_somebody_else_starts_counts_into_its_group() {
    let mut rack = Rack::new();
    rack.power[0] = Ok(PowerState::PoweringOn);
    rack.power[1] = Ok(PowerState::On);
    rack.run(1);
    let refusal = refused(rack.ask(C, ResetType::On));
    assert!(matches!(refusal, Refusal::TooSoon { pacing: Pacing::Group(GROUP), .. }));
}

#[test]
fn a_switch_rests_between_two_starts() {
    let mut rack = Rack::new();
    let at = rack.now;
    rack.ask(C, ResetType::On);
    rack.run(2);
    assert_eq!(rack.force(C, ResetType::ForceOff), Verdict::Accepted);
    rack.run(2);
    let until = at.after(RESTART);
    let refusal = refused(rack.ask(C, ResetType::On));
    assert_eq!(refusal, Refusal::TooSoon { until, pacing: Pacing::Restart });
    rack.run(RESTART.as_secs() - 4);
    assert_eq!(rack.ask(C, ResetType::On), Verdict::Accepted);
}

#[test]
fn automatic_starts_that_are_long_ago_do_not_count() {
    let mut plan = plan();
    let Hand::Switch(switch) = &mut plan.actuators[2].hand else { panic!("no switch") };
    switch.recoveries = Some(Recoveries { at_most: 1, within: Duration::from_secs(100) });
    let mut rack = Rack::of(plan);
    for _ in 0..3 {
        assert_eq!(rack.propose(C, ResetType::On, None, true), Verdict::Accepted);
        rack.run(1);
        rack.power[2] = Ok(PowerState::Off);
        rack.run(99);
    }
}

#[test]
fn another_verb_waits_for_the_first_and_only_a_forced_off_does_not() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.hangs[2] = true;
    rack.run(40);
    let sent_at = rack.now;
    assert_eq!(rack.ask(C, ResetType::GracefulShutdown), Verdict::Accepted);
    rack.run(5);
    let until = sent_at.after(TAKES);
    let waits = Refusal::InFlight { verb: ResetType::GracefulShutdown, until };
    assert_eq!(refused(rack.ask(C, ResetType::GracefulRestart)), waits);
    assert_eq!(refused(rack.ask(C, ResetType::On)), waits);
    assert_eq!(rack.ask(C, ResetType::GracefulShutdown), Verdict::Accepted, "it is on its way");
    let flying = rack.engine.switch(C).unwrap().in_flight;
    assert_eq!(flying, Some((ResetType::GracefulShutdown, sent_at)));
    assert_eq!(rack.force(C, ResetType::ForceOff), Verdict::Accepted);
    rack.run(1);
    assert_eq!(rack.sent(), [(C, ResetType::GracefulShutdown), (C, ResetType::ForceOff)]);
    assert_eq!(rack.engine.switch(C).unwrap().in_flight, None);
}

#[test]
fn a_verb_that_does_not_come_about_is_given_up_and_told() {
    let mut rack = Rack::new();
    rack.power[2] = Ok(PowerState::On);
    rack.hangs[2] = true;
    rack.run(40);
    rack.ask(C, ResetType::GracefulShutdown);
    rack.run(TAKES.as_secs());
    let gone =
        EventKind::VerbEnded { actuator: C, verb: ResetType::GracefulShutdown, reached: false };
    assert!(!rack.saw(|kind| *kind == gone));
    rack.run(2);
    assert!(rack.saw(|kind| *kind == gone));
    assert_eq!(rack.ask(C, ResetType::GracefulRestart), Verdict::Accepted);
}

#[test]
fn a_restart_is_done_when_the_machine_was_seen_down_and_up_or_the_caller_knows() {
    let done =
        EventKind::VerbEnded { actuator: C, verb: ResetType::GracefulRestart, reached: true };
    let started = || {
        let mut rack = Rack::new();
        rack.power[2] = Ok(PowerState::On);
        rack.run(40);
        assert_eq!(rack.ask(C, ResetType::GracefulRestart), Verdict::Accepted);
        rack.run(3);
        rack
    };
    let mut rack = started();
    assert!(!rack.saw(|kind| *kind == done), "on is where it was");
    rack.power[2] = Ok(PowerState::Off);
    rack.run(1);
    assert!(!rack.saw(|kind| *kind == done));
    rack.power[2] = Ok(PowerState::On);
    rack.run(1);
    assert!(rack.saw(|kind| *kind == done));
    let mut rack = started();
    rack.engine.handle_settled(C, true, rack.now);
    rack.run(1);
    assert!(rack.saw(|kind| *kind == done));
    rack.engine.handle_settled(C, true, rack.now);
    rack.engine.handle_settled(ActuatorId::new(99), true, rack.now);
    assert_eq!(rack.events.iter().filter(|kind| **kind == done).count(), 1);
}

#[test]
fn a_setting_is_judged_and_left_to_the_caller() {
    let mut rack = Rack::new();
    let ask = |rack: &mut Rack, heats| {
        let proposal = Proposal::Setting { actuator: PROFILE, heats };
        assert_eq!(rack.engine.validate(proposal), {
            rack.engine.handle_proposal(proposal, rack.now)
        });
        rack.engine.validate(proposal)
    };
    assert_eq!(ask(&mut rack, true), Verdict::Accepted);
    rack.inlet = Ok(36.0);
    rack.run(2);
    assert!(matches!(refused(ask(&mut rack, true)), Refusal::Limit(_)));
    assert_eq!(ask(&mut rack, false), Verdict::Accepted, "what cools is taken");
    rack.lock(5, Some(PROFILE), false);
    assert_eq!(ask(&mut rack, false), Verdict::Accepted);
    rack.lock(5, Some(PROFILE), true);
    assert_eq!(refused(ask(&mut rack, false)), Refusal::Locked(LockId(5)));
    let fan = Proposal::Setting { actuator: super::rack::FAN, heats: false };
    assert_eq!(refused(rack.engine.validate(fan)), Refusal::NoActuator);
    assert!(!rack.actions.iter().any(|action| {
        matches!(action, flyball_safety::Action::Drive { actuator: PROFILE, .. })
    }));
}

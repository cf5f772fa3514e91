//! Everything at once, in any order: readings, read-backs, proposals, confirmations, locks,
//! policies, host reports, restarts with their latches, other plans, and clocks that jump. What
//! must hold is looked at after each input.

use super::bench::{CAP, CYCLE, FAN, HEAT, POWER, STALE, TEMPERATURE};
use super::storm::{
    AT_MOST, CLOCK, COOL_ENOUGH, Input, LIMITS, MACHINE, OUTLET, PROFILE, SWITCHES, Storm, UPS,
    WITHIN, inputs,
};
use flyball_safety::{Action, ActuatorId, HostLevel, Level, Proposal, StateKind, Step, Verdict};
use flyball_units::{Hertz, Ratio, ResetType, Watts};
use proptest::prelude::*;

fn of_a_switch(input: Input) -> Option<(ActuatorId, ResetType)> {
    match input {
        Input::Propose(Proposal::Switch { actuator, verb, .. }) => Some((actuator, verb)),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_verb_is_sent_only_when_asked_and_nothing_stands_against_it(inputs in inputs(1..60)) {
        let mut storm = Storm::new();
        for input in inputs {
            let locks = storm.engine.locks().to_vec();
            let verdict = storm.feed(input);
            let sent: Vec<_> = storm.sent().collect();
            prop_assert!(sent.len() <= 1, "{sent:?}");
            let Some((actuator, verb)) = sent.first().copied() else { continue };
            prop_assert_eq!(verdict, Some(Verdict::Accepted));
            match input {
                Input::Confirm(_) => prop_assert!(verb.is_destructive()),
                _ => {
                    prop_assert!(!verb.is_destructive());
                    prop_assert_eq!(of_a_switch(input), Some((actuator, verb)));
                }
            }
            prop_assert!(storm.engine.switch(actuator).unwrap().power.is_some());
            if !verb.energises() {
                continue;
            }
            let locked =
                locks.iter().any(|lock| lock.spec.target.is_none_or(|it| it == actuator));
            prop_assert!(!locked, "{locks:?}");
            prop_assert!(!storm.forbids_heat(), "{:?}", LIMITS.map(|id| storm.kind(id)));
            prop_assert!(matches!(
                storm.kind(UPS),
                StateKind::Normal | StateKind::Warning | StateKind::Tripped
            ));
            let holds = storm.engine.interlock(COOL_ENOUGH).unwrap().holds;
            prop_assert!(actuator != MACHINE || holds == Some(true));
            prop_assert_eq!(storm.level(actuator), Level::Free);
            let now = storm.now;
            storm.started.retain(|at| now.since(*at) < WITHIN);
            prop_assert!(storm.started.len() < AT_MOST, "{:?}", storm.started);
            storm.started.push_back(now);
        }
    }

    #[test]
    fn only_a_trip_of_this_run_takes_anything_down_and_only_a_hard_off_cuts_the_host(
        inputs in inputs(1..60),
    ) {
        let mut storm = Storm::new();
        for input in inputs {
            storm.feed(input);
            let cut = LIMITS.into_iter().any(|id| storm.state(id).step() == Some(Step::HardOff));
            let tripped = storm.tripped_in_this_run();
            prop_assert_eq!(storm.level(OUTLET) == Level::Off, cut);
            prop_assert!(storm.level(MACHINE) == Level::Free || tripped);
            prop_assert!(storm.engine.host().0 < HostLevel::Stopping || tripped);
            prop_assert!(!cut || tripped);
            for action in &storm.actions {
                match action {
                    Action::Drive { actuator, level } => {
                        let switch = [MACHINE, OUTLET].contains(actuator);
                        prop_assert!(switch || *level != Level::Free, "{actuator:?}");
                        prop_assert_eq!(*level, storm.level(*actuator));
                    }
                    Action::Host { level, .. } => {
                        prop_assert_eq!(*level, storm.engine.host().0);
                    }
                    Action::Switch { .. } => {}
                }
            }
        }
    }

    #[test]
    fn a_trip_stands_through_restarts_replans_and_jumps_until_it_is_cleared(
        inputs in inputs(1..60),
    ) {
        let mut storm = Storm::new();
        for input in inputs {
            let before = LIMITS.map(|id| storm.kind(id) == StateKind::Tripped);
            storm.feed(input);
            for (id, was) in LIMITS.into_iter().zip(before) {
                let cleared = matches!(input, Input::Clear(named) if named == id);
                if was && !cleared {
                    prop_assert_eq!(storm.kind(id), StateKind::Tripped, "{:?}", input);
                }
            }
            if [HEAT, POWER].into_iter().any(|id| storm.kind(id) == StateKind::Tripped) {
                prop_assert_eq!(storm.level(FAN), Level::Duty(Ratio(1.0)));
                prop_assert_eq!(storm.level(CAP), Level::Cap(Watts(30.0)));
                prop_assert_eq!(storm.level(CLOCK), Level::Frequency(Hertz(1.0)));
            }
        }
    }

    #[test]
    fn no_proposal_adds_heat_while_something_stands_against_it(inputs in inputs(1..60)) {
        let mut storm = Storm::new();
        for input in inputs {
            if let Input::Propose(proposal) = input {
                storm.engine.handle_timeout(storm.now);
                let before = [FAN, CAP, CLOCK, MACHINE].map(|id| storm.warmth(id));
                let forbidden = storm.forbids_heat();
                let held = storm.engine.locks().iter().any(|lock| {
                    lock.spec.holds_levels && lock.spec.target.is_none()
                });
                let verdict = storm.feed(input);
                let after = [FAN, CAP, CLOCK, MACHINE].map(|id| storm.warmth(id));
                let warmer = after.iter().zip(before).any(|(after, before)| *after > before + 1e-9);
                let to_automatic = storm.level(FAN) == Level::Automatic && after[0] > before[0];
                if forbidden || held {
                    prop_assert!(!warmer || (to_automatic && !forbidden && !held), "{proposal:?}");
                }
                if forbidden {
                    let heats = Proposal::Setting { actuator: PROFILE, heats: true };
                    prop_assert!(proposal != heats || verdict != Some(Verdict::Accepted));
                }
                if let Some(Verdict::Refused(_)) = verdict {
                    prop_assert_eq!(before, after);
                    prop_assert_eq!(storm.sent().count(), 0);
                }
            } else {
                storm.feed(input);
            }
        }
    }

    #[test]
    fn a_reading_over_the_trip_trips_at_once_whatever_happened(
        inputs in inputs(0..50),
        celsius in 90.0..125.0,
    ) {
        let mut storm = Storm::new();
        for input in inputs {
            storm.feed(input);
        }
        for _ in 0..2 {
            storm.now = storm.now.after(CYCLE);
            storm.feed(Input::Reading(TEMPERATURE, Ok(celsius)));
        }
        prop_assert!(storm.tripped_in_this_run());
        prop_assert_eq!(storm.level(FAN), Level::Duty(Ratio(1.0)));
        prop_assert_eq!(storm.level(CAP), Level::Cap(Watts(30.0)));
        let taken = matches!(storm.level(MACHINE), Level::Down | Level::Off);
        prop_assert!(taken, "{:?}", storm.level(MACHINE));
    }

    #[test]
    fn lost_readings_reach_failsafe_in_time_whatever_happened(inputs in inputs(0..50)) {
        let mut storm = Storm::new();
        for input in inputs {
            storm.feed(input);
        }
        let lost_at = storm.now.after(STALE);
        while storm.now < lost_at {
            storm.now = storm.engine.poll_timeout().max(storm.now.after(CYCLE)).min(lost_at);
            let now = storm.now;
            storm.engine.handle_timeout(now);
        }
        let kind = storm.kind(HEAT);
        prop_assert!(matches!(kind, StateKind::Failsafe | StateKind::Tripped), "{kind:?}");
        let Level::Duty(duty) = storm.level(FAN) else { panic!("automatic in failsafe") };
        prop_assert!(duty.get() >= 0.6);
        prop_assert!(storm.warmth(CAP) <= 60.0 && storm.warmth(CLOCK) <= 2.0);
    }

    #[test]
    fn levels_stay_in_range_and_the_loop_is_never_told_to_sleep_long(inputs in inputs(1..60)) {
        let mut storm = Storm::new();
        for input in inputs {
            storm.feed(input);
            let tightest = storm.engine.limit(POWER).unwrap().thresholds.limit.unwrap().value;
            prop_assert!(storm.warmth(CAP) <= tightest.clamp(30.0, 140.0) + 1e-9);
            prop_assert!((30.0..=140.0).contains(&storm.warmth(CAP)));
            prop_assert!((1.0..=4.0).contains(&storm.warmth(CLOCK)));
            let duty = -storm.warmth(FAN);
            prop_assert!(duty.abs() < 1e-9 || (0.2..=1.0).contains(&duty));
            prop_assert!(storm.engine.poll_timeout() <= storm.now.after(CYCLE));
            for id in SWITCHES {
                let flying = storm.engine.switch(id).unwrap().in_flight;
                let cut = flying.is_none_or(|(verb, _)| verb == ResetType::ForceOff);
                prop_assert!(cut || storm.level(id) != Level::Off, "{flying:?}");
            }
        }
    }
}

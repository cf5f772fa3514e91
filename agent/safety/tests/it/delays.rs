//! A person's hold on the ladder: what it puts off, what it never does, and its bound.

use super::bench::{Bench, HEAT, POWER, STEP_TIME, plan};
use super::rack::refused;
use core::time::Duration;
use flyball_safety::{
    ClampedBy, EventKind, Hold, HostLevel, Ladder, LimitId, Origin, Refusal, Response, Rung,
    StateKind, Step, Verdict,
};

/// As `Timing::hold_at_most` of the bench has it.
const AT_MOST: Duration = Duration::from_secs(30);

/// The bench with quiet, sleep and a shutdown above its caps.
fn bench() -> Bench {
    let mut plan = plan();
    let rung = Some(Rung { within: Duration::from_secs(60) });
    plan.zones[0].ladder = Ladder { quiesce: rung, suspend: rung, shutdown: rung, ..Ladder::NONE };
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    bench
}

fn hold(bench: &mut Bench, from: Step, origin: Origin, seconds: u64) -> Verdict {
    let until = bench.now.after(Duration::from_secs(seconds));
    bench.engine.handle_timeout(bench.now);
    let hold = Hold { from, origin, until };
    let foreseen = bench.engine.validate_hold(HEAT, hold);
    let verdict = bench.engine.handle_hold(HEAT, hold, bench.now);
    assert_eq!(foreseen, verdict);
    verdict
}

/// Lets the ladder climb to `step` at 85 °C.
fn climb_to(bench: &mut Bench, step: Step) {
    for _ in 0..200 {
        if bench.step() == Some(step) {
            return;
        }
        bench.cycles(1, 85.0);
    }
    panic!("it never came to {step:?}");
}

fn host(bench: &Bench) -> HostLevel {
    bench.engine.host().0
}

#[test]
fn quiet_is_put_off_and_sleep_comes_when_it_would_have_come() {
    let mut held = bench();
    let mut free = bench();
    assert_eq!(hold(&mut held, Step::Quiesce, Origin::Remote, 20), Verdict::Accepted);
    let until = held.now.after(Duration::from_secs(20));
    let expected = Hold { from: Step::Quiesce, origin: Origin::Remote, until };
    assert_eq!(held.engine.hold(HEAT), Some((expected, None)));
    climb_to(&mut held, Step::Quiesce);
    climb_to(&mut free, Step::Quiesce);
    assert_eq!(held.now, free.now);
    assert_eq!((host(&held), host(&free)), (HostLevel::Running, HostLevel::Quiesced));
    assert_eq!((held.watts(), held.duty()), (30.0, Some(1.0)));
    assert_eq!(held.engine.hold(HEAT), Some((expected, Some(Step::Quiesce))));
    assert!(held.saw(|event| *event == EventKind::StepHeld { limit: HEAT, step: Step::Quiesce }));
    climb_to(&mut held, Step::Suspend);
    climb_to(&mut free, Step::Suspend);
    assert_eq!(held.now, free.now);
    assert_eq!((host(&held), host(&free)), (HostLevel::Suspended, HostLevel::Suspended));
    let told = |event: &EventKind| matches!(event, EventKind::StepHeld { .. });
    assert_eq!(held.events.iter().filter(|event| told(event)).count(), 1);
}

#[test]
fn caps_and_fans_are_put_off_to_the_step_below_the_hold() {
    let mut bench = bench();
    assert_eq!(hold(&mut bench, Step::CapSafe, Origin::Local, 25), Verdict::Accepted);
    climb_to(&mut bench, Step::CapSafe);
    assert_eq!((bench.watts(), bench.duty()), (140.0, Some(1.0)));
    climb_to(&mut bench, Step::CapMin);
    assert_eq!(bench.watts(), 140.0);
    // Its end, and the caps are what the ladder has come to.
    assert_eq!(bench.engine.handle_unhold(HEAT, Origin::Local, bench.now), Ok(()));
    assert_eq!((bench.watts(), bench.engine.hold(HEAT)), (30.0, None));
    let mut bench = self::bench();
    assert_eq!(hold(&mut bench, Step::FansRaised, Origin::Local, 25), Verdict::Accepted);
    bench.cycles(4, 71.0);
    assert_eq!(bench.heat(), StateKind::Warning);
    climb_to(&mut bench, Step::FansFull);
    let put_off = bench.engine.hold(HEAT).and_then(|(_, step)| step);
    assert_eq!(put_off, Some(Step::FansFull));
}

#[test]
fn holds_that_follow_each_other_have_one_bound_until_the_limit_is_off_the_ladder() {
    let mut bench = bench();
    let clamped = |verdict| match verdict {
        Verdict::Clamped { asked, to, by: ClampedBy::Limit(HEAT) } => (asked, to),
        other => panic!("{other:?}"),
    };
    let verdict = hold(&mut bench, Step::FansFull, Origin::Remote, 3600);
    assert_eq!(clamped(verdict), (3600.0, 30.0));
    bench.cycles(3, 81.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
    let begun = bench.now;
    bench.pass(Duration::from_secs(10), 81.0);
    let (_, to) = clamped(hold(&mut bench, Step::FansFull, Origin::Remote, 3600));
    assert!(to > 19.0 && to < 21.0, "{to}");
    bench.pass(Duration::from_secs(19), 40.0);
    bench.cycles(3, 81.0);
    let left = begun.after(AT_MOST).since(bench.now);
    bench.pass(left + Duration::from_secs(1), 81.0);
    assert_eq!(bench.engine.hold(HEAT), None);
    assert!(bench.saw(|event| *event == EventKind::HoldOver { limit: HEAT }));
    let spent = refused(hold(&mut bench, Step::FansFull, Origin::Remote, 5));
    assert_eq!(spent, Refusal::HoldSpent);
    assert_eq!(refused(hold(&mut bench, Step::FansFull, Origin::Local, 5)), Refusal::HoldSpent);
    bench.pass(Duration::from_secs(60), 40.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    assert_eq!(hold(&mut bench, Step::FansFull, Origin::Remote, 5), Verdict::Accepted);
}

#[test]
fn a_hold_is_over_at_its_end_and_is_told_once() {
    let mut bench = bench();
    assert_eq!(hold(&mut bench, Step::CapSafe, Origin::Remote, 2), Verdict::Accepted);
    bench.pass(Duration::from_secs(2), 40.0);
    assert!(bench.engine.hold(HEAT).is_some());
    bench.cycles(1, 40.0);
    assert_eq!(bench.engine.hold(HEAT), None);
    bench.pass(Duration::from_secs(5), 40.0);
    let over = EventKind::HoldOver { limit: HEAT };
    assert_eq!(bench.events.iter().filter(|event| **event == over).count(), 1);
}

#[test]
fn trips_and_failsafe_are_never_put_off() {
    let mut bench = bench();
    assert_eq!(hold(&mut bench, Step::FansRaised, Origin::Local, 20), Verdict::Accepted);
    bench.cycles(3, 95.0);
    assert_eq!((bench.heat(), bench.watts()), (StateKind::Tripped, 30.0));
    assert_eq!((bench.duty(), host(&bench)), (Some(1.0), HostLevel::Stopping));
    let mut bench = self::bench();
    assert_eq!(hold(&mut bench, Step::FansRaised, Origin::Local, 20), Verdict::Accepted);
    bench.blind(Duration::from_secs(2));
    assert_eq!(bench.heat(), StateKind::Failsafe);
    assert!(bench.watts() <= 60.0 && bench.duty() >= Some(0.6));
}

#[test]
fn what_may_not_be_held_by_whom_is_refused() {
    let mut bench = bench();
    for from in [Step::Alert, Step::Suspend, Step::Shutdown, Step::HardOff] {
        assert!(!from.holdable());
        assert_eq!(refused(hold(&mut bench, from, Origin::Local, 5)), Refusal::NotHeld(from));
    }
    let refusal = refused(hold(&mut bench, Step::Quiesce, Origin::Automation, 5));
    assert_eq!(refusal, Refusal::NotAPerson);
    assert_eq!(refused(hold(&mut bench, Step::Quiesce, Origin::Local, 0)), Refusal::Over);
    let none = LimitId::new(9);
    let any =
        Hold { from: Step::Quiesce, origin: Origin::Local, until: bench.now.after(STEP_TIME) };
    assert_eq!(refused(bench.engine.handle_hold(none, any, bench.now)), Refusal::NoLimit);
    let unheld = bench.engine.handle_unhold(none, Origin::Local, bench.now);
    assert_eq!(unheld, Err(Refusal::NoLimit));
    assert_eq!(bench.engine.hold(none), None);
    assert_eq!(hold(&mut bench, Step::Quiesce, Origin::Local, 5), Verdict::Accepted);
    let until = Some(bench.now.after(Duration::from_secs(5)));
    let outranked = Refusal::Outranked { by: Origin::Local, until, actuator: None };
    assert_eq!(refused(hold(&mut bench, Step::FansFull, Origin::Remote, 5)), outranked);
    let lifted = bench.engine.handle_unhold(HEAT, Origin::Remote, bench.now);
    assert_eq!(lifted, Err(outranked));
    assert!(bench.engine.hold(HEAT).is_some());
    let mut plan = plan();
    plan.limits[1].response = Response::Alert;
    plan.timing.hold_at_most = Duration::ZERO;
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    let until = bench.now.after(STEP_TIME);
    let any = Hold { from: Step::CapSafe, origin: Origin::Local, until };
    let alert = refused(bench.engine.handle_hold(POWER, any, bench.now));
    assert_eq!(alert, Refusal::NotHeld(Step::CapSafe));
    assert_eq!(refused(bench.engine.handle_hold(HEAT, any, bench.now)), Refusal::HoldSpent);
}

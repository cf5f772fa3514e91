//! What is granted, and for how long it stands.

use super::bench::{Bench, HEAT};
use super::rack::{PROFILE, Rack, refused};
use core::time::Duration;
use flyball_safety::{ClampedBy, Hold, Issued, LockId, Origin, Proposal, Refusal, Step, Verdict};

#[test]
fn a_hold_that_is_longer_than_the_bound_ends_at_it_though_nothing_was_put_off() {
    let mut bench = Bench::settled(40.0);
    let after = |bench: &Bench, seconds| bench.now.after(Duration::from_secs(seconds));
    bench.engine.handle_timeout(bench.now);
    let until = after(&bench, 3600);
    let hold = Hold { from: Step::CapSafe, origin: Origin::Remote, until };
    let verdict = bench.engine.handle_hold(HEAT, hold, bench.now);
    let clamped = Verdict::Clamped { asked: 3600.0, to: 30.0, by: ClampedBy::Limit(HEAT) };
    assert_eq!(verdict, clamped);
    let stands = Hold { until: after(&bench, 30), ..hold };
    assert_eq!(bench.engine.hold(HEAT), Some((stands, None)));
    bench.pass(Duration::from_secs(31), 40.0);
    assert_eq!(bench.engine.hold(HEAT), None);
}

#[test]
fn a_setting_is_claimed_by_who_gets_it_and_by_nobody_else() {
    let mut rack = Rack::new();
    let ask = |rack: &mut Rack, origin| {
        let until = Some(rack.now.after(Duration::from_secs(60)));
        let proposal = Proposal::Setting { actuator: PROFILE, heats: false };
        rack.engine.handle_proposal(Issued { proposal, origin, until }, rack.now)
    };
    rack.lock(5, Some(PROFILE), true);
    assert_eq!(refused(ask(&mut rack, Origin::Local)), Refusal::Locked(LockId(5)));
    assert!(rack.engine.handle_unlock(LockId(5), rack.now));
    assert_eq!(ask(&mut rack, Origin::Remote), Verdict::Accepted, "who was refused claims nothing");
    assert_eq!(ask(&mut rack, Origin::Local), Verdict::Accepted);
    let refusal = refused(ask(&mut rack, Origin::Remote));
    assert!(matches!(refusal, Refusal::Outranked { by: Origin::Local, .. }), "{refusal:?}");
    rack.run(61);
    assert_eq!(ask(&mut rack, Origin::Remote), Verdict::Accepted);
}

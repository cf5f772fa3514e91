//! The temperature stays under critical in every scenario that physics allows.

use super::bench::{Bench, HEAT, POWER, plan};
use flyball_harness::{Fault, Target};
use flyball_safety::{EventKind, Level, Proposal, StateKind, Target as Aim, Verdict};
use flyball_units::Watts;
use std::collections::BTreeMap;
use std::time::Duration;

const SEEDS: std::ops::Range<u64> = 0..8;

fn stays_under_critical(scenario: &str, wreck: impl Fn(&mut Bench)) {
    for seed in SEEDS {
        let mut bench = Bench::new(seed);
        bench.run(120);
        wreck(&mut bench);
        bench.run(600);
        let truth = bench.truth();
        assert!(
            truth.peak_celsius < truth.critical_celsius,
            "{scenario}, seed {seed}: {truth:?} {:?} {:#?}",
            bench.heat(),
            bench.events
        );
    }
}

fn inject(bench: &mut Bench, fault: Fault, target: Target) {
    bench.plant.inject(fault, target).unwrap();
}

fn all_fans(bench: &mut Bench, fault: Fault) {
    for fan in 1..=bench.plant.board().fans {
        inject(bench, fault, Target::Fan(fan));
    }
}

#[test]
fn a_board_at_full_load_stays_under_critical() {
    stays_under_critical("nothing fails", |_| {});
}

#[test]
fn seized_fans_are_made_good_by_the_cap() {
    stays_under_critical("one fan seizes", |bench| {
        inject(bench, Fault::FanSeized, Target::Fan(1));
    });
    stays_under_critical("all fans seize", |bench| all_fans(bench, Fault::FanSeized));
}

#[test]
fn a_sensor_that_freezes_cool_is_not_believed() {
    for seed in SEEDS {
        let mut bench = Bench::new(seed);
        let idle = bench.plant.board().idle_watts;
        bench.plant.set_load(Some(idle));
        bench.run(120);
        inject(&mut bench, Fault::SensorFrozen, Target::Temperature(1));
        bench.run(60);
        assert_eq!(bench.heat(), StateKind::Normal, "a constant alone is no fault");
        all_fans(&mut bench, Fault::FanSeized);
        let most = bench.plant.board().max_cap_watts;
        bench.plant.set_load(Some(most));
        bench.run(900);
        let truth = bench.truth();
        assert!(truth.peak_celsius < truth.critical_celsius, "seed {seed}: {truth:?}");
        assert_eq!(bench.heat(), StateKind::Failsafe, "seed {seed}");
    }
}

#[test]
fn a_sensor_that_vanishes_leads_to_failsafe_and_back() {
    stays_under_critical("the sensor vanishes", |bench| {
        inject(bench, Fault::SensorMissing, Target::Temperature(1));
    });
    let mut bench = Bench::new(3);
    bench.plant.set_load(Some(bench.plant.board().idle_watts));
    bench.run(120);
    inject(&mut bench, Fault::SensorMissing, Target::Temperature(1));
    bench.run(3);
    assert_eq!(bench.heat(), StateKind::Failsafe);
    assert!(bench.truth().cap_watts <= bench.truth().max_cap_watts * 0.5);
    bench.run(30);
    assert!(bench.saw(|kind| matches!(kind, EventKind::FailsafeClimbed { limit: HEAT, .. })));
    bench.plant.heal_all();
    bench.run(200);
    assert_eq!(bench.heat(), StateKind::Normal);
}

#[test]
fn a_pwm_that_sticks_is_told_and_made_good_by_the_cap() {
    stays_under_critical("all pwm stick", |bench| {
        for fan in 0..bench.plant.board().fans {
            bench.plant.set_fan_mode(fan, flyball_harness::FanMode::Manual);
            bench.plant.set_pwm(fan, 30);
        }
        all_fans(bench, Fault::PwmStuck);
    });
    let mut bench = Bench::new(2);
    bench.run(120);
    all_fans(&mut bench, Fault::PwmStuck);
    inject(&mut bench, Fault::SensorMissing, Target::Temperature(1));
    bench.run(30);
    assert!(bench.saw(|kind| matches!(kind, EventKind::ActuatorStuck { .. })));
}

#[test]
fn a_hot_day_and_a_guard_that_was_killed_are_survived() {
    stays_under_critical("ten degrees hotter", |bench| {
        let ambient = bench.truth().ambient_celsius;
        bench.plant.set_ambient(ambient + 10.0);
        inject(bench, Fault::FanSeized, Target::Fan(1));
    });
    stays_under_critical("the guard is killed while a fan is seized", |bench| {
        inject(bench, Fault::FanSeized, Target::Fan(1));
        bench.run(60);
        bench.dead = true;
        bench.run(20);
        bench.restart();
    });
}

#[test]
fn a_cap_that_is_ignored_ends_in_a_latched_trip() {
    let mut bench = Bench::new(2);
    all_fans(&mut bench, Fault::FanSeized);
    inject(&mut bench, Fault::CapIgnored, Target::Cap);
    bench.run(900);
    assert_eq!(bench.heat(), StateKind::Tripped);
    bench.plant.heal_all();
    bench.run(900);
    assert_eq!(bench.heat(), StateKind::Tripped, "it never clears by itself");
    assert!((bench.truth().cap_watts - bench.truth().min_cap_watts).abs() < 0.01);
    let now = bench.moment();
    assert_eq!(bench.engine.handle_clear(HEAT, now), Ok(()));
    bench.run(30);
    assert_eq!(bench.heat(), StateKind::Normal);
}

#[test]
fn a_cap_holds_after_it_was_taken_and_one_above_the_limit_is_refused() {
    let mut bench = Bench::new(1);
    bench.run(10);
    let now = bench.moment();
    let cap = |watts| Proposal::PowerCap { target: Aim::All, watts: Watts(watts) };
    assert_eq!(bench.engine.handle_proposal(cap(60.0), now), Verdict::Accepted);
    bench.run(10);
    assert!(bench.truth().package_watts <= 60.1);
    let refused = bench.engine.handle_proposal(cap(5000.0), now);
    assert!(
        matches!(refused, Verdict::Refused(flyball_safety::Refusal::Limit(standing)) if standing.limit == POWER),
        "{refused:?}"
    );
}

#[test]
fn fans_go_back_to_the_board_when_all_is_well() {
    let mut bench = Bench::new(4);
    bench.plant.set_load(Some(bench.plant.board().idle_watts));
    bench.run(30);
    for fan in 0..bench.plant.board().fans {
        let id = flyball_safety::ActuatorId::new(u16::try_from(fan).unwrap());
        assert_eq!(bench.engine.actuator(id).unwrap().wanted, Level::Automatic);
    }
}

/// A rack's worth of one make, throttled together by a hot aisle that cools down for all at once.
#[test]
fn two_hundred_hot_hosts_are_not_released_together() {
    const HOSTS: u64 = 200;
    const JITTER_S: u64 = 120;
    let mut released = BTreeMap::<u64, u64>::new();
    for host in 0..HOSTS {
        let mut bench = Bench::of(1, |board| {
            let mut plan = plan(board);
            plan.timing.release_jitter = Duration::from_secs(JITTER_S);
            // Each machine's own number, as the guard draws it from its boot.
            plan.seed = host.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            plan
        });
        all_fans(&mut bench, Fault::FanSeized);
        bench.run(240);
        let least = bench.truth().max_cap_watts;
        assert!(bench.truth().cap_watts < least, "host {host} is throttled");
        bench.plant.heal_all();
        let idle = bench.plant.board().idle_watts;
        bench.plant.set_load(Some(idle));
        let held = bench.truth().cap_watts;
        let second = (0..2000).find(|_| {
            bench.run(1);
            bench.truth().cap_watts > held + 0.5
        });
        *released.entry(second.expect("every host is released")).or_default() += 1;
    }
    let (first, last) = (*released.keys().next().unwrap(), *released.keys().last().unwrap());
    let most = released.values().max().unwrap();
    let within = |span: u64| {
        let sum =
            |from: u64| released.range(from..from + span).map(|(_, count)| count).sum::<u64>();
        released.keys().map(|from| sum(*from)).max().unwrap()
    };
    eprintln!(
        "{HOSTS} hosts are released over {} s, at most {most} in a second, {} in ten",
        last - first,
        within(10)
    );
    assert!(last - first >= JITTER_S * 3 / 4, "{released:?}");
    assert!(within(1) <= HOSTS / 20, "{released:?}");
    assert!(within(10) <= HOSTS / 5, "{released:?}");
}

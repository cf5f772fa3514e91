//! The least that must be seen on real drivers; every run of `cargo xtask test` looks at it.

use crate::guest::Guest;
use crate::heat::{CRITICAL, FULL_WATTS, guarded};
use crate::record::{self, Row};
use flyball_rig::{End, Network, Plant};
use std::time::Duration;

/// Ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits for what the guard says until `good` likes the board, and gives back its first concern.
fn until(guest: &mut Guest, plant: &Plant, good: impl Fn(f64, f64) -> bool) -> Option<String> {
    let page = guest.page();
    let mut cause = None;
    while plant.elapsed_s() < 90.0 {
        if let Some(said) = guest.concern(plant) {
            cause.get_or_insert(said);
        }
        if good(page.fan_percent().unwrap(), page.cap_watts().unwrap()) {
            return cause;
        }
    }
    panic!("fan and cap stay where they are: {}\n{}", plant.trace().csv(), guest.log());
}

#[test]
fn load_raises_the_fan_and_lowers_the_cap_and_ends_in_order_where_neither_helps() {
    let (mut guest, plant) = guarded(Network::None);
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    let cause = until(&mut guest, &plant, |fan, cap| fan > 90.0 && cap < FULL_WATTS);
    let trace = plant.trace();
    assert!(trace.peak_celsius() < CRITICAL - 10.0, "{}", trace.csv());
    assert!(cause.is_some(), "the cap is lowered without a reason: {}", guest.status());

    let what = "fan and cap lose their effect at full load (counted from then)";
    plant.begin();
    plant.mark("load");
    plant.seize_fan();
    plant.deafen_cap();
    let end = guest.machine.end(PATIENCE).unwrap();
    let trace = plant.trace();
    assert_eq!(end, End::PoweredOff);
    // The hook says so before it powers off; the kernel's own words would be others.
    let last = guest.machine.last_words();
    assert!(last.contains("ORDERLY STOP"), "{last}");
    assert!(trace.peak_celsius() < CRITICAL, "{:?}", trace.peak_celsius());
    let cause = last.lines().find(|line| line.contains("to tripped")).map(str::to_owned);
    assert!(cause.is_some(), "the journal does not say why: {last}");
    record::row(&Row::of(what, &trace, cause).ended("orderly stop"));
}

#[test]
fn a_machine_whose_guard_is_killed_for_good_is_reset_by_its_watchdog() {
    let (mut guest, plant) = guarded(Network::None);
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    guest.kill_guard();
    assert_eq!(guest.machine.end(PATIENCE).unwrap(), End::Watchdog);
    let trace = plant.trace();
    let cause = Some("nobody feeds the watchdog".to_owned());
    let what = "the guard is killed for good";
    record::row(&Row::of(what, &trace, cause).ended("reset"));
}

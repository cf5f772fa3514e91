//! Heat, and what the guard does about it through the kernel's own drivers.

use crate::guest::Guest;
use crate::record::{self, Row};
use flyball_rig::{Board, End, Network, Plant, Trace};
use std::thread;
use std::time::Duration;

/// At this the kernel powers the machine off by itself.
const CRITICAL: f64 = 105.0;
/// The thresholds of `guest/guard-policy.toml`.
const WARNING: f64 = 65.0;
const LIMIT: f64 = 75.0;
const TRIP: f64 = 92.0;
const COOL_WATTS: f64 = 60.0;
const FULL_WATTS: f64 = 380.0;
const SOON: Duration = Duration::from_secs(30);

/// Loads the board fully and watches what the guard makes of it.
fn load(guest: &mut Guest, plant: &Plant, seconds: u32) -> Trace {
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    let mut known = String::new();
    for _ in 0..seconds {
        let state = guest.state_of("cpu-temperature");
        if state != known {
            plant.mark(&state);
            known = state;
        }
        thread::sleep(Duration::from_secs(1));
    }
    plant.trace()
}

/// Back to rest: the plant cool, the guard started anew, nothing latched.
fn rest(guest: &mut Guest, plant: &Plant) {
    plant.heal();
    plant.set_load(COOL_WATTS);
    plant.cool_down();
    guest.restart_guard();
    let calm =
        |text: &str| text.contains("normal    cpu-temperature") && !text.contains("  unknown ");
    guest.wait_for("a calm start", SOON, calm);
    plant.begin();
}

#[test]
fn a_rising_load_is_met_before_the_kernels_own_trip_whatever_else_fails() {
    let mut guest = Guest::boot(Network::None);
    let plant = Plant::start(guest.page(), Board::SERVER, COOL_WATTS).unwrap();
    guest.start_guard();
    let mut rows = Vec::new();
    let mut judge = |what: &str, guest: &mut Guest, trace: &Trace| {
        let row = Row::of(what, trace);
        assert!(trace.peak_celsius() < CRITICAL - 5.0, "{what}: {row:?}\n{}", guest.log());
        assert!(row.capped_s.is_some(), "{what}: {row:?}\n{}", guest.log());
        rows.push(row);
    };

    rest(&mut guest, &plant);
    let trace = load(&mut guest, &plant, 60);
    assert!(trace.first("load", |sample| sample.fan_percent > 90.0).is_some(), "{}", guest.log());
    judge("load rises", &mut guest, &trace);
    let levels = [
        ("warning", WARNING),
        ("limit", LIMIT),
        ("trip", TRIP),
        ("the kernel powers off", CRITICAL),
    ];
    record::picture("closed-loop.svg", &trace, "A rising load on real kernel drivers", &levels);

    rest(&mut guest, &plant);
    plant.seize_fan();
    let trace = load(&mut guest, &plant, 40);
    judge("the fan seizes", &mut guest, &trace);

    rest(&mut guest, &plant);
    plant.freeze_sensor();
    let trace = load(&mut guest, &plant, 40);
    judge("the sensor freezes while it is cool", &mut guest, &trace);

    rest(&mut guest, &plant);
    guest.machine.run("dd if=/dev/zero of=/state/filler bs=4k 2>&1 | tail -1").unwrap();
    let trace = load(&mut guest, &plant, 35);
    guest.machine.run("rm -f /state/filler").unwrap();
    judge("the disk is full", &mut guest, &trace);

    rest(&mut guest, &plant);
    let spinners = "for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & echo $!; done";
    let pids = guest.machine.run(spinners).unwrap().replace('\n', " ");
    let trace = load(&mut guest, &plant, 35);
    guest.machine.run(&format!("kill {pids}")).unwrap();
    judge("eight programs spin", &mut guest, &trace);

    rest(&mut guest, &plant);
    guest.machine.run("date -s '2020-01-01 00:00:00'").unwrap();
    let trace = load(&mut guest, &plant, 35);
    judge("the clock is set back by years", &mut guest, &trace);

    rest(&mut guest, &plant);
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    thread::sleep(Duration::from_secs(12));
    guest.kill_guard();
    thread::sleep(Duration::from_secs(3));
    guest.start_guard();
    thread::sleep(Duration::from_secs(30));
    let trace = plant.trace();
    judge("the guard is killed and started again", &mut guest, &trace);

    record::table("closed-loop.md", &rows);
}

#[test]
fn a_cap_without_effect_ends_in_an_orderly_stop_before_the_kernels_own() {
    let mut guest = Guest::boot(Network::None);
    let plant = Plant::start(guest.page(), Board::SERVER, COOL_WATTS).unwrap();
    guest.start_guard();
    rest(&mut guest, &plant);
    plant.seize_fan();
    plant.deafen_cap();
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    let end = guest.machine.end(Duration::from_secs(120)).unwrap();
    let trace = plant.trace();
    assert_eq!(end, End::PoweredOff);
    assert!(trace.peak_celsius() < CRITICAL, "{:?}", trace.peak_celsius());
    // The hook says so before it powers off; the kernel's own words would be others.
    let last = guest.machine.last_words();
    assert!(last.contains("ORDERLY STOP"), "{last}");
}

#[test]
fn a_machine_whose_guard_is_killed_for_good_is_reset_by_its_watchdog() {
    let mut guest = Guest::boot(Network::None);
    let plant = Plant::start(guest.page(), Board::SERVER, COOL_WATTS).unwrap();
    guest.start_guard();
    rest(&mut guest, &plant);
    guest.kill_guard();
    assert_eq!(guest.machine.end(Duration::from_secs(60)).unwrap(), End::Watchdog);
}

//! Heat, and what the guard does about it through the kernel's own drivers.

use crate::guest::Guest;
use crate::record::{self, Row};
use flyball_rig::{Board, Network, Plant, Trace};

/// At this the kernel powers the machine off by itself.
pub(crate) const CRITICAL: f64 = 105.0;
/// The thresholds of `guest/guard-policy.toml`.
const WARNING: f64 = 65.0;
const LIMIT: f64 = 75.0;
const TRIP: f64 = 90.0;
pub(crate) const COOL_WATTS: f64 = 60.0;
pub(crate) const FULL_WATTS: f64 = 380.0;

/// A guest under guard, at rest.
pub(crate) fn guarded(network: Network) -> (Guest, Plant) {
    let mut guest = Guest::boot(network);
    let plant = Plant::start(guest.page(), Board::SERVER, COOL_WATTS).unwrap();
    guest.start_guard();
    guest.until_calm();
    plant.begin();
    (guest, plant)
}

/// Back to rest: the plant cool, the guard started anew, nothing latched.
pub(crate) fn rest(guest: &mut Guest, plant: &Plant) {
    plant.heal();
    plant.set_load(COOL_WATTS);
    plant.cool_down();
    guest.restart_guard();
    guest.until_calm();
    plant.begin();
}

/// Loads the board fully and watches for so many of the plant's seconds what the guard makes of
/// it. The machine stays under its critical temperature, and its power is capped.
pub(crate) fn load(what: &str, guest: &mut Guest, plant: &Plant, seconds: f64) -> Trace {
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    let mut cause = None;
    while plant.elapsed_s() < seconds {
        if let Some(said) = guest.concern(plant) {
            cause.get_or_insert(said);
        }
    }
    judge(what, guest, plant, cause)
}

fn judge(what: &str, guest: &mut Guest, plant: &Plant, cause: Option<String>) -> Trace {
    let trace = plant.trace();
    let row = Row::of(what, &trace, cause);
    assert!(trace.peak_celsius() < CRITICAL - 5.0, "{what}: {row:?}\n{}", guest.log());
    assert!(row.capped_s.is_some(), "{what}: {row:?}\n{}", guest.log());
    record::row(&row);
    trace
}

#[test]
fn a_rising_load_is_met_before_the_kernels_own_trip_also_with_a_bad_fan_or_sensor() {
    let (mut guest, plant) = guarded(Network::None);
    let trace = load("load rises", &mut guest, &plant, 60.0);
    assert!(trace.first("load", |sample| sample.fan_percent > 90.0).is_some(), "{}", guest.log());
    let levels = [
        ("warning", WARNING),
        ("limit", LIMIT),
        ("trip", TRIP),
        ("the kernel powers off", CRITICAL),
    ];
    record::picture("closed-loop.svg", &trace, "A rising load on real kernel drivers", &levels);

    rest(&mut guest, &plant);
    plant.seize_fan();
    load("the fan seizes", &mut guest, &plant, 40.0);

    rest(&mut guest, &plant);
    plant.freeze_sensor();
    load("the sensor freezes while it is cool", &mut guest, &plant, 40.0);
}

#[test]
fn a_rising_load_is_met_whatever_else_befalls_the_machine() {
    let (mut guest, plant) = guarded(Network::None);
    guest.machine.run("dd if=/dev/zero of=/state/filler bs=4k 2>&1 | tail -1").unwrap();
    load("the disk is full", &mut guest, &plant, 35.0);
    guest.machine.run("rm -f /state/filler").unwrap();

    rest(&mut guest, &plant);
    let spinners = "for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & echo $!; done";
    let pids = guest.machine.run(spinners).unwrap().replace('\n', " ");
    load("eight programs spin", &mut guest, &plant, 35.0);
    guest.machine.run(&format!("kill {pids}")).unwrap();

    rest(&mut guest, &plant);
    guest.machine.run("date -s '2020-01-01 00:00:00'").unwrap();
    load("the clock is set back by years", &mut guest, &plant, 35.0);

    rest(&mut guest, &plant);
    plant.mark("load");
    plant.set_load(FULL_WATTS);
    plant.pass(12.0).unwrap();
    guest.kill_guard();
    plant.pass(3.0).unwrap();
    guest.start_guard();
    let cause = guest.concern(&plant);
    plant.pass(30.0).unwrap();
    judge("the guard is killed and started again", &mut guest, &plant, cause);
}

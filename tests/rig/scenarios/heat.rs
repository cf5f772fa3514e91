//! Heat, and what the guard does about it through the kernel's own drivers.

use crate::guest::Guest;
use flyball_rig::{Board, Network, Plant};
use std::thread;
use std::time::Duration;

/// At this the kernel powers the machine off by itself.
const CRITICAL: f64 = 105.0;

#[test]
fn a_rising_load_is_met_before_the_kernels_own_trip() {
    let mut guest = Guest::boot(Network::None);
    let plant = Plant::start(guest.page(), Board::SERVER, 60.0).unwrap();
    guest.start_guard();
    guest.wait_for("a calm start", Duration::from_secs(30), |text| text.contains("normal    cpu"));
    plant.mark("load");
    plant.set_load(380.0);
    thread::sleep(Duration::from_secs(60));
    let trace = plant.trace();
    let capped = trace.first("load", |sample| sample.cap_watts < 300.0);
    assert!(capped.is_some(), "{}\n{}", guest.status(), guest.log());
    assert!(trace.peak_celsius() < CRITICAL - 5.0, "{}\n{}", trace.csv(), guest.log());
}

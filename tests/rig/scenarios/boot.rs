//! The machine itself, before anybody relies on it.

use flyball_rig::{Board, Kit, Machine, Network, Plant};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What a test leaves that was killed: a folder whose owner is gone.
fn leftover() -> PathBuf {
    let mut owner = Command::new("true").spawn().unwrap();
    let folder = std::env::temp_dir().join(format!("flyball-rig-left-{}", owner.id()));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("owner"), owner.id().to_string()).unwrap();
    owner.wait().unwrap();
    folder
}

#[test]
fn the_kernels_drivers_show_the_plant_and_pass_on_what_is_written() {
    let kit = Kit::find().unwrap();
    let left = leftover();
    let mut machine = Machine::boot(&kit, Network::None, &[]).unwrap();
    assert!(!left.exists(), "{} was not swept", left.display());
    let page = machine.page().unwrap();
    let plant = Plant::start(machine.page().unwrap(), Board::SERVER, 100.0).unwrap();

    let shown = plant.trace().samples.last().map_or(57.0, |sample| sample.celsius);
    let zone = machine.run("cat /sys/class/thermal/thermal_zone0/temp").unwrap();
    let celsius = zone.parse::<f64>().unwrap() / 1e3;
    assert!((celsius - shown).abs() < 3.0, "{celsius} is shown, {shown} is true");

    let write = "for cap in /sys/class/hwmon/*/device/power1_cap; do echo 250000000 > $cap; done";
    machine.run(write).unwrap();
    assert!((page.cap_watts().unwrap() - 250.0).abs() < 0.5);
    let fan = "for d in /sys/class/thermal/cooling_device*; do \
               grep -q Fan $d/type && echo 40 > $d/cur_state; done";
    machine.run(fan).unwrap();
    assert!((page.fan_percent().unwrap() - 40.0).abs() < 0.5);
    let dog = machine
        .run_until("ls /dev/watchdog0", Duration::from_secs(5), |text| text == "/dev/watchdog0");
    dog.unwrap();
}

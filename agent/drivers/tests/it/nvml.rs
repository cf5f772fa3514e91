//! The NVML driver over a library with recorded answers: no GPU is here, and everything from
//! the loading of the library on is the real way.

use super::driven::{Driven, configuration};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind,
};
use flyball_guard_messages::ActuatorKind;
use flyball_harness::Clock;
use flyball_units::NoData;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A data-centre card without fans beside a workstation's card whose limit is fixed.
const TWO_CARDS: &str = "count 2
0.name NVIDIA H100 80GB HBM3
0.serial 1650523012345
0.uuid GPU-0b0c
0.temperature 41
0.shutdown 92
0.slowdown 89
0.gpu_max 87
0.power 118450
0.energy 86400123
0.limit 700000
0.default 700000
0.least 200000
0.most 700000
0.set whole
0.busy 37
0.memory 1073741824
0.fans 0
0.reasons 0
1.name Quadro P400
1.temperature 55
1.shutdown 0
1.slowdown 65535
1.fans 1
1.fan 34
1.limit N/A
1.power N/A
";

/// A library that answers from the file `state`.
fn library(state: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), state).unwrap();
    let source = "tests/it/nvml_answers.c";
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source])
        .arg(format!("-DSTATE=\"{}\"", folder.path().join("state").display()))
        .arg("-o")
        .arg(folder.path().join("answers.so"))
        .status()
        .unwrap();
    assert!(built.success());
    folder
}

fn tell(folder: &TempDir, line: &str) {
    let mut file = OpenOptions::new().append(true).open(folder.path().join("state")).unwrap();
    writeln!(file, "{line}").unwrap();
}

fn reading(folder: &TempDir) -> Configuration {
    let library = folder.path().join("answers.so").display().to_string();
    let mut configuration = configuration(DriverKind::Nvml, "");
    configuration.options = vec![("library".into(), library)];
    configuration
}

#[test]
fn a_card_is_read_and_what_it_does_not_support_is_no_sensor() {
    let folder = library(TWO_CARDS);
    let mut driven = Driven::start(reading(&folder));
    let described = driven.described();
    assert_eq!(described.identity.vendor.as_deref(), Some("NVIDIA"));
    assert_eq!(described.identity.firmware.as_deref(), Some("580.65.06"));
    let temperature = |name: &str| {
        let sensor = described.sensors.iter().find(|sensor| sensor.name == name).unwrap();
        let limits = sensor.thresholds;
        (limits.upper_caution, limits.upper_critical, limits.upper_fatal)
    };
    assert_eq!(temperature("gpu-0/temperature"), (Some(87.0), Some(89.0), Some(92.0)));
    assert_eq!(temperature("gpu-1/temperature"), (None, None, None));
    let names: Vec<&str> = described.sensors.iter().map(|sensor| sensor.name.as_str()).collect();
    assert!(!names.contains(&"gpu-0/fan-1") && !names.contains(&"gpu-1/power"), "{names:?}");
    assert_eq!(described.actuators.len(), 1);
    let cap = &described.actuators[0];
    assert_eq!((cap.name.as_str(), cap.kind), ("gpu-0/cap", ActuatorKind::PowerCap));
    assert_eq!((cap.min, cap.max), (200.0, 700.0));
    assert_eq!(described.sensors[usize::from(cap.effect.unwrap())].name, "gpu-0/power");
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name);
    assert_eq!(value("gpu-0/temperature"), Ok(41.0));
    assert_eq!(value("gpu-0/power"), Ok(118.45));
    assert_eq!(value("gpu-0/power-limit"), Ok(700.0));
    assert_eq!(value("gpu-0/energy"), Ok(86_400.123));
    assert_eq!(value("gpu-0/utilization"), Ok(0.37));
    assert_eq!(value("gpu-0/memory"), Ok(1_073_741_824.0));
    assert_eq!(value("gpu-0/throttled-thermal"), Ok(0.0));
    assert_eq!(value("gpu-1/fan-1"), Ok(0.34));
}

#[test]
fn each_reason_for_throttling_is_told_apart() {
    let folder = library(TWO_CARDS);
    let mut driven = Driven::connected(reading(&folder));
    let reasons = ["power-cap", "slowdown", "thermal", "hardware-thermal", "power-brake"];
    for (bits, expected) in [
        (0x4, "power-cap"),
        (0x8, "slowdown"),
        (0x20, "thermal"),
        (0x40, "hardware-thermal"),
        (0x80, "power-brake"),
    ] {
        tell(&folder, &format!("0.reasons {bits}"));
        let clock = Clock::start();
        loop {
            let round = driven.round();
            let stands = |reason: &&&str| {
                driven.value_in(&round, &format!("gpu-0/throttled-{reason}")) == Ok(1.0)
            };
            let standing: Vec<&&str> = reasons.iter().filter(stands).collect();
            if standing == [&expected] {
                break;
            }
            assert!(clock.elapsed() < Duration::from_secs(20), "{standing:?}");
        }
    }
}

#[test]
fn a_limit_is_set_within_the_cards_own_range_and_read_back() {
    let folder = library(TWO_CARDS);
    let mut driven = Driven::connected(reading(&folder));
    let level = ActuatorState::Level;
    assert_eq!(driven.act("gpu-0/cap", Deed::SetLevel(450.7)), Ok(level(450.0)));
    assert_eq!(driven.state("gpu-0/cap"), level(450.0));
    for wrong in [199.9, 700.1, f64::NAN, -1.0] {
        let refused = driven.act("gpu-0/cap", Deed::SetLevel(wrong)).unwrap_err();
        assert_eq!(refused.kind, DeedFault::Refused, "{wrong}");
    }
    assert_eq!(driven.act("gpu-0/cap", Deed::ClearLevel), Ok(level(700.0)));
    tell(&folder, "0.set ignored");
    let lied = driven.act("gpu-0/cap", Deed::SetLevel(300.0)).unwrap_err();
    assert_eq!(lied.kind, DeedFault::NotConfirmed);
}

#[test]
fn without_the_right_the_refusal_is_said() {
    let folder = library(TWO_CARDS);
    tell(&folder, "0.set DENIED");
    let mut driven = Driven::connected(reading(&folder));
    let refused = driven.act("gpu-0/cap", Deed::SetLevel(300.0)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Refused);
    assert!(refused.message.contains("root"), "{refused:?}");
    assert_eq!(driven.state("gpu-0/cap"), ActuatorState::Level(700.0));
}

#[test]
fn a_card_that_falls_off_the_bus_has_no_value() {
    let folder = library(TWO_CARDS);
    let mut driven = Driven::connected(reading(&folder));
    driven.round();
    tell(&folder, "0.name LOST");
    let clock = Clock::start();
    while driven.value("gpu-0/temperature") != Err(NoData::Missing) {
        assert!(clock.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(driven.value("gpu-1/temperature"), Ok(55.0));
    assert!(driven.act("gpu-0/cap", Deed::SetLevel(300.0)).is_err());
}

#[test]
fn a_machine_without_the_library_says_so_and_looks_again() {
    let mut missing = configuration(DriverKind::Nvml, "");
    missing.options = vec![("library".into(), "/nonexistent/libnvidia-ml.so.1".into())];
    let mut driven = Driven::start(missing);
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.contains("driver"), "{fault:?}");
    assert_eq!(driven.fault().kind, FaultKind::Unreachable);
    let mut relative = configuration(DriverKind::Nvml, "");
    relative.options = vec![("library".into(), "evil.so".into())];
    assert_eq!(Driven::start(relative).fault().kind, FaultKind::Misconfigured);
}

//! The SMART driver: with the real smartctl where there is no disk, and with a script in its
//! place that answers what smartctl answers for disks that this machine has not.

use super::driven::{Driven, configuration};
use flyball_driver_messages::{Configuration, DriverKind, FaultKind};
use flyball_harness::Clock;
use flyball_units::NoData;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

/// A folder with a script that answers with the file of the device's name.
fn disks(answers: &[(&str, Value)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    // The last argument is the device.
    let script = format!(
        "#!/bin/sh\nfor device; do :; done\nname=${{device##*/}}\n\
         [ -e {here}/$name.hangs ] && exec /bin/sleep 60\nexec /bin/cat {here}/$name.json\n"
    );
    let file = folder.path().join("smartctl");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, answer) in answers {
        tell(&folder, name, answer);
    }
    folder
}

fn tell(folder: &TempDir, name: &str, answer: &Value) {
    let mut whole = json!({ "json_format_version": [1, 0], "smartctl": { "exit_status": 0 } });
    for (key, value) in answer.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let file = folder.path().join(format!("{name}.json"));
    let beside = folder.path().join("written");
    fs::write(&beside, whole.to_string()).unwrap();
    fs::rename(beside, file).unwrap();
}

fn reading(folder: &TempDir, devices: &str) -> Configuration {
    let program = folder.path().join("smartctl").display().to_string();
    let mut configuration = configuration(DriverKind::Smart, "");
    configuration.options = vec![("program".into(), program), ("devices".into(), devices.into())];
    configuration
}

fn nvme() -> Value {
    json!({
        "device": { "name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe" },
        "model_name": "Example NV 1000", "serial_number": "NV-42",
        "smart_status": { "passed": true, "nvme": { "value": 0 } },
        "nvme_composite_temperature_threshold": { "warning": 84, "critical": 89 },
        "nvme_smart_health_information_log": {
            "critical_warning": 0, "temperature": 41, "available_spare": 100,
            "available_spare_threshold": 10, "percentage_used": 3, "media_errors": 0,
            "temperature_sensors": [41, 52, 0] },
        "temperature": { "current": 41 },
        "power_on_time": { "hours": 1200 },
    })
}

fn ata() -> Value {
    json!({
        "device": { "name": "/dev/sda", "type": "sat", "protocol": "ATA" },
        "model_name": "Example HD 4000",
        "smart_status": { "passed": false },
        "ata_smart_attributes": { "table": [
            { "id": 5, "name": "Reallocated_Sector_Ct", "raw": { "value": 12, "string": "12" } },
            { "id": 197, "name": "Current_Pending_Sector", "raw": { "value": 0 } } ] },
        "temperature": { "current": 33, "op_limit_max": 60, "limit_max": 70 },
    })
}

#[test]
fn drives_are_read_with_their_wear_and_their_own_limits() {
    let folder = disks(&[("nvme0", nvme()), ("sda", ata())]);
    let mut driven = Driven::start(reading(&folder, "/dev/nvme0 /dev/sda"));
    let described = driven.described();
    let limits = |name: &str| {
        let sensor = described.sensors.iter().find(|sensor| sensor.name == name).unwrap();
        (sensor.thresholds.upper_caution, sensor.thresholds.upper_critical)
    };
    assert_eq!(limits("nvme0/temperature"), (Some(84.0), Some(89.0)));
    assert_eq!(limits("sda/temperature"), (Some(60.0), Some(70.0)));
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name);
    assert_eq!(value("nvme0/temperature"), Ok(41.0));
    assert_eq!(value("nvme0/temperature-2"), Ok(52.0));
    assert_eq!(value("nvme0/temperature-3"), Err(NoData::OutOfRange));
    assert_eq!(value("nvme0/wear"), Ok(0.03));
    assert_eq!(value("nvme0/spare"), Ok(1.0));
    assert_eq!(value("nvme0/failing"), Ok(0.0));
    assert_eq!(value("nvme0/powered-on"), Ok(4_320_000.0));
    assert_eq!(value("sda/failing"), Ok(1.0));
    assert_eq!(value("sda/reallocated-sectors"), Ok(12.0));
    assert_eq!(value("sda/pending-sectors"), Ok(0.0));

    let mut hot = nvme();
    hot["nvme_smart_health_information_log"]["critical_warning"] = json!(2);
    tell(&folder, "nvme0", &hot);
    let clock = Clock::start();
    while driven.value("nvme0/too-hot") != Ok(1.0) {
        assert!(clock.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_disk_that_sleeps_is_left_asleep_and_described_when_it_wakes() {
    let asleep = json!({ "smartctl": { "exit_status": 2, "messages": [
        { "string": "Device is in STANDBY mode, exit(2)", "severity": "information" } ] } });
    let folder = disks(&[("sda", asleep)]);
    let mut driven = Driven::start(reading(&folder, "/dev/sda"));
    let described = driven.described();
    assert!(described.remarks.iter().any(|remark| remark.contains("disabled")), "{described:?}");
    assert_eq!(driven.value("sda/temperature"), Err(NoData::Disabled));
    tell(&folder, "sda", &ata());
    driven.described();
    assert_eq!(driven.value("sda/temperature"), Ok(33.0));
}

#[test]
fn a_disk_that_hangs_has_no_value_and_delays_no_other_for_ever() {
    let folder = disks(&[("nvme0", nvme()), ("sda", ata())]);
    let mut impatient = reading(&folder, "/dev/nvme0 /dev/sda");
    impatient.timeout_ms = 500;
    let mut driven = Driven::connected(impatient);
    assert_eq!(driven.value("nvme0/temperature"), Ok(41.0));
    let hangs = folder.path().join("nvme0.hangs");
    fs::write(&hangs, "").unwrap();
    let clock = Clock::start();
    loop {
        let round = driven.round();
        assert_eq!(driven.value_in(&round, "sda/temperature"), Ok(33.0));
        if driven.value_in(&round, "nvme0/temperature") == Err(NoData::Busy) {
            break;
        }
        assert!(clock.elapsed() < Duration::from_secs(20));
    }
    fs::remove_file(hangs).unwrap();
    while driven.value("nvme0/temperature") != Ok(41.0) {
        assert!(clock.elapsed() < Duration::from_secs(40));
    }
}

#[test]
fn the_real_smartctl_says_why_there_is_nothing_to_read() {
    let mut configuration = configuration(DriverKind::Smart, "");
    configuration.options = vec![("devices".into(), "/dev/sdzz /dev/null".into())];
    let mut driven = Driven::connected(configuration);
    let round = driven.round();
    assert_eq!(driven.value_in(&round, "sdzz/temperature"), Err(NoData::Missing));
    assert_eq!(driven.value_in(&round, "null/temperature"), Err(NoData::Fault));
}

#[test]
fn what_is_no_disk_or_no_program_is_refused_before_anything_is_started() {
    let option = |key: &str, value: &str| {
        let mut configuration = configuration(DriverKind::Smart, "");
        configuration.options = vec![(key.into(), value.into())];
        configuration
    };
    for wrong in [
        option("devices", "--all"),
        option("devices", "/etc/passwd"),
        option("program", "/nonexistent/smartctl"),
        option("program", "smartctl"),
    ] {
        assert_eq!(Driven::start(wrong).fault().kind, FaultKind::Misconfigured);
    }
}

#[test]
fn what_is_no_json_has_no_value() {
    let folder = disks(&[]);
    fs::write(folder.path().join("sda.json"), "smartctl 6.6 [x86_64]\n").unwrap();
    let mut driven = Driven::connected(reading(&folder, "/dev/sda"));
    assert_eq!(driven.value("sda/temperature"), Err(NoData::Unparsable));
}

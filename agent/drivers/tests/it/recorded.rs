//! What was recorded of machines that nobody here has, read in full: every value that is told is
//! the file's. The recordings are public data beside the checkout and no part of it; where they
//! are not, there is nothing to compare and the tests say so.

use super::driven::{Driven, configuration};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{ActuatorState, Deed, DriverKind, Thresholds};
use flyball_harness::counterparts::Ups;
use flyball_harness::fakes::{FakeBmc, Mood};
use flyball_units::NoData;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder or file of `../shared/corpora`, or of `FLYBALL_CORPORA`.
fn recording(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FLYBALL_CORPORA").map(PathBuf::from);
    let beside = || Some(Path::new("../../..").join("shared"));
    let path = named.or_else(|| Some(beside()?.join("corpora")))?.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here; FLYBALL_CORPORA names another folder", path.display());
    None
}

/// What one unit of the recording is in ours.
fn factor(units: &str, name: &str) -> f64 {
    match units {
        "kW.h" => 3.6e6,
        "%" => 0.01,
        "Cel" | "V" | "A" | "W" | "Hz" => 1.0,
        units => panic!("{name} is in {units}"),
    }
}

#[test]
fn a_recorded_redfish_tree_is_read_in_full() {
    let Some(folder) = recording("redfish/public-rackmount1") else { return };
    let document = |path: &str| -> Value {
        let path = path.strip_prefix("/redfish/v1/").unwrap();
        serde_json::from_slice(&fs::read(folder.join(path).join("index.json")).unwrap()).unwrap()
    };
    let collection = document("/redfish/v1/Chassis/1U/Sensors");
    let mut files: BTreeMap<String, Value> = BTreeMap::new();
    for member in collection["Members"].as_array().unwrap() {
        let sensor = document(member["@odata.id"].as_str().unwrap());
        files.insert(sensor["Id"].as_str().unwrap().to_ascii_lowercase(), sensor);
    }
    let bmc = FakeBmc::recorded(&folder);
    let mut driven = Driven::start(configuration(DriverKind::Redfish, &bmc.address()));
    let described = driven.described();
    let round = driven.round();
    assert_eq!(described.identity.vendor.as_deref(), Some("Contoso"));
    assert_eq!(described.identity.serial.as_deref(), Some("437XR1138R2"));
    println!("{:24} {:>14} {:>8}  {:>16}", "sensor", "read", "unit", "file");
    for (name, file) in &files {
        let sensor = described.sensors.iter().find(|sensor| sensor.name == *name);
        let sensor = sensor.unwrap_or_else(|| panic!("{name} is not read"));
        // What is absent has no unit either.
        let factor = file["ReadingUnits"].as_str().map_or(1.0, |units| factor(units, name));
        let wanted = match (&file["Reading"], file["Status"]["State"].as_str()) {
            (_, Some("Absent")) => Err(NoData::Missing),
            (reading, _) => Ok(reading.as_f64().unwrap() * factor),
        };
        let read = driven.value_in(&round, name);
        let shown = read.map_or_else(|reason| reason.name().to_owned(), |value| value.to_string());
        let unit = sensor.unit.ucum();
        println!("{name:24} {shown:>14} {unit:>8}  {:>16}", file["Reading"].to_string());
        assert_eq!(read, wanted, "{name}");
        let declared = |key: &str| {
            let at = |key: &str| file["Thresholds"][key]["Reading"].as_f64();
            at(key).or_else(|| at(&format!("{key}User"))).map(|value| value * factor)
        };
        let thresholds = Thresholds {
            lower_fatal: declared("LowerFatal"),
            lower_critical: declared("LowerCritical"),
            lower_caution: declared("LowerCaution"),
            upper_caution: declared("UpperCaution"),
            upper_critical: declared("UpperCritical"),
            upper_fatal: declared("UpperFatal"),
        };
        assert_eq!(sensor.thresholds, thresholds, "{name}");
    }
    // Everything else that is read of it has a value of its own, never a zero in its place.
    for sensor in &described.sensors {
        let read = driven.value_in(&round, &sensor.name);
        let other = !files.contains_key(&sensor.name);
        if other {
            println!("besides: {:24} {read:?} {}", sensor.name, sensor.unit.ucum());
        }
        assert_ne!(read, Err(NoData::Unparsable), "{}", sensor.name);
    }
    let remarks = described.remarks.join("\n");
    println!("{remarks}");
    let actuators: Vec<&str> = described.actuators.iter().map(|it| it.name.as_str()).collect();
    println!("{actuators:?}");
    for name in ["power", "identify", "cap"] {
        assert!(actuators.contains(&name), "{actuators:?}");
    }
    let cap = described.actuators.iter().find(|it| it.name == "cap").unwrap();
    let effect = cap.effect.and_then(|index| described.sensors.get(usize::from(index)));
    assert_eq!(effect.map(|sensor| sensor.name.as_str()), Some("totalpower"));
}

/// As such a server is: it answers 204 to a reset and changes nothing.
#[test]
fn a_recorded_machine_that_takes_a_reset_and_stays_as_it_is_is_seen_so() {
    let Some(folder) = recording("redfish/public-rackmount1") else { return };
    let bmc = FakeBmc::recorded(&folder);
    bmc.be(Mood::Lying);
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    let on = ActuatorState::Power(PowerState::On);
    assert_eq!(driven.state("power"), on);
    assert_eq!(driven.act("power", Deed::Reset(ResetType::ForceOff)), Ok(on.clone()));
    assert_eq!(driven.state("power"), on);
    let error = driven.act("cap", Deed::SetLevel(300.0)).unwrap_err();
    assert!(error.message.contains("300 W"), "{error:?}");
}

#[test]
fn recorded_ups_and_pdu_variables_are_read_in_full() {
    for name in ["nut/apc-smart-ups-1000.dev", "nut/eaton-epdu.dev"] {
        let Some(file) = recording(name) else { return };
        let text = fs::read_to_string(file).unwrap();
        let variables: BTreeMap<String, &str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let ups = Ups::of(&text).unwrap();
        let mut driven = Driven::start(configuration(DriverKind::Nut, &ups.address()));
        let described = driven.described();
        let round = driven.round();
        assert_eq!(described.identity.vendor.as_deref(), variables.get("device.mfr").copied());
        assert_eq!(described.identity.serial.as_deref(), variables.get("device.serial").copied());
        let mut compared = 0;
        for sensor in &described.sensors {
            let Some(told) = variables.get(sensor.name.as_str()) else { continue };
            let read = driven.value_in(&round, &sensor.name).unwrap();
            // Parts of a whole are percents there.
            let told: f64 = told.parse().unwrap();
            let wanted = if sensor.unit.ucum() == "1" { told / 100.0 } else { told };
            assert!((read - wanted).abs() < 1e-9, "{}: {read} {wanted}", sensor.name);
            compared += 1;
        }
        println!("{name}: {compared} of {} variables are quantities", variables.len());
        assert!(compared >= 6, "{compared}");
        // What ends like a quantity is one, but for apparent power, which has no unit here.
        let quantities =
            [".voltage", ".current", ".frequency", ".realpower", ".load", ".temperature"];
        for variable in variables.keys().filter(|it| quantities.iter().any(|q| it.ends_with(q))) {
            let known = described.sensors.iter().any(|sensor| sensor.name == *variable);
            assert!(known, "{name}: {variable} is not read");
        }
    }
}

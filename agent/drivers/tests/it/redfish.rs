//! Redfish against sushy-tools' emulator, and what that one doesn't have against our own.

use super::driven::{Driven, configuration, login};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind, Trust,
};
use flyball_guard_messages::{ActuatorKind, Severity};
use flyball_harness::counterparts::{RedfishBmc, RedfishOptions};
use flyball_harness::fakes::FakeBmc;
use flyball_units::{Kind, NoData, Unit};
use serde_json::json;

fn node(address: &str, name: &str) -> Configuration {
    let mut configuration = configuration(DriverKind::Redfish, address);
    configuration.options.push(("system".into(), name.into()));
    configuration
}

#[test]
fn the_emulators_sensors_come_with_their_thresholds() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::start(node(&bmc.address(), "node-a"));
    let described = driven.described();
    assert_eq!(described.identity.vendor.as_deref(), Some("Sushy Emulator"));
    let intake = described.sensors.iter().find(|s| s.name == "chassis-intake-temp").unwrap();
    assert_eq!((intake.kind, intake.unit), (Kind::Temperature, Unit::Celsius));
    assert_eq!(intake.thresholds.upper_caution, Some(30.0));
    assert_eq!(intake.thresholds.upper_critical, Some(40.0));
    assert_eq!(intake.thresholds.upper_fatal, Some(50.0));
    assert_eq!(intake.attributes, [("hw.sensor_location".to_owned(), "Intake".to_owned())]);
    let round = driven.round();
    assert_eq!(driven.value_in(&round, "chassis-intake-temp"), Ok(25.0));
    assert_eq!(driven.value_in(&round, "baseboard-system-fan"), Ok(2100.0));
    let power = described.actuators.iter().find(|a| a.name == "power").unwrap();
    assert_eq!(power.kind, ActuatorKind::Switch);
    assert!(power.verbs.contains(&ResetType::GracefulShutdown), "{:?}", power.verbs);
}

#[test]
fn the_emulators_machine_goes_on_seconds_after_it_was_asked() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::connected(node(&bmc.address(), "node-a"));
    assert_eq!(driven.state("power"), ActuatorState::Power(PowerState::Off));
    driven.act("power", Deed::Reset(ResetType::On)).unwrap();
    while driven.state("power") != ActuatorState::Power(PowerState::On) {}
    assert_eq!(driven.act("power", Deed::Observe), Ok(ActuatorState::Power(PowerState::On)));
}

#[test]
fn what_the_emulator_advertises_and_does_not_have_is_unsupported() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::connected(node(&bmc.address(), "node-b"));
    let error = driven.act("power", Deed::Reset(ResetType::Nmi)).unwrap_err();
    assert_eq!(error.kind, DeedFault::Unsupported);
    assert!(error.message.contains("501"), "{error:?}");
    let error = driven.act("power", Deed::Reset(ResetType::Suspend)).unwrap_err();
    assert_eq!(error.kind, DeedFault::Unsupported);
}

#[test]
fn the_emulators_light_is_lit_and_read_back() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::connected(node(&bmc.address(), "node-a"));
    for lit in [true, false] {
        assert_eq!(driven.act("identify", Deed::SetLit(lit)), Ok(ActuatorState::Lit(lit)));
        assert_eq!(driven.state("identify"), ActuatorState::Lit(lit));
    }
}

#[test]
fn a_boot_source_that_would_stay_is_not_called_once() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::connected(node(&bmc.address(), "node-a"));
    let error = driven.act("power", Deed::BootOnce("Pxe".into())).unwrap_err();
    assert_eq!(error.kind, DeedFault::NotConfirmed);
    assert!(error.message.contains("Continuous"), "{error:?}");
    let error = driven.act("power", Deed::BootOnce("Floppy".into())).unwrap_err();
    assert_eq!(error.kind, DeedFault::Unsupported);
}

#[test]
fn several_machines_behind_one_bmc_have_a_switch_each() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::start(configuration(DriverKind::Redfish, &bmc.address()));
    let described = driven.described();
    let switches = described.actuators.iter().filter(|a| a.kind == ActuatorKind::Switch);
    let names: Vec<&str> = switches.map(|a| a.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&format!("power-{}", RedfishBmc::NODE_B).as_str()), "{names:?}");
}

#[test]
fn a_system_that_is_not_there_is_a_fault_of_the_configuration() {
    let bmc = RedfishBmc::start().unwrap();
    let mut driven = Driven::start(node(&bmc.address(), "node-z"));
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Misconfigured);
    assert!(fault.message.contains("node-z"), "{fault:?}");
}

#[test]
fn the_emulators_password_is_asked_with_each_request() {
    let options = RedfishOptions { password: true, ..RedfishOptions::default() };
    let bmc = RedfishBmc::with(&options).unwrap();
    let mut right = node(&bmc.address(), "node-a");
    (right.trust, right.login) = (Trust::Insecure, login("admin", "password"));
    let mut wrong = right.clone();
    wrong.login = login("admin", "wrong");
    assert_eq!(Driven::connected(right).value("chassis-intake-temp"), Ok(25.0));
    assert_eq!(Driven::start(wrong).fault().kind, FaultKind::Denied);
}

#[test]
fn a_machine_of_the_newer_model_is_read_by_its_sensors() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::start(configuration(DriverKind::Redfish, &bmc.address()));
    let described = driven.described();
    assert_eq!(described.identity.model.as_deref(), Some("R1"));
    assert_eq!(described.identity.serial.as_deref(), Some("S-1"));
    assert_eq!(described.identity.firmware.as_deref(), Some("2.7"));
    let names: Vec<&str> = described.sensors.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["cpu", "power", "cap"]);
    assert_eq!(described.sensors[0].thresholds.upper_fatal, Some(105.0));
    let cap = described.actuators.iter().find(|a| a.name == "cap").unwrap();
    assert_eq!((cap.min, cap.max, cap.effect), (150.0, 1000.0, Some(1)));
    assert_eq!(driven.value("cpu"), Ok(41.5));
    bmc.set("/redfish/v1/Chassis/1/Sensors/Cpu", "/Reading", json!(null));
    while driven.value("cpu") != Err(NoData::Disabled) {}
    bmc.set("/redfish/v1/Chassis/1/Sensors/Cpu", "/Status/State", json!("Absent"));
    while driven.value("cpu") != Err(NoData::Missing) {}
    bmc.take_away("/redfish/v1/Chassis/1/Sensors/Power");
    while driven.value("power") != Err(NoData::Missing) {}
}

#[test]
fn a_power_limit_is_set_within_its_bounds_read_back_and_taken_away() {
    let bmc = FakeBmc::start();
    bmc.want_etags();
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    assert_eq!(driven.state("cap"), ActuatorState::Level(500.0));
    let error = driven.act("cap", Deed::SetLevel(100.0)).unwrap_err();
    assert_eq!(error.kind, DeedFault::Refused);
    assert_eq!(bmc.changes(), []);
    assert_eq!(driven.act("cap", Deed::SetLevel(300.0)), Ok(ActuatorState::Level(300.0)));
    assert_eq!(driven.act("cap", Deed::ClearLevel), Ok(ActuatorState::Automatic));
    assert_eq!(driven.state("cap"), ActuatorState::Automatic);
}

#[test]
fn a_boot_source_is_set_for_once() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    let outcome = driven.act("power", Deed::BootOnce("Pxe".into()));
    assert_eq!(outcome, Ok(ActuatorState::Word("Pxe".into())));
}

#[test]
fn one_session_is_made_kept_made_anew_and_given_back() {
    let bmc = FakeBmc::start();
    bmc.require("admin", "correct-horse");
    bmc.offer_sessions();
    let mut configuration = configuration(DriverKind::Redfish, &bmc.address());
    (configuration.trust, configuration.login) = (Trust::Insecure, login("admin", "correct-horse"));
    let mut driven = Driven::connected(configuration);
    for _ in 0..3 {
        driven.round();
    }
    driven.act("identify", Deed::SetLit(true)).unwrap();
    assert_eq!(bmc.sessions(), 1);
    // The BMC forgets its sessions: the next number is the only one that counts.
    bmc.offer_sessions();
    while bmc.sessions() == 0 {
        driven.round();
    }
    driven.round();
    assert_eq!(bmc.sessions(), 1);
    driven.leave();
    let last = bmc.changes().pop().unwrap();
    assert_eq!(
        (last.0.as_str(), last.1.as_str()),
        ("DELETE", "/redfish/v1/SessionService/Sessions/1")
    );
}

#[test]
fn what_is_new_in_the_event_log_is_told() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    assert_eq!(driven.round().notices, []);
    let entry =
        json!({ "Id": "7", "Severity": "Critical", "SensorType": "Fan", "Message": "gone" });
    let entries = json!({ "Members": [entry] });
    bmc.put("/redfish/v1/Systems/1/LogServices/SEL/Entries", entries);
    let notice = loop {
        if let Some(notice) = driven.round().notices.pop() {
            break notice;
        }
    };
    assert_eq!((notice.severity, notice.subject.as_str()), (Severity::Critical, "Fan"));
}

#[test]
fn a_sensor_that_is_added_is_described_anew() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    let sensor = json!({ "Id": "Inlet", "Name": "Inlet", "ReadingUnits": "Cel", "Reading": 22 });
    bmc.put("/redfish/v1/Chassis/1/Sensors/Inlet", sensor);
    let member =
        |name: &str| json!({ "@odata.id": format!("/redfish/v1/Chassis/1/Sensors/{name}") });
    let members = json!([member("Cpu"), member("Power"), member("Inlet")]);
    bmc.set("/redfish/v1/Chassis/1/Sensors", "/Members", members);
    let described = driven.described();
    assert!(described.sensors.iter().any(|sensor| sensor.name == "inlet"));
    assert_eq!(driven.value("inlet"), Ok(22.0));
}

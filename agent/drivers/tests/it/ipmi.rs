//! IPMI over LAN against OpenIPMI's simulator.

use super::driven::{Driven, configuration, login};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind,
};
use flyball_harness::counterparts::{BmcSensor, IpmiBmc};
use flyball_units::{Kind, NoData, Unit};
use rustix::process::Signal;
use std::fs;

fn to(bmc: &IpmiBmc, user: &str, password: &str) -> Configuration {
    let mut configuration = configuration(DriverKind::Ipmi, &bmc.address());
    configuration.login = login(user, password);
    configuration.options.push(("cipher".into(), "3".into()));
    configuration
}

fn administrator(bmc: &IpmiBmc) -> Configuration {
    to(bmc, IpmiBmc::USER, IpmiBmc::PASSWORD)
}

#[test]
fn its_records_become_sensors_with_units_and_thresholds() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::start(administrator(&bmc));
    let described = driven.described();
    let names: Vec<&str> = described.sensors.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["cpu1-temp", "inlet-temp", "fan1", "sys-power"]);
    let cpu = &described.sensors[0];
    assert_eq!((cpu.kind, cpu.unit), (Kind::Temperature, Unit::Celsius));
    assert_eq!(cpu.thresholds.upper_caution, Some(85.0));
    assert_eq!(cpu.thresholds.upper_critical, Some(95.0));
    assert_eq!(cpu.thresholds.upper_fatal, Some(105.0));
    assert_eq!(described.sensors[2].thresholds.lower_critical, Some(1000.0));
    assert_eq!(driven.value("cpu1-temp"), Ok(45.0));
    assert_eq!(driven.value("fan1"), Ok(3000.0));
    bmc.set(BmcSensor::Processor, 93).unwrap();
    while driven.value("cpu1-temp") != Ok(93.0) {}
}

#[test]
fn its_chassis_is_switched_and_the_state_is_the_proof() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    assert_eq!(driven.state("power"), ActuatorState::Power(PowerState::Off));
    let on = ActuatorState::Power(PowerState::On);
    assert_eq!(driven.act("power", Deed::Reset(ResetType::On)), Ok(on.clone()));
    assert!(bmc.is_on());
    assert_eq!(driven.state("power"), on);
    driven.act("power", Deed::Reset(ResetType::ForceOff)).unwrap();
    while driven.state("power") != ActuatorState::Power(PowerState::Off) {}
    assert!(!bmc.is_on());
}

#[test]
fn an_order_that_is_taken_and_ignored_shows_in_the_state() {
    let bmc = IpmiBmc::start().unwrap();
    bmc.turn(true).unwrap();
    bmc.ignore_orders(true).unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    let on = ActuatorState::Power(PowerState::On);
    assert_eq!(driven.act("power", Deed::Reset(ResetType::GracefulShutdown)), Ok(on.clone()));
    assert_eq!(driven.act("power", Deed::Observe), Ok(on));
}

#[test]
fn it_is_identified_and_says_that_nobody_can_see_it() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    let outcome = driven.act("identify", Deed::SetLit(true));
    assert_eq!(outcome, Ok(ActuatorState::Unknown(NoData::Missing)));
}

#[test]
fn it_starts_once_from_where_it_is_told() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    let outcome = driven.act("power", Deed::BootOnce("Pxe".into()));
    assert_eq!(outcome, Ok(ActuatorState::Word("Pxe".into())));
    let error = driven.act("power", Deed::BootOnce("Tape".into())).unwrap_err();
    assert_eq!(error.kind, DeedFault::Unsupported);
}

#[test]
fn who_may_only_look_is_refused_in_the_bmcs_own_words() {
    let bmc = IpmiBmc::start().unwrap();
    let mut configuration = to(&bmc, IpmiBmc::READER, IpmiBmc::PASSWORD);
    configuration.options.push(("privilege".into(), "USER".into()));
    let mut driven = Driven::connected(configuration);
    assert_eq!(driven.value("inlet-temp"), Ok(22.0));
    let error = driven.act("power", Deed::Reset(ResetType::On)).unwrap_err();
    assert_eq!(error.kind, DeedFault::Refused);
    assert!(!bmc.is_on());
}

#[test]
fn a_wrong_password_is_denied_and_appears_nowhere() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::start(to(&bmc, IpmiBmc::USER, "hunter2"));
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(!format!("{fault:?}").contains("hunter2"));
}

#[test]
fn its_password_is_in_no_argument_of_any_process() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    let mut tools = 0;
    while tools < 3 {
        driven.round();
        driven.ask("power", Deed::Observe, 5_000);
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words);
            if words.contains("ipmitool") && words.contains(&bmc.address()[10..]) {
                tools += 1;
                assert!(words.contains("-E") && !words.contains("-P"), "{words:?}");
            }
        }
    }
}

#[test]
fn a_bmc_that_hangs_is_unreachable_and_comes_back() {
    let bmc = IpmiBmc::start().unwrap();
    let mut driven = Driven::connected(administrator(&bmc));
    driven.round();
    bmc.process().signal(Signal::STOP).unwrap();
    let fault = driven.fault();
    assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::TimedOut), "{fault:?}");
    bmc.process().signal(Signal::CONT).unwrap();
    loop {
        match driven.next() {
            Some(flyball_driver_messages::FromDriver::Round(_)) => break,
            Some(_) => {}
            None => panic!("the driver ended"),
        }
    }
}

#[test]
fn without_a_credential_nothing_is_tried() {
    let mut driven = Driven::start(configuration(DriverKind::Ipmi, "127.0.0.1"));
    assert_eq!(driven.fault().kind, FaultKind::Misconfigured);
}

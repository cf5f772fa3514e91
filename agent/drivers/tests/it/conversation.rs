//! Beginning and end of a driver, whatever equipment it is for.

use super::driven::{DRIVER, Driven, configuration, login};
use flyball_driver_messages::{
    Deed, DeedFault, DriverKind, FaultKind, FromDriver, ToDriver, Trust, VERSION,
};
use flyball_harness::fakes::FakeBmc;
use std::fs;
use std::process::Command;

#[test]
fn a_driver_ends_with_its_input() {
    assert!(Driven::bare().leave().success());
    let bmc = FakeBmc::start();
    let driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    assert!(driven.leave().success());
}

#[test]
fn a_driver_of_another_version_is_not_configured() {
    let mut driven = Driven::bare();
    let configuration = Box::new(configuration(DriverKind::Redfish, "https://127.0.0.1"));
    driven.say(&ToDriver::Configure { version: VERSION + 1, configuration });
    assert_eq!(driven.next(), None);
    assert!(!driven.wait().success());
}

#[test]
fn noise_on_its_input_ends_it() {
    let mut driven = Driven::bare();
    driven.write(&[0xff; 64]);
    assert_eq!(driven.next(), None);
    assert!(!driven.wait().success());
}

#[test]
fn what_cannot_work_is_said_once_and_it_ends() {
    let mut driven = Driven::start(configuration(DriverKind::Redfish, "bmc.example.org"));
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Misconfigured);
    assert!(fault.message.contains("https://"), "{fault:?}");
    assert!(!driven.wait().success());
}

#[test]
fn a_deed_before_the_equipment_is_reached_is_not_tried() {
    let port = flyball_harness::counterparts::free_tcp().unwrap();
    let address = format!("http://127.0.0.1:{port}");
    let mut driven = Driven::start(configuration(DriverKind::Redfish, &address));
    assert_eq!(driven.fault().kind, FaultKind::Unreachable);
    driven.say(&ToDriver::Act {
        request: 9,
        actuator: "power".into(),
        deed: Deed::Observe,
        deadline_ms: 1000,
    });
    let outcome = driven.done(9);
    assert_eq!(outcome.unwrap_err().kind, DeedFault::NotTried);
}

#[test]
fn no_password_stands_in_arguments_or_environment_or_messages() {
    let bmc = FakeBmc::start();
    bmc.require("admin", "correct-horse");
    let mut with_login = configuration(DriverKind::Redfish, &bmc.address());
    with_login.login = login("admin", "correct-horse");
    with_login.trust = Trust::Insecure;
    assert!(!format!("{with_login:?}").contains("horse"));
    let mut driven = Driven::connected(with_login.clone());
    driven.round();
    for file in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{}/{file}", driven.pid())).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("horse"), "{file}");
    }
    bmc.require("admin", "battery-staple");
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(!format!("{fault:?}").contains("horse"), "{fault:?}");
}

#[test]
fn a_password_is_not_sent_over_plain_http_unless_that_is_stated() {
    let bmc = FakeBmc::start();
    let mut careless = configuration(DriverKind::Redfish, &bmc.address());
    careless.login = login("admin", "correct-horse");
    let mut driven = Driven::start(careless);
    assert_eq!(driven.fault().kind, FaultKind::Misconfigured);
    assert_eq!(bmc.requests(), 0);
}

#[test]
fn it_limits_itself_before_it_speaks_to_anybody() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(configuration(DriverKind::Redfish, &bmc.address()));
    assert!(matches!(driven.next(), Some(FromDriver::Round(_))));
    let limits = fs::read_to_string(format!("/proc/{}/limits", driven.pid())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let value = line[26..].split_whitespace().next().unwrap();
        value.parse::<u64>().unwrap_or_else(|_| panic!("{line}"))
    };
    assert_eq!(limit("Max address space"), 512 << 20);
    assert_eq!(limit("Max core file size"), 0);
    assert!(limit("Max cpu time") <= 60, "{limits}");
}

#[test]
fn it_takes_no_arguments() {
    let output = Command::new(DRIVER).arg("--password=x").output().unwrap();
    assert!(!output.status.success());
}

//! A BMC that misbehaves: each way is a fault with its name, and none of them ends the driver.

use super::driven::{Driven, configuration};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind,
};
use flyball_harness::fakes::{FakeBmc, Mood};
use flyball_units::NoData;

fn hasty(bmc: &FakeBmc) -> Configuration {
    let mut configuration = configuration(DriverKind::Redfish, &bmc.address());
    configuration.timeout_ms = 700;
    configuration
}

#[test]
fn every_bad_answer_has_a_name_and_good_ones_are_taken_again() {
    let moods = [
        (Mood::Status(500), FaultKind::Failing, "500"),
        (Mood::Status(503), FaultKind::Failing, "bad day"),
        (Mood::Status(401), FaultKind::Denied, "credential"),
        (Mood::Silent, FaultKind::TimedOut, "700 ms"),
        (Mood::Trickling, FaultKind::TimedOut, "700 ms"),
        (Mood::Endless, FaultKind::Nonsense, "bytes"),
        (Mood::NoJson, FaultKind::Nonsense, "no JSON"),
        (Mood::NoHttp, FaultKind::Nonsense, "GET /redfish/v1/"),
        (Mood::Redirecting, FaultKind::Nonsense, "redirected"),
    ];
    for (mood, kind, words) in moods {
        let bmc = FakeBmc::start();
        let mut driven = Driven::connected(hasty(&bmc));
        driven.round();
        bmc.be(mood);
        let fault = driven.fault();
        assert_eq!(fault.kind, kind, "{mood:?}: {fault:?}");
        assert!(fault.message.contains(words), "{mood:?}: {fault:?}");
    }
}

#[test]
fn a_bmc_that_recovers_is_read_again() {
    let bmc = FakeBmc::start();
    bmc.be(Mood::Status(500));
    let mut driven = Driven::start(hasty(&bmc));
    assert_eq!(driven.fault().kind, FaultKind::Failing);
    bmc.be(Mood::Well);
    driven.described();
    assert_eq!(driven.value("cpu"), Ok(41.5));
}

#[test]
fn one_document_that_fails_takes_only_its_own_numbers_with_it() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(hasty(&bmc));
    bmc.be_at("/redfish/v1/Chassis/1/Sensors/Cpu", Mood::Status(500));
    while driven.value("cpu") != Err(NoData::Fault) {}
    assert_eq!(driven.value("power"), Ok(374.0));
}

#[test]
fn a_bmc_that_lies_about_a_limit_is_found_out() {
    let bmc = FakeBmc::start();
    let mut driven = Driven::connected(hasty(&bmc));
    bmc.be(Mood::Lying);
    let error = driven.act("cap", Deed::SetLevel(300.0)).unwrap_err();
    assert_eq!(error.kind, DeedFault::NotConfirmed);
    assert!(error.message.contains("300 W") && error.message.contains("500 W"), "{error:?}");
    let error = driven.act("identify", Deed::SetLit(true)).unwrap_err();
    assert_eq!(error.kind, DeedFault::NotConfirmed);
    // A reset is a request: what became of it is for the states to say.
    let state = driven.act("power", Deed::Reset(ResetType::On));
    assert_eq!(state, Ok(ActuatorState::Power(PowerState::Off)));
}

#[test]
fn a_slow_look_does_not_delay_a_deed() {
    let bmc = FakeBmc::start();
    let mut patient = configuration(DriverKind::Redfish, &bmc.address());
    patient.timeout_ms = 25_000;
    let mut driven = Driven::connected(patient);
    driven.round();
    bmc.be_at("/redfish/v1/Chassis", Mood::Silent);
    // The look hangs in this round's first documents from now on; the machine itself answers.
    let request = driven.ask("power", Deed::Reset(ResetType::On), 5_000);
    assert_eq!(driven.done(request), Ok(ActuatorState::Power(PowerState::On)));
}

#[test]
fn a_deed_ends_within_its_deadline() {
    let bmc = FakeBmc::start();
    let mut patient = configuration(DriverKind::Redfish, &bmc.address());
    patient.timeout_ms = 60_000;
    let mut driven = Driven::connected(patient);
    bmc.be(Mood::Silent);
    let request = driven.ask("power", Deed::Reset(ResetType::On), 500);
    let error = driven.done(request).unwrap_err();
    assert_eq!(error.kind, DeedFault::Failed);
    assert!(error.message.contains("is not answered within"), "{error:?}");
}

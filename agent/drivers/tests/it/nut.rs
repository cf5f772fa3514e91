//! The NUT driver against dummy-ups and upsd.

use super::driven::{Driven, configuration, login};
use super::fake_upsd::FakeUpsd;
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind, Round, Trust,
};
use flyball_guard_messages::Severity;
use flyball_harness::Clock;
use flyball_harness::counterparts::Ups;
use flyball_units::NoData;
use ring::digest::{SHA256, digest};
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::time::Duration;

const ON: ActuatorState = ActuatorState::Power(PowerState::On);
const OFF: ActuatorState = ActuatorState::Power(PowerState::Off);

fn watching(ups: &Ups) -> Configuration {
    configuration(DriverKind::Nut, &ups.address())
}

fn commanding(address: &str) -> Configuration {
    Configuration {
        login: login(Ups::USER, Ups::PASSWORD),
        ..configuration(DriverKind::Nut, address)
    }
}

/// Rounds until `seen` is true of one, which is given back.
fn until(driven: &mut Driven, seen: impl Fn(&Driven, &Round) -> bool) -> Round {
    let clock = Clock::start();
    loop {
        let round = driven.round();
        if seen(driven, &round) {
            return round;
        }
        assert!(clock.elapsed() < Duration::from_secs(40), "{round:?}");
    }
}

fn standing(driven: &Driven, round: &Round) -> Vec<&'static str> {
    ["online", "on-battery", "battery-low", "forced-shutdown", "discharging", "exhausted"]
        .into_iter()
        .filter(|flag| driven.value_in(round, flag) == Ok(1.0))
        .collect()
}

#[test]
fn a_ups_is_read_with_units_identity_and_what_it_declares() {
    let ups = Ups::start().unwrap();
    let mut driven = Driven::start(watching(&ups));
    let described = driven.described();
    assert_eq!(described.identity.vendor.as_deref(), Some("Example Power"));
    assert_eq!(described.identity.serial.as_deref(), Some("EP-000042"));
    let charge = described.sensors.iter().find(|s| s.name == "battery.charge").unwrap();
    assert_eq!((charge.metric.as_str(), charge.unit.ucum()), ("hw.battery.charge", "1"));
    assert_eq!(charge.thresholds.lower_critical, Some(0.2));
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name);
    assert_eq!(value("battery.charge"), Ok(1.0));
    assert_eq!(value("battery.runtime"), Ok(3600.0));
    assert_eq!(value("battery.temperature"), Ok(24.5));
    assert_eq!(value("input.voltage"), Ok(229.5));
    assert_eq!(value("output.current"), Ok(0.8));
    assert_eq!(value("ups.realpower"), Ok(165.0));
    assert_eq!(value("ups.load"), Ok(0.18));
    assert_eq!(standing(&driven, &round), ["online"]);
    assert_eq!(round.states.first().map(|(_, state)| state), Some(&ON));
}

#[test]
fn an_outage_shows_battery_then_low_then_a_forced_shutdown_that_stays() {
    let ups = Ups::start().unwrap();
    let mut driven = Driven::connected(watching(&ups));
    ups.set_status("OB DISCHRG").unwrap();
    let round = until(&mut driven, |d, r| d.value_in(r, "on-battery") == Ok(1.0));
    assert_eq!(standing(&driven, &round), ["on-battery", "discharging"]);
    assert!(round.notices.iter().any(|n| n.severity == Severity::Warning), "{round:?}");

    ups.set_status("OB LB DISCHRG").unwrap();
    let round = until(&mut driven, |d, r| d.value_in(r, "exhausted") == Ok(1.0));
    assert_eq!(
        standing(&driven, &round),
        ["on-battery", "battery-low", "discharging", "exhausted"]
    );
    assert!(round.notices.iter().any(|n| n.severity == Severity::Critical), "{round:?}");

    ups.force_shutdown().unwrap();
    ups.set_status("OL").unwrap();
    let round = until(&mut driven, |d, r| d.value_in(r, "online") == Ok(1.0));
    assert_eq!(standing(&driven, &round), ["online", "forced-shutdown", "exhausted"]);
}

#[test]
fn a_frozen_driver_of_the_ups_is_stale_after_15_s_and_has_no_value_from_then_on() {
    let ups = Ups::start().unwrap();
    let mut driven = Driven::connected(watching(&ups));
    assert_eq!(driven.value("input.voltage"), Ok(229.5));
    ups.driver().signal(Signal::STOP).unwrap();
    let clock = Clock::start();
    let round = until(&mut driven, |d, r| d.value_in(r, "input.voltage").is_err());
    let stale_after = clock.elapsed();
    // upsd counts from the last word of its driver, which was up to a second before.
    let expected = Duration::from_secs(13)..Duration::from_secs(19);
    assert!(expected.contains(&stale_after), "{stale_after:?}");
    assert!(round.readings.iter().all(|reading| reading.value == Err(NoData::Stale)));
    assert!(round.states.iter().all(|(_, s)| *s == ActuatorState::Unknown(NoData::Stale)));

    ups.driver().signal(Signal::CONT).unwrap();
    until(&mut driven, |d, r| d.value_in(r, "input.voltage") == Ok(229.5));
}

#[test]
fn a_server_that_goes_away_is_a_fault_and_is_found_again() {
    let ups = Ups::start().unwrap();
    let mut impatient = watching(&ups);
    impatient.timeout_ms = 500;
    let mut driven = Driven::connected(impatient);
    driven.round();
    ups.server().signal(Signal::STOP).unwrap();
    assert_eq!(driven.fault().kind, FaultKind::TimedOut);
    ups.server().signal(Signal::CONT).unwrap();
    let clock = Clock::start();
    while !matches!(driven.next(), Some(flyball_driver_messages::FromDriver::Round(_))) {
        assert!(clock.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_command_is_given_as_the_configured_user_and_read_back() {
    let ups = Ups::start().unwrap();
    let mut driven = Driven::connected(commanding(&ups.address()));
    // dummy-ups takes `load.off` and changes nothing: what is read back is the truth.
    assert_eq!(driven.act("load", Deed::Reset(ResetType::ForceOff)), Ok(ON));
    ups.set_status("OL OFF").unwrap();
    assert_eq!(driven.act("load", Deed::Observe), Ok(OFF));
    let refused = driven.act("load", Deed::Reset(ResetType::On)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Unsupported);
    let refused = driven.act("load", Deed::SetLevel(1.0)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Unsupported);
}

#[test]
fn who_may_only_look_is_refused_with_upsds_own_word() {
    let ups = Ups::start().unwrap();
    let mut configuration = commanding(&ups.address());
    configuration.login = login(Ups::READER, Ups::PASSWORD);
    let mut driven = Driven::connected(configuration);
    let refused = driven.act("load", Deed::Reset(ResetType::ForceOff)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Refused);
    assert!(refused.message.contains("ACCESS-DENIED"), "{refused:?}");
    assert!(!refused.message.contains(Ups::PASSWORD));
    let mut driven = Driven::connected(watching(&ups));
    let refused = driven.act("load", Deed::Reset(ResetType::ForceOff)).unwrap_err();
    assert!(refused.message.contains("credential"), "{refused:?}");
}

#[test]
fn an_unknown_ups_and_a_trust_that_cannot_be_had_are_said() {
    let ups = Ups::start().unwrap();
    let mut other = watching(&ups);
    other.options = vec![("ups".into(), "basement".into())];
    assert_eq!(Driven::start(other).fault().kind, FaultKind::Misconfigured);
    let mut pinned = watching(&ups);
    pinned.trust = Trust::Fingerprint([7; 32]);
    assert_eq!(Driven::start(pinned).fault().kind, FaultKind::Misconfigured);
    let mut sly = watching(&ups);
    sly.options = vec![("ups".into(), "ups\nLOGOUT".into())];
    assert_eq!(Driven::start(sly).fault().kind, FaultKind::Misconfigured);
}

/// upsd's own certificate, by a fingerprint and as its own authority.
#[test]
fn upsd_is_spoken_to_over_tls_where_it_shows_what_it_has_to() {
    let ups = Ups::secured().unwrap();
    let pem = ups.certificate().unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let fingerprint = digest(&SHA256, &der).as_ref().try_into().unwrap();
    for trust in [Trust::Fingerprint(fingerprint), Trust::Authority(pem)] {
        let mut configuration = commanding(&ups.address());
        configuration.trust = trust;
        configuration.login = login(Ups::READER, Ups::PASSWORD);
        let mut driven = Driven::connected(configuration);
        assert_eq!(driven.value("input.voltage"), Ok(229.5));
        // Its user was taken, over TLS, and may not do it.
        let refused = driven.act("load", Deed::Reset(ResetType::ForceOff)).unwrap_err();
        assert!(refused.message.contains("ACCESS-DENIED"), "{refused:?}");
    }
    let mut other = commanding(&ups.address());
    other.trust = Trust::Fingerprint([7; 32]);
    let fault = Driven::start(other).fault();
    assert_eq!(fault.kind, FaultKind::Untrusted, "{fault:?}");
}

#[test]
fn what_is_said_before_the_handshake_is_not_believed() {
    let upsd = FakeUpsd::start(&[("ups.status", "OL")]);
    let mut pinned = commanding(&upsd.address());
    pinned.trust = Trust::Fingerprint([7; 32]);
    // Somebody on the way answers for the server, and goes on in the clear.
    upsd.pretend_tls();
    let fault = Driven::start(pinned).fault();
    assert!(fault.message.contains("before the handshake"), "{fault:?}");
}

#[test]
fn outlets_of_a_managed_unit_are_switches() {
    let upsd = FakeUpsd::start(&[
        ("ups.status", "OL"),
        ("outlet.1.status", "on"),
        ("outlet.1.current", "1.20"),
        ("outlet.2.status", "off"),
    ]);
    upsd.offer(&["outlet.1.load.off", "outlet.1.load.on", "outlet.1.load.cycle"]);
    let mut driven = Driven::connected(commanding(&upsd.address()));
    assert_eq!(driven.state("outlet-1"), ON);
    assert_eq!(driven.value("outlet.1.current"), Ok(1.2));
    assert_eq!(driven.act("outlet-1", Deed::Reset(ResetType::ForceOff)), Ok(OFF));
    assert_eq!(driven.state("outlet-1"), OFF);
    assert_eq!(driven.act("outlet-1", Deed::Reset(ResetType::On)), Ok(ON));
    assert_eq!(upsd.commands(), ["outlet.1.load.off", "outlet.1.load.on"]);
}

#[test]
fn a_command_that_fails_in_the_ups_fails_here() {
    let upsd = FakeUpsd::start(&[("ups.status", "OL")]);
    upsd.offer(&["load.off"]);
    upsd.fail_commands();
    let mut driven = Driven::connected(commanding(&upsd.address()));
    let failed = driven.act("load", Deed::Reset(ResetType::ForceOff)).unwrap_err();
    assert_eq!(failed.kind, DeedFault::Failed);
    assert!(failed.message.contains("FAILED"), "{failed:?}");
}

#[test]
fn a_quantity_that_appears_is_described_and_one_that_vanishes_is_missing() {
    let upsd = FakeUpsd::start(&[("ups.status", "OL"), ("battery.charge", "90")]);
    let mut driven = Driven::connected(configuration(DriverKind::Nut, &upsd.address()));
    driven.round();
    upsd.set("battery.runtime", Some("600"));
    driven.described();
    assert_eq!(driven.value("battery.runtime"), Ok(600.0));
    upsd.set("battery.runtime", None);
    let round = until(&mut driven, |d, r| d.value_in(r, "battery.runtime") != Ok(600.0));
    assert_eq!(driven.value_in(&round, "battery.runtime"), Err(NoData::Missing));
    upsd.set("ups.status", Some("WAIT"));
    let round = until(&mut driven, |d, r| d.value_in(r, "online").is_err());
    assert_eq!(driven.value_in(&round, "on-battery"), Err(NoData::Missing));
}

#[test]
fn a_server_that_never_ends_its_list_is_given_up() {
    let upsd = FakeUpsd::start(&[("ups.status", "OL")]);
    upsd.babble();
    let mut driven = Driven::start(configuration(DriverKind::Nut, &upsd.address()));
    assert_eq!(driven.fault().kind, FaultKind::Nonsense);
}

/// What a unit with outlet groups says, by the names of NUT's documentation.
const WITH_OUTLETS: &str = "\
ups.status: OL
ups.mfr: Example
ups.model: Rack unit
battery.charge: 100
battery.runtime: 6300
input.voltage: 231.4
output.voltage: 230.9
ups.load: 17
outlet.group.1.realpower: 0
outlet.group.2.realpower: 4
";

#[test]
fn a_unit_with_outlet_groups_is_read_whole() {
    let ups = Ups::of(WITH_OUTLETS).unwrap();
    let mut driven = Driven::connected(watching(&ups));
    let round = driven.round();
    for (quantity, value) in [
        ("battery.runtime", 6300.0),
        ("input.voltage", 231.4),
        ("outlet.group.1.realpower", 0.0),
        ("outlet.group.2.realpower", 4.0),
    ] {
        assert_eq!(driven.value_in(&round, quantity), Ok(value), "{quantity}");
    }
    let without = round.readings.iter().filter(|reading| reading.value.is_err()).count();
    assert_eq!(without, 0, "{round:?}");
}

//! The SNMP driver against snmpsim's recorded PDUs and UPS.

use super::driven::{Driven, configuration, login};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, Described, DriverKind, FaultKind, FromDriver,
    Point, PointForm, SensorEntry,
};
use flyball_harness::counterparts::{SnmpAgent, Walk, free_udp};
use flyball_units::{Kind, NoData, Unit};
use rustix::process::Signal;

const ON: ActuatorState = ActuatorState::Power(PowerState::On);
const OFF: ActuatorState = ActuatorState::Power(PowerState::Off);

fn v2c(agent: &SnmpAgent) -> Configuration {
    Configuration {
        login: login("", SnmpAgent::COMMUNITY),
        ..configuration(DriverKind::Snmp, &agent.address())
    }
}

fn v3(agent: &SnmpAgent) -> Configuration {
    let keys = format!("{} {}", SnmpAgent::AUTHENTICATION_KEY, SnmpAgent::PRIVACY_KEY);
    Configuration {
        login: login(SnmpAgent::USER, &keys),
        options: vec![
            ("version".into(), "3".into()),
            ("context".into(), SnmpAgent::COMMUNITY.into()),
        ],
        ..configuration(DriverKind::Snmp, &agent.address())
    }
}

fn with_profile(mut configuration: Configuration, profile: &str) -> Configuration {
    configuration.options.push(("profile".into(), profile.into()));
    configuration
}

fn sensor<'a>(described: &'a Described, name: &str) -> &'a SensorEntry {
    let found = described.sensors.iter().find(|sensor| sensor.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_metered_pdu_is_read_whole_with_its_overload_limits() {
    let agent = SnmpAgent::start(Walk::Apc8641).unwrap();
    let mut driven = Driven::start(v2c(&agent));
    let described = driven.described();
    assert_eq!(described.identity.vendor.as_deref(), Some("APC"));
    assert_eq!(described.identity.model.as_deref(), Some("AP8641"));
    assert_eq!(described.actuators.len(), 24);
    let outlet = &described.actuators[0];
    assert_eq!((outlet.name.as_str(), outlet.label.as_str()), ("outlet-1", "CP-CM-SAN-01"));
    let watched = &described.sensors[usize::from(outlet.effect.unwrap())];
    assert_eq!(watched.name, "outlet-1/power");
    let limits = |name: &str| {
        let thresholds = sensor(&described, name).thresholds;
        (thresholds.upper_caution, thresholds.upper_critical)
    };
    assert_eq!(limits("power"), (Some(4000.0), Some(5000.0)));
    assert_eq!(limits("phase-1/current"), (Some(19.0), Some(24.0)));
    assert_eq!(limits("bank-2/current"), (Some(16.0), Some(20.0)));
    assert_eq!(limits("outlet-1/power"), (Some(2000.0), Some(2500.0)));
    assert_eq!(limits("outlet-24/power"), (Some(3200.0), Some(4000.0)));
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name).map(|value| (value * 10.0).round());
    assert_eq!(value("power"), Ok(12_100.0));
    assert_eq!(value("energy"), Ok(7_025_760_000.0 * 10.0));
    assert_eq!(value("phase-1/current"), Ok(65.0));
    assert_eq!(value("phase-1/voltage"), Ok(2010.0));
    assert_eq!(value("bank-1/current"), Ok(38.0));
    assert_eq!(value("outlet-1/current"), Ok(9.0));
    assert_eq!(value("outlet-2/power"), Ok(40.0));
    assert_eq!(round.states.len(), 24);
    assert!(round.states.iter().all(|(_, state)| *state == ON || *state == OFF), "{round:?}");
}

#[test]
fn an_outlet_is_switched_and_read_back() {
    let agent = SnmpAgent::start(Walk::Apc8932).unwrap();
    let mut driven = Driven::connected(v2c(&agent));
    let before = driven.state("outlet-4");
    for (verb, expected) in
        [(ResetType::ForceOff, OFF), (ResetType::On, ON), (ResetType::ForceOff, OFF)]
    {
        assert_eq!(driven.act("outlet-4", Deed::Reset(verb)), Ok(expected.clone()));
        assert_eq!(driven.act("outlet-4", Deed::Observe), Ok(expected.clone()));
        assert_eq!(driven.state("outlet-4"), expected);
    }
    assert!(before == ON || before == OFF, "{before:?}");
    // The recorded PDU keeps the command itself: it never says that it is on again.
    let cycled = driven.act("outlet-5", Deed::Reset(ResetType::PowerCycle));
    assert_eq!(cycled, Ok(ActuatorState::Unknown(NoData::OutOfRange)));
    let refused = driven.act("outlet-5", Deed::Reset(ResetType::Nmi)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Unsupported);
}

#[test]
fn the_older_trees_of_a_pdu_are_read_and_switched() {
    let agent = SnmpAgent::start(Walk::Apc7902).unwrap();
    let mut driven = Driven::start(with_profile(v2c(&agent), "apc-rpdu"));
    let described = driven.described();
    assert_eq!(described.identity.serial.as_deref(), Some("5A1551F39430"));
    assert_eq!(described.identity.model.as_deref(), Some("AP7902B"));
    let bank = sensor(&described, "bank-1/current").thresholds;
    assert_eq!((bank.upper_caution, bank.upper_critical), (Some(16.0), Some(20.0)));
    let phase = sensor(&described, "phase-1/current").thresholds;
    assert_eq!((phase.upper_caution, phase.upper_critical), (Some(19.0), Some(24.0)));
    let round = driven.round();
    assert_eq!(driven.value_in(&round, "power"), Ok(192.0));
    assert_eq!(driven.value_in(&round, "phase-1/current"), Ok(1.6));
    assert_eq!(driven.value_in(&round, "bank-1/current"), Ok(0.0));
    assert_eq!(driven.state("outlet-1"), ON);
    assert_eq!(driven.state("outlet-3"), OFF);
    assert_eq!(driven.act("outlet-3", Deed::Reset(ResetType::On)), Ok(ON));

    let mut driven = Driven::connected(with_profile(v2c(&agent), "apc-masterswitch"));
    assert_eq!(driven.state("outlet-4"), OFF);
    assert_eq!(driven.act("outlet-4", Deed::Reset(ResetType::On)), Ok(ON));
}

#[test]
fn a_ups_is_read_by_the_standard_mib() {
    let agent = SnmpAgent::start(Walk::Eaton93e).unwrap();
    let mut driven = Driven::start(v2c(&agent));
    let described = driven.described();
    assert_eq!(described.identity.vendor.as_deref(), Some("EATON"));
    assert!(described.actuators.is_empty());
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name).map(|value| (value * 10.0).round());
    assert_eq!(value("battery.charge"), Ok(10.0));
    assert_eq!(value("battery.runtime"), Ok(1092.0 * 600.0));
    assert_eq!(value("battery.voltage"), Ok(5210.0));
    assert_eq!(value("battery.temperature"), Ok(250.0));
    assert_eq!(value("input.l3.voltage"), Ok(2330.0));
    assert_eq!(value("output.l1.power"), Ok(51_000.0));
    assert_eq!(value("output.l1.current"), Ok(270.0));
    assert_eq!(value("online"), Ok(10.0));
    assert_eq!(value("on-battery"), Ok(0.0));
    assert_eq!(value("battery-low"), Ok(0.0));
    let runtime = sensor(&described, "battery.runtime").thresholds;
    assert_eq!(runtime.lower_critical, Some(180.0));
}

#[test]
fn version_3_reads_and_switches_encrypted() {
    let agent = SnmpAgent::start(Walk::Apc8932).unwrap();
    let mut driven = Driven::connected(v3(&agent));
    let before = driven.state("outlet-7");
    let (verb, after) = match before {
        ActuatorState::Power(PowerState::On) => (ResetType::ForceOff, OFF),
        _ => (ResetType::On, ON),
    };
    assert_eq!(driven.act("outlet-7", Deed::Reset(verb)), Ok(after.clone()));
    assert_eq!(driven.state("outlet-7"), after);
}

#[test]
fn a_wrong_passphrase_or_user_is_denied_and_no_secret_is_in_the_fault() {
    let agent = SnmpAgent::start(Walk::Apc8932).unwrap();
    for (user, keys) in [
        (SnmpAgent::USER, "wrongphrase privately"),
        (SnmpAgent::USER, "authentic wrongphrase"),
        ("nobody", "authentic privately"),
    ] {
        let mut configuration = v3(&agent);
        configuration.login = login(user, keys);
        configuration.timeout_ms = 700;
        let fault = Driven::start(configuration).fault();
        let expected = [FaultKind::Denied, FaultKind::TimedOut, FaultKind::Nonsense];
        assert!(expected.contains(&fault.kind), "{fault:?}");
        assert!(!fault.message.contains("phrase"), "{fault:?}");
    }
}

#[test]
fn silence_is_said_with_what_may_cause_it() {
    let agent = SnmpAgent::start(Walk::Apc7902).unwrap();
    let mut stranger = v2c(&agent);
    stranger.login = login("", "private");
    stranger.timeout_ms = 300;
    let fault = Driven::start(stranger).fault();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!(fault.message.contains("community") && !fault.message.contains("private"), "{fault:?}");
    let nobody = format!("127.0.0.1:{}", free_udp().unwrap());
    let mut configuration = configuration(DriverKind::Snmp, &nobody);
    configuration.timeout_ms = 300;
    assert_eq!(Driven::start(configuration).fault().kind, FaultKind::TimedOut);
}

#[test]
fn a_pdu_that_hangs_is_a_fault_and_a_late_answer_is_not_taken_for_another() {
    let agent = SnmpAgent::start(Walk::Apc8932).unwrap();
    let mut impatient = v2c(&agent);
    impatient.timeout_ms = 400;
    let mut driven = Driven::connected(impatient);
    assert_eq!(driven.act("outlet-1", Deed::Reset(ResetType::On)), Ok(ON));
    agent.process().signal(Signal::STOP).unwrap();
    assert_eq!(driven.fault().kind, FaultKind::TimedOut);
    let failed = driven.act("outlet-1", Deed::Reset(ResetType::ForceOff)).unwrap_err();
    assert_eq!(failed.kind, DeedFault::Failed);
    agent.process().signal(Signal::CONT).unwrap();
    loop {
        match driven.next() {
            Some(FromDriver::Round(round)) => {
                assert!(round.readings.iter().all(|reading| reading.value.is_ok()), "{round:?}");
                break;
            }
            Some(_) => {}
            None => panic!("the driver ended"),
        }
    }
}

#[test]
fn points_of_the_file_are_read_and_written_beside_what_the_device_describes() {
    let agent = SnmpAgent::start(Walk::Apc7902).unwrap();
    let point = |name: &str, at: &str, form| Point { name: name.into(), at: at.into(), form };
    let volts = |unit| PointForm::Sensor { kind: Kind::Voltage, unit, scale: 1.0 };
    let mut configuration = with_profile(v2c(&agent), "points");
    configuration.points = vec![
        point("line", "1.3.6.1.4.1.318.1.1.12.1.15.0", volts(Unit::Volt)),
        point("nowhere", "1.3.6.1.4.1.318.1.1.12.1.99.0", volts(Unit::Volt)),
        point("name", "1.3.6.1.2.1.1.5.0", volts(Unit::Volt)),
        point("lamp", ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.6", PointForm::Switch { on: 1, off: 2 }),
    ];
    let mut driven = Driven::connected(configuration);
    let round = driven.round();
    assert_eq!(driven.value_in(&round, "line"), Ok(120.0));
    assert_eq!(driven.value_in(&round, "nowhere"), Err(NoData::Missing));
    assert_eq!(driven.value_in(&round, "name"), Err(NoData::Unparsable));
    assert_eq!(driven.act("lamp", Deed::Reset(ResetType::On)), Ok(ON));
    let refused = driven.act("lamp", Deed::Reset(ResetType::PowerCycle)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Unsupported);
}

#[test]
fn what_cannot_be_configured_is_said_at_once() {
    let base = || configuration(DriverKind::Snmp, "127.0.0.1:161");
    let option = |key: &str, value: &str| Configuration {
        options: vec![(key.into(), value.into())],
        ..base()
    };
    let mut short = option("version", "3");
    short.login = login("u", "short keys");
    let point =
        Point { name: "p".into(), at: "sysName".into(), form: PointForm::Switch { on: 1, off: 2 } };
    for wrong in [
        option("version", "1"),
        option("version", "3"),
        option("profile", "toaster"),
        short,
        Configuration { points: vec![point], ..base() },
    ] {
        assert_eq!(Driven::start(wrong).fault().kind, FaultKind::Misconfigured);
    }
}

//! The Modbus driver against pymodbus' simulator of a cooling unit.

use super::driven::{Driven, configuration};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind, Point, PointForm,
};
use flyball_guard_messages::ActuatorKind;
use flyball_harness::counterparts::{CoolingUnit, Register};
use flyball_units::{Kind, NoData, Unit};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpListener;

fn unit() -> CoolingUnit {
    CoolingUnit::start(&[
        Register::U16 { at: 1, value: 245 },
        Register::U16 { at: 2, value: 450 },
        Register::U16 { at: 3, value: 0xfff6 },
        Register::F32 { at: 20, value: 23.5 },
        Register::U32 { at: 24, value: 70_000 },
        Register::U32 { at: 196, value: 7 },
        Register::Written { at: 10, value: 220 },
        Register::Written { at: 11, value: 60 },
        Register::Written { at: 12, value: 1 },
        Register::U16 { at: 13, value: 230 },
    ])
    .unwrap()
}

fn point(name: &str, at: &str, form: PointForm) -> Point {
    Point { name: name.into(), at: at.into(), form }
}

fn sensor(name: &str, at: &str, kind: Kind, unit: Unit, scale: f64) -> Point {
    point(name, at, PointForm::Sensor { kind, unit, scale })
}

fn level(name: &str, at: &str, unit: Unit, scale: f64, (min, max): (f64, f64)) -> Point {
    point(name, at, PointForm::Level { unit, scale, min, max })
}

/// The register map as an equipment file would have it.
fn map(address: &str) -> Configuration {
    let (cel, celsius) = (Kind::Temperature, Unit::Celsius);
    let points = vec![
        sensor("supply-air", "input:1:s16", cel, celsius, 0.1),
        sensor("humidity", "holding:2", Kind::Humidity, Unit::Percent, 0.1),
        sensor("outside", "holding:3:s16", cel, celsius, 0.1),
        sensor("return-air", "holding:20:f32", cel, celsius, 1.0),
        sensor("energy", "holding:24:u32", Kind::Energy, Unit::Joule, 3.6e6),
        sensor("nowhere", "holding:190", cel, celsius, 1.0),
        level("set-point", "holding:10", Unit::Celsius, 0.1, (18.0, 27.0)),
        level("fan", "holding:11", Unit::Percent, 1.0, (20.0, 100.0)),
        point("unit", "holding:12", PointForm::Switch { on: 1, off: 0 }),
        level("fixed", "holding:13", Unit::Celsius, 0.1, (18.0, 27.0)),
    ];
    Configuration { points, ..configuration(DriverKind::Modbus, address) }
}

#[test]
fn the_registers_of_the_file_are_read_with_their_scale_and_sign() {
    let unit = unit();
    let mut driven = Driven::connected(map(&unit.address()));
    let round = driven.round();
    let value = |name: &str| driven.value_in(&round, name).map(|value| (value * 1e3).round());
    assert_eq!(value("supply-air"), Ok(24_500.0));
    assert_eq!(value("humidity"), Ok(45_000.0));
    assert_eq!(value("outside"), Ok(-1_000.0));
    assert_eq!(value("return-air"), Ok(23_500.0));
    assert_eq!(value("energy"), Ok(252e12));
    assert_eq!(driven.state("fan"), ActuatorState::Level(0.6));
    assert_eq!(driven.state("unit"), ActuatorState::Power(PowerState::On));
}

#[test]
fn a_register_that_the_unit_does_not_have_is_missing_and_spoils_no_other() {
    let unit = unit();
    let mut configuration = map(&unit.address());
    configuration.points.push(sensor("last", "holding:196:u32", Kind::Count, Unit::Count, 1.0));
    configuration.points.push(sensor(
        "outside-of-all",
        "holding:203",
        Kind::Count,
        Unit::Count,
        1.0,
    ));
    let mut driven = Driven::connected(configuration);
    for _ in 0..2 {
        let round = driven.round();
        assert_eq!(driven.value_in(&round, "outside-of-all"), Err(NoData::Missing));
        assert_eq!(driven.value_in(&round, "last"), Ok(7.0));
        assert_eq!(driven.value_in(&round, "return-air"), Ok(23.5));
    }
}

#[test]
fn a_set_point_is_written_within_its_range_and_read_back() {
    let unit = unit();
    let mut driven = Driven::start(map(&unit.address()));
    let described = driven.described();
    let set_point = described.actuators.iter().find(|a| a.name == "set-point").unwrap();
    assert_eq!(set_point.kind, ActuatorKind::Profile);
    assert_eq!((set_point.min, set_point.max, set_point.unit), (18.0, 27.0, Unit::Celsius));
    let word = |text: &str| ActuatorState::Word(text.into());
    assert_eq!(driven.state("set-point"), word("22"));
    assert_eq!(driven.act("set-point", Deed::SetWord("23.5".into())), Ok(word("23.5")));
    assert_eq!(driven.state("set-point"), word("23.5"));
    for wrong in ["17.9", "27.5", "NaN", "cool"] {
        assert!(driven.act("set-point", Deed::SetWord(wrong.into())).is_err(), "{wrong}");
    }
    assert_eq!(driven.act("set-point", Deed::Observe), Ok(word("23.5")));
    assert_eq!(driven.act("fan", Deed::SetLevel(0.8)), Ok(ActuatorState::Level(0.8)));
    let refused = driven.act("fan", Deed::SetLevel(0.1)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Refused);
}

#[test]
fn the_unit_is_switched_and_what_is_no_register_to_be_set_is_refused_by_it() {
    let unit = unit();
    let mut driven = Driven::connected(map(&unit.address()));
    let off = ActuatorState::Power(PowerState::Off);
    assert_eq!(driven.act("unit", Deed::Reset(ResetType::ForceOff)), Ok(off.clone()));
    assert_eq!(driven.state("unit"), off);
    let refused = driven.act("unit", Deed::Reset(ResetType::Nmi)).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Unsupported);
    let refused = driven.act("fixed", Deed::SetWord("24".into())).unwrap_err();
    assert_eq!(refused.kind, DeedFault::Refused);
    assert_eq!(driven.state("fixed"), ActuatorState::Word("23".into()));
}

#[test]
fn a_unit_that_hangs_is_a_fault_within_its_time_out_and_comes_back() {
    let unit = unit();
    let mut impatient = map(&unit.address());
    impatient.timeout_ms = 300;
    let mut driven = Driven::connected(impatient);
    driven.round();
    unit.process().signal(Signal::STOP).unwrap();
    assert_eq!(driven.fault().kind, FaultKind::TimedOut);
    let failed = driven.act("fan", Deed::SetLevel(0.5)).unwrap_err();
    assert_eq!(failed.kind, DeedFault::Failed);
    unit.process().signal(Signal::CONT).unwrap();
    while !matches!(driven.next(), Some(flyball_driver_messages::FromDriver::Round(_))) {}
}

#[test]
fn answers_that_break_the_protocol_are_nonsense_and_not_numbers() {
    for answer in [
        // Another transaction, another protocol, a length of 0, of 65535, another function,
        // fewer registers than asked for.
        &[9, 9, 0, 0, 0, 5, 1, 3, 2, 0, 1][..],
        &[0, 1, 0, 7, 0, 5, 1, 3, 2, 0, 1],
        &[0, 1, 0, 0, 0, 0, 1],
        &[0, 1, 0, 0, 0xff, 0xff, 1],
        &[0, 1, 0, 0, 0, 5, 1, 4, 2, 0, 1],
        &[0, 1, 0, 0, 0, 3, 1, 3, 0],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 12];
                // Who asks may be gone with the test.
                let _ = stream.read_exact(&mut request).and_then(|()| stream.write_all(answer));
            }
        });
        let mut wanted = configuration(DriverKind::Modbus, &address);
        wanted.points = vec![sensor("t", "holding:1", Kind::Temperature, Unit::Celsius, 0.1)];
        let mut driven = Driven::connected(wanted);
        assert_eq!(driven.fault().kind, FaultKind::Nonsense, "{answer:?}");
    }
}

#[test]
fn all_that_is_wrong_with_the_points_is_said_at_once() {
    let mut wrong = configuration(DriverKind::Modbus, "127.0.0.1:502");
    wrong.points = vec![
        level("set-point", "input:10", Unit::Celsius, 0.1, (18.0, 27.0)),
        sensor("pressure", "hoding:3", Kind::Pressure, Unit::One, 1.0),
    ];
    let fault = Driven::start(wrong).fault();
    assert_eq!(fault.kind, FaultKind::Misconfigured);
    assert!(fault.message.contains("set-point") && fault.message.contains("pressure"), "{fault:?}");
    let none = configuration(DriverKind::Modbus, "127.0.0.1:502");
    assert_eq!(Driven::start(none).fault().kind, FaultKind::Misconfigured);
}

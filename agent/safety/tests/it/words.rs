//! What the faults say of themselves.

use flyball_safety::{
    ActuatorId, ConfigFault, GroupId, InterlockId, Layer, LimitId, LockFault, Place, PolicyFault,
    ReplanFault, SensorId, StateKind, ZoneId,
};

#[test]
fn layers_and_states_are_called_by_the_words_of_the_api() {
    let layers = [Layer::Factory, Layer::Local, Layer::Fleet].map(Layer::name);
    assert_eq!(layers, ["factory", "local", "fleet"]);
    let states = [
        StateKind::Unknown,
        StateKind::Normal,
        StateKind::Warning,
        StateKind::Limiting,
        StateKind::Tripped,
        StateKind::Failsafe,
    ];
    let words = ["unknown", "normal", "warning", "limiting", "tripped", "failsafe"];
    assert_eq!(states.map(StateKind::name), words);
}

#[test]
fn every_fault_names_its_place_and_no_two_say_the_same() {
    let (s, l, a) = (SensorId::new(3), LimitId::new(4), ActuatorId::new(5));
    let (z, g, i) = (ZoneId::new(6), GroupId::new(7), InterlockId::new(8));
    let texts = [
        (ConfigFault::TooMany.to_string(), "1024"),
        (ConfigFault::UnknownZone(Place::Sensor(s)).to_string(), "sensor 3"),
        (ConfigFault::UnknownSensor(Place::Limit(l)).to_string(), "limit 4"),
        (ConfigFault::UnknownLimit(Place::Interlock(i)).to_string(), "interlock 8"),
        (ConfigFault::UnknownActuator(Place::Zone(z)).to_string(), "zone 6"),
        (ConfigFault::UnknownGroup(Place::Actuator(a)).to_string(), "actuator 5"),
        (ConfigFault::Band(s).to_string(), "sensor 3"),
        (ConfigFault::Slew(s).to_string(), "sensor 3"),
        (ConfigFault::Stale(s).to_string(), "sensor 3"),
        (ConfigFault::Stuck(s).to_string(), "sensor 3"),
        (ConfigFault::Unwatched(s).to_string(), "sensor 3"),
        (ConfigFault::NoSensors(l).to_string(), "limit 4"),
        (ConfigFault::MixedKinds(l).to_string(), "limit 4"),
        (ConfigFault::Thresholds(l).to_string(), "limit 4"),
        (ConfigFault::Hysteresis(l).to_string(), "limit 4"),
        (ConfigFault::Dwell(l).to_string(), "limit 4"),
        (ConfigFault::Vote(l).to_string(), "limit 4"),
        (ConfigFault::Emergency(l).to_string(), "limit 4"),
        (ConfigFault::Apart(l).to_string(), "limit 4"),
        (ConfigFault::Sustained(l).to_string(), "limit 4"),
        (ConfigFault::Gate(l).to_string(), "limit 4"),
        (ConfigFault::Levels(a).to_string(), "actuator 5"),
        (ConfigFault::Tolerance(a).to_string(), "actuator 5"),
        (ConfigFault::NoZones(a).to_string(), "actuator 5"),
        (ConfigFault::Switch(a).to_string(), "actuator 5"),
        (ConfigFault::Group(g).to_string(), "group 7"),
        (ConfigFault::Interlock(i).to_string(), "interlock 8"),
        (ConfigFault::Ladder(z).to_string(), "zone 6"),
        (ConfigFault::Timing.to_string(), "timing"),
        (PolicyFault::UnknownLimit(l).to_string(), "limit 4"),
        (PolicyFault::Thresholds(l).to_string(), "limit 4"),
        (LockFault::TooMany.to_string(), "64"),
        (LockFault::NoActuator.to_string(), "actuator"),
        (LockFault::Expired.to_string(), "over"),
        (ReplanFault::Trip(l).to_string(), "limit 4"),
        (ReplanFault::Lock(a).to_string(), "actuator 5"),
        (ReplanFault::Sensor(s).to_string(), "sensor 3"),
        (ReplanFault::Limit(l).to_string(), "limit 4"),
        (ReplanFault::Actuator(a).to_string(), "actuator 5"),
        (ReplanFault::Interlock(i).to_string(), "interlock 8"),
    ];
    for (text, place) in &texts {
        assert!(text.contains(place), "{text:?} names no {place}");
    }
    let distinct: std::collections::BTreeSet<_> = texts.iter().map(|(text, _)| text).collect();
    assert_eq!(distinct.len(), texts.len());
}

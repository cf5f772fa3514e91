//! What is read and switched of one UPS: from what upsd says, to sensors and switches.

use super::status::{FLAGS, Flag, Status};
use super::variables::{Measure, Variables, measure_of};
use crate::gathering::Gathering;
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Described, Identity, SensorEntry, Thresholds, bounded,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::{Kind, NoData, Unit};
use std::collections::BTreeSet;

/// Where a sensor's value comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Variable { name: String, measure: Measure },
    Flag(Flag),
}

/// What a switch switches, and by which instant command each verb is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Switch {
    /// The number of an outlet; `None` for the whole load.
    outlet: Option<String>,
    pub(super) commands: Vec<(ResetType, String)>,
}

/// Verbs of the whole load, each with the instant commands that do it, the best first.
/// `shutdown.return` waits for what it feeds to stop, and comes back with the mains.
const LOAD_VERBS: [(ResetType, &[&str]); 4] = [
    (ResetType::On, &["load.on"]),
    (ResetType::ForceOff, &["load.off", "shutdown.stayoff"]),
    (ResetType::GracefulShutdown, &["shutdown.return"]),
    (ResetType::PowerCycle, &["load.cycle", "shutdown.reboot"]),
];
const OUTLET_VERBS: [(ResetType, &[&str]); 3] = [
    (ResetType::On, &["load.on"]),
    (ResetType::ForceOff, &["load.off"]),
    (ResetType::PowerCycle, &["load.cycle"]),
];

/// A description, and where everything in it comes from, by index.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) described: Described,
    pub(super) sources: Vec<(u16, Source)>,
    pub(super) switches: Vec<(u16, Switch)>,
}

impl Plan {
    /// `seen` are the quantities that this UPS has ever shown: one that is not among `variables`
    /// now stays a sensor without a value.
    pub(super) fn of(
        variables: &Variables,
        commands: &BTreeSet<String>,
        seen: &mut BTreeSet<String>,
    ) -> Self {
        let mut gathering = Gathering::new(identity(variables));
        let mut sources = Vec::new();
        for flag in FLAGS {
            if let Some(index) = gathering.sensor(entry(&flag)) {
                sources.push((index, Source::Flag(flag)));
            }
        }
        seen.extend(quantities(variables));
        for name in seen.iter() {
            let Some(measure) = measure_of(name) else { continue };
            if let Some(index) = gathering.sensor(measure.describe(name, variables)) {
                sources.push((index, Source::Variable { name: name.clone(), measure }));
            }
        }
        let mut switches = Vec::new();
        for switch in switches_of(variables, commands) {
            if let Some(index) = gathering.actuator(switch.describe()) {
                switches.push((index, switch));
            }
        }
        if commands.is_empty() {
            gathering.remark("this UPS takes no commands: it can be watched, not switched");
        }
        Self { described: gathering.close(), sources, switches }
    }
}

/// The names of what can be measured.
pub(super) fn quantities(variables: &Variables) -> impl Iterator<Item = String> + '_ {
    variables.keys().filter(|name| measure_of(name).is_some()).cloned()
}

pub(super) fn identity(variables: &Variables) -> Identity {
    let first = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| variables.get(*name));
        found.map(|text| bounded(text)).filter(|text| !text.is_empty())
    };
    Identity {
        vendor: first(["device.mfr", "ups.mfr"]),
        model: first(["device.model", "ups.model"]),
        serial: first(["device.serial", "ups.serial"]),
        firmware: first(["ups.firmware", "device.firmware"]),
    }
}

fn entry(flag: &Flag) -> SensorEntry {
    SensorEntry {
        name: flag.name.to_owned(),
        label: flag.label.to_owned(),
        metric: "hw.status".to_owned(),
        kind: Kind::State,
        unit: Unit::One,
        attributes: vec![("hw.state".to_owned(), flag.state.to_owned())],
        thresholds: Thresholds::default(),
    }
}

fn switches_of(variables: &Variables, commands: &BTreeSet<String>) -> Vec<Switch> {
    let offered = |verbs: &[(ResetType, &[&str])], prefix: &str| -> Vec<(ResetType, String)> {
        let find = |names: &[&str]| {
            names.iter().map(|name| format!("{prefix}{name}")).find(|name| commands.contains(name))
        };
        verbs.iter().filter_map(|(verb, names)| Some((*verb, find(names)?))).collect()
    };
    let outlets: BTreeSet<&str> = variables
        .keys()
        .map(String::as_str)
        .chain(commands.iter().map(String::as_str))
        .filter_map(|name| name.strip_prefix("outlet.")?.split_once('.'))
        .map(|(number, _)| number)
        .filter(|number| number.parse::<u16>().is_ok_and(|number| number > 0))
        .collect();
    let mut outlets: Vec<&str> = outlets.into_iter().collect();
    outlets.sort_by_key(|number| number.parse::<u16>().unwrap_or(u16::MAX));
    let load = Switch { outlet: None, commands: offered(&LOAD_VERBS, "") };
    let outlets = outlets.into_iter().map(|number| Switch {
        outlet: Some(number.to_owned()),
        commands: offered(&OUTLET_VERBS, &format!("outlet.{number}.")),
    });
    // What can't be switched is no switch.
    std::iter::once(load).chain(outlets).filter(|switch| !switch.commands.is_empty()).collect()
}

impl Switch {
    fn describe(&self) -> ActuatorEntry {
        let (name, label) = match &self.outlet {
            Some(number) => (format!("outlet-{number}"), format!("Outlet {number}")),
            None => ("load".to_owned(), "Everything that it feeds".to_owned()),
        };
        ActuatorEntry {
            verbs: self.commands.iter().map(|(verb, _)| *verb).collect(),
            ..ActuatorEntry::bare(ActuatorKind::Switch, name, label)
        }
    }

    /// Where it stands by these variables.
    pub(super) fn standing(&self, variables: &Variables) -> ActuatorState {
        let on = match &self.outlet {
            None => {
                let status = variables.get("ups.status").map(|text| Status::parse(text));
                status.filter(Status::is_known).map(|status| !status.has("OFF"))
            }
            Some(number) => {
                let of = |key: &str| variables.get(&format!("outlet.{number}.{key}"));
                of("status").or_else(|| of("switch")).and_then(|text| switched(text))
            }
        };
        match on {
            Some(true) => ActuatorState::Power(PowerState::On),
            Some(false) => ActuatorState::Power(PowerState::Off),
            None => ActuatorState::Unknown(NoData::Missing),
        }
    }
}

fn switched(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "yes" | "1" => Some(true),
        "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn commands(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn verbs_are_those_that_the_ups_has_commands_for() {
        let commands =
            commands(&["load.off", "shutdown.return", "beeper.mute", "outlet.2.load.on"]);
        let switches = switches_of(&variables(&[("outlet.1.status", "on")]), &commands);
        let of = |verb, name: &str| (verb, name.to_owned());
        assert_eq!(
            switches,
            [
                Switch {
                    outlet: None,
                    commands: vec![
                        of(ResetType::ForceOff, "load.off"),
                        of(ResetType::GracefulShutdown, "shutdown.return")
                    ]
                },
                Switch {
                    outlet: Some("2".into()),
                    commands: vec![of(ResetType::On, "outlet.2.load.on")]
                }
            ]
        );
    }

    #[test]
    fn a_switch_stands_where_its_variables_say() {
        let load = Switch { outlet: None, commands: Vec::new() };
        let outlet = Switch { outlet: Some("7".into()), commands: Vec::new() };
        let on = ActuatorState::Power(PowerState::On);
        let off = ActuatorState::Power(PowerState::Off);
        let unknown = ActuatorState::Unknown(NoData::Missing);
        let table = [
            (&load, ("ups.status", "OL"), &on),
            (&load, ("ups.status", "OL OFF"), &off),
            (&load, ("ups.status", "WAIT"), &unknown),
            (&outlet, ("outlet.7.status", "off"), &off),
            (&outlet, ("outlet.7.switch", "1"), &on),
            (&outlet, ("outlet.7.status", "bad"), &unknown),
            (&outlet, ("outlet.8.status", "on"), &unknown),
        ];
        for (switch, pair, expected) in table {
            assert_eq!(&switch.standing(&variables(&[pair])), expected, "{pair:?}");
        }
    }

    #[test]
    fn a_quantity_that_went_away_stays_a_sensor() {
        let mut seen = BTreeSet::new();
        let none = BTreeSet::new();
        let whole = variables(&[("battery.charge", "90"), ("battery.runtime", "60")]);
        let first = Plan::of(&whole, &none, &mut seen);
        let later = Plan::of(&variables(&[("battery.charge", "90")]), &none, &mut seen);
        assert_eq!(first.described.sensors.len(), later.described.sensors.len());
    }
}

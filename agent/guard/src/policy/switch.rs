//! `[[switch]]`, `[[group]]` and `[[interlock]]` of the policy: what stands between things.

use super::table::Table;
use flyball_command::PowerState;
use flyball_safety::{Against, Needs, Shed};
use std::time::Duration;

/// Power of the switches whose id matches. Of several rules the first counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SwitchRule {
    pub(crate) actuator: String,
    pub(crate) zones: Vec<String>,
    pub(crate) group: Option<String>,
    pub(crate) takes: Duration,
    pub(crate) restart_interval: Duration,
    /// How often it may be energised without a person, and within which time.
    pub(crate) recoveries: Option<(u8, Duration)>,
    pub(crate) shed: Option<Shed>,
    /// Nothing is energised above this at this sensor.
    pub(crate) restart: Option<(String, f64)>,
}

/// Switches that must not start together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupRule {
    pub(crate) name: String,
    pub(crate) at_most: u8,
    pub(crate) within: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InterlockRule {
    pub(crate) name: String,
    /// A sentence for people.
    pub(crate) reason: String,
    pub(crate) targets: Vec<String>,
    pub(crate) against: Against,
    pub(crate) needs: Needs,
    pub(crate) conditions: Vec<ConditionRule>,
    pub(crate) forces_off: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ConditionRule {
    AtLeast { sensor: String, value: f64, hysteresis: f64 },
    AtMost { sensor: String, value: f64, hysteresis: f64 },
    Switch { actuator: String, is: PowerState },
    Limit { limit: String, warning_ok: bool },
}

/// A restart has to wait until it is so much cooler than its threshold.
pub(crate) const RESTART_HYSTERESIS: f64 = 2.0;
/// From a switch's verb to its state: a machine's orderly stop takes minutes.
pub(crate) const TAKES: Duration = Duration::from_secs(300);
const SHED_WITHIN_S: f64 = 120.0;
const STATES: [&str; 5] = ["On", "Off", "PoweringOn", "PoweringOff", "Paused"];

impl SwitchRule {
    /// A switch that no rule names.
    pub(crate) fn default_rule() -> Self {
        Self {
            actuator: "*".into(),
            zones: Vec::new(),
            group: None,
            takes: TAKES,
            restart_interval: Duration::from_secs(5),
            recoveries: Some((2, Duration::from_secs(3600))),
            shed: None,
            restart: None,
        }
    }
}

pub(super) fn read_switch(table: &mut Table<'_, '_>) -> Option<SwitchRule> {
    let default = SwitchRule::default_rule();
    let seconds = |value: Option<f64>, default| value.map_or(default, Duration::from_secs_f64);
    let restart_sensor = table.text("restart_sensor");
    let restart_celsius = table.number("restart_below_celsius", -20.0..=125.0);
    if restart_sensor.is_some() != restart_celsius.is_some() {
        table.fault("`restart_sensor` and `restart_below_celsius` stand together");
    }
    let recoveries = table.whole("recoveries", 0..=8).unwrap_or(2);
    let within = table.number("recoveries_within_s", 1.0..=86_400.0).unwrap_or(3600.0);
    let order = table.whole("shed_order", 0..=255);
    let shed_within = table.number("shed_within_s", 1.0..=3600.0).unwrap_or(SHED_WITHIN_S);
    let force = table.switch("shed_force").unwrap_or(false);
    let rule = SwitchRule {
        actuator: String::new(),
        zones: table.texts("zones"),
        group: table.text("group"),
        takes: seconds(table.number("takes_s", 1.0..=3600.0), default.takes),
        restart_interval: seconds(
            table.number("restart_interval_s", 0.1..=3600.0),
            default.restart_interval,
        ),
        recoveries: (recoveries > 0).then_some((recoveries, Duration::from_secs_f64(within))),
        shed: order.map(|order| Shed {
            order,
            within: Duration::from_secs_f64(shed_within),
            force,
        }),
        restart: restart_sensor.zip(restart_celsius),
    };
    let actuator = table.required_text("actuator")?;
    Some(SwitchRule { actuator, ..rule })
}

pub(super) fn read_group(table: &mut Table<'_, '_>) -> Option<GroupRule> {
    let at_most = table.whole("at_most", 1..=255).unwrap_or(1);
    let within = table.number("within_s", 0.1..=3600.0).unwrap_or(60.0);
    let name = table.required_text("name")?;
    Some(GroupRule { name, at_most, within: Duration::from_secs_f64(within) })
}

pub(super) fn read_interlock(table: &mut Table<'_, '_>) -> Option<InterlockRule> {
    let against = match table.word("against", &["energising", "interrupting", "both"]) {
        Some("interrupting") => Against::Interrupting,
        Some("both") => Against::Both,
        _ => Against::Energising,
    };
    let needs = match table.word("needs", &["all", "any"]) {
        Some("any") => Needs::Any,
        _ => Needs::All,
    };
    let targets = table.texts("targets");
    if targets.is_empty() {
        table.fault("`targets` needs at least one actuator id or pattern");
    }
    let conditions = table.tables("condition", read_condition);
    if conditions.is_empty() {
        table.fault("an interlock needs at least one [[interlock.condition]]");
    }
    let forces_off = table.switch("forces_off").unwrap_or(false);
    let reason = table.required_text("reason");
    let name = table.required_text("name");
    let (name, reason) = (name?, reason?);
    Some(InterlockRule { name, reason, targets, against, needs, conditions, forces_off })
}

fn read_condition(table: &mut Table<'_, '_>) -> Option<ConditionRule> {
    let hysteresis = table.number("hysteresis", 0.0..=1e6).unwrap_or(0.0);
    let at_least = table.number("at_least", -1e9..=1e9);
    let at_most = table.number("at_most", -1e9..=1e9);
    let is = table.word("is", &STATES).and_then(PowerState::from_name);
    let warning_ok = table.switch("warning_ok").unwrap_or(false);
    let (sensor, switch, limit) = (table.text("sensor"), table.text("switch"), table.text("limit"));
    let condition = match (sensor, switch, limit) {
        (Some(sensor), None, None) => match (at_least, at_most) {
            (Some(value), None) => Some(ConditionRule::AtLeast { sensor, value, hysteresis }),
            (None, Some(value)) => Some(ConditionRule::AtMost { sensor, value, hysteresis }),
            _ => None,
        },
        (None, Some(actuator), None) => is.map(|is| ConditionRule::Switch { actuator, is }),
        (None, None, Some(limit)) => Some(ConditionRule::Limit { limit, warning_ok }),
        _ => None,
    };
    if condition.is_none() {
        table.fault(
            "a condition is `sensor` with `at_least` or `at_most`, `switch` with `is`, or `limit`",
        );
    }
    condition
}

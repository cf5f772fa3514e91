//! One `[[limit]]` of the policy.

use super::quantity::{ALL, Keys, Quantity};
use super::table::Table;
use flyball_safety::{Dwell, Response, Sense, Sustained, Thresholds, Vote};
use std::time::Duration;

/// Half a minute at 4 Hz without one changed digit.
pub(crate) const STUCK_SAMPLES: u16 = 120;

/// A limit over the sensors whose ids match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LimitRule {
    pub(crate) name: String,
    /// The first zone of the file where it names none.
    pub(crate) zone: Option<String>,
    pub(crate) sensors: Vec<String>,
    pub(crate) quantity: Quantity,
    pub(crate) local: Thresholds,
    pub(crate) sense: Sense,
    pub(crate) response: Response,
    pub(crate) vote: Vote,
    /// Good sensors further apart than this are told.
    pub(crate) tolerance: Option<f64>,
    pub(crate) emergency: Option<f64>,
    pub(crate) hysteresis: Option<f64>,
    pub(crate) dwell: Dwell,
    pub(crate) hold: Duration,
    pub(crate) stale_after: Option<Duration>,
    pub(crate) lead: Option<Duration>,
    pub(crate) sustained: Option<Sustained>,
    pub(crate) gate: Option<GateRule>,
    pub(crate) stuck: Option<StuckRule>,
    pub(crate) missing_ok: bool,
}

/// When its samples count at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GateRule {
    /// While this fan is at this duty or more.
    Duty { actuator: String, at_least: f64 },
    /// Unless this switch is off.
    On { actuator: String },
}

/// When an unchanging value of its sensors is a fault: for so many samples the very same, while
/// the companion moved by so much in its own unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StuckRule {
    pub(crate) companion: String,
    pub(crate) moved: f64,
    pub(crate) samples: u16,
}

pub(super) fn read(table: &mut Table<'_, '_>) -> Option<LimitRule> {
    let keys = pick(table);
    let local = Thresholds {
        warning: table.number(keys.warning, 0.001..=keys.highest),
        limit: table.number(keys.limit, 0.001..=keys.highest),
        trip: table.number(keys.trip, 0.001..=keys.highest),
    };
    let below = table.switch("below").unwrap_or(keys.quantity.default_below());
    let sense = if below { Sense::Below } else { Sense::Above };
    check_order(table, local, below);
    let words = ["heat", "power", "alert", "shutdown"];
    let response = match table.word("response", &words) {
        Some("heat") => Response::Heat,
        Some("power") => Response::Power,
        Some("alert") => Response::Alert,
        Some("shutdown") => Response::Shutdown,
        _ => keys.quantity.default_response(),
    };
    let sensors = table.texts("sensors");
    if sensors.is_empty() {
        table.fault("`sensors` needs at least one sensor id or pattern");
    }
    let seconds = |value: Option<f64>| value.map(Duration::from_secs_f64);
    let rule = LimitRule {
        name: String::new(),
        zone: table.text("zone"),
        sensors,
        quantity: keys.quantity,
        local,
        sense,
        response,
        vote: read_vote(table),
        tolerance: table.number(keys.tolerance, 0.001..=keys.highest),
        emergency: table.number(keys.emergency, 0.001..=keys.highest),
        hysteresis: table.number(keys.hysteresis, 0.001..=keys.highest),
        dwell: read_dwell(table, keys.quantity),
        hold: seconds(table.number("hold_s", 0.0..=3600.0)).unwrap_or_default(),
        stale_after: seconds(table.number("stale_after_s", 1.0..=600.0)),
        lead: seconds(table.number("lead_s", 1.0..=600.0)),
        sustained: read_sustained(table),
        gate: read_gate(table),
        stuck: read_stuck(table),
        missing_ok: table.switch("missing_ok").unwrap_or(false),
    };
    let name = table.required_text("name")?;
    Some(LimitRule { name, ..rule })
}

/// The one quantity whose keys the table uses. Keys of a second one are faults.
fn pick(table: &mut Table<'_, '_>) -> &'static Keys {
    let uses = |table: &Table<'_, '_>, keys: &Keys| {
        [keys.warning, keys.limit, keys.trip, keys.emergency].iter().any(|key| table.has(key))
    };
    let mut used = ALL.iter().filter(|keys| uses(table, keys));
    let first = used.next();
    if let (Some(first), Some(second)) = (first, used.next()) {
        table.fault(&format!(
            "a limit has thresholds in one unit, not in {} and in {}",
            first.suffix, second.suffix
        ));
    }
    // The keys of another unit are no unknown ones: the fault is said.
    for keys in ALL.iter().filter(|keys| first.is_some_and(|first| first.suffix != keys.suffix)) {
        for key in [keys.warning, keys.limit, keys.trip, keys.emergency, keys.hysteresis] {
            table.number(key, 0.001..=keys.highest);
        }
    }
    if first.is_none() && !table.has("rated") {
        let suffixes: Vec<&str> = ALL.iter().map(|keys| keys.suffix).collect();
        table.fault(&format!(
            "a limit needs at least one of warning_, limit_, trip_ or emergency_ with its unit: {}",
            suffixes.join(", ")
        ));
    }
    let [celsius, ..] = &ALL;
    first.unwrap_or(celsius)
}

fn check_order(table: &Table<'_, '_>, local: Thresholds, below: bool) {
    let mut given: Vec<f64> =
        [local.warning, local.limit, local.trip].into_iter().flatten().collect();
    if below {
        given.reverse();
    }
    if !given.is_sorted() {
        table.fault(match below {
            false => "a limit needs warning <= limit <= trip",
            true => "a limit whose danger is below needs warning >= limit >= trip",
        });
    }
}

fn read_vote(table: &mut Table<'_, '_>) -> Vote {
    match table.word("vote", &["any", "two-of-two", "two-of-three"]) {
        Some("two-of-two") => Vote::TwoOfTwo,
        Some("two-of-three") => Vote::TwoOfThree,
        _ => Vote::Any,
    }
}

fn read_sustained(table: &mut Table<'_, '_>) -> Option<Sustained> {
    let rated = table.number("rated", 0.001..=1e6);
    let budget = table.number("rated_budget", 0.001..=1e12);
    if rated.is_some() != budget.is_some() {
        table.fault("`rated` and `rated_budget` stand together");
    }
    Some(Sustained { rated: rated?, budget: budget? })
}

fn read_gate(table: &mut Table<'_, '_>) -> Option<GateRule> {
    let fan = table.text("gate_fan");
    let at_least = table.number("gate_duty", 0.0..=1.0);
    let switch = table.text("gate_switch");
    if fan.is_some() && switch.is_some() {
        table.fault("a limit has one gate: `gate_fan` or `gate_switch`");
    }
    if fan.is_some() != at_least.is_some() {
        table.fault("`gate_fan` and `gate_duty` stand together");
    }
    let duty = fan.zip(at_least);
    let duty = duty.map(|(actuator, at_least)| GateRule::Duty { actuator, at_least });
    duty.or_else(|| switch.map(|actuator| GateRule::On { actuator }))
}

fn read_stuck(table: &mut Table<'_, '_>) -> Option<StuckRule> {
    let companion = table.text("stuck_with");
    let moved = table.number("stuck_moved", 0.001..=1e9);
    let samples = table.whole("stuck_samples", 2..=255).map_or(STUCK_SAMPLES, u16::from);
    if companion.is_some() != moved.is_some() {
        table.fault("`stuck_with` and `stuck_moved` stand together");
    }
    Some(StuckRule { companion: companion?, moved: moved?, samples })
}

fn read_dwell(table: &mut Table<'_, '_>, quantity: Quantity) -> Dwell {
    let default = quantity.default_dwell();
    let of = table.whole("dwell_of", 1..=32).unwrap_or(default.of);
    let needed = table.whole("dwell_needed", 1..=32).unwrap_or(default.needed.min(of));
    if needed > of {
        table.fault("dwell_needed cannot be more than dwell_of");
    }
    Dwell { needed, of }
}

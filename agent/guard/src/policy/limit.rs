//! One `[[limit]]` of the policy.

use super::table::Table;
use flyball_safety::{Dwell, Thresholds};
use flyball_units::{Kind, Unit};
use std::time::Duration;

/// What a limit watches, by the unit in which its keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Temperature,
    Power,
}

impl Quantity {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Temperature => Kind::Temperature,
            Self::Power => Kind::Power,
        }
    }

    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::Temperature => Unit::Celsius,
            Self::Power => Unit::Watt,
        }
    }

    /// How far under a threshold a reading must fall, where nothing says so.
    pub(crate) fn default_hysteresis(self, thresholds: &Thresholds) -> f64 {
        match self {
            Self::Temperature => 3.0,
            Self::Power => {
                let lowest = thresholds.warning.or(thresholds.limit).or(thresholds.trip);
                lowest.map_or(1.0, |watts| (watts * 0.05).max(0.5))
            }
        }
    }

    /// Temperatures move slowly and are believed fast; power is noise around its mean.
    pub(crate) const fn default_dwell(self) -> Dwell {
        match self {
            Self::Temperature => Dwell { needed: 2, of: 3 },
            Self::Power => Dwell { needed: 6, of: 8 },
        }
    }
}

/// A limit over the sensors whose ids match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LimitRule {
    pub(crate) name: String,
    /// The first zone of the file where it names none.
    pub(crate) zone: Option<String>,
    pub(crate) sensors: Vec<String>,
    pub(crate) quantity: Quantity,
    pub(crate) local: Thresholds,
    pub(crate) hysteresis: Option<f64>,
    pub(crate) dwell: Dwell,
    pub(crate) stale_after: Option<Duration>,
    pub(crate) lead: Option<Duration>,
    pub(crate) missing_ok: bool,
}

struct Keys {
    quantity: Quantity,
    warning: &'static str,
    limit: &'static str,
    trip: &'static str,
    hysteresis: &'static str,
    highest: f64,
}

const CELSIUS: Keys = Keys {
    quantity: Quantity::Temperature,
    warning: "warning_celsius",
    limit: "limit_celsius",
    trip: "trip_celsius",
    hysteresis: "hysteresis_celsius",
    highest: 150.0,
};
const WATTS: Keys = Keys {
    quantity: Quantity::Power,
    warning: "warning_watts",
    limit: "limit_watts",
    trip: "trip_watts",
    hysteresis: "hysteresis_watts",
    highest: 100_000.0,
};

pub(crate) fn read(table: &mut Table<'_, '_>) -> Option<LimitRule> {
    let uses = |table: &Table<'_, '_>, keys: &Keys| {
        [keys.warning, keys.limit, keys.trip].iter().any(|key| table.has(key))
    };
    let keys = match (uses(table, &CELSIUS), uses(table, &WATTS)) {
        (true, true) => {
            table.fault("a limit has thresholds in celsius or in watts, not in both");
            &CELSIUS
        }
        (_, true) => &WATTS,
        (true, false) => &CELSIUS,
        (false, false) => {
            table
                .fault("a limit needs at least one of warning_, limit_ and trip_celsius or _watts");
            &CELSIUS
        }
    };
    let local = read_thresholds(table, keys);
    let other = if keys.quantity == Quantity::Power { &CELSIUS } else { &WATTS };
    read_thresholds(table, other);
    let dwell = read_dwell(table, keys.quantity);
    let hysteresis = table.number(keys.hysteresis, 0.1..=keys.highest);
    let sensors = table.texts("sensors");
    if sensors.is_empty() {
        table.fault("`sensors` needs at least one sensor id or pattern");
    }
    let seconds = |value: Option<f64>| value.map(Duration::from_secs_f64);
    let stale_after = seconds(table.number("stale_after_s", 1.0..=600.0));
    let lead = seconds(table.number("lead_s", 1.0..=600.0));
    let missing_ok = table.switch("missing_ok").unwrap_or(false);
    let zone = table.text("zone");
    let name = table.required_text("name")?;
    Some(LimitRule {
        name,
        zone,
        sensors,
        quantity: keys.quantity,
        local,
        hysteresis,
        dwell,
        stale_after,
        lead,
        missing_ok,
    })
}

fn read_thresholds(table: &mut Table<'_, '_>, keys: &Keys) -> Thresholds {
    let thresholds = Thresholds {
        warning: table.number(keys.warning, 0.1..=keys.highest),
        limit: table.number(keys.limit, 0.1..=keys.highest),
        trip: table.number(keys.trip, 0.1..=keys.highest),
    };
    let given = [thresholds.warning, thresholds.limit, thresholds.trip];
    if !given.into_iter().flatten().is_sorted() {
        table.fault("a limit needs warning <= limit <= trip");
    }
    thresholds
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

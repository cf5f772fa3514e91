//! `[[fan]]` and `[[cap]]` of the policy: the levels of fans and power caps.

use super::table::Table;

/// Levels of the fans whose id matches. Of several rules the first counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FanRule {
    pub(crate) actuator: String,
    pub(crate) zones: Vec<String>,
    pub(crate) min_duty: f64,
    pub(crate) failsafe_duty: f64,
    pub(crate) full_duty: f64,
}

/// Levels of the power caps whose id matches; `None` is the hardware's own, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CapRule {
    pub(crate) actuator: String,
    pub(crate) zones: Vec<String>,
    pub(crate) min_watts: Option<f64>,
    pub(crate) safe_watts: Option<f64>,
    pub(crate) max_watts: Option<f64>,
}

impl FanRule {
    /// The levels of a fan that no rule names.
    pub(crate) fn default_levels() -> Self {
        Self {
            actuator: "*".into(),
            zones: Vec::new(),
            min_duty: 0.2,
            failsafe_duty: 0.8,
            full_duty: 1.0,
        }
    }
}

pub(super) fn read_fan(table: &mut Table<'_, '_>) -> Option<FanRule> {
    let default = FanRule::default_levels();
    let zones = table.texts("zones");
    let mut duty = |key, default| table.number(key, 0.0..=1.0).unwrap_or(default);
    let min_duty = duty("min_duty", default.min_duty);
    let failsafe_duty = duty("failsafe_duty", default.failsafe_duty);
    let full_duty = duty("full_duty", default.full_duty);
    if !(min_duty <= failsafe_duty && failsafe_duty <= full_duty) {
        table.fault("a fan needs min_duty <= failsafe_duty <= full_duty");
    }
    let actuator = table.required_text("actuator")?;
    Some(FanRule { actuator, zones, min_duty, failsafe_duty, full_duty })
}

pub(super) fn read_cap(table: &mut Table<'_, '_>) -> Option<CapRule> {
    let zones = table.texts("zones");
    let mut watts = |key| table.number(key, 0.1..=100_000.0);
    let (min_watts, safe_watts, max_watts) =
        (watts("min_watts"), watts("safe_watts"), watts("max_watts"));
    let given: Vec<f64> = [min_watts, safe_watts, max_watts].into_iter().flatten().collect();
    if !given.is_sorted() {
        table.fault("a cap needs min_watts <= safe_watts <= max_watts");
    }
    let actuator = table.required_text("actuator")?;
    Some(CapRule { actuator, zones, min_watts, safe_watts, max_watts })
}

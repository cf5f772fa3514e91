//! Orders to a running simulation: one JSON object a line in, one out.

use crate::fault::{Fault, FaultError, Target};
use crate::plant::Plant;
use serde::Deserialize;
use serde_json::{Value, json};

/// What may be ordered. Several fields of one line are taken in this order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A fault's name, with `target`.
    pub fault: Option<String>,
    pub target: Option<String>,
    /// A target, or `all`.
    pub heal: Option<String>,
    /// A number holds the load, `"used"` lets it come and go.
    pub load_watts: Option<Value>,
    pub ambient_celsius: Option<f64>,
    /// `true` asks for the truth.
    pub state: Option<bool>,
}

#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("the line is no order: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("a fault needs a target, as in {{\"fault\":\"fan_seized\",\"target\":\"fan1\"}}")]
    NoTarget,
    #[error("load_watts takes a number or \"used\", not {0}")]
    Load(Value),
    #[error("ambient_celsius takes a number from -40 to 80, not {0}")]
    Ambient(f64),
}

/// Does what `line` orders and answers it.
#[must_use]
pub fn obey(plant: &mut Plant, line: &str) -> Value {
    match order(plant, line) {
        Ok(answer) => answer,
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn order(plant: &mut Plant, line: &str) -> Result<Value, OrderError> {
    let order: Order = serde_json::from_str(line)?;
    let fans = plant.board().fans;
    if let Some(fault) = order.fault {
        let target = order.target.ok_or(OrderError::NoTarget)?;
        plant.inject(fault.parse::<Fault>()?, Target::parse(&target, fans)?)?;
    }
    match order.heal.as_deref() {
        Some("all") => plant.heal_all(),
        Some(target) => plant.heal(Target::parse(target, fans)?),
        None => {}
    }
    match order.load_watts {
        Some(Value::String(used)) if used == "used" => plant.set_load(None),
        Some(load) => {
            let watts = load.as_f64().ok_or(OrderError::Load(load))?;
            plant.set_load(Some(watts));
        }
        None => {}
    }
    if let Some(ambient) = order.ambient_celsius {
        if !(-40.0..=80.0).contains(&ambient) {
            return Err(OrderError::Ambient(ambient));
        }
        plant.set_ambient(ambient);
    }
    if order.state == Some(true) {
        return Ok(serde_json::to_value(plant.state())?);
    }
    Ok(json!({ "ok": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;

    #[test]
    fn orders_are_obeyed_and_faulty_ones_say_what_is_wrong() {
        let mut plant = Plant::new(Board::of(2));
        for (line, answer) in [
            (r#"{"fault":"fan_seized","target":"fan1"}"#, r#"{"ok":true}"#),
            (r#"{"heal":"fan1"}"#, r#"{"ok":true}"#),
            (r#"{"load_watts":80}"#, r#"{"ok":true}"#),
            (r#"{"load_watts":"used"}"#, r#"{"ok":true}"#),
            (r#"{"ambient_celsius":35}"#, r#"{"ok":true}"#),
        ] {
            assert_eq!(obey(&mut plant, line).to_string(), answer, "{line}");
        }
        for (line, part) in [
            ("{", "no order"),
            (r#"{"falt":"x"}"#, "unknown field"),
            (r#"{"fault":"fire","target":"fan1"}"#, "no fault is called"),
            (r#"{"fault":"fan_seized"}"#, "needs a target"),
            (r#"{"fault":"fan_seized","target":"fan9"}"#, "no \"fan9\""),
            (r#"{"fault":"cap_ignored","target":"fan1"}"#, "cannot happen"),
            (r#"{"load_watts":"much"}"#, "number or"),
            (r#"{"ambient_celsius":500}"#, "-40 to 80"),
        ] {
            let answer = obey(&mut plant, line)["error"].to_string();
            assert!(answer.replace('\\', "").contains(part), "{line}: {answer}");
        }
    }

    #[test]
    fn the_state_shows_the_truth_behind_a_frozen_sensor() {
        let mut plant = Plant::new(Board::of(2));
        let _ = obey(&mut plant, r#"{"fault":"sensor_frozen","target":"temp1","load_watts":90}"#);
        plant.step(std::time::Duration::from_secs(120));
        let state = obey(&mut plant, r#"{"state":true}"#);
        let truth = state["die_celsius"].as_f64().unwrap();
        assert!(truth > plant.temperature(1).unwrap() + 5.0);
        assert_eq!(state["faults"][0], "sensor_frozen temp1");
    }
}

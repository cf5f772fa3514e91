//! Where an actuator stands, by the document that shows it.

use super::plan::{LimitForm, StandingForm};
use flyball_command::PowerState;
use flyball_driver_messages::ActuatorState;
use flyball_units::NoData;
use serde_json::Value;

pub(super) fn standing(form: &StandingForm, body: &Value) -> ActuatorState {
    match form {
        StandingForm::Power => match body.get("PowerState").map(Value::as_str) {
            Some(Some(word)) => PowerState::from_name(word)
                .map_or(ActuatorState::Unknown(NoData::Unparsable), ActuatorState::Power),
            Some(None) | None => ActuatorState::Unknown(NoData::Missing),
        },
        StandingForm::Locator => match body.get("LocationIndicatorActive").map(Value::as_bool) {
            Some(Some(lit)) => ActuatorState::Lit(lit),
            Some(None) | None => ActuatorState::Unknown(NoData::Missing),
        },
        StandingForm::Led => match body.get("IndicatorLED").and_then(Value::as_str) {
            Some("Unknown") | None => ActuatorState::Unknown(NoData::Missing),
            Some(word) => ActuatorState::Lit(word != "Off"),
        },
        StandingForm::Limit { pointer, form } => limit(*form, body.pointer(pointer)),
    }
}

fn limit(form: LimitForm, object: Option<&Value>) -> ActuatorState {
    let Some(object) = object else {
        return ActuatorState::Unknown(NoData::Missing);
    };
    let key = match form {
        LimitForm::SetPoint => {
            if object.get("ControlMode").and_then(Value::as_str) == Some("Disabled") {
                return ActuatorState::Automatic;
            }
            "SetPoint"
        }
        LimitForm::LimitInWatts => "LimitInWatts",
    };
    match object.get(key) {
        Some(Value::Null) => ActuatorState::Automatic,
        Some(value) => {
            value.as_f64().map_or(ActuatorState::Unknown(NoData::Unparsable), ActuatorState::Level)
        }
        None => ActuatorState::Unknown(NoData::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_is_what_the_document_says_or_why_it_is_not_known() {
        let cases = [
            (
                StandingForm::Power,
                json!({ "PowerState": "PoweringOff" }),
                ActuatorState::Power(PowerState::PoweringOff),
            ),
            (
                StandingForm::Power,
                json!({ "PowerState": "Zapped" }),
                ActuatorState::Unknown(NoData::Unparsable),
            ),
            (
                StandingForm::Power,
                json!({ "PowerState": null }),
                ActuatorState::Unknown(NoData::Missing),
            ),
            (StandingForm::Led, json!({ "IndicatorLED": "Blinking" }), ActuatorState::Lit(true)),
            (
                StandingForm::Locator,
                json!({ "LocationIndicatorActive": false }),
                ActuatorState::Lit(false),
            ),
        ];
        for (form, body, wanted) in cases {
            assert_eq!(standing(&form, &body), wanted, "{body}");
        }
    }

    #[test]
    fn a_limit_that_is_off_holds_no_level() {
        let limit = |form, body: Value| {
            standing(&StandingForm::Limit { pointer: "/L".into(), form }, &json!({ "L": body }))
        };
        let held = json!({ "SetPoint": 500, "ControlMode": "Automatic" });
        assert_eq!(limit(LimitForm::SetPoint, held), ActuatorState::Level(500.0));
        let off = json!({ "SetPoint": 500, "ControlMode": "Disabled" });
        assert_eq!(limit(LimitForm::SetPoint, off), ActuatorState::Automatic);
        let off = json!({ "LimitInWatts": null });
        assert_eq!(limit(LimitForm::LimitInWatts, off), ActuatorState::Automatic);
    }
}

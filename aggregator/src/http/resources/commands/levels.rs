//! Processor speed: a ceiling of the frequency, and profiles in the words that the machine offers.

use super::{Aim, Request, check_text, present, value};
use crate::http::error::Problem;
use crate::operations::Action;
use flyball_protocol::guard::ActuatorKind;
use flyball_units::Hertz;
use serde::Deserialize;
use utoipa::ToSchema;

/// No processor turns faster.
const MAX_HERTZ: f64 = 1e11;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrequencyRequest {
    /// Hertz to hold the processors under; null gives the ceiling back to the engine.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = true, nullable = true, value_type = Option<f64>)]
    cap_hertz: Option<Option<f64>>,
    /// All ceilings of the machine where absent.
    actuator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for FrequencyRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        let cap = value("cap_hertz", self.cap_hertz, MAX_HERTZ)?;
        let actuator = aim.any(ActuatorKind::FrequencyCap, self.actuator)?;
        Ok(match cap {
            Some(hertz) => Action::SetFrequencyCap { actuator, hertz: Hertz(hertz) },
            None => Action::ClearFrequencyCap { actuator },
        })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileRequest {
    /// One of the actuator's `profiles`: a governor, a platform profile.
    profile: String,
    /// The only one of the device where absent.
    actuator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for ProfileRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("profile", &self.profile)?;
        let actuator = aim.one(ActuatorKind::Profile, "actuator", self.actuator)?;
        Ok(Action::SetProfile { actuator, profile: self.profile })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

//! Small switches: the identify light, the next boot's source, services of the allow-list.

use super::{Aim, Request, check_text};
use crate::http::error::{FieldError, Problem};
use crate::operations::Action;
use flyball_protocol::command::ServiceVerb;
use flyball_protocol::guard::ActuatorKind;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndicatorRequest {
    lit: bool,
    /// The only light of the device where absent.
    indicator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for IndicatorRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        let switch = aim.one(ActuatorKind::Indicator, "indicator", self.indicator)?;
        Ok(Action::SetIndicator { switch, lit: self.lit })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootOnceRequest {
    /// In Redfish's words: `Pxe`, `Hdd`, `Cd`, `BiosSetup` …
    source: String,
    /// The switch of the machine that boots; the device's own where absent.
    switch: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for BootOnceRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("source", &self.source)?;
        let switch = aim.one(ActuatorKind::Switch, "switch", self.switch)?;
        Ok(Action::SetBootOnce { switch, source: self.source })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceRequest {
    /// One of the guard's allow-list.
    service: String,
    /// `pause`, `resume`, `stop` or `start`.
    verb: String,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for ServiceRequest {
    fn action(self, _: &Aim) -> Result<Action, Problem> {
        check_text("service", &self.service)?;
        let verb = match self.verb.as_str() {
            "pause" => ServiceVerb::Pause,
            "resume" => ServiceVerb::Resume,
            "stop" => ServiceVerb::Stop,
            "start" => ServiceVerb::Start,
            _ => {
                let message = "is pause, resume, stop or start";
                let fault = FieldError::body("verb", "invalid_value", message);
                return Err(Problem::invalid(vec![fault]));
            }
        };
        Ok(Action::SetService { service: self.service, verb })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

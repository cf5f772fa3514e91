//! The engine as it stands, for those who show it.

use super::{Engine, limit_id};
use crate::{ActuatorId, Effective, Level, LimitId, Observed, SensorId, State, Thresholds};
use flyball_units::NoData;

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitView<'a> {
    pub state: &'a State,
    /// The highest good reading of the group that is not stale.
    pub reading: Option<f64>,
    pub thresholds: &'a Effective,
    /// What the fleet layer says; the other layers are the plan's.
    pub fleet: Thresholds,
}

/// One actuator as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActuatorView {
    pub wanted: Level,
    /// The last read-back; `None` before the first.
    pub observed: Option<Result<Observed, NoData>>,
    /// The read-back has not agreed within its time.
    pub stuck: bool,
    /// What was proposed and taken: a floor or a cap.
    pub proposed: Option<f64>,
}

/// One sensor as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorView {
    /// The last reading as it was judged.
    pub reading: Result<f64, NoData>,
    /// It has settled and is not lost.
    pub trusted: bool,
}

impl Engine {
    #[must_use]
    pub fn limit(&self, limit: LimitId) -> Option<LimitView<'_>> {
        let limit = self.limits.get(limit.index())?;
        Some(LimitView {
            state: &limit.state,
            reading: limit.reading(&self.sensors),
            thresholds: &limit.effective,
            fleet: limit.fleet,
        })
    }

    #[must_use]
    pub fn actuator(&self, actuator: ActuatorId) -> Option<ActuatorView> {
        let actuator = self.actuators.get(actuator.index())?;
        Some(ActuatorView {
            wanted: actuator.wanted,
            observed: actuator.observed,
            stuck: actuator.stuck(),
            proposed: actuator.operator,
        })
    }

    #[must_use]
    pub fn sensor(&self, sensor: SensorId) -> Option<SensorView> {
        let sensor = self.sensors.get(sensor.index())?;
        Some(SensorView { reading: sensor.reading(), trusted: sensor.trusted() })
    }

    /// The limits in the plan's order.
    pub fn limits(&self) -> impl Iterator<Item = (LimitId, LimitView<'_>)> {
        (0..self.limits.len()).filter_map(|index| {
            let id = limit_id(index);
            Some((id, self.limit(id)?))
        })
    }
}

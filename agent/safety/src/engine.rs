//! The engine's doors.

use crate::event::Events;
use crate::{
    Action, ActuatorId, Config, Effective, Event, Level, LimitId, Moment, Observed, Proposal,
    Refusal, SensorId, State, Thresholds, Verdict,
};
use core::fmt;
use flyball_units::NoData;

/// One machine's limits and the levels that its actuators should have.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    events: Events,
    due: Moment,
}

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitView<'a> {
    pub state: &'a State,
    /// The highest good reading of the group that is not stale.
    pub reading: Option<f64>,
    pub thresholds: &'a Effective,
}

/// One actuator as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActuatorView {
    pub wanted: Level,
    /// The last read-back; `None` before the first.
    pub observed: Option<Result<Observed, NoData>>,
    /// The read-back has not agreed within its time.
    pub stuck: bool,
}

/// One sensor as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorView {
    /// The last reading as it was judged.
    pub reading: Result<f64, NoData>,
    /// It has settled and is not lost.
    pub trusted: bool,
}

/// A policy that was not taken: none of it is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// It names a limit that this machine has not.
    UnknownLimit(LimitId),
    /// Not finite, not above zero, not ordered, or beyond what the sensors can read.
    Thresholds(LimitId),
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLimit(id) => {
                write!(f, "the policy names limit {}, which this machine has not", id.index())
            }
            Self::Thresholds(id) => write!(
                f,
                "the policy's thresholds of limit {} need warning <= limit <= trip, above 0 and in the sensors' band",
                id.index()
            ),
        }
    }
}

impl core::error::Error for PolicyFault {}

impl Engine {
    /// An engine that knows nothing yet: every limit `Unknown`, every zone in failsafe.
    #[must_use]
    pub fn new(config: Config, now: Moment) -> Self {
        Self { config, events: Events::new(), due: now }
    }

    /// Takes up a trip of an earlier run. To be called before the first reading.
    pub fn handle_latch(&mut self, limit: LimitId, now: Moment) {
        let _ = (limit, now);
    }

    /// Judges one reading and decides at once. Unknown ids are ignored.
    pub fn handle_reading(&mut self, sensor: SensorId, reading: Result<f64, NoData>, now: Moment) {
        let _ = (sensor, reading, now);
    }

    /// Answers a proposal; what is accepted or clamped is in force at once.
    pub fn handle_proposal(&mut self, proposal: Proposal, now: Moment) -> Verdict {
        let _ = (proposal, now);
        Verdict::Refused(Refusal::NoActuator)
    }

    /// Takes what an actuator says of itself.
    pub fn handle_readback(
        &mut self,
        actuator: ActuatorId,
        observed: Result<Observed, NoData>,
        now: Moment,
    ) {
        let _ = (actuator, observed, now);
    }

    /// Replaces the fleet layer as a whole: limits that are not named lose theirs.
    ///
    /// # Errors
    /// Where any of it is not sound. Then the layer stays as it was.
    pub fn handle_policy(
        &mut self,
        policy: &[(LimitId, Thresholds)],
        now: Moment,
    ) -> Result<(), PolicyFault> {
        let _ = (policy, now);
        Ok(())
    }

    /// Clears a latched trip, if its reading allows it.
    ///
    /// # Errors
    /// Where the limit has not tripped, its condition holds, or its group does not read.
    pub fn handle_clear(&mut self, limit: LimitId, now: Moment) -> Result<(), Refusal> {
        let _ = (limit, now);
        Err(Refusal::NotTripped)
    }

    /// One cycle: ages readings, climbs and descends the ladder, asserts what does not agree.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.due = now.after(self.config.plan().timing.cycle);
    }

    /// The next thing to do. To be drained after each `handle_*`.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When `handle_timeout` is due at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Moment {
        self.due
    }

    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    #[must_use]
    pub fn limit(&self, limit: LimitId) -> Option<LimitView<'_>> {
        let _ = limit;
        None
    }

    #[must_use]
    pub fn actuator(&self, actuator: ActuatorId) -> Option<ActuatorView> {
        let _ = actuator;
        None
    }

    #[must_use]
    pub fn sensor(&self, sensor: SensorId) -> Option<SensorView> {
        let _ = sensor;
        None
    }
}

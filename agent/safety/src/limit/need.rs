//! What a limit asks of the hands of its zone and of the host, by the state that it is in.

use super::Limit;
use crate::sensor::Sensor;
use crate::{HostLevel, Moment, Response, Sense, State, Step, TripCause};

/// Below the threshold by this much a fan under the engine's hand begins to rise.
const CURVE_SPAN_CELSIUS: f64 = 20.0;

/// What a limit asks of the hands of its zone and of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) fan: FanNeed,
    pub(crate) cap: CapNeed,
    pub(crate) host: HostLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FanNeed {
    Rest,
    Raised,
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CapNeed {
    Rest,
    Safe,
    Min,
}

impl Limit {
    pub(crate) fn need(&self) -> Need {
        if self.power_is_back() {
            return Need::REST;
        }
        let stands = match &self.state {
            State::Unknown { .. } | State::Normal { .. } => Need::REST,
            State::Warning(raised) | State::Limiting(raised) => {
                self.need_of(self.held.instead_of(raised.step))
            }
            State::Tripped(tripped) => self.need_of_trip(tripped.step, tripped.cause),
            State::Failsafe(failsafe) => {
                let held = failsafe.held.map_or(Need::REST, |step| self.need_of(step));
                held.and(self.failsafe())
            }
        };
        if self.blind() { stands.and(self.failsafe()) } else { stands }
    }

    const fn need_of_trip(&self, step: Step, cause: TripCause) -> Need {
        let host = match (cause, step) {
            // A machine must be able to start.
            (TripCause::Restored, _) => HostLevel::Running,
            (TripCause::Threshold | TripCause::LadderExhausted, Step::Shutdown | Step::HardOff) => {
                HostLevel::Stopping
            }
            // What was quiet below the trip stays so in it.
            (TripCause::Threshold | TripCause::LadderExhausted, _) => HostLevel::Quiesced,
        };
        match self.spec.response {
            Response::Heat | Response::Power => {
                Need { fan: FanNeed::Full, cap: CapNeed::Min, host }
            }
            Response::Shutdown => Need { fan: FanNeed::Rest, cap: CapNeed::Min, host },
            Response::Alert => Need::REST,
        }
    }

    /// What blindness asks for. What keeps the machine running may be well though nobody sees
    /// it: missing data alone takes nothing down.
    const fn failsafe(&self) -> Need {
        match self.spec.response {
            Response::Heat | Response::Power => Need::FAILSAFE,
            Response::Shutdown | Response::Alert => Need::REST,
        }
    }

    const fn need_of(&self, step: Step) -> Need {
        let fan = match (step, self.spec.response) {
            (_, Response::Power | Response::Alert | Response::Shutdown)
            | (Step::Alert, Response::Heat) => FanNeed::Rest,
            (Step::FansRaised, Response::Heat) => FanNeed::Raised,
            (
                Step::FansFull
                | Step::CapSafe
                | Step::CapMin
                | Step::Quiesce
                | Step::Suspend
                | Step::Shutdown
                | Step::HardOff,
                Response::Heat,
            ) => FanNeed::Full,
        };
        let cap = match (step, self.spec.response) {
            (_, Response::Alert | Response::Shutdown)
            | (Step::Alert | Step::FansRaised | Step::FansFull, _) => CapNeed::Rest,
            (Step::CapSafe, Response::Heat | Response::Power) => CapNeed::Safe,
            (
                Step::CapMin | Step::Quiesce | Step::Suspend | Step::Shutdown | Step::HardOff,
                Response::Heat | Response::Power,
            ) => CapNeed::Min,
        };
        let host = match step {
            Step::Quiesce => HostLevel::Quiesced,
            Step::Suspend => HostLevel::Suspended,
            Step::Alert
            | Step::FansRaised
            | Step::FansFull
            | Step::CapSafe
            | Step::CapMin
            | Step::Shutdown
            | Step::HardOff => HostLevel::Running,
        };
        Need { fan, cap, host }
    }

    /// How much of its range a fan under the engine's hand should use for this limit, 0 to 1:
    /// nothing below the span under the threshold, all of it at the threshold.
    pub(crate) fn curve(&self, sensors: &[Sensor], now: Moment) -> f64 {
        let top = self.effective.limit.or(self.effective.trip).or(self.effective.warning);
        let (Response::Heat, Sense::Above, Some(top)) = (self.spec.response, self.spec.sense, top)
        else {
            return 0.0;
        };
        let worst = self
            .group(sensors)
            .filter_map(|sensor| sensor.projection(Sense::Above, now).or_else(|| sensor.value()))
            .reduce(f64::max);
        let Some(worst) = worst else { return 0.0 };
        ((worst - top.value) / CURVE_SPAN_CELSIUS + 1.0).clamp(0.0, 1.0)
    }

    /// The most that a power cap of the zone may be by this limit alone, whatever its state.
    pub(crate) fn cap_ceiling(&self) -> Option<f64> {
        match (self.spec.response, self.spec.sense) {
            (Response::Power, Sense::Above) if self.watts => {
                self.effective.limit.or(self.effective.trip).map(|it| it.value)
            }
            (Response::Power | Response::Heat | Response::Alert | Response::Shutdown, _) => None,
        }
    }
}

impl Need {
    pub(crate) const REST: Self =
        Self { fan: FanNeed::Rest, cap: CapNeed::Rest, host: HostLevel::Running };
    const FAILSAFE: Self =
        Self { fan: FanNeed::Raised, cap: CapNeed::Safe, host: HostLevel::Running };

    /// What satisfies both.
    fn and(self, other: Self) -> Self {
        Self {
            fan: self.fan.max(other.fan),
            cap: self.cap.max(other.cap),
            host: self.host.max(other.host),
        }
    }
}
